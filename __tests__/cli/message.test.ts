/** `sms-retry status`, `resend` and `cancel` as an operator runs them, on an emulated table and queue. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { createMessageTable, emulatorAccess, type MessageTable } from "../support/message-table.ts";
import { sentMessage } from "../support/messages.ts";
import { type ScriptRun, signedIn } from "../support/script-run.ts";

const script = join(__dirname, "../../cli/sms-retry.ts");
const body = "Your code is 493817. It is valid for 10 minutes.";
const now = Math.floor(Date.now() / 1_000);

let emulators: Emulators<"dynamodb" | "sqs">;
let table: MessageTable;
let sqs: SQSClient;
let queueUrl: string;

beforeAll(async () => {
  emulators = await startEmulators(["dynamodb", "sqs"]);
  table = await createMessageTable(emulators.endpoints.dynamodb, "sms-retry-message-state");
  sqs = new SQSClient({ ...emulatorAccess, endpoint: emulators.endpoints.sqs });
  const created = await sqs.send(new CreateQueueCommand({ QueueName: "sms-retry-retry" }));
  queueUrl = created.QueueUrl ?? "";
});
afterAll(() => emulators.stop());
beforeEach(() => table.clear());

interface Given {
  readonly standardInput?: string;
  /** Is told of what is printed while the command runs. */
  readonly onOutput?: (text: string) => void;
}

