/**
 * Ways to break the protocol on purpose, one rule each, by replacing ports of the core. The tests show that the
 * simulation finds every one: a simulation that cannot fail proves nothing.
 */
import { isFinal, type Message, statusOf } from "../functions/core/message/message.ts";
import type { Change, MessageStore } from "../functions/core/message/message-store.ts";
import type { RetryQueue } from "../functions/core/queue/retry-queue.ts";
import type { NoPermit, Permit } from "../functions/core/sending/gate/send-gate.ts";
import type { SendResult, SmsSender } from "../functions/core/sending/sms-sender.ts";
import type { RunOptions } from "./simulated-run.ts";

/** Breaks the store of every worker. */
function withStore(breakStore: (store: MessageStore) => MessageStore): RunOptions {
  return { breakPorts: ({ store }) => ({ store: breakStore(store) }) };
}

/** Breaks the sender of every worker that has one. */
function withSender(breakSender: (sender: SmsSender) => SmsSender): RunOptions {
  return {
    breakPorts: ({ routing }) => {
      if (routing === undefined) return {};
      const senders = Object.entries(routing.senders).map(([service, sender]) => [
        service,
        breakSender(sender),
      ]);
      return { routing: { ...routing, senders: Object.fromEntries(senders) } };
    },
  };
}

/** Breaks what every worker puts on the queue. */
function withQueue(breakQueue: (queue: RetryQueue) => RetryQueue): RunOptions {
  return { breakPorts: ({ queue }) => (queue === undefined ? {} : { queue: breakQueue(queue) }) };
}

/** Breaks every permit that the gates give. */
function withPermits(breakPermit: (permit: Permit) => Permit): RunOptions {
  return {
    breakPorts: ({ gateUntil }) =>
      gateUntil === undefined
        ? {}
        : {
            gateUntil: (until) => {
              const gate = gateUntil(until);
              return {
                ...gate,
                acquire: async (identity, request) => {
                  const answer = await gate.acquire(identity, request);
                  return answer.kind === "permit" ? breakPermit(answer) : answer;
                },
              };
            },
          },
  };
}

/** Every permit is good for a send, however late. */
const useLatePermits = withPermits((permit) => ({
  ...permit,
  departs: async () => {
    await permit.departs();
    return true;
  },
}));

/** Breaks the ports in several ways at once. */
function allOf(...options: readonly RunOptions[]): RunOptions {
  return {
    breakPorts: (ports) => Object.assign({}, ...options.map(({ breakPorts }) => breakPorts?.(ports))),
  };
}

/** Changes every change on its way to the table. */
function withChanges(edit: (change: Change) => Change): RunOptions {
  return withStore((store) => ({ ...store, change: (id, change) => store.change(id, edit(change)) }));
}

/** Leaves out clauses of every change by their names. */
function withoutClauses(...names: readonly string[]): RunOptions {
  return withChanges((change) => ({
    ...change,
    require: Object.fromEntries(Object.entries(change.require).filter(([name]) => !names.includes(name))),
  }));
}

/** Changes every answer of the service on its way to the core. */
function withAnswers(edit: (result: SendResult) => SendResult): RunOptions {
  return withSender((sender) => ({ ...sender, send: async (request) => edit(await sender.send(request)) }));
}

/** Changes every item on its way to the core; `change` may still be given one of its own. */
function withItems(
  edit: (message: Message) => Message,
  change?: (store: MessageStore) => MessageStore["change"],
): RunOptions {
  const edited = <T extends Message | undefined>(message: T): T =>
    message === undefined ? message : (edit(message) as T);
  return withStore((store) => ({
    ...store,
    read: async (id) => edited(await store.read(id)),
    readMany: async (ids) =>
      new Map([...(await store.readMany(ids))].map(([id, message]) => [id, edited(message)])),
    change:
      change?.(store) ??
      (async (id, wanted) => {
        const result = await store.change(id, wanted);
        return result.applied
          ? { applied: true, message: edited(result.message) }
          : { applied: false, current: edited(result.current) };
      }),
  }));
}

/** Hides the deadline of every item from the core, and takes it out of every condition. */
function withoutDeadline(): RunOptions {
  const withoutIt = ({ deadline: _, ...message }: Message): Message => message;
  return withItems(withoutIt, (store) => async (id, change) => {
    const require = Object.fromEntries(
      Object.entries(change.require).filter(([, clause]) => clause.path !== "deadline"),
    );
    const result = await store.change(id, { ...change, require });
    if (result.applied) return { applied: true, message: withoutIt(result.message) };
    return { applied: false, current: result.current && withoutIt(result.current) };
  });
}

