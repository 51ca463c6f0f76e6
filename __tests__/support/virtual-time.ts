/** The virtual clock of a test: it stands still once the test is over. */
import { type VirtualClock, virtualClock } from "../../local/virtual-clock.ts";

let testsBefore = 0;
// The runner of the mutation check knows no hooks; there a test has all the time that it needs.
if (typeof afterEach === "function") {
  afterEach(() => {
    testsBefore += 1;
  });
}

/**
 * A virtual clock that begins at `now`. A test whose time is over goes on in the background, and would take the time
 * of the next ones: here it waits for ever, since an error would only make fast-check look for a shorter one.
 */
export function virtualTime(now: number): VirtualClock {
  const own = testsBefore;
  return virtualClock(now, async () => {
    await new Promise(setImmediate);
    if (testsBefore !== own) await new Promise(() => {});
  });
}