function smsRetry(given: readonly string[], { standardInput, onOutput }: Given = {}): Promise<ScriptRun> {
  return new Promise((resolve) => {
    const env = {
      ...signedIn,
      AWS_ENDPOINT_URL_DYNAMODB: emulators.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: emulators.endpoints.sqs,
    };
    const child = execFile(process.execPath, [script, ...given], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    if (onOutput !== undefined) child.stdout?.on("data", (text) => onOutput(String(text)));
    child.stdin?.end(standardInput ?? "");
  });
}

/** A message that failed for good a minute ago, while its deadline is ahead. */
function exhausted(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const { message_body: _, ...item } = sentMessage();
  return {
    ...item,
    status: "EXHAUSTED",
    status_reason: "UNREACHABLE",
    retry_count: 1,
    created_at: now - 600,
    deadline: now + 3_600,
    expires_at: now + 86_400,
    ended_at: now - 60,
    attempts: {
      "0": {
        message_id: "msg-0",
        outcome: "UNREACHABLE",
        outcome_at: now - 500,
        retry_scheduled_at: now - 500,
      },
      "1": {
        claim_id: "c",
        claimed_at: now - 300,
        sent_at: now - 300,
        message_id: "msg-1",
        outcome: "UNREACHABLE",
        outcome_at: now - 60,
      },
    },
    ...changes,
  };
}

const isoOf = (second: number): string => new Date(second * 1_000).toISOString().replace(".000", "");

describe("sms-retry status", () => {
  test("tells a history in sentences, explained, with the number masked and without the body", async () => {
    await table.put({ ...exhausted(), message_body: body });

    const { code, stdout, stderr } = await smsRetry(["status", "order-4711", "--explain"]);

    expect([code, stderr]).toEqual([0, ""]);
    const failed = "UNREACHABLE (the handset is off or out of reach)";
    expect(stdout.split("\n")).toEqual([
      "order-4711 is EXHAUSTED (UNREACHABLE), to +4477********.",
      `${isoOf(now - 600)}  The message was created.`,
      `${isoOf(now - 500)}  Attempt 0 failed: ${failed}; a retry was scheduled. [event: schedule, retryable-failure]`,
      `${isoOf(now - 300)}  A worker claimed attempt 1. [retry-message: claim, due]`,
      `${isoOf(now - 300)}  The service took attempt 1 as msg-1.`,
      `${isoOf(now - 60)}  Attempt 1 failed: ${failed}.`,
      `${isoOf(now - 60)}  The message ended as EXHAUSTED, no retry is left (UNREACHABLE). [event: exhaust, retries-exhausted]`,
      "Next: Nothing, unless a late delivery corrects the end, or an operator resends it.",
      `DynamoDB deletes its item after ${isoOf(now + 86_400)}.`,
      "",
    ]);
  });

  test("--json has the same for a program, and --show-number the number", async () => {
    await table.put({ ...exhausted(), message_body: body });

    const { stdout } = await smsRetry(["status", "order-4711", "--json", "--show-number"]);

    expect(JSON.parse(stdout)).toEqual({
      application_message_id: "order-4711",
      destination_number: "+447700900123",
      status: "EXHAUSTED",
      status_reason: "UNREACHABLE",
      retry_count: 1,
      created_at: now - 600,
      deadline: now + 3_600,
      expires_at: now + 86_400,
      ended_at: now - 60,
      is_over: true,
      steps: expect.arrayContaining([
        {
          kind: "ended",
          at: now - 60,
          text: "The message ended as EXHAUSTED, no retry is left (UNREACHABLE).",
          row: { table: "event", action: "exhaust", reason: "retries-exhausted" },
        },
      ]),
      next: { text: expect.any(String) },
    });
    expect(stdout).not.toContain("493817");
  });

  test("an id that is not there exits 1 with one sentence", async () => {
    expect(await smsRetry(["status", "nobody"])).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "There is no message nobody in sms-retry-message-state; check the id and --table: an item goes some days after its message has ended.\n",
    });
  });

  test("--watch tells what happens, and ends with the message", async () => {
    await table.put({ ...exhausted(), status: "SENT", ended_at: null });
    let isTold = false;

    const { code, stdout } = await smsRetry(["status", "order-4711", "--watch"], {
      onOutput() {
        if (!isTold) void table.put(exhausted());
        isTold = true;
      },
    });

    expect(code).toBe(0);
    expect(stdout).toContain("order-4711 is SENT");
    expect(stdout).toContain("The message ended as EXHAUSTED");
    expect(stdout.match(/The message was created/g)).toHaveLength(1);
  });

  test("--failed and --expired list what ended, a line each, by its time", async () => {
    await table.putAll([
      exhausted({ application_message_id: "a", ended_at: now - 7_200 }),
      exhausted({ application_message_id: "b" }),
      exhausted({
        application_message_id: "c",
        status: "EXPIRED",
        status_reason: "deadline",
        ended_at: now - 30,
      }),
      exhausted({ application_message_id: "d", status: "DELIVERED" }),
      exhausted({ application_message_id: "e", status: "CANCELLED" }),
      { application_message_id: "f", message_body: body },
    ]);

    const recent = await smsRetry(["status", "--failed", "--since", "1h"]);
    const expired = await smsRetry(["status", "--expired", "--json"]);
    const all = await smsRetry(["status", "--failed", "--json"]);

    expect(recent).toEqual({
      code: 0,
      stderr: "",
      stdout: [
        `${isoOf(now - 60)}  b  EXHAUSTED  UNREACHABLE`,
        `${isoOf(now - 30)}  c  EXPIRED  deadline`,
        "2 of 6 items of sms-retry-message-state.",
        "",
      ].join("\n"),
    });
    expect(JSON.parse(expired.stdout)).toEqual({
      table: "sms-retry-message-state",
      scanned: 6,
      unreadable: 0,
      messages: [
        { application_message_id: "c", status: "EXPIRED", status_reason: "deadline", ended_at: now - 30 },
      ],
    });
    const ids = JSON.parse(all.stdout).messages.map(
      (message: Record<string, string>) => message.application_message_id,
    );
    expect(ids).toEqual(["a", "b", "c"]);
  });
});

