import { virtualTime } from "./virtual-time.ts";

let wakings = 0;

test("a test may leave time running behind it", () => {
  const time = virtualTime(0);
  void (async () => {
    for (;;) {
      await time.sleep(1);
      wakings += 1;
    }
  })();
  void time.run();
});

test("there it stands still, and takes no time from the next one", async () => {
  const before = wakings;

  for (let rounds = 0; rounds < 100; rounds += 1) await new Promise(setImmediate);

  expect(wakings).toBeLessThan(before + 3);
});
