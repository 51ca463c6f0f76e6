/** By which service and from which identity a retry leaves, and what follows when the service refuses an identity. */
import type { SmsService } from "../../../functions/core/events/statuses.ts";
import type { Message } from "../../../functions/core/message/message.ts";
import type { RetryMessage } from "../../../functions/core/queue/queue-messages.ts";
import type { SendGate } from "../../../functions/core/sending/gate/send-gate.ts";
import { type Routing, routeOf, servicesOf } from "../../../functions/core/sending/route.ts";
import {
  afterIdentityRefused,
  isForOperator,
  isServiceWorking,
  type SendResult,
} from "../../../functions/core/sending/sms-sender.ts";
import { failureEvent, sentMessage, startOfTest } from "../../support/messages.ts";
import { openGate } from "../../support/open-gate.ts";
import { routingBy, scriptedSender } from "../../support/scripted-sender.ts";
import { world } from "../../support/world.ts";

const number = "+447700900999";
const pool = "pool-0123456789abcdef0123456789abcdef";
const arn = "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-0123456789abcdef";

/** A message without an identity of its own. */
const { origination_number: _, ...nameless } = sentMessage();

describe("the identity of an attempt", () => {
  const list = [null, "SHOP", pool];
  test.each<[string, readonly (string | null)[], Partial<Message>, number, number, string | undefined]>([
    ["no list: the message's own", [], {}, 1, 0, number],
    [
      "no list: the sender id where there is no number",
      [],
      { origination_number: undefined as never, sender_id: "TILL" },
      2,
      0,
      "TILL",
    ],
    ["the first retry by the first, and null is the message's own", list, {}, 1, 0, number],
    ["the second by the second", list, {}, 2, 0, "SHOP"],
    ["the third by the third", list, {}, 3, 0, pool],
    ["the last repeats", list, {}, 7, 0, pool],
    ["a first send by its own, whatever the list says", ["SHOP"], {}, 0, 0, number],
    ["refused once: the next", list, {}, 1, 1, "SHOP"],
    ["refused twice: the one after that", list, {}, 1, 2, pool],
    ["after the last comes the first", list, {}, 3, 1, number],
    ["and then the second", list, {}, 3, 2, "SHOP"],
    ["more refusals than identities, as after a change of the list: the last one", list, {}, 1, 9, pool],
    ["each identity once", [number, null, "SHOP", "SHOP"], {}, 1, 1, "SHOP"],
    [
      "null is nothing where the message names none",
      list,
      { origination_number: undefined as never },
      1,
      0,
      "SHOP",
    ],
  ])("%s", (_what, identities, changes, attempt, identitiesRefused, expected) => {
    const routing = routingBy(scriptedSender(), { identities, smsService: "end-user-messaging" });
    const route = routeOf(sentMessage(changes), { attempt, identitiesRefused }, routing);

    expect("blocked" in route ? route.blocked : route.identity).toBe(expected);
  });

  test.each([
    [["SHOP", pool, arn], 2, "SHOP"],
    [[pool], 1, undefined],
    [[arn, null], 1, number],
  ])("of Pinpoint is no pool and no ARN: of %j attempt %i leaves by %s", (identities, attempt, expected) => {
    const message = expected === undefined ? nameless : sentMessage();
    const route = routeOf(message, { attempt }, routingBy(scriptedSender(), { identities }));

    expect(route).toHaveProperty("sender");
    expect("blocked" in route ? undefined : route.identity).toBe(expected);
  });
});

