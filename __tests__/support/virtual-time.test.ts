import { virtualTime } from "./virtual-time.ts";

test("time stands still for ever where the test that lets it pass is over", async () => {
  const { currentTestName = "" } = expect.getState();
  const time = virtualTime(0);
  let wakings = 0;
  void (async () => {
    for (; wakings < 1_000; wakings += 1) await time.sleep(1);
  })();

  const running = time.run();
  await new Promise(setImmediate);
  expect.setState({ currentTestName: "the next test" });

  await expect(running).rejects.toThrow("The test is over.");
  expect.setState({ currentTestName });
  expect(wakings).toBeLessThan(5);
});
