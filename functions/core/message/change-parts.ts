/**
 * What the writes of the protocol have in common: the condition that a message still stands where it stood, and the
 * fields of its attempts' records.
 */
import { type Attempt, expiresAtOf, type Message } from "./message.ts";
import type { AttemptChange, Change, Clause } from "./message-store.ts";

/** Attributes that together say where a message stands in the protocol; every transition changes one. */
const position = ["status", "retry_count", "next_attempt_at", "claim_expires_at"] as const;

/** Clauses that hold while nobody has moved the message since it was read. */
export function samePosition(message: Message): Record<string, Clause> {
  const clauses: Record<string, Clause> = {
    exists: { path: "application_message_id", is: "present" },
  };
  for (const path of position) {
    const value = message[path];
    clauses[`same_${path}`] = value === undefined ? { path, is: "absent" } : { path, is: "equal", value };
  }
  return clauses;
}

/** Sets fields of attempts' records, whether the item has the records, only the map, or neither. */
export function attemptFields(
  message: Message,
  sets: Readonly<Record<number, Attempt>>,
): { readonly attempts: readonly AttemptChange[]; readonly clauses: Record<string, Clause> } {
  const { attempts } = message;
  if (attempts === undefined) {
    return {
      attempts: [{ how: "map", records: sets }],
      clauses: { hasNoAttempts: { path: "attempts", is: "absent" } },
    };
  }
  const clauses: Record<string, Clause> = {};
  const changes = Object.entries(sets).map(([key, set]): AttemptChange => {
    const number = Number(key);
    const path = `attempts.${number}` as const;
    const hasRecord = attempts[number] !== undefined;
    if (!hasRecord) clauses.hasAttempts = { path: "attempts", is: "present" };
    clauses[`${hasRecord ? "hasRecord" : "hasNoRecord"}${number}`] = {
      path,
      is: hasRecord ? "present" : "absent",
    };
    return { number, how: hasRecord ? "fields" : "record", set };
  });
  return { attempts: changes, clauses };
}

/** When a message ends, and how long its item is kept then; both in seconds. */
export interface Ending {
  readonly at: number;
  readonly keptSeconds: number;
}

/**
 * What the end of a message does to its data: nothing sends it any more, so the body goes at once, and the item itself
 * `keptSeconds` later. An item that was to go sooner still does.
 */
export function endOfData(
  { expires_at: before = Number.POSITIVE_INFINITY }: Message,
  { at, keptSeconds }: Ending,
): {
  readonly set: Pick<Message, "expires_at" | "ended_at">;
  readonly remove: NonNullable<Change["remove"]>;
} {
  return {
    set: { expires_at: Math.min(before, expiresAtOf(at, keptSeconds)), ended_at: Math.floor(at) },
    remove: ["message_body"],
  };
}

/** What an event or an API answer says about an attempt. */
export interface AttemptOutcome {
  readonly attempt: number;
  readonly outcome: string;
  readonly at: number;
  readonly messageId?: string;
}

/** The fields of an attempt's record that say how it ended. */
export function outcomeFields({ outcome, at, messageId }: AttemptOutcome): Attempt {
  return {
    outcome,
    outcome_at: Math.floor(at),
    ...(messageId !== undefined && { message_id: messageId }),
  };
}
