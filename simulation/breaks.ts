/**
 * Ways to break the protocol on purpose, one rule each. The tests show that the simulation finds every one:
 * a simulation that cannot fail proves nothing.
 */
import type { Change, MessageStore } from "../functions/core/message-store.ts";
import type { SendResult } from "../functions/core/sms-sender.ts";
import type { RunOptions } from "./simulated-run.ts";

/** Leaves out clauses of every change by their names. */
function withoutClauses(...names: readonly string[]): RunOptions {
  return {
    ports: {
      store: (store) => ({
        ...store,
        change: (id, change) => {
          const kept = Object.entries(change.require).filter(([name]) => !names.includes(name));
          return store.change(id, { ...change, require: Object.fromEntries(kept) });
        },
      }),
    },
  };
}

/** Changes every change on its way to the table. */
function withChanges(edit: (change: Change) => Change): RunOptions {
  return {
    ports: { store: (store) => ({ ...store, change: (id, change) => store.change(id, edit(change)) }) },
  };
}

/** Changes every answer of the service on its way to the core. */
function withAnswers(edit: (result: SendResult) => SendResult): RunOptions {
  return {
    ports: { sender: (sender) => ({ ...sender, send: async (request) => edit(await sender.send(request)) }) },
  };
}

/** Hides attributes of every item from the core. */
function hiding(attribute: "deadline" | "delivery_guarantee"): RunOptions {
  const hide = <T extends object | undefined>(message: T): T => {
    if (message === undefined) return message;
    const { [attribute as keyof T]: _, ...rest } = message;
    return rest as T;
  };
  return {
    ports: {
      store: (store): MessageStore => ({
        ...store,
        read: async (id) => hide(await store.read(id)),
        readMany: async (ids) =>
          new Map([...(await store.readMany(ids))].map(([id, message]) => [id, hide(message)])),
        change: async (id, change) => {
          const kept = Object.entries(change.require).filter(([, clause]) => clause.path !== attribute);
          const result = await store.change(id, { ...change, require: Object.fromEntries(kept) });
          return result.applied
            ? { applied: true, message: hide(result.message) }
            : { applied: false, current: hide(result.current) };
        },
      }),
    },
  };
}

/** The breaks by name, each with the rule of the design that it breaks. */
export const breaks = {
  /** Rule 1: writes are not conditional. */
  "no-conditions": { table: { ignoresConditions: true } },
  /** Rule 1: a claim does not ask whether the attempt is the next one. */
  "claim-any-attempt": withoutClauses("isScheduled", "isNextAttempt"),
  /** Rule 1: a claim does not ask whether the series is over. */
  "claim-after-the-end": withoutClauses("isScheduled", "isDue"),
  /** Rules 2 and 4: a decision is written although the item has moved on. */
  "decide-on-old-items": withoutClauses(
    "same_status",
    "same_retry_count",
    "same_next_attempt_at",
    "same_claim_expires_at",
  ),
  /** Rule 1: the send comes before the claim. */
  "send-before-claim": {
    ports: {
      store: (store) => ({
        ...store,
        change: async (id, change) => {
          // A claim that lost its write is taken for won.
          const result = await store.change(id, change);
          if (result.applied || change.set.status !== "SENDING" || result.current === undefined)
            return result;
          return { applied: true, message: { ...result.current, claim_expires_at: Number.MAX_SAFE_INTEGER } };
        },
      }),
    },
  },
  /** Rule 2: a repeated failure event does not repeat its wake-up. */
  "no-second-wake-up": {
    ports: {
      store: (store) => {
        const hide = <T extends { readonly status?: unknown } | undefined>(message: T): T =>
          message?.status === "RETRY_SCHEDULED" ? ({ ...message, status: "CANCELLED" } as T) : message;
        return {
          ...store,
          read: async (id) => hide(await store.read(id)),
          readMany: async (ids) =>
            new Map([...(await store.readMany(ids))].map(([id, message]) => [id, hide(message)])),
        };
      },
    },
  },
  /** Rule 6: nobody looks at the deadline. */
  "no-deadline": hiding("deadline"),
  /** Rule 7: "not now" counts as sent. */
  "throttled-is-sent": withAnswers((result) =>
    result.kind === "deferred" ? { kind: "accepted", messageId: "none" } : result,
  ),
  /** Rule 7: a claim that is given back uses up its retry. */
  "throttled-uses-a-retry": withChanges((change) =>
    change.attempts?.[0]?.how === "remove" && change.set.retry_count !== undefined
      ? { ...change, set: { ...change.set, retry_count: change.set.retry_count + 1 } }
      : change,
  ),
  /** Rule 8: an unknown outcome counts as "not sent" and is sent again at once. */
  "lost-answer-is-not-sent": withAnswers((result) =>
    result.kind === "unconfirmed" ? { kind: "deferred", reason: "temporary-failure" } : result,
  ),
  /** Rule 8: the SDK repeats a send whose answer was lost. */
  "sdk-repeats-sends": {
    ports: {
      sender: (sender) => ({
        ...sender,
        send: async (request) => {
          const result = await sender.send(request);
          return result.kind === "unconfirmed" ? sender.send(request) : result;
        },
      }),
    },
  },
  /** Rule 8: a repeated send is not marked. */
  "unmarked-repetition": withChanges((change) => {
    const attempts = change.attempts?.map((attempt) => {
      if (attempt.how !== "record" && attempt.how !== "fields") return attempt;
      const { possible_duplicate: _, ...set } = attempt.set;
      return { ...attempt, set };
    });
    return attempts === undefined ? change : { ...change, attempts };
  }),
  /** Rule 5: an end may be reopened. */
  "reopen-the-end": {
    ports: {
      store: (store) => {
        const reopen = <T extends { readonly status?: unknown } | undefined>(message: T): T =>
          message?.status === "EXHAUSTED" || message?.status === "EXPIRED" || message?.status === "REJECTED"
            ? ({ ...message, status: "SENT" } as T)
            : message;
        const lenient = withoutClauses("same_status").ports?.store?.(store) ?? store;
        return {
          ...lenient,
          read: async (id) => reopen(await store.read(id)),
          readMany: async () => new Map(),
        };
      },
    },
  },
} as const satisfies Record<string, RunOptions>;

/** Name of a break. */
export type BreakName = keyof typeof breaks;
