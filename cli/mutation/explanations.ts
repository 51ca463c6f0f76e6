/** Why a change of the code may survive; `explain-survivors.ts` puts them into `docs/mutation.md`. */
export const explanations: readonly {
  readonly title: string;
  readonly why: string;
  /** As `npm run mutate` prints those that have no reason yet: name of the file, the text before and after. */
  readonly survivors: readonly string[];
}[] = [
  {
    title: "Values that nothing reads",
    why: "The table returns objects, so every problem of an item has a path.",
    survivors: ['message-item.ts: "item" → ""'],
  },
  {
    title: "One step past the end of a text",
    why: "The character there is `undefined`, which is neither a brace nor a quotation mark.",
    survivors: ["event-records.ts: index < text.length → index <= text.length"],
  },
  {
    title: "Differences smaller than the rounding of a clock",
    why: "Both sides differ only where two times in epoch seconds are exactly so far apart, which a double of this size cannot be.",
    survivors: [
      "send-gate.ts: clock.now() - readAt > freshSeconds → clock.now() - readAt >= freshSeconds",
      "send-gate.ts: clock.now() + wait > until → clock.now() + wait >= until",
      "gate.ts: now - given.lane.nextFreeAt > Math.max(idleSeconds, 3 * secondsOf(1, rate)) → now - given.lane.nextFreeAt >= Math.max(idleSeconds, 3 * secondsOf(1, rate))",
    ],
  },
  {
    title: "A sleep of no time",
    why: "Where the time has come, sleeping for none and not sleeping are the same, save for the timer.",
    survivors: ["send-gate.ts: wait > 0 → true", "send-gate.ts: wait > 0 → wait >= 0"],
  },
  {
    title: "Both branches say the same at the border",
    why: "A step of no length may be taken at once or little by little; a body of exactly seventy characters is one part by either count.",
    survivors: [
      "send-timing.ts: wanted > this.leadSeconds → wanted >= this.leadSeconds",
      "message-parts.ts: body.length <= surelyOnePart → body.length < surelyOnePart",
    ],
  },
  {
    title: "A branch that the compiler asks for",
    why: "Who tells of a message asks only what comes next where it still waits, in a deployment that sends; the other actions have a sentence because the table of actions is one.",
    survivors: ['message-history.ts: "Nothing." → ""'],
  },
];
