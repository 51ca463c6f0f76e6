import { inTime } from "../../../functions/core/processing/time-limit.ts";
import { startOfTest } from "../../support/messages.ts";
import { virtualTime } from "../../support/virtual-time.ts";

test("work learns when its time is over, and what is under way then comes to nothing", async () => {
  const time = virtualTime(startOfTest);
  const seen = inTime(startOfTest + 5, time, async ({ isOver, within }) => {
    const before = isOver();
    const soon = await within(time.sleep(4).then(() => "soon"));
    const late = await within(time.sleep(4).then(() => "late"));
    return { before, soon, late, after: isOver() };
  });
  await time.run();

  expect(await seen).toEqual({ before: false, soon: "soon", late: undefined, after: true });
});

test("work that is done leaves no timer behind, however it ended", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const clock = {
    now: () => startOfTest,
    sleep: (_seconds: number, signal?: AbortSignal) => {
      signals.push(signal);
      return new Promise<void>(() => {});
    },
  };

  expect(await inTime(startOfTest + 5, clock, async () => "done")).toBe("done");
  await expect(
    inTime(startOfTest + 5, clock, async () => {
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
});
