/**
 * The time that all workers share: that of DynamoDB's servers, which every answer of theirs names.
 *
 * Workers on different machines cannot tell which of their clocks is wrong, and two of them whose clocks differ by a
 * second would send twice the ceiling in that second. The header `Date` is exact to a second only; but each answer
 * says that the server's time lay in that second while the call was under way. A new worker asks until the second
 * changes, at most for about a second, and knows the time to one or two hundredths of a second then.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-date
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Clock } from "../../core/clock.ts";
import type { GateTime } from "../../core/sending/gate/gate.ts";
import type { GateClock } from "../../core/sending/gate/gate-store.ts";

/** Bounds of the difference between the table's time and the machine's, in seconds. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly asOf: number;
}

/** How far two clocks drift apart: for every second since the last answer the bounds are so much further apart. */
const driftPerSecond = 2e-5;

/**
 * Bounds that are closer together, in seconds, are good enough; and how close a worker makes them that looks at all,
 * because each hundredth of a second is one of a hundred of the ceiling.
 */
const goodSeconds = 0.05;
const wantedSeconds = 0.02;

/** How long after one look for the change of the second the next begins; the one may still be under way. */
const lookSeconds = 0.01;

/** How long it looks at most: the second changes within one. */
const longestLookSeconds = 1.1;

/** When it looks again, where calls take too long to know the time better: not with every batch. */
const nextLookSeconds = 60;

/** What is assumed while no answer has come: the clocks of AWS's machines differ by less. */
const unknownBounds = { least: -1, most: 1 } as const;

/** The table's time, from the answers to its calls. */
export class TableClock implements GateClock {
  readonly #clock: Clock;
  #bounds: Bounds | undefined;
  /** When a look for better bounds last ended without them; epoch seconds of the machine's clock. */
  #lookedInVainAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): GateTime {
    const now = this.#clock.now();
    const { least, most } = this.#boundsAt(now) ?? unknownBounds;
    return { earliest: now + least, latest: now + most };
  }

  async sharpen(ask: () => Promise<unknown>): Promise<void> {
    const since = this.#clock.now();
    if (this.#isKnownTo(goodSeconds) || Math.abs(since - this.#lookedInVainAt) < nextLookSeconds) return;
    const asked: Promise<unknown>[] = [];
    let failure: { readonly error: unknown } | undefined;
    while (!this.#isKnownTo(wantedSeconds) && failure === undefined) {
      const now = this.#clock.now();
      if (Math.abs(now - since) > longestLookSeconds) {
        this.#lookedInVainAt = now;
        break;
      }
      const answer = ask().catch((error: unknown) => {
        failure ??= { error };
      });
      asked.push(answer);
      // The first answer says whether the table can be reached at all.
      await (asked.length === 1 ? answer : this.#clock.sleep(lookSeconds));
    }
    await Promise.all(asked);
    if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
  }

  #isKnownTo(seconds: number): boolean {
    const { earliest, latest } = this.now();
    return this.#bounds !== undefined && latest - earliest <= seconds;
  }

  /**
   * Takes the time of an answer into account.
   *
   * @param date the header `Date`
   * @param sentAt when the call began, epoch seconds of the machine's clock
   * @param answeredAt when its answer had come
   */
  observe(date: string, sentAt: number, answeredAt: number): void {
    const second = Date.parse(date) / 1000;
    if (Number.isNaN(second)) return;
    // Somewhere between the two moments the server's time was in [second, second + 1).
    const seen = { least: second - answeredAt, most: second + 1 - sentAt };
    const known = this.#boundsAt(answeredAt) ?? seen;
    const least = Math.max(known.least, seen.least);
    const most = Math.min(known.most, seen.most);
    // A machine whose clock was set, or a server whose clock is off: what was known holds no more.
    this.#bounds = { ...(least <= most ? { least, most } : seen), asOf: answeredAt };
  }

  #boundsAt(now: number): { readonly least: number; readonly most: number } | undefined {
    if (this.#bounds === undefined) return undefined;
    const drift = Math.abs(now - this.#bounds.asOf) * driftPerSecond;
    return { least: this.#bounds.least - drift, most: this.#bounds.most + drift };
  }
}

/** A clock of the table that learns from every answer of this client. */
export function tableClockOf(client: DynamoDBDocumentClient, clock: Clock): TableClock {
  const tableClock = new TableClock(clock);
  client.middlewareStack.add(
    (next) => async (given) => {
      const sentAt = clock.now();
      const result = await next(given);
      const headers = (result.response as { readonly headers?: Readonly<Record<string, string>> } | undefined)
        ?.headers;
      const date = headers?.date;
      if (date !== undefined) tableClock.observe(date, sentAt, clock.now());
      return result;
    },
    // Inside the SDK's own retries, so that a call is one attempt.
    { step: "deserialize", name: "tableClock", priority: "low" },
  );
  return tableClock;
}