describe("sms-retry resend", () => {
  const resend = (standardInput: string, ...more: string[]) =>
    smsRetry(["resend", "order-4711", "--reason", "the carrier is back", ...more], { standardInput });

  /** The messages on the retry queue, taken off it. */
  async function queued(): Promise<unknown[]> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
    );
    return Messages.map(({ Body = "" }) => JSON.parse(Body));
  }

  test("makes the next attempt due with the body from standard input, once, and queues it", async () => {
    await table.put(exhausted());

    const first = await resend(`${body}\n`, "--body-from-stdin");
    const second = await resend("");

    expect([first.code, first.stderr, second.code, second.stderr]).toEqual([0, "", 0, ""]);
    expect(first.stdout).toMatch(/^order-4711 is resent: attempt 2 is due, /);
    expect(second.stdout).toMatch(/^order-4711 was resent before and waits for attempt 2; /);
    expect(await table.get("order-4711")).toMatchObject({
      status: "RETRY_SCHEDULED",
      message_body: body,
      attempts: { "1": { resend_reason: "the carrier is back" } },
    });
    const pointer = { kind: "retry-message", application_message_id: "order-4711", attempt: 2 };
    expect(await queued()).toEqual([pointer, pointer]);
    expect(first.stdout).not.toContain("493817");
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      "holds no body",
      {},
      "",
      "order-4711 holds no body any more, as the end of a message removes it; give the text with --body-from-stdin.\n",
    ],
    [
      "is past its deadline",
      { deadline: now - 1 },
      "",
      "order-4711 is past its deadline; produce a new message where it is still of use.\n",
    ],
    [
      "is opted out",
      { status: "OPTED_OUT" },
      "",
      "order-4711 is to a recipient who wants no messages; send it another way.\n",
    ],
    [
      "waits for a claim",
      { status: "SENDING", claim_expires_at: now + 60 },
      "",
      "order-4711 has not ended; see what it waits for with sms-retry status, and cancel it where it should not go on.\n",
    ],
  ])(
    "a message that %s is refused with one sentence, and stays as it is",
    async (_what, changes, text, stderr) => {
      await table.put(exhausted(changes));
      const before = await table.get("order-4711");

      expect(await resend(text)).toEqual({ code: 1, stdout: "", stderr });
      expect(await table.get("order-4711")).toEqual(before);
      expect(await queued()).toEqual([]);
    },
  );

  test("a queue that is not there is told before anything is written", async () => {
    await table.put(exhausted());
    const { code, stderr } = await resend(body, "--body-from-stdin", "--queue", "none");
    expect([code, stderr]).toEqual([
      1,
      "There is no queue none in the region us-east-1; check the name and AWS_REGION.\n",
    ]);
    expect(await table.get("order-4711")).toEqual(exhausted());
  });

  test("standard input that is no text of a message is refused without repeating it", async () => {
    await table.put(exhausted());
    for (const text of ["", "\n", "x".repeat(20_000)]) {
      expect(await resend(text, "--body-from-stdin")).toEqual({
        code: 1,
        stdout: "",
        stderr:
          "Standard input must hold the text of the message, 1 to 1600 characters; give that and nothing else.\n",
      });
    }
  });
});

describe("sms-retry cancel", () => {
  const cancel = (...more: string[]) =>
    smsRetry(["cancel", "order-4711", "--reason", "a wrong text", ...more]);

  test("ends a message that waits, keeps the reason, and may be run again", async () => {
    await table.put(
      sentMessage({
        status: "RETRY_SCHEDULED",
        next_attempt_at: now + 60,
        expires_at: now + 86_400,
      }) as never,
    );

    const first = await cancel();
    const second = await cancel("--json");

    expect(first).toEqual({
      code: 0,
      stderr: "",
      stdout: "order-4711 is cancelled: it was RETRY_SCHEDULED, and nothing is sent any more.\n",
    });
    expect(JSON.parse(second.stdout)).toEqual({
      application_message_id: "order-4711",
      before: "CANCELLED",
      may_arrive: null,
    });
    expect(await table.get("order-4711")).toMatchObject({
      status: "CANCELLED",
      cancelled_reason: "a wrong text",
    });
  });

  test("says which attempt may still arrive", async () => {
    await table.put(sentMessage({ status: "SENDING", retry_count: 2, claim_expires_at: now + 60 }) as never);
    expect((await cancel()).stdout).toBe(
      "order-4711 is cancelled: it was SENDING, and nothing is sent any more. Attempt 2 had been sent, or was being sent, and may still arrive.\n",
    );
  });

  test("of a message that has ended otherwise exits 1 with one sentence", async () => {
    await table.put(exhausted());
    expect(await cancel()).toEqual({
      code: 1,
      stdout: "",
      stderr: "order-4711 has ended as EXHAUSTED; there is nothing to cancel.\n",
    });
  });
});