describe("the service of an attempt", () => {
  const [v1, v2] = [scriptedSender(), scriptedSender()];
  const both: Routing = {
    senders: { pinpoint: v1, "end-user-messaging": v2 },
    smsService: "end-user-messaging",
    identities: [],
  };

  test("is the item's, else the deployment's", () => {
    const senderOf = (changes: Partial<Message>) => {
      const route = routeOf(sentMessage(changes), { attempt: 1 }, both);
      return "blocked" in route ? route.blocked : route.sender;
    };
    expect(senderOf({ sms_service: "pinpoint" })).toBe(v1);
    expect(senderOf({ sms_service: "end-user-messaging" })).toBe(v2);
    expect(senderOf({})).toBe(v2);
  });

  test("is one of those that the deployment is set up for", () => {
    expect([...servicesOf(both)].sort()).toEqual(["end-user-messaging", "pinpoint"]);
    expect([...servicesOf({ ...both, senders: { pinpoint: v1 } })]).toEqual(["pinpoint"]);
    expect([...servicesOf({ ...both, senders: {} })]).toEqual([]);
  });

  test("that the deployment is not set up for blocks the attempt, and no other service sends it", () => {
    const { "end-user-messaging": _, ...senders } = both.senders;
    const routing: Routing = { ...both, senders, smsService: "pinpoint" };
    expect(routeOf(sentMessage({ sms_service: "end-user-messaging" }), { attempt: 1 }, routing)).toEqual({
      blocked: "not-allowed:service-not-set-up",
    });
  });

  test("a v1 event's message is retried by v1, a v2 event's by v2, on one table", async () => {
    const messages = (["pinpoint", "end-user-messaging"] as const).map((format) => ({
      format,
      item: sentMessage({ application_message_id: format }),
    }));
    const senders = { pinpoint: scriptedSender(), "end-user-messaging": scriptedSender() };
    const it = world(
      messages.map(({ item }) => item),
      {
        routing: { senders, smsService: "end-user-messaging" },
        smsServices: ["pinpoint", "end-user-messaging"],
      },
    );
    for (const { format, item } of messages) {
      await it.event(failureEvent({ format, applicationMessageId: item.application_message_id }));
    }
    await it.drain();

    for (const { format } of messages) {
      expect(it.message(format)).toMatchObject({ sms_service: format, status: "SENT", retry_count: 1 });
      expect(senders[format].sends.map(({ context }) => context.application_message_id)).toEqual([format]);
    }
  });

  test("an event changes no service that the item says, and tells none that cannot be sent by", async () => {
    const said = world([sentMessage({ sms_service: "pinpoint" })], { smsServices: ["end-user-messaging"] });
    await said.event(failureEvent({ format: "end-user-messaging" }));
    expect(said.message().sms_service).toBe("pinpoint");

    // A Pinpoint stack that sees events of End User Messaging retries by Pinpoint, as it always has.
    const unsaid = world([sentMessage()], { smsServices: ["pinpoint"] });
    await unsaid.event(failureEvent({ format: "end-user-messaging" }));
    expect(unsaid.message()).not.toHaveProperty("sms_service");
  });
});

const due = (changes: Partial<Message> = {}): Message =>
  sentMessage({
    status: "RETRY_SCHEDULED",
    status_reason: "UNREACHABLE",
    next_attempt_at: startOfTest,
    sms_service: "end-user-messaging",
    ...changes,
  });
const retryMessage: RetryMessage = {
  kind: "retry-message",
  application_message_id: "order-4711",
  attempt: 1,
};

/** An open gate that remembers whose permit was asked for, and what was reported. */
function watchedGate(): SendGate & { readonly asked: string[]; readonly reports: boolean[] } {
  const [asked, reports]: [string[], boolean[]] = [[], []];
  return {
    ...openGate,
    asked,
    reports,
    async acquire(identity, request) {
      asked.push(identity);
      const permit = await openGate.acquire(identity, request);
      return permit.kind === "permit"
        ? { ...permit, report: (isServiceWorking) => void reports.push(isServiceWorking) }
        : permit;
    },
  };
}

describe("what cannot leave", () => {
  test.each<[string, Partial<Message>, Partial<Routing>]>([
    ["not-allowed:no-origination-identity", { origination_number: undefined as never }, {}],
    ["not-allowed:service-not-set-up", {}, { senders: { pinpoint: scriptedSender() } }],
  ])(
    "waits for an operator with the reason %s, asks no gate and uses nothing up",
    async (reason, changes, routing) => {
      const { origination_number = null, ...item } = due(changes);
      const gate = watchedGate();
      const message = origination_number === null ? item : { ...item, origination_number };
      const it = world([message as Message], { gate, routing });

      const handled = await it.retryMessage(retryMessage);

      expect(handled).toMatchObject({ outcome: "deferred", reason });
      expect(it.message()).toMatchObject({
        status: "RETRY_SCHEDULED",
        status_reason: reason,
        retry_count: 0,
        next_attempt_at: startOfTest + 20,
      });
      expect(it.queue).toEqual([{ message: { ...retryMessage, deferrals: 1 }, dueAt: startOfTest + 20 }]);
      expect([gate.asked, gate.reports, it.sends]).toEqual([[], [], []]);
    },
  );

  test("goes on once the operator has mended it", async () => {
    const { origination_number: _, ...item } = due();
    const it = world([item], {});
    await it.retryMessage(retryMessage);
    it.store.items.set("order-4711", { ...it.store.items.get("order-4711"), sender_id: "SHOP" });
    await it.drain();

    expect(it.message()).toMatchObject({ status: "SENT", retry_count: 1 });
    expect(it.sends).toMatchObject([{ senderId: "SHOP" }]);
  });
});

