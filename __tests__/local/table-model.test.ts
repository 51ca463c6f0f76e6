/** The model of DynamoDB beside the emulator: the same commands, the same answers, refusals and costs. */
import { DynamoDBServiceException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import type { Item } from "../../local/dynamodb/expressions.ts";
import { type CallCost, type TableOptions, tableModel } from "../../local/dynamodb/table-model.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createMessageTable, documentClientOf } from "../support/message-table.ts";

const key = "application_message_id";
const TableName = "message-state";

/** A table that holds these items, and what its calls cost. */
function table(items: readonly Item[] = [], options: Partial<TableOptions> = {}) {
  const costs: CallCost[] = [];
  const model = tableModel({ key, now: () => 0, onCall: (cost) => costs.push(cost), ...options });
  for (const item of items) model.put(item);
  return { ...model, costs };
}

const item = (attributes: Item = {}): Item => ({ [key]: "a", ...attributes });

/** An update of the item `a`. */
const update = (input: Omit<UpdateCommandInput, "TableName" | "Key">) =>
  new UpdateCommand({ TableName, Key: { [key]: "a" }, ReturnValues: "ALL_NEW", ...input });

/** What a client answers, or the name of its error. */
async function answerOf(client: DynamoDBDocumentClient, command: UpdateCommand | PutCommand) {
  try {
    const { Attributes } = await client.send(command as UpdateCommand);
    return { attributes: Attributes };
  } catch (error) {
    if (error instanceof DynamoDBServiceException) return { refused: error.name };
    throw error;
  }
}

describe("beside the emulator", () => {
  let emulators: Emulators<"dynamodb">;
  let client: DynamoDBDocumentClient;
  beforeAll(async () => {
    emulators = await startEmulators(["dynamodb"]);
    await createMessageTable(emulators.endpoints.dynamodb);
    client = documentClientOf(emulators.endpoints.dynamodb);
  });
  afterAll(() => emulators?.stop());

  const scalar = fc.oneof(
    fc.constantFrom<unknown>(0, 1, 2.5, -7, "A", "B", "Bé", "€", "\u{1F600}", true, null),
    fc.constant([1, "A"]),
  );
  const comparable = fc.constantFrom<unknown>(0, 1, 2.5, -7, "A", "B", "Bé", "€", "\u{1F600}");
  const attributes = fc.dictionary(
    fc.constantFrom("a", "b", "m"),
    fc.oneof(scalar, fc.dictionary(fc.constantFrom("x", "y"), scalar)),
  );
  const path = fc.constantFrom("#a", "#b", "#m", "#m.#x", "#m.#y", "#a.#x");
  const clause = fc.oneof(
    path.map((name) => `attribute_exists(${name})`),
    path.map((name) => `attribute_not_exists(${name})`),
    path.map((name) => `attribute_type(${name}, :null)`),
    fc
      .tuple(path, fc.constantFrom("=", "<>", "<", "<=", ">", ">="))
      .map(([name, operator]) => `${name} ${operator} :compared`),
  );
  const { condition } = fc.letrec<{ condition: string; part: string }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      tie("part"),
      fc
        .tuple(tie("condition"), fc.constantFrom("AND", "OR"), tie("condition"))
        .map((parts) => parts.join(" ")),
    ),
    part: fc.oneof(
      { maxDepth: 3 },
      clause,
      clause.map((text) => `NOT ${text}`),
      // The emulator refuses parentheses around parentheses, as DynamoDB does.
      fc
        .tuple(fc.constantFrom("", "NOT "), tie("part"), fc.constantFrom("AND", "OR"), tie("part"))
        .map(([not, one, operator, other]) => `${not}(${one} ${operator} ${other})`),
    ),
  }));
  const paths = fc.uniqueArray(path, { maxLength: 2 });
  const updateText = fc
    .tuple(paths, paths)
    .filter(([sets, removes]) => sets.length + removes.length > 0)
    .map(([sets, removes]) => {
      const set = `SET ${sets.map((name) => `${name} = :set`).join(", ")}`;
      const remove = `REMOVE ${removes.join(", ")}`;
      return [...(sets.length > 0 ? [set] : []), ...(removes.length > 0 ? [remove] : [])].join(" ");
    });

  /** The names and values that stand in the expressions. */
  const used = <T>(all: Record<string, T>, ...texts: string[]): Record<string, T> | undefined => {
    const entries = Object.entries(all).filter(([name]) =>
      texts.some((text) => new RegExp(`${name}\\b`).test(text)),
    );
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  };
  const names = { "#a": "a", "#b": "b", "#m": "m", "#x": "x", "#y": "y" };

  test("any update of any item has the same result", async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        attributes,
        condition,
        updateText,
        comparable,
        scalar,
        async (before, ConditionExpression, UpdateExpression, compared, set) => {
          const model = table([item(before)]);
          await client.send(new PutCommand({ TableName, Item: item(before) }));
          const values = { ":compared": compared, ":null": "NULL", ":set": set };
          const ExpressionAttributeValues = used(values, ConditionExpression, UpdateExpression);
          const ExpressionAttributeNames = used(names, ConditionExpression, UpdateExpression);
          const command = () =>
            update({
              ConditionExpression,
              UpdateExpression,
              ...(ExpressionAttributeNames && { ExpressionAttributeNames }),
              ...(ExpressionAttributeValues && { ExpressionAttributeValues }),
            });

          const [expected, answer] = [
            await answerOf(client, command()),
            await answerOf(model.client, command()),
          ];

          expect(answer).toEqual(expected);
          const kind = expected.refused ?? "applied";
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        },
      ),
      { numRuns: 300 },
    );
    // Each kind of answer was among them.
    const kinds = ["applied", "ConditionalCheckFailedException", "ValidationException"];
    expect(kinds.filter((kind) => (outcomes.get(kind) ?? 0) < 5)).toEqual([]);
  });

  test.each<[string, Omit<UpdateCommandInput, "TableName" | "Key">]>([
    ["without its value", { UpdateExpression: "SET a = :v" }],
    ["without its name", { UpdateExpression: "REMOVE #a" }],
    ["with a name too many", { UpdateExpression: "REMOVE a", ExpressionAttributeNames: { "#b": "b" } }],
    ["with a value too many", { UpdateExpression: "REMOVE a", ExpressionAttributeValues: { ":b": 1 } }],
    ["that is empty", { UpdateExpression: "" }],
    ["with an empty condition", { UpdateExpression: "REMOVE a", ConditionExpression: "" }],
    ["with half a condition", { UpdateExpression: "REMOVE a", ConditionExpression: "attribute_exists(a" }],
    [
      "with more than a condition",
      { UpdateExpression: "REMOVE a", ConditionExpression: "attribute_exists(a) )" },
    ],
    ["of the key", { UpdateExpression: `SET ${key} = :v`, ExpressionAttributeValues: { ":v": "b" } }],
    ["of an attribute and what lies in it", { UpdateExpression: "REMOVE m, m.x" }],
    [
      "of two names for one attribute",
      { UpdateExpression: "REMOVE a, #a", ExpressionAttributeNames: { "#a": "a" } },
    ],
    [
      "beyond the largest item",
      { UpdateExpression: "SET a = :v", ExpressionAttributeValues: { ":v": "x".repeat(410_000) } },
    ],
  ])("an update %s is refused", async (_what, input) => {
    const before = item({ m: { x: 1 } });
    const model = table([before]);
    await client.send(new PutCommand({ TableName, Item: before }));

    expect(await answerOf(client, update(input))).toEqual({ refused: "ValidationException" });
    expect(await answerOf(model.client, update(input))).toEqual({ refused: "ValidationException" });
    expect(model.items.get("a")).toEqual(before);
  });

  test.each([
    ["20 bytes", 20],
    ["1.5 KiB", 1_500],
    ["9 KiB", 9_000],
  ])("what an item of %s costs is what the emulator says", async (_size, bytes) => {
    const held = item({ text: "x".repeat(bytes), count: 12, map: { list: [1, null, true, "\u00fc"] } });
    const other = item({ [key]: "b" });
    const model = table();
    const commands = [
      new PutCommand({ TableName, Item: held }),
      new PutCommand({ TableName, Item: other }),
      new GetCommand({ TableName, Key: { [key]: "a" } }),
      new GetCommand({ TableName, Key: { [key]: "a" }, ConsistentRead: true }),
      new GetCommand({ TableName, Key: { [key]: "nobody" } }),
      new BatchGetCommand({
        RequestItems: { [TableName]: { Keys: ["a", "b", "nobody"].map((id) => ({ [key]: id })) } },
      }),
      update({ UpdateExpression: "SET more = :v", ExpressionAttributeValues: { ":v": 1 } }),
      new PutCommand({ TableName, Item: held }),
    ];
    const charged: number[] = [];
    await client.send(new DeleteCommand({ TableName, Key: { [key]: "a" } }));
    for (const command of commands) {
      command.input.ReturnConsumedCapacity = "TOTAL";
      const answer = await client.send(command as GetCommand);
      const units = [answer.ConsumedCapacity ?? []].flat().map(({ CapacityUnits = 0 }) => CapacityUnits);
      charged.push(units.reduce((sum, one) => sum + one));
      model.execute(command);
    }

    expect(model.costs.map(({ readUnits, writeUnits }) => readUnits + writeUnits)).toEqual(charged);
  });
});

