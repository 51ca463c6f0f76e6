/** Which reads an event costs: the item that a batch has read already may be old, and a second look is not free. */
import type { DeliveryEvent } from "../../../functions/core/events/delivery-event.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import { aboutEvent, handleDeliveryEvent } from "../../../functions/core/processing/handle-delivery-event.ts";
import { failureEvent, retryPolicy, sentMessage, startOfTest, successEvent } from "../../support/messages.ts";
import { storeOnModel } from "../../support/store-on-model.ts";
import { virtualTime } from "../../support/virtual-time.ts";

/** What an event leads to, and how often its item was read for it. */
async function handled(event: DeliveryEvent, known: Message | undefined, now: Message | undefined = known) {
  let reads = 0;
  const store = storeOnModel(...(now === undefined ? [] : [now]));
  const { outcome, reason, ...rest } = await handleDeliveryEvent(
    event,
    {
      store: {
        ...store,
        async read(id) {
          reads += 1;
          return store.read(id);
        },
      },
      policy: retryPolicy(),
      recordsEveryDelivery: false,
      smsServices: new Set(),
      clock: virtualTime(startOfTest + 10),
      random: { next: () => 0, id: () => "id" },
    },
    known,
  );
  return { outcome, reason, reads, rest };
}

const retried = sentMessage({
  status: "SENT",
  retry_count: 1,
  pinpoint_message_id: "msg-1",
  attempts: {
    "0": { message_id: "msg-0", outcome: "UNREACHABLE", outcome_at: startOfTest + 1 },
    "1": { claim_id: "claim-1", sent_at: startOfTest + 5, message_id: "msg-1" },
  },
});
const scheduled = sentMessage({
  status: "RETRY_SCHEDULED",
  next_attempt_at: startOfTest + 60,
  attempts: { "0": { message_id: "msg-0", outcome: "UNREACHABLE", retry_scheduled_at: startOfTest + 2 } },
});

describe("the item that was read before is", () => {
  test("enough for a failure of its latest attempt", async () => {
    expect(await handled(failureEvent(), sentMessage())).toMatchObject({
      outcome: "retry-scheduled",
      reads: 0,
    });
  });

  test("enough for a failure of an earlier attempt that says so by its tag", async () => {
    expect(await handled(failureEvent(), retried)).toMatchObject({ outcome: "absorbed", reads: 0 });
  });

  test("read again for a failure without a tag that is of an earlier attempt by its id", async () => {
    const { attempt: _, ...event } = failureEvent();

    expect(await handled({ ...event }, retried)).toMatchObject({ outcome: "absorbed", reads: 1 });
  });

  test("enough for a failure without a tag of the latest attempt", async () => {
    const { attempt: _, ...event } = failureEvent({ messageId: "msg-1" });

    expect(await handled({ ...event }, retried)).toMatchObject({ outcome: "retry-scheduled", reads: 0 });
  });

  test("read again for an attempt that it does not know", async () => {
    expect(
      await handled(failureEvent({ attempt: 1, messageId: "msg-1" }), sentMessage(), retried),
    ).toMatchObject({ outcome: "retry-scheduled", reads: 1 });
  });

  test("read once more, and not twice, for a delivery that nothing is written of", async () => {
    expect(await handled(successEvent(), sentMessage())).toMatchObject({
      outcome: "delivered-at-once",
      reads: 1,
    });
    expect(await handled(successEvent(), undefined, sentMessage())).toMatchObject({
      outcome: "delivered-at-once",
      reads: 1,
    });
  });

  test("enough for a failure that is repeated and changes nothing", async () => {
    expect(await handled(failureEvent(), scheduled)).toMatchObject({ reads: 0 });
  });

  test.each([
    ["a failure after an end", failureEvent(), "EXHAUSTED"],
    ["an opt-out after a delivery", failureEvent({ status: "OPTED_OUT" }), "DELIVERED"],
  ] as const)("enough for %s: nothing of it is written in any state", async (_what, event, status) => {
    expect(await handled(event, sentMessage({ status }))).toMatchObject({ outcome: "absorbed", reads: 0 });
  });

  test("not looked at for an event of an unrecognized type", async () => {
    const event = failureEvent({ kind: "unrecognized", status: "TELEPORTED" });

    expect(await handled(event, sentMessage())).toEqual({
      outcome: "absorbed",
      reason: "unrecognized-type",
      reads: 0,
      rest: { applicationMessageId: "order-4711", attempt: 0, unrecognizedStatus: "TELEPORTED" },
    });
    expect(await handled(event, undefined)).toMatchObject({ outcome: "absorbed", reads: 0 });
  });
});

test("a delivery found by its message id alone is about the item of that key", () => {
  const { applicationMessageId: _, attempt: __, ...event } = successEvent();

  expect(aboutEvent(event)).toEqual({ applicationMessageId: "msg-0" });
});
