/** What an operator sees of a gate by which nothing leaves. */

import type { Message } from "../../../../functions/core/message/message.ts";
import { reportRetryMessage } from "../../../../functions/core/observability/reports.ts";
import { isReminderDue } from "../../../../functions/core/sending/gate/gate.ts";
import type { NoPermit, SendGate } from "../../../../functions/core/sending/gate/send-gate.ts";
import { produceMessage } from "../../../../functions/core/sending/produce-message.ts";
import { resendMessage } from "../../../../functions/core/sending/resend-message.ts";
import { retryPolicy, sentMessage, startOfTest } from "../../../support/messages.ts";
import { recordedTelemetry } from "../../../support/recorded-telemetry.ts";
import { routingBy, scriptedSender } from "../../../support/scripted-sender.ts";
import { storeOnModel } from "../../../support/store-on-model.ts";
import { virtualTime } from "../../../support/virtual-time.ts";

const now = startOfTest + 70;
const hour = 3_600;
const day = 24 * hour;
const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;

function refusing(refusal: Omit<NoPermit, "kind" | "until">): SendGate {
  return {
    acquire: async () => ({ kind: "no-permit", until: now + 30, ...refusal }),
    settle: async () => {},
  };
}

function dependencies(gate: SendGate, items: Message[]) {
  const telemetry = recordedTelemetry();
  const sender = scriptedSender({ otherwise: { kind: "accepted", messageId: "msg-1" } });
  return {
    telemetry,
    sends: sender.sends,
    routing: routingBy(sender),
    gate,
    store: storeOnModel(...items),
    policy: retryPolicy(),
    guarantee: "at-least-once" as const,
    queue: { put: async (entries: readonly unknown[]) => entries.map(() => true) },
    clock: virtualTime(now),
    random: { next: () => 0.5, id: () => "claim-1" },
  };
}

/** The counts of a due retry, and of a message that is produced, at a gate that refuses them. */
async function countsAt(refusal: Omit<NoPermit, "kind" | "until">) {
  const due = sentMessage({ status: "RETRY_SCHEDULED", next_attempt_at: now });
  const resend = dependencies(refusing(refusal), [due]);
  reportRetryMessage(retryMessage, await resendMessage(retryMessage, resend), resend.telemetry);
  const produce = dependencies(refusing(refusal), []);
  const request = {
    destinationNumber: "+447700900123",
    body: "Your code is 493817.",
    messageType: "TRANSACTIONAL",
    validitySeconds: 600,
  } as const;
  await produceMessage(request, produce);
  expect([resend.sends, produce.sends]).toEqual([[], []]);
  return { resend: resend.telemetry.counts, produce: produce.telemetry.counts };
}

const pause = { since: now - day - 60, by: "Admin/alice" };

test.each<[string, Omit<NoPermit, "kind" | "until">, Record<string, number>]>([
  ["the ceiling is reached: nothing", { reason: "no-capacity" }, {}],
  ["the breaker is closed", { reason: "breaker-closed" }, { SendBreakerClosed: 1 }],
  ["the settings send nothing", { reason: "paused" }, { SendPaused: 1 }],
  [
    "a pause without an end, at the beginning of its second day",
    { reason: "paused", pause },
    { SendPaused: 1, SendPausedWithoutEnd: 1 },
  ],
  [
    "a pause without an end, later in its day",
    { reason: "paused", pause: { ...pause, since: now - 2 * hour } },
    { SendPaused: 1 },
  ],
  ["a pause with an end", { reason: "paused", pause: { ...pause, until: now + 60 } }, { SendPaused: 1 }],
])("a retry and a first send count that %s", async (_, refusal, counts) => {
  expect(await countsAt(refusal)).toEqual({
    resend: { RetryMessageNotDue: 1, ...counts },
    produce: counts,
  });
});

test("a reminder of a pause is due in the first hour of each of its days; none where it ends", () => {
  const hours = Array.from({ length: 72 }, (_, index) => index);
  const dueIn = (given: { until?: number }) =>
    hours.filter((index) => isReminderDue({ since: now, by: "alice", ...given }, now + (index + 0.5) * hour));
  expect(dueIn({})).toEqual([0, 24, 48]);
  expect(dueIn({ until: now + 30 * day })).toEqual([]);
  expect(isReminderDue({ since: now - hour + 1, by: "alice" }, now)).toBe(true);
  expect(isReminderDue({ since: now - hour, by: "alice" }, now)).toBe(false);
  expect(isReminderDue({ since: now - day - 1, by: "alice" }, now)).toBe(true);
  // The clock of who paused may be ahead of the worker's.
  expect(isReminderDue({ since: now + 5, by: "alice" }, now)).toBe(true);
});
