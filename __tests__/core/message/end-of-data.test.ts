/** What the end of a message does to its data: the body goes at once, and the item after the retention. */
import type { Message } from "../../../functions/core/message/message.ts";
import { failureEvent, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { type World, type WorldOptions, world } from "../../support/world.ts";

const kept = 4 * 86_400;

/** A sent message whose application gave it no time to go. */
function keptMessage(changes: Partial<Message> = {}): Message {
  const { expires_at: _, ...message } = sentMessage(changes);
  return message;
}

interface Ending {
  readonly by: string;
  readonly status: string;
  readonly end: (it: World) => Promise<unknown>;
  readonly options?: WorldOptions;
}

/** Every way in which a message ends, and the status that says so. */
const endings: readonly Ending[] = [
  {
    by: "a delivery that is written down",
    status: "DELIVERED",
    end: (it) => it.event(successEvent()),
    options: { recordsEveryDelivery: true },
  },
  {
    by: "a delivery while a retry waits",
    status: "DELIVERED",
    end: async (it) => {
      await it.event(failureEvent());
      await it.event(successEvent());
    },
  },
  {
    by: "an opt-out",
    status: "OPTED_OUT",
    end: (it) => it.event(failureEvent({ kind: "opt-out", status: "OPTOUT" })),
  },
  {
    by: "a permanent failure",
    status: "REJECTED",
    end: (it) => it.event(failureEvent({ status: "INVALID" })),
  },
  {
    by: "its last retry's failure",
    status: "EXHAUSTED",
    end: async (it) => {
      await it.event(failureEvent());
      await it.drain();
      await it.event(failureEvent({ attempt: 1, messageId: "msg-1" }));
    },
    options: { policy: { maxRetries: 1 } },
  },
  {
    by: "its deadline",
    status: "EXPIRED",
    end: async (it) => {
      it.clock.advance(2 * 86_400);
      await it.event(failureEvent());
    },
  },
  {
    by: "an answer of the service",
    status: "REJECTED",
    end: async (it) => {
      await it.event(failureEvent());
      await it.drain();
    },
    options: { answers: [{ kind: "refused", reason: "PERMANENT_FAILURE", optedOut: false }] },
  },
  { by: "its application", status: "CANCELLED", end: (it) => it.cancel() },
];

test.each(endings)(
  "a message's body is gone and its item goes later, when it is ended by $by",
  async (ending) => {
    const it = world([keptMessage({ deadline: startOfTest + 86_400 })], ending.options);

    await ending.end(it);

    const { status, expires_at } = it.message();
    expect(status).toBe(ending.status);
    // A retry's own end is up to a minute before the clock that the world stands at.
    expect(Number(expires_at)).toBeGreaterThan(it.clock.now() + kept - 60);
    expect(Number(expires_at)).toBeLessThanOrEqual(it.clock.now() + kept);
    expect(it.message()).not.toHaveProperty("message_body");
    await it.drain();
    expect(it.message().status).toBe(ending.status);
  },
);

test("the retention is the deployment's", async () => {
  const it = world([keptMessage()], { policy: { keptSeconds: 86_400 } });
  await it.cancel();
  expect(it.message().expires_at).toBe(Math.floor(it.clock.now()) + 86_400);
});

test("an item that was to go sooner than that still does", async () => {
  const soon = startOfTest + 3_600;
  const it = world([sentMessage({ expires_at: soon })]);
  await it.cancel();
  expect(it.message().expires_at).toBe(soon);
});

test("an expiry in milliseconds is put right, so that DynamoDB deletes the item", async () => {
  const it = world([sentMessage({ expires_at: (startOfTest + 3_600) * 1_000 })]);
  await it.event(failureEvent({ status: "INVALID" }));
  expect(it.message()).toMatchObject({ status: "REJECTED", expires_at: startOfTest + 3_600 });
});

test("a late delivery corrects an ended message without its body, and does not keep it longer", async () => {
  const it = world([sentMessage()], { policy: { maxRetries: 1 } });
  await it.event(failureEvent({ status: "INVALID" }));
  const { expires_at } = it.message();
  it.clock.advance(3_600);

  await it.event(successEvent());

  expect(it.message()).toMatchObject({ status: "DELIVERED", expires_at });
});

test("while a retry can follow, the body stays, and the item until after its deadline", async () => {
  const it = world([keptMessage({ deadline: startOfTest + 7_200 })]);
  await it.event(failureEvent());
  expect(it.message()).toMatchObject({
    status: "RETRY_SCHEDULED",
    message_body: expect.any(String),
    expires_at: startOfTest + 7_200 + kept,
  });
});

test("a failure that is not retried, because retries are off, lets the item go all the same", async () => {
  const it = world([keptMessage({ deadline: startOfTest + 7_200 })], { policy: { maxRetries: 0 } });
  await it.event(failureEvent());
  expect(it.message()).toMatchObject({ status: "SENT", expires_at: startOfTest + 7_200 + kept });
});

test("such a failure ends nothing: what the application says of the item's end stays", async () => {
  const expires_at = startOfTest + 30 * 86_400;
  const it = world([sentMessage({ expires_at })], { policy: { maxRetries: 0 } });
  await it.event(failureEvent());
  expect(it.message()).toMatchObject({ status: "SENT", expires_at });
});