describe("a read", () => {
  const get = (isConsistent: boolean) =>
    new GetCommand({ TableName, Key: { [key]: "a" }, ConsistentRead: isConsistent });

  test("that need not be consistent gives, where chance has it, what was there two seconds ago", () => {
    let now = 0;
    const { execute, put, remove } = table([], { now: () => now, readsOld: () => true });
    put(item({ is: "first" }));
    now = 10;
    put(item({ is: "second" }));

    now = 11.9;
    expect(execute(get(false))).toEqual({ Item: item({ is: "first" }) });
    expect(execute(get(true))).toEqual({ Item: item({ is: "second" }) });
    now = 12;
    expect(execute(get(false))).toEqual({ Item: item({ is: "second" }) });
    remove("a");
    expect(execute(get(false))).toEqual({ Item: item({ is: "second" }) });
    expect(execute(get(true))).toEqual({});
  });

  test("is asked about only where something old is left", () => {
    let asked = 0;
    const { execute } = table([item()], {
      readsOld: () => {
        asked += 1;
        return false;
      },
    });
    execute(get(true));
    expect(asked).toBe(0);
    execute(get(false));
    expect(asked).toBe(1);
  });

  test("hands out a copy, and a write keeps one", () => {
    const { execute, items } = table([item({ map: { list: [{ x: 1 }] } })]);
    const { Item: read } = execute(get(true)) as { Item: { map: { list: { x: number }[] } } };
    const given = { list: [{ x: 5 }] };
    execute(update({ UpdateExpression: "SET given = :v", ExpressionAttributeValues: { ":v": given } }));

    for (const { list } of [read.map, given]) if (list[0] !== undefined) list[0].x = 7;

    expect(items.get("a")).toEqual(item({ map: { list: [{ x: 1 }] }, given: { list: [{ x: 5 }] } }));
  });

  test.each([
    ["no key", []],
    ["101 keys", Array.from({ length: 101 }, (_, n) => `m-${n}`)],
    ["a key twice", ["a", "a"]],
    ["an empty key", [""]],
    ["a key of more than 2048 bytes", ["\u00fc".repeat(1_025)]],
  ])("of a batch with %s is refused", (_what, ids) => {
    const Keys = ids.map((id) => ({ [key]: id }));
    const command = new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } });

    expect(() => table().execute(command)).toThrow(expect.objectContaining({ name: "ValidationException" }));
  });

  test("of a batch may leave keys for later, to be asked for as they are", () => {
    const { execute } = table([item(), item({ [key]: "b" })], { leavesUnprocessed: (id) => id === "b" });
    const keys = ["a", "b"].map((id) => ({ [key]: id }));
    const command = new BatchGetCommand({
      RequestItems: { [TableName]: { Keys: keys, ConsistentRead: true } },
    });

    expect(execute(command)).toEqual({
      Responses: { [TableName]: [item()] },
      UnprocessedKeys: { [TableName]: { Keys: [{ [key]: "b" }], ConsistentRead: true } },
    });
  });
});

