/**
 * DynamoDB's condition and update expressions: the grammar of conditions but for IN, BETWEEN and the functions that
 * nobody here uses, and updates that SET a value or REMOVE a path.
 *
 * What DynamoDB refuses is a `ValidationException`; what only this model does not know is an error of its own, so
 * that nobody takes the one for the other.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
 */
import { isDeepStrictEqual } from "node:util";
import { DynamoDBServiceException } from "@aws-sdk/client-dynamodb";

// A global costs a test of Jest as much as a whole function; these are called for every attribute.
const { getPrototypeOf, hasOwn } = Object;

/** An item as the document client knows it: numbers, texts, maps. */
export type Item = Record<string, unknown>;

/** The expressions of a write, and the names and values that stand in them. */
export interface Expressions {
  readonly ConditionExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>> | undefined;
}

/** What DynamoDB answers to a request that can never be. */
export function validationException(message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({
    name: "ValidationException",
    $fault: "client",
    message,
    $metadata: { httpStatusCode: 400 },
  });
}

/**
 * Whether the condition of a write holds for an item; without one it does.
 *
 * @param item the item as it is; `{}` where there is none
 * @throws DynamoDBServiceException with the name `ValidationException`
 */
export function conditionHolds(expressions: Expressions, item: Item): boolean {
  const { ConditionExpression: text } = expressions;
  return text === undefined || parsed(text, parseCondition)({ item, expressions });
}

/**
 * What an item becomes by the update expression of a write; the item itself stays as it is.
 *
 * @throws DynamoDBServiceException with the name `ValidationException`, where a path leads through something that is
 *   no map
 */
export function updated(expressions: Expressions, item: Item): Item {
  const context = { item, expressions };
  return actionsOf(expressions)
    .map(({ path, operand }) => ({ keys: keysOf(path, expressions), value: operand?.(context) }))
    .reduce((changed, { keys, value }) => withValueAt(keys, value, changed), item);
}

/**
 * Refuses what DynamoDB refuses whatever the item is: an error of syntax, a name or value that stands in no
 * expression or is missing, two paths of an update that meet.
 *
 * @throws DynamoDBServiceException with the name `ValidationException`
 */
export function refuseInvalid(expressions: Expressions): void {
  const { ConditionExpression: condition = "", UpdateExpression: change = "" } = expressions;
  if (expressions.ConditionExpression !== undefined) parsed(condition, parseCondition);
  const used = [...parsed(condition, placeholdersOf), ...parsed(change, placeholdersOf)];
  const given = { ...expressions.ExpressionAttributeNames, ...expressions.ExpressionAttributeValues };
  for (const placeholder of used) {
    if (given[placeholder] !== undefined) continue;
    throw validationException(`A name or value used in an expression is not defined: ${placeholder}`);
  }
  for (const placeholder in given) {
    if (used.includes(placeholder)) continue;
    throw validationException(`A name or value provided is unused in expressions: ${placeholder}`);
  }
  refuseOverlaps(actionsOf(expressions).map(({ path }) => keysOf(path, expressions).join(".")));
}

/** Whether a value is a map of DynamoDB's, and no list, set or bytes. */
export function isMap(value: unknown): value is Item {
  if (typeof value !== "object" || value === null) return false;
  // Not compared with Object.prototype: a test runner has one of its own beside that of `structuredClone`.
  const prototype: unknown = getPrototypeOf(value);
  return prototype === null || getPrototypeOf(prototype) === null;
}

interface Context {
  readonly item: Item;
  readonly expressions: Expressions;
}

type Condition = (context: Context) => boolean;
type Operand = (context: Context) => unknown;

/** Sets a path, or removes it where there is no operand. */
interface Action {
  readonly path: string;
  readonly operand?: Operand;
}

/** What was parsed before, by parser: the adapters write the same few expressions again and again. */
const known = new WeakMap<object, Map<string, unknown>>();

function parsed<T>(text: string, parse: (text: string) => T): T {
  const texts = known.get(parse) ?? new Map<string, unknown>();
  known.set(parse, texts);
  if (!texts.has(text)) texts.set(text, parse(text));
  return texts.get(text) as T;
}

/** What a write sets and removes; nothing where it has no update expression. */
function actionsOf({ UpdateExpression: text }: Expressions): readonly Action[] {
  return text === undefined ? [] : parsed(text, parseUpdate);
}

