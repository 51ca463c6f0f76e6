/** A simulation that cannot fail proves nothing: each rule of the protocol broken on purpose. */
import { type BreakName, breaks } from "../../simulation/breaks.ts";
import { simulateMany } from "../../simulation/simulate-many.ts";

// The rarest is found after some 1,300 runs of whole worlds.
jest.setTimeout(120_000);

test.each(Object.keys(breaks) as BreakName[])(
  "the simulation finds within 2000 runs that the protocol is broken: %s",
  async (name) => {
    const { failure } = await simulateMany(0, 2_000, breaks[name]);
    expect(failure?.report.violations).not.toHaveLength(0);
    expect(failure).toBeDefined();
  },
);