describe("a write", () => {
  const never = { ConditionExpression: "attribute_not_exists(a)", UpdateExpression: "REMOVE b" };

  test("that is refused brings the item where it was asked to", async () => {
    const { client } = table([item({ a: 1 })]);

    await expect(
      client.send(update({ ...never, ReturnValuesOnConditionCheckFailure: "ALL_OLD" })),
    ).rejects.toThrow(expect.objectContaining({ Item: { [key]: { S: "a" }, a: { N: "1" } } }));
    await expect(client.send(update(never))).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      Item: undefined,
    });
  });

  // The larger of the item before and after, says AWS; the emulator takes the one after.
  test("costs by the larger of the item before and after it, refused or not", () => {
    const { execute, costs } = table([item({ text: "x".repeat(2_500) })]);
    expect(() => execute(update({ ...never, ConditionExpression: "attribute_exists(a)" }))).toThrow();
    execute(update({ UpdateExpression: "REMOVE text" }));
    execute(
      update({ UpdateExpression: "SET text = :v", ExpressionAttributeValues: { ":v": "x".repeat(1_500) } }),
    );

    expect(costs.map(({ operation }) => operation)).toEqual(Array(3).fill("UpdateItem"));
    expect(costs.map(({ writeUnits }) => writeUnits)).toEqual([3, 3, 2]);
  });

  test("is heard of when it took effect, with the item before and after it", () => {
    const writes: unknown[] = [];
    const { execute } = table([], { onWrite: (write) => writes.push(write) });
    execute(new PutCommand({ TableName, Item: item({ a: 1, b: undefined }) }));
    expect(() => execute(update(never))).toThrow("The conditional request failed");
    execute(update({ UpdateExpression: "SET a = :v", ExpressionAttributeValues: { ":v": 2 } }));

    expect(writes).toStrictEqual([
      { id: "a", after: item({ a: 1 }) },
      { id: "a", before: item({ a: 1 }), after: item({ a: 2 }) },
    ]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    "of the number %d is no request at all",
    (number) => {
      const command = new PutCommand({ TableName, Item: item({ map: { list: [number] } }) });

      expect(() => table().execute(command)).toThrow(/^The document client writes no number/);
    },
  );

  test.each([
    ["function", { ConditionExpression: "begins_with(a, a)", UpdateExpression: "REMOVE b" }],
    ["operator", { ConditionExpression: "a BETWEEN a", UpdateExpression: "REMOVE b" }],
    ["update", { UpdateExpression: "ADD a b" }],
  ])(
    "with a %s that the model does not know is an error that no adapter takes for DynamoDB's",
    (what, input) => {
      const execute = () => table([item()]).execute(update(input));

      expect(execute).toThrow(`The model of DynamoDB does not know the ${what}`);
      expect(execute).not.toThrow(DynamoDBServiceException);
    },
  );
});
