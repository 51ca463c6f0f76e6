/** A simulation that cannot fail proves nothing: each rule of the protocol broken on purpose. */
import { type BreakName, breaks } from "../../simulation/breaks.ts";
import { seededChoices } from "../../simulation/choices.ts";
import { simulateMany } from "../../simulation/simulate-many.ts";
import { simulate } from "../../simulation/simulated-run.ts";

// The rarest is found after some 800 runs of whole worlds.
jest.setTimeout(120_000);

test.each(Object.keys(breaks) as BreakName[])(
  "the simulation finds within 2000 runs that the protocol is broken: %s",
  async (name) => {
    const { failure } = await simulateMany(0, 2_000, breaks[name]);
    expect(failure?.report.violations).not.toHaveLength(0);
    expect(failure).toBeDefined();
  },
);

/** What the simulation must say of a break that shows itself in other ways as well, and sooner. */
const own = {
  "no-lease-check": /was sent after its lease/,
  "late-reservation-used": /parts left in/,
  "permit-forgotten-on-a-repeated-claim": /parts left in/,
  "no-breaker": /of an outage that was known/,
  "no-configuration-set": /was sent without a configuration set/,
  "time-to-live-of-the-whole-deadline": /may be handed over for/,
  "service-of-the-item-is-ignored": /was sent by end-user-messaging, the message at first by pinpoint/,
} as const;

test.each(Object.entries(own) as [keyof typeof own, RegExp][])(
  "the simulation tells by its own rule within 2000 runs: %s",
  async (name, rule) => {
    const said: string[] = [];
    for (let seed = 0; seed < 2_000 && said.length === 0; seed += 1) {
      const { violations } = await simulate(seededChoices(seed), breaks[name]);
      said.push(...violations.filter((violation) => rule.test(violation)));
    }
    expect(said).not.toEqual([]);
  },
);