describe("an identity that the service refuses for the destination", () => {
  const word = "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY";
  const refused: SendResult = { kind: "deferred", reason: `identity-not-allowed:${word}` };
  const identities = ["SHOP", null, pool];

  test("makes room for the next at once, at that one's gate, and the attempt is not used up", async () => {
    const gate = watchedGate();
    const it = world([due()], { gate, answers: [refused, refused], routing: { identities } });
    const startedAt = it.clock.now();

    expect(await it.retryMessage({ ...retryMessage, deferrals: 2, waits_as: 3 })).toEqual({
      outcome: "deferred",
      reason: `next-identity:${word}`,
      entry: { message: { ...retryMessage, deferrals: 2, identities_refused: 1 }, dueAt: startedAt },
    });
    expect(it.message()).toMatchObject({ status: "RETRY_SCHEDULED", retry_count: 0 });
    await it.drain();

    expect(it.clock.now()).toBe(startedAt);
    expect(gate.asked).toEqual(["SHOP", number, pool]);
    expect(it.sends.map(({ senderId, originationNumber }) => senderId ?? originationNumber)).toEqual(
      gate.asked,
    );
    expect(it.message()).toMatchObject({
      status: "SENT",
      retry_count: 1,
      attempts: { "1": { origination: pool, message_id: "msg-3" } },
    });
  });

  test("says nothing against the identity: its gate stays open for other countries", async () => {
    const gate = watchedGate();
    const it = world([due()], { gate, answers: [refused, refused, refused], routing: { identities } });
    await it.retryMessage(retryMessage);
    await it.drain();

    expect(gate.reports).toEqual([true, true, true, true]);
  });

  test("waits for an operator when all are refused, says so, and then tries all again", async () => {
    const it = world([due()], { answers: [refused, refused, refused], routing: { identities } });
    const startedAt = it.clock.now();
    for (let refusals = 0; refusals < 2; refusals += 1) {
      const { message = retryMessage } = (it.queue.pop() ?? {}) as { message?: RetryMessage };
      await it.retryMessage(message);
    }
    const last = it.queue.pop()?.message as RetryMessage;
    expect(last).toEqual({ ...retryMessage, identities_refused: 2 });
    expect(await it.retryMessage({ ...last, waits_as: 3 })).toEqual({
      outcome: "deferred",
      reason: `every-identity-refused:${word}`,
      entry: { message: { ...retryMessage, deferrals: 1, waits_as: 3 }, dueAt: startedAt + 10 },
    });
    expect(it.message()).toMatchObject({ status_reason: `every-identity-refused:${word}`, retry_count: 0 });
    await it.drain();

    expect(it.sends.at(-1)).toMatchObject({ senderId: "SHOP" });
    expect(it.message()).toMatchObject({ status: "SENT", retry_count: 1 });
  });

  test.each(["throttled", "not-allowed:RESOURCE_NOT_ACTIVE"] as const)(
    "is not what %s means: the same identity is tried again",
    async (reason) => {
      const it = world([due()], { answers: [{ kind: "deferred", reason }], routing: { identities } });

      expect(await it.retryMessage(retryMessage)).toMatchObject({
        reason,
        entry: { message: { ...retryMessage, deferrals: 1 } },
      });
      expect(it.queue[0]?.message).not.toHaveProperty("identities_refused");
    },
  );

  test("that is the only one waits for an operator with the service's word", async () => {
    const it = world([due()], { answers: [refused] });

    expect(await it.retryMessage(retryMessage)).toMatchObject({
      outcome: "deferred",
      reason: `identity-not-allowed:${word}`,
      entry: { message: { ...retryMessage, deferrals: 1 } },
    });
  });

  test("of a first send is the application's own choice, and no other is tried", async () => {
    const first = due({
      status: "SENDING",
      attempts: { "0": {} },
      claim_expires_at: startOfTest,
    });
    const it = world([first], { answers: [refused], routing: { identities } });

    expect(await it.retryMessage({ ...retryMessage, attempt: 0 })).toMatchObject({
      outcome: "deferred",
      reason: `identity-not-allowed:${word}`,
    });
    expect(it.sends).toMatchObject([{ originationNumber: number }]);
  });

  test("the next deadline ends it like every other wait", async () => {
    const many = Array.from({ length: 200 }, () => refused);
    const it = world([due({ deadline: startOfTest + 3_600 })], { answers: many, routing: { identities } });
    await it.retryMessage(retryMessage);
    await it.drain();

    expect(it.message()).toMatchObject({ status: "EXPIRED", retry_count: 0 });
    // Tries at growing distances, the last ones each at half of what is left.
    expect(it.sends.length).toBeGreaterThan(15);
    expect(it.sends.length).toBeLessThan(60);
  });
});

