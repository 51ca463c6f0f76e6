/** The order in which jest runs the test files: what waits long begins first, so that nothing waits for it at the end. */
import sequencer from "@jest/test-sequencer";

// The types are those of the CommonJS file; Node loads the ES module, whose default is the class itself.
const TestSequencer = sequencer as unknown as typeof sequencer.default;

type Tests = Parameters<InstanceType<typeof TestSequencer>["sort"]>[0];

/** Files that take half a minute, hardly any of it at work. */
const longest = /\/local\/pipeline[^/]*\.test\.ts$|\/functions\/transform-firehose\.test\.ts$/;

/** Jest's own order, the longest before all others: its own goes by size where it knows no times, as on a clone. */
// biome-ignore lint/style/noDefaultExport: jest asks for it
export default class LongestFirst extends TestSequencer {
  override sort(tests: Tests): Tests {
    const part = (isLong: boolean) =>
      super.sort(tests.filter(({ path }) => longest.test(path) === isLong)) as Tests;
    return [...part(true), ...part(false)];
  }
}
