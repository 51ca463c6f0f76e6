import fc from "fast-check";
import { virtualClock } from "../../local/virtual-clock.ts";

/** A clock, and the times at which what was set on it fired. */
function clockAt(now: number) {
  const clock = virtualClock(now);
  const fired: [string, number][] = [];
  const note = (what: string) => () => void fired.push([what, clock.now()]);
  return { ...clock, fired, note };
}

test("sleepers wake one after the other, each at its time", async () => {
  const { sleep, run, note, fired } = clockAt(10);
  for (const seconds of [3, 1, 2]) void sleep(seconds).then(note(`${seconds}`));

  await run();

  expect(fired).toEqual([
    ["1", 11],
    ["2", 12],
    ["3", 13],
  ]);
});

test("timers fire in the order of their times, and of their making where the times are the same", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
      const clock = virtualClock(0);
      const fired: [number, number][] = [];
      for (const [order, time] of times.entries()) clock.at(time, () => fired.push([time, order]));

      while (clock.step());

      const sorted = times.map((time, order) => [time, order]).sort(([a = 0], [b = 0]) => a - b);
      expect(fired).toEqual(sorted);
    }),
  );
});

test("a run until a time fires what is due until then, and ends there", async () => {
  const { at, run, now, next, note, fired } = clockAt(0);
  for (const time of [5, 10, 10.5]) at(time, note(`${time}`));

  await run(10);

  expect(fired).toEqual([
    ["5", 5],
    ["10", 10],
  ]);
  expect([now(), next()]).toEqual([10, 10.5]);
  await run(10.25);
  expect(now()).toBe(10.25);
});

test("a run without an end stays at the last timer", async () => {
  const { at, run, now, note } = clockAt(0);
  at(5, note("5"));

  await run();

  expect(now()).toBe(5);
});

test("what is set while others react takes part", async () => {
  const { sleep, run, now, note, fired } = clockAt(0);
  void (async () => {
    await sleep(1);
    await null;
    await sleep(1);
    note("twice")();
  })();
  void sleep(3).then(note("once"));

  await run();

  expect(fired).toEqual([
    ["twice", 2],
    ["once", 3],
  ]);
  expect(now()).toBe(3);
});

test("a timer of the past fires next, and time does not go back", () => {
  const { at, advance, step, note, fired } = clockAt(100);
  at(103, note("before"));
  advance(5);
  at(50, note("past"));

  expect([step(), step(), step()]).toEqual([true, true, false]);
  expect(fired).toEqual([
    ["before", 105],
    ["past", 105],
  ]);
});

test("an aborted sleep ends at once, before it begins too", async () => {
  const { sleep, now, note, fired } = clockAt(0);
  const patience = new AbortController();
  const sleeping = sleep(60, patience.signal).then(note("aborted"));
  patience.abort();
  await sleeping;
  await sleep(60, patience.signal).then(note("not begun"));

  expect(fired.map(([what]) => what)).toEqual(["aborted", "not begun"]);
  expect(now()).toBe(0);
});