test("an identity that changes between read and claim asks its own gate before anything leaves", async () => {
  const gate = watchedGate();
  const changed: { service: SmsService } = { service: "end-user-messaging" };
  const it = world([due({ sms_service: changed.service })], {
    gate: {
      ...gate,
      async acquire(identity, request) {
        const item = it.store.items.get("order-4711");
        it.store.items.set("order-4711", { ...item, origination_number: "+447700900111" });
        return gate.acquire(identity, request);
      },
    },
  });
  expect(await it.retryMessage(retryMessage)).toMatchObject({ outcome: "deferred", reason: "permit-missed" });
  await it.drain();

  expect(gate.asked).toEqual([number, "+447700900111"]);
  expect(it.sends).toMatchObject([{ originationNumber: "+447700900111" }]);
});

describe("reasons", () => {
  test.each([
    ["spend-limit", "all", false],
    ["not-allowed", "all", false],
    ["not-allowed:RESOURCE_NOT_ACTIVE", "all", false],
    ["identity-not-allowed:SENDER_ID_NOT_SUPPORTED", "some", true],
    ["every-identity-refused:SENDER_ID_NOT_SUPPORTED", "some", true],
    ["destination-not-allowed:COUNTRY_NOT_ENABLED", "some", true],
    ["next-identity:SENDER_ID_NOT_SUPPORTED", undefined, false],
    ["throttled", undefined, true],
    ["temporary-failure", undefined, false],
    ["unreachable", undefined, false],
  ])(
    "%s: an operator is needed for %s; the breaker sees a service that works: %s",
    (reason, who, isWorking) => {
      expect(isForOperator(reason)).toBe(who);
      expect(isServiceWorking({ kind: "deferred", reason: reason as "throttled" })).toBe(isWorking);
    },
  );

  test("keep the service's word", () => {
    expect(afterIdentityRefused("identity-not-allowed:A:B", true)).toBe("next-identity:A:B");
    expect(afterIdentityRefused("identity-not-allowed:A:B", false)).toBe("every-identity-refused:A:B");
  });
});

describe("a write whose answer is lost and which its own effect then refuses", () => {
  /** A world in which this happens to the write of this number; `meanwhile` is what the item is then. */
  function losing(number: number, meanwhile: Partial<Message>, answers: readonly SendResult[] = []) {
    const it = world([due()], { answers });
    const { change } = it.store;
    let changes = 0;
    Object.assign(it.store, {
      async change(...given: Parameters<typeof change>) {
        const result = await change(...given);
        changes += 1;
        if (changes !== number || !result.applied) return result;
        const current = { ...result.message, ...meanwhile };
        it.store.items.set("order-4711", current);
        return { applied: false, current };
      },
    });
    return it;
  }

  test("does not lose what it has deferred: it comes again, as what was deferred once more", async () => {
    const it = losing(2, {}, [{ kind: "deferred", reason: "throttled" }]);

    expect(await it.retryMessage({ ...retryMessage, deferrals: 3 })).toMatchObject({
      outcome: "deferred",
      reason: "superseded-attempt",
      entry: { message: { ...retryMessage, deferrals: 4 } },
    });
  });

  test("does not send for its claim what has ended since", async () => {
    const it = losing(1, { status: "CANCELLED" });

    expect(await it.retryMessage(retryMessage)).toMatchObject({
      outcome: "absorbed",
      reason: "sequence-over",
    });
    expect(it.sends).toEqual([]);
  });
});
