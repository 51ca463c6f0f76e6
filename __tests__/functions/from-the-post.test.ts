/** The test procedure of docs/from-the-post.md, done on this machine with the page's own commands and event. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { eventFilterPatterns } from "../../functions/contract/event-filter.ts";
import { parseDeliveryEvent } from "../../functions/core/events/parse-delivery-event.ts";
import { defaultRetryableStatuses } from "../../functions/core/events/statuses.ts";
import { readProduceInvocation } from "../../functions/core/sending/produce-invocation.ts";
import { eventMatcher } from "../../local/lambda/filter-pattern.ts";
import { failureNumbers, successNumbers } from "../../local/sms-service/simulator-numbers.ts";
import { applicationId, type Deployment, kinesisRecord, startDeployment } from "../support/deployment.ts";
import { awsCommandsOf } from "../support/documented-command.ts";

const docs = join(__dirname, "../../docs");
const page = readFileSync(join(docs, "from-the-post.md"), "utf8");

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.reset());

test.each([
  ["Pinpoint", 0],
  ["End User Messaging", 1],
])("the page's item and event of %s lead to one retry, with number and body", async (_service, index) => {
  const [, event = ""] = [...page.matchAll(/```json\n(.*?)```/gs)][index] ?? [];
  const item = unmarshall(JSON.parse(awsCommandsOf(page, "dynamodb put-item")[0]?.option("--item") ?? ""));
  const isLetThrough = eventMatcher([...eventFilterPatterns("retried", applicationId)]);
  await deployment.table.put(item);

  expect(isLetThrough({ data: JSON.parse(event) })).toBe(true);
  expect(await deployment.consume([kinesisRecord(event)])).toEqual([]);
  await deployment.drain();

  const { requests } = deployment.pinpoint;
  expect(requests.map(({ destination, body }) => [destination, body])).toEqual([
    [item.destination_number, item.message_body],
  ]);
  const after = await deployment.table.get(item.application_message_id);
  expect(after).toMatchObject({ status: "SENT", retry_count: 1 });
  expect(after?.attempts).toHaveProperty(["1", "message_id"], expect.any(String));
});

test("the page's event of End User Messaging says what a retry is to leave by", () => {
  const [, [, text = ""] = []] = [...page.matchAll(/```json\n(.*?)```/gs)];

  expect(parseDeliveryEvent(JSON.parse(text))).toMatchObject({
    event: { format: "end-user-messaging", origination: expect.stringMatching(/^\+1/) },
  });
});

test("the page looks at the item of the message that it sends", () => {
  const [send] = awsCommandsOf(page, "lambda invoke");
  const [look] = awsCommandsOf(page, "dynamodb get-item");

  expect(unmarshall(JSON.parse(look?.option("--key") ?? ""))).toEqual({
    application_message_id: JSON.parse(send?.input ?? "").application_message_id,
  });
});

test.each(["../README.md", "application-contract.md", "from-the-post.md", "migration.md"])(
  "every event for produce in %s is one that it takes",
  (name) => {
    const defaults = {
      destinationNumber: undefined,
      body: undefined,
      originationNumber: undefined,
      validitySeconds: 86_400,
      smsService: "pinpoint" as const,
      smsServices: new Set(["pinpoint" as const]),
    };
    for (const command of awsCommandsOf(readFileSync(join(docs, name), "utf8"), "lambda invoke"))
      expect(readProduceInvocation(JSON.parse(command.input), defaults).action).toBe("produce");
  },
);

test("every command that invokes a function is one for release 1 of the AWS CLI, too", () => {
  // Release 1 does not know --cli-binary-format, without which release 2 takes a text for base64.
  for (const name of ["../README.md", "application-contract.md", "from-the-post.md", "migration.md"])
    for (const { words } of awsCommandsOf(readFileSync(join(docs, name), "utf8"), "lambda invoke"))
      expect(words.slice(2, 7)).toEqual([
        "--function-name",
        expect.any(String),
        "--payload",
        "fileb:///dev/stdin",
        "/dev/stdout",
      ]);
});

test("the page's simulator numbers are AWS's, and it says how many it leaves out", () => {
  const rows = [...page.matchAll(/^\| ([A-Z]{2}) \| (\+\d+) \| (\+\d+) \|$/gm)];
  const numbersOf = new Map<string, string[]>(
    Object.entries(failureNumbers).map(([country, failing]) => [
      country,
      [successNumbers[country as keyof typeof successNumbers], failing],
    ]),
  );

  expect(rows.length).toBeGreaterThan(0);
  for (const [, country = "", ...numbers] of rows) expect(numbers).toEqual(numbersOf.get(country));
  expect(page).toContain(`the numbers of ${numbersOf.size - rows.length} more countries`);
});

test("the page names the statuses that are retried by default, and no other", () => {
  const [, row = ""] = /^\| statuses that are retried \| ([^|]*) \|/m.exec(page) ?? [];

  expect([...row.matchAll(/`(\w+)`/g)].map(([, status]) => status)).toEqual([...defaultRetryableStatuses]);
});