const placeholdersOf = (text: string): readonly string[] => text.match(/[#:]\w+/g) ?? [];

/** The tokens of an expression; a document path such as `#attempts.#1` is one. */
function tokensOf(text: string) {
  const tokens = text.match(/<>|<=|>=|[=<>(),]|[#:]?\w[\w.#]*|\S/g) ?? [];
  let next = 0;
  const take = (): string => {
    const token = tokens[next];
    if (token === undefined) throw validationException("Invalid expression: Syntax error; token: <EOF>");
    next += 1;
    return token;
  };
  return {
    isAtEnd: () => next === tokens.length,
    take,
    /** Takes the next token if it is this one. */
    accept(token: string): boolean {
      if (tokens[next] !== token) return false;
      next += 1;
      return true;
    },
    expect(token: string): void {
      const taken = take();
      if (taken !== token) throw validationException(`Invalid expression: Syntax error; token: "${taken}"`);
    },
  };
}

function parseCondition(text: string): Condition {
  const { take, accept, expect, isAtEnd } = tokensOf(text);
  const alternatives = (): Condition => {
    const either = [clauses()];
    while (accept("OR")) either.push(clauses());
    return (context) => either.some((holds) => holds(context));
  };
  const clauses = (): Condition => {
    const all = [clause()];
    while (accept("AND")) all.push(clause());
    return (context) => all.every((holds) => holds(context));
  };
  const clause = (): Condition => {
    if (accept("NOT")) {
      const negated = clause();
      return (context) => !negated(context);
    }
    if (accept("(")) {
      const inner = alternatives();
      expect(")");
      return inner;
    }
    const first = take();
    return accept("(") ? call(first) : comparison(first);
  };
  const call = (name: string): Condition => {
    const operand = parseOperand(take());
    const type = accept(",") ? parseOperand(take()) : undefined;
    expect(")");
    if (name === "attribute_exists") return (context) => operand(context) !== undefined;
    if (name === "attribute_not_exists") return (context) => operand(context) === undefined;
    if (name === "attribute_type") return (context) => typeOf(operand(context)) === type?.(context);
    throw new Error(`The model of DynamoDB does not know the function ${name}.`);
  };
  const comparison = (first: string): Condition => {
    const operator = take();
    const [left, right] = [parseOperand(first), parseOperand(take())];
    const isMet = comparators[operator];
    if (isMet === undefined) throw new Error(`The model of DynamoDB does not know the operator ${operator}.`);
    return (context) => isMet(left(context), right(context));
  };
  const whole = alternatives();
  if (!isAtEnd()) throw validationException(`Invalid expression: Syntax error; token: "${take()}"`);
  return whole;
}

function parseUpdate(text: string): Action[] {
  const { take, accept, expect, isAtEnd } = tokensOf(text);
  const actions: Action[] = [];
  const eachOf = (action: (path: string) => Action): void => {
    do actions.push(action(take()));
    while (accept(","));
  };
  if (accept("SET")) {
    eachOf((path) => {
      expect("=");
      return { path, operand: parseOperand(take()) };
    });
  }
  if (accept("REMOVE")) eachOf((path) => ({ path }));
  if (actions.length === 0 && isAtEnd()) throw validationException("The expression can not be empty");
  if (!isAtEnd()) throw new Error(`The model of DynamoDB does not know the update ${take()}.`);
  return actions;
}

function parseOperand(token: string): Operand {
  return token.startsWith(":")
    ? ({ expressions }) => expressions.ExpressionAttributeValues?.[token]
    : ({ item, expressions }) => valueAt(keysOf(token, expressions), item);
}

/** The keys along a document path such as `#attempts.#1.#outcome`. */
function keysOf(path: string, { ExpressionAttributeNames: names }: Expressions): string[] {
  return path.split(".").map((part) => names?.[part] ?? part);
}

function valueAt(keys: readonly string[], item: Item): unknown {
  return keys.reduce<unknown>(
    (holder, key) => (isMap(holder) && hasOwn(holder, key) ? holder[key] : undefined),
    item,
  );
}

/** A map with a value at a path, or without one there where it is undefined. */
function withValueAt([key = "", ...rest]: readonly string[], value: unknown, holder: unknown): Item {
  if (!isMap(holder)) {
    throw validationException("The document path provided in the update expression is invalid for update");
  }
  const changed = { ...holder };
  if (rest.length > 0) changed[key] = withValueAt(rest, value, holder[key]);
  else if (value === undefined) delete changed[key];
  else changed[key] = value;
  return changed;
}

function refuseOverlaps(paths: readonly string[]): void {
  const sorted = paths.map((path) => `${path}.`).sort();
  for (let index = 1; index < sorted.length; index += 1) {
    if (!sorted[index]?.startsWith(sorted[index - 1] ?? "")) continue;
    throw validationException("Two document paths overlap with each other; must remove or rewrite one");
  }
}

/** DynamoDB's name for the type of a value; undefined where there is none. */
export function typeOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "undefined":
      return undefined;
    case "string":
      return "S";
    case "number":
    case "bigint":
      return "N";
    case "boolean":
      return "BOOL";
    default:
      if (value === null) return "NULL";
      if (Array.isArray(value)) return "L";
      if (isMap(value)) return "M";
      throw new Error("The model of DynamoDB does not know sets and bytes.");
  }
}

/** Values of different types are different, and in no order. */
const comparators: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  "=": isSame,
  "<>": (left, right) => !isSame(left, right),
  "<": (left, right) => order(left, right) < 0,
  "<=": (left, right) => order(left, right) <= 0,
  ">": (left, right) => order(left, right) > 0,
  ">=": (left, right) => order(left, right) >= 0,
};

function isSame(left: unknown, right: unknown): boolean {
  if (left === undefined || typeOf(left) !== typeOf(right)) return false;
  return typeof left === "object"
    ? isDeepStrictEqual(left, right)
    : left === right || order(left, right) === 0;
}

/** Below 0, 0 or above 0 as `Array.sort` has it, and NaN for what cannot be compared. */
function order(left: unknown, right: unknown): number {
  const type = typeOf(left);
  if (type !== typeOf(right)) return Number.NaN;
  if (type === "S") return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
  if (type !== "N") return Number.NaN;
  const [one, other] = [left as number, right as number];
  return one < other ? -1 : one > other ? 1 : 0;
}
