/** Why a change of the code may survive; `explain-survivors.ts` puts them into `docs/mutation.md`. */
export const explanations: readonly {
  readonly title: string;
  readonly why: string;
  /** As `npm run mutate` prints those that have no reason yet: name of the file, the text before and after. */
  readonly survivors: readonly string[];
}[] = [
  {
    title: "Values that nothing reads",
    why: "Without entries nothing looks up the queue's answers. Every record has been parsed, so its parsed form is never absent, and both other uses of `noEvents` set `holdsOthers` themselves. The table returns objects, so every problem of an item has a path.",
    survivors: [
      'handle-queue-messages.ts: [] → ["Stryker was here"]',
      "handle-records.ts: false → true",
      'message-item.ts: "item" → ""',
    ],
  },
  {
    title: "One step past the end of a text",
    why: "The character there is `undefined`, which is neither a brace nor a quotation mark.",
    survivors: ["event-records.ts: index < text.length → index <= text.length"],
  },
  {
    title: "Differences smaller than the rounding of a clock",
    why: "Both sides differ only where two times in epoch seconds are exactly one millionth apart.",
    survivors: [
      "rate-limiter.ts: turnAt > until + roundingSeconds → turnAt >= until + roundingSeconds",
      "rate-limiter.ts: rest > roundingSeconds → rest >= roundingSeconds",
    ],
  },
];