const isClaim = ({ set }: Change): boolean =>
  set.status === "SENDING" && set.claim_expires_at !== undefined && set.status_reason === undefined;

/** Whether a change gives a claimed attempt back that the service did not take. */
const isDeferral = ({ set, attempts }: Change): boolean =>
  (set.status === "RETRY_SCHEDULED" && attempts?.[0]?.how === "remove") ||
  (set.status === "SENDING" && set.status_reason !== undefined);

/** Whether a change schedules the attempt after a failed one. */
const isSchedule = (change: Change): boolean =>
  change.set.status === "RETRY_SCHEDULED" && !isDeferral(change);

/** Ends a message where a change would have gone on with it. */
function ended(change: Change, status: "EXHAUSTED" | "EXPIRED"): Change {
  const { next_attempt_at: _, claim_expires_at: __, ...set } = change.set;
  return {
    ...change,
    set: { ...set, status },
    remove: ["next_attempt_at", "claim_expires_at"],
  };
}

/** The breaks by name, each with the rule of docs/protocol.md that it breaks. */
export const breaks = {
  /** Rule 1: writes are not conditional. */
  "no-conditions": { table: { ignoresConditions: true } },
  /** Rule 1: a claim does not ask whether the attempt is the next one. */
  "claim-any-attempt": withoutClauses("isScheduled", "isNextAttempt"),
  /** Rule 1: a claim does not ask whether the retry sequence is over. */
  "claim-after-the-end": withoutClauses("isScheduled", "isDue"),
  /** Rules 2 and 4: a decision is written although an attempt or a success has changed the item since. */
  "decide-on-old-items": withoutClauses(
    "same_status",
    "same_retry_count",
    "same_next_attempt_at",
    "same_claim_expires_at",
  ),
  /** Rule 1: a claim that lost its write is taken for won. */
  "send-before-claim": withStore((store) => ({
    ...store,
    change: async (id, change) => {
      const result = await store.change(id, change);
      if (result.applied || !isClaim(change) || result.current === undefined) return result;
      return { applied: true, message: { ...result.current, claim_expires_at: Number.MAX_SAFE_INTEGER } };
    },
  })),
  /** Rule 2: a repeated failure event does not repeat its retry message. */
  "no-second-retry-message": {
    breakPorts: ({ store, routing }) => {
      // The workers that handle events; those that send must see what is due.
      if (routing !== undefined) return {};
      const hide = <T extends Message | undefined>(message: T): T =>
        message?.status === "RETRY_SCHEDULED" ? { ...message, status: "CANCELLED" } : message;
      return {
        store: {
          ...store,
          read: async (id) => hide(await store.read(id)),
          readMany: async (ids) =>
            new Map([...(await store.readMany(ids))].map(([id, message]) => [id, hide(message)])),
        },
      };
    },
  },
  /** Rule 6: nobody looks at the deadline. */
  "no-deadline": withoutDeadline(),
  /** Rule 7: "not now" counts as sent. */
  "throttled-is-sent": withAnswers((result) =>
    result.kind === "deferred" ? { kind: "accepted", messageId: "none" } : result,
  ),
  /** Rule 7: an attempt that is deferred uses up its retry. */
  "throttled-uses-a-retry": withChanges((change) =>
    isDeferral(change) && change.set.retry_count !== undefined
      ? { ...change, set: { ...change.set, retry_count: change.set.retry_count + 1 } }
      : change,
  ),
  /** Rule 7: what the service does not take now is never sent. */
  "throttled-is-expired": withChanges((change) => (isDeferral(change) ? ended(change, "EXPIRED") : change)),
  /** Rule 7: what the service does not take now comes again at once, again and again. */
  "no-back-off": {
    breakPorts: ({ store, queue, clock }) => ({
      store: {
        ...store,
        change: (id, change) => {
          if (!isDeferral(change)) return store.change(id, change);
          const now = Math.floor(clock.now());
          const due = change.set.status === "SENDING" ? "claim_expires_at" : "next_attempt_at";
          return store.change(id, { ...change, set: { ...change.set, [due]: now } });
        },
      },
      ...(queue !== undefined && {
        queue: {
          put: (entries) =>
            queue.put(
              entries.map((entry) =>
                entry.message.kind === "retry-message" && (entry.message.deferrals ?? 0) > 0
                  ? { ...entry, dueAt: clock.now() }
                  : entry,
              ),
            ),
        },
      }),
    }),
  },
  /** Rule 8: an unknown outcome counts as "not sent" and is sent again at once. */
  "lost-answer-is-not-sent": withAnswers((result) =>
    result.kind === "unconfirmed" ? { kind: "deferred", reason: "temporary-failure" } : result,
  ),
  /** Rule 8: the SDK repeats a send whose answer was lost. */
  "sdk-repeats-sends": withSender((sender) => ({
    ...sender,
    send: async (request) => {
      const result = await sender.send(request);
      return result.kind === "unconfirmed" ? sender.send(request) : result;
    },
  })),
  /** Rule 8: a repeated send is not marked. */
  "unmarked-repetition": withChanges((change) => {
    const attempts = change.attempts?.map((attempt) => {
      if (attempt.how !== "record" && attempt.how !== "fields") return attempt;
      const { possible_duplicate: _, ...set } = attempt.set;
      return { ...attempt, set };
    });
    return attempts === undefined ? change : { ...change, attempts };
  }),
  /**
   * Rule 8: a worker does not look at its lease before it sends, nor at the time of its permit, either of which keeps
   * one that stood still from sending.
   */
  "no-lease-check": allOf(
    useLatePermits,
    withStore((store) => {
      const endless = Number.MAX_SAFE_INTEGER;
      const leases = new Map<string, number | undefined>();
      return {
        ...store,
        change: async (id, change) => {
          // What is written afterwards goes by the lease as it is.
          const clause = change.require.same_claim_expires_at;
          const isOurs = clause?.is === "equal" && clause.value === endless;
          const lease = leases.get(id) ?? 0;
          const result = await store.change(
            id,
            isOurs
              ? {
                  ...change,
                  require: { ...change.require, same_claim_expires_at: { ...clause, value: lease } },
                }
              : change,
          );
          if (!result.applied || !isClaim(change)) return result;
          leases.set(id, result.message.claim_expires_at);
          return { applied: true, message: { ...result.message, claim_expires_at: endless } };
        },
      };
    }),
  ),
  /** Rule 8: an answer that is lost is the last that anybody does about a message. */
  "give-up-after-a-lost-answer": withAnswers((result) =>
    result.kind === "unconfirmed" ? { kind: "accepted", messageId: "unknown" } : result,
  ),
  /** Rule 5: an end may be reopened. */
  "reopen-the-end": withItems(
    (message) =>
      ["EXHAUSTED", "EXPIRED", "REJECTED"].includes(statusOf(message))
        ? { ...message, status: "SENT" }
        : message,
    (store) => (id, change) => {
      const { same_status: _, ...require } = change.require;
      return store.change(id, { ...change, require });
    },
  ),
  /** Rule 12: nothing is ever retried. */
  "never-retry": withChanges((change) => (isSchedule(change) ? ended(change, "EXHAUSTED") : change)),
  /** Rules 11 and 12: a message is retried once, however many retries it has. */
  "at-most-one-retry": withChanges((change) =>
    isSchedule(change) && (change.set.retry_count ?? 0) > 0 ? ended(change, "EXHAUSTED") : change,
  ),
  /** An item that must be known as it is may be read as it was. */
  "reads-without-consistency": { table: { ignoresConsistency: true } },
  /** An event without a retry tag is not matched by the service's id. */
  "no-match-by-message-id": withItems(({ pinpoint_message_id: _, ...message }) => ({
    ...message,
    ...(message.attempts !== undefined && {
      attempts: Object.fromEntries(
        Object.entries(message.attempts).map(([number, { message_id: __, ...attempt }]) => [number, attempt]),
      ),
    }),
  })),
  /** Rule 10: the error of one record that cannot be handled fails all that came with it. */
  "one-record-fails-the-batch": {
    breakPorts: ({ telemetry }) => ({
      telemetry: {
        ...telemetry,
        count: (metric, value) => {
          if (metric === "RecordMalformed" || metric === "ItemUnreadable") {
            throw new TypeError("broken on purpose");
          }
          telemetry.count(metric, value);
        },
      },
    }),
  },
  /** Rule 13: the claim comes first, and then the wait for the permit. */
  "claim-before-the-permit": {
    breakPorts: ({ store, gateUntil }) => {
      if (gateUntil === undefined) return {};
      const waits: (() => Promise<unknown>)[] = [];
      return {
        gateUntil: (until) => {
          waits.length = 0;
          const gate = gateUntil(until);
          return {
            ...gate,
            acquire: async (identity, request) => {
              let permit: Permit | NoPermit | undefined;
              waits.push(async () => {
                permit = await gate.acquire(identity, request);
              });
              const held = () => (permit?.kind === "permit" ? permit : undefined);
              return {
                kind: "permit",
                parts: request.parts,
                departs: async () => (await held()?.departs()) ?? false,
                report: (isServiceWorking) => held()?.report(isServiceWorking),
              };
            },
          };
        },
        store: {
          ...store,
          change: async (id, change) => {
            const result = await store.change(id, change);
            if (isClaim(change)) await waits.shift()?.();
            return result;
          },
        },
      };
    },
  },
  /** The gate: nobody tells the breaker what came of a call. */
  "no-breaker": withPermits((permit) => ({ ...permit, report: () => {} })),
  /** The gate: who comes late for its time uses it all the same. */
  "late-reservation-used": useLatePermits,
  /** The gate: an attempt whose outcome is unknown is claimed again without a permit. */
  "permit-forgotten-on-a-repeated-claim": {
    breakPorts: ({ store, gateUntil, clock }) => {
      if (gateUntil === undefined) return {};
      const repeated = new Set<number | undefined>();
      const look = <T extends Message | undefined>(message: T): T => {
        const isClaimed = message?.attempts?.[message.retry_count ?? 0]?.claim_id !== undefined;
        if (isClaimed && message?.status === "SENDING" && (message.claim_expires_at ?? 0) <= clock.now()) {
          repeated.add(message.deadline);
        }
        return message;
      };
      return {
        store: {
          ...store,
          read: async (id) => look(await store.read(id)),
          readMany: async (ids) => {
            const found = await store.readMany(ids);
            for (const message of found.values()) look(message);
            return found;
          },
        },
        gateUntil: (until) => {
          repeated.clear();
          const gate = gateUntil(until);
          return {
            ...gate,
            acquire: (identity, request) =>
              repeated.delete(request.deadline)
                ? Promise.resolve({
                    kind: "permit",
                    parts: request.parts,
                    departs: async () => true,
                    report() {},
                  })
                : gate.acquire(identity, request),
          };
        },
      };
    },
  },
  /** The gate: a worker writes it whatever others have written meanwhile. */
  "gate-forgets-other-workers": { table: { ignoresGateConditions: true } },
  /** The gate: the workers go by their own clocks. */
  "gate-without-a-shared-time": { table: { tellsNoTime: true } },
  /** The gate: nobody sees that all gates are paused. */
  "pause-is-not-seen": { table: { hidesPause: true } },
  /** End User Messaging: the sends name no configuration set. */
  "no-configuration-set": { variables: { CONFIGURATION_SET_NAME: "" } },
  /** End User Messaging: the service may try for as long as the message is of use. */
  "time-to-live-of-the-whole-deadline": { variables: { ATTEMPT_VALIDITY_SECONDS: "259200" } },
  /** A message is sent by the deployment's service, whatever sent it first. */
  "service-of-the-item-is-ignored": withItems(({ sms_service: _, ...message }) => message),
  /** The queue's refusal of an entry is not looked at. */
  "refused-entries-are-lost": withQueue((queue) => ({
    put: async (entries) => {
      await queue.put(entries);
      return entries.map(() => true);
    },
  })),
  /** Rule 3: a retry message that comes too early is taken for done. */
  "early-is-done": {
    breakPorts: ({ queue, routing }) =>
      queue === undefined || routing === undefined
        ? {}
        : {
            queue: {
              put: async (entries) => {
                const isAgain = ({ message }: (typeof entries)[number]) =>
                  message.kind === "retry-message" && message.deferrals === undefined;
                await queue.put(entries.filter((entry) => !isAgain(entry)));
                return entries.map(() => true);
              },
            },
          },
  },
  /** Rule 14: what ends a message leaves its body in the item. */
  "body-stays": withChanges((change) => ({
    ...change,
    remove: change.remove?.filter((attribute) => attribute !== "message_body") ?? [],
  })),
  /** Rule 14: what ends a message does not say when its item goes. */
  "item-stays": withChanges((change) => {
    const { expires_at: _, ...set } = change.set;
    return { ...change, set };
  }),
  /** Rule 4: a success that comes after a failure of the same message is not looked at. */
  "late-success-is-ignored": withStore((store) => ({
    ...store,
    change: async (id, change) => {
      if (change.set.status !== "DELIVERED") return store.change(id, change);
      const current = await store.read(id);
      return current !== undefined && isFinal(statusOf(current)) && current.status !== "DELIVERED"
        ? { applied: true, message: current }
        : store.change(id, change);
    },
  })),
} as const satisfies Record<string, RunOptions>;

/** Name of a break. */
export type BreakName = keyof typeof breaks;
