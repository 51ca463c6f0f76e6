/** Why a change of the code may survive; `explain-survivors.ts` puts them into `docs/mutation.md`. */
export const explanations: readonly {
  readonly title: string;
  readonly why: string;
  /** As `npm run mutate` prints those that have no reason yet. */
  readonly survivors: readonly string[];
}[] = [
  {
    title: "The same is looked at once more behind it",
    why: "`scheduleRetry` takes number and type of an event only where they are there, and a message without a number is never scheduled; leaving out the first of two looks changes nothing.",
    survivors: [
      "core/handle-delivery-event.ts: event.messageType !== undefined → true",
      "core/message-changes.ts: retry.destinationNumber !== undefined → true",
    ],
  },
  {
    title: "A value that nobody reads, or that stands for a case that cannot be",
    why: "Without entries the queue's answers are never looked up; every record has been parsed, and both others that spread `noEvents` say `holdsOthers` themselves; the table hands over objects only, so that each problem has a path.",
    survivors: [
      'core/handle-queue-messages.ts: [] → ["Stryker was here"]',
      "core/handle-records.ts: false → true",
      'core/message-item.ts: "item" → ""',
    ],
  },
  {
    title: "One step further, where nothing is",
    why: "Behind the end of a text comes `undefined`, which is no brace and no quotation mark.",
    survivors: ["core/event-records.ts: index < text.length → index <= text.length"],
  },
  {
    title: "Within the rounding of a clock",
    why: "The two sides differ where a difference of epoch seconds is exactly one millionth: no clock and no SMS can tell.",
    survivors: [
      "core/send-pace.ts: turnAt > until + roundingSeconds → turnAt >= until + roundingSeconds",
      "core/send-pace.ts: rest > roundingSeconds → rest >= roundingSeconds",
    ],
  },
  {
    title: "Sooner what happens anyway",
    why: "Whose turn comes too late keeps its place until it has given its claim back; leaving at once lets the next one queue up some milliseconds earlier, and its turn is computed from the departures, not from the places.",
    survivors: ["core/send-pace.ts: isInTime → true"],
  },
];
