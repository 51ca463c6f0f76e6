/** What really happened at the SMS service: the truth that a run is measured against. */
import type { CarrierPlan, PlannedEvent } from "./carrier.ts";

/** One event about a send, and how often it reached the stream. */
export interface LedgerEvent {
  /** `<message id>:<kind>`; events carry no id of their own. */
  readonly id: string;
  readonly kind: PlannedEvent["kind"];
  readonly status: string;
  /** Copies planned; 0 = lost on the way. */
  readonly copies: number;
  /** Copies on the stream so far. */
  published: number;
}

/** One call of the API about one recipient. */
export interface LedgerCall {
  /** When it left the caller, epoch milliseconds. */
  readonly at: number;
  /** Parts that the body has. */
  readonly parts: number;
  readonly applicationMessageId?: string;
  /** From the retry tag; 0 where the call had none. */
  readonly attempt: number;
  /** What the service answered instead of accepting; with `HANG` it accepted all the same. */
  readonly answer?: NonNullable<CarrierPlan["answer"]>;
  /** The service's id; only where it took the message. */
  readonly messageId?: string;
  /** What becomes of the message; only where the service took it. */
  readonly outcome?: string;
  readonly events: readonly LedgerEvent[];
}

/** A call whose message the service took: one SMS on its way. */
export type LedgerSend = LedgerCall & { readonly messageId: string };

/** Counts over all events. */
export interface EventCounts {
  /** Events on the stream, copies included. */
  readonly emitted: number;
  /** Second copies among them. */
  readonly duplicated: number;
  /** Events that were never put on the stream. */
  readonly lost: number;
}

/** Every call of a run, in the order in which they came. */
export class Ledger {
  readonly #calls: LedgerCall[] = [];

  /** Writes a call down. */
  add(call: LedgerCall): void {
    this.#calls.push(call);
  }

  /** All calls. */
  get calls(): readonly LedgerCall[] {
    return this.#calls;
  }

  /** The calls that became an SMS. */
  get sends(): LedgerSend[] {
    return this.#calls.filter((call): call is LedgerSend => call.messageId !== undefined);
  }

  /** The sends of each message, by `application_message_id`. */
  sendsByMessage(): Map<string, LedgerSend[]> {
    return Map.groupBy(this.sends, ({ applicationMessageId }) => applicationMessageId ?? "");
  }

  /** What became of the events so far. */
  eventCounts(): EventCounts {
    const events = this.#calls.flatMap((call) => call.events);
    const sum = (value: (event: LedgerEvent) => number) =>
      events.reduce((total, event) => total + value(event), 0);
    return {
      emitted: sum(({ published }) => published),
      duplicated: sum(({ published }) => Math.max(published - 1, 0)),
      lost: sum(({ copies }) => (copies === 0 ? 1 : 0)),
    };
  }
}
