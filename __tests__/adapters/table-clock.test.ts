/** The time that all workers share, as it is learnt from the answers of a table. */
import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { TableClock, tableClockOf } from "../../functions/adapters/dynamodb/table-clock.ts";
import { emulatorAccess } from "../support/message-table.ts";
import { startOfTest as start } from "../support/messages.ts";
import { virtualTime } from "../support/virtual-time.ts";

/** The header `Date` of an answer at a time of the server, epoch seconds. */
const dateAt = (time: number): string => new Date(Math.floor(time) * 1000).toUTCString();

/** A clock of the table on a local clock that stands at `start`. */
function clockAt(now = start) {
  const time = virtualTime(now);
  const clock = new TableClock(time);
  /** What it knows of the table's time, in seconds after the local clock's. */
  const bounds = (): [number, number] => {
    const { earliest, latest } = clock.now();
    return [round(earliest - time.now()), round(latest - time.now())];
  };
  return { time, clock, bounds };
}

const round = (seconds: number): number => Math.round(seconds * 1e5) / 1e5;

describe("the bounds of the table's time", () => {
  test("are a second to both sides while nothing is known", () => {
    expect(clockAt().bounds()).toEqual([-1, 1]);
  });

  test("are those of the second that an answer names, and of the call", () => {
    const { clock, bounds } = clockAt();

    // The server's clock said start + 10 at some time between 0.2 s before now and now.
    clock.observe(dateAt(start + 10), start - 0.2, start);

    expect(bounds()).toEqual([10, 11.2]);
  });

  test("are as narrow as all answers together make them", () => {
    const { clock, bounds } = clockAt();

    clock.observe(dateAt(start), start - 0.03, start - 0.02);
    clock.observe(dateAt(start + 1), start - 0.01, start);

    expect(bounds()).toEqual([1, 1.03]);
  });

  test("are learnt anew from an answer that contradicts what was known", () => {
    const { clock, bounds } = clockAt();
    clock.observe(dateAt(start), start, start);
    clock.observe(dateAt(start + 60), start, start);

    expect(bounds()).toEqual([60, 61]);
  });

  test("move apart while no answer comes: by 20 µs in a second, for either clock's drift", () => {
    const { time, clock, bounds } = clockAt();
    clock.observe(dateAt(start), start, start);
    time.advance(1_000);

    expect(bounds()).toEqual([-0.02, 1.02]);
  });

  test("stay as they are by an answer without a time", () => {
    const { clock, bounds } = clockAt();
    clock.observe("yesterday", start, start);

    expect(bounds()).toEqual([-1, 1]);
  });

  test("hold the true time, whatever the local clock says and however long the calls take", () => {
    const calls = fc.array(
      fc.record({
        pauseSeconds: fc.double({ min: 0, max: 300, noNaN: true }),
        requestSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
        responseSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        // With the drift until the first answer comes, no more than the second that is assumed until then.
        fc.double({ min: -0.99, max: 0.99, noNaN: true }),
        fc.double({ min: -2e-5, max: 2e-5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        calls,
        (skew, drift, fraction, all) => {
          let truth = start + fraction;
          const clock = new TableClock({
            now: () => truth + skew + (truth - start) * drift,
            sleep: async () => {},
          });
          const local = () => truth + skew + (truth - start) * drift;
          const holds = () => {
            const { earliest, latest } = clock.now();
            // A double holds epoch seconds to a quarter of a microsecond.
            expect(earliest).toBeLessThanOrEqual(truth + 1e-6);
            expect(latest).toBeGreaterThanOrEqual(truth - 1e-6);
          };
          holds();
          for (const { pauseSeconds, requestSeconds, responseSeconds } of all) {
            truth += pauseSeconds;
            holds();
            const sentAt = local();
            truth += requestSeconds;
            const date = dateAt(truth);
            truth += responseSeconds;
            clock.observe(date, sentAt, local());
            holds();
          }
        },
      ),
    );
  });
});

describe("a worker that wants to know the time better", () => {
  /** Asks a server whose clock is `ahead`, by calls that take so long; gives the number of calls. */
  function server(ahead: number, callSeconds: number) {
    const { time, clock, bounds } = clockAt();
    const calls = { count: 0 };
    const ask = async () => {
      calls.count += 1;
      const sentAt = time.now();
      await time.sleep(callSeconds / 2);
      const date = dateAt(time.now() + ahead);
      await time.sleep(callSeconds / 2);
      clock.observe(date, sentAt, time.now());
    };
    /** Sharpens, and says how long that took. */
    const sharpen = async () => {
      const before = time.now();
      const done = clock.sharpen(ask).then(() => time.now() - before);
      await time.run();
      return done;
    };
    return { time, clock, bounds, calls, sharpen };
  }

  test.each([0.3, -0.7, 0])("asks until the second has changed: a clock that is %d s off", async (ahead) => {
    const { sharpen, bounds } = server(ahead, 0.008);

    expect(await sharpen()).toBeLessThan(1.1);

    const [least, most] = bounds();
    expect(most - least).toBeLessThanOrEqual(0.05);
    expect(least).toBeLessThanOrEqual(ahead);
    expect(most).toBeGreaterThanOrEqual(ahead);
  });

  test("asks no more once it knows", async () => {
    const { sharpen, calls } = server(0.3, 0.008);
    await sharpen();
    const { count } = calls;

    expect(await sharpen()).toBe(0);
    expect(calls.count).toBe(count);
  });

  test("asks again when the clocks may have drifted apart", async () => {
    const { time, sharpen, calls } = server(0.3, 0.008);
    await sharpen();
    const { count } = calls;
    time.advance(3_600);

    await sharpen();
    expect(calls.count).toBeGreaterThan(count);
  });

  test("does not ask for ever where calls take too long, nor again with every batch", async () => {
    const { time, sharpen, calls } = server(0.3, 0.06);

    expect(await sharpen()).toBeLessThan(1.3);
    const { count } = calls;
    time.advance(1);
    expect(await sharpen()).toBe(0);

    expect(calls.count).toBe(count);
  });

  test("is told where the table is out of reach", async () => {
    const { clock } = clockAt();

    await expect(clock.sharpen(() => Promise.reject(new Error("out of reach")))).rejects.toThrow(
      "out of reach",
    );
  });
});

describe("a client's answers", () => {
  test("tell the time, each attempt of a call by itself", async () => {
    const time = virtualTime(start);
    const answers = [
      { statusCode: 500, date: undefined },
      { statusCode: 200, date: dateAt(start + 40) },
    ];
    const client = DynamoDBDocumentClient.from(
      new DynamoDBClient({
        ...emulatorAccess,
        maxAttempts: 2,
        requestHandler: {
          async handle() {
            time.advance(0.25);
            const { statusCode = 500, date } = answers.shift() ?? {};
            const headers = { "content-type": "application/x-amz-json-1.0", ...(date && { date }) };
            return { response: { statusCode, headers, body: Readable.from(["{}"]) } };
          },
        },
      }),
    );
    const clock = tableClockOf(client, time);

    await client.send(new GetCommand({ TableName: "send-gates", Key: { gate: "SHOP" } }));

    // The second attempt began a quarter of a second before its answer; the first one says nothing.
    const { earliest, latest } = clock.now();
    expect([earliest - start, latest - start]).toEqual([40, 41.25]);
  });
});
