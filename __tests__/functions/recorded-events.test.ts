import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Deployment,
  type KinesisRecord,
  kinesisRecord,
  startDeployment,
} from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { recentlySent } from "../support/recent-messages.ts";

interface RecordedEvent {
  readonly about: string;
  readonly event: object;
  readonly expected: {
    readonly key: string;
    readonly status: string;
    readonly reason?: string;
    readonly wakeUps: number;
    readonly metric: string;
  };
}

interface RecordedInvocation {
  readonly about: string;
  readonly event: { readonly Records: readonly KinesisRecord[] };
  readonly expected: {
    readonly items: Readonly<Record<string, string>>;
    readonly wakeUps: number | "any";
    readonly kept: number;
  };
}

/** The files of a folder, by their names without `.json`. */
function recorded<T>(folder: string): [name: string, content: T][] {
  const path = join(__dirname, "recorded", folder);
  return readdirSync(path)
    .sort()
    .map((file) => [file.replace(/\.json$/, ""), JSON.parse(readFileSync(join(path, file), "utf8")) as T]);
}

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());
beforeEach(() => deployment.reset());

describe("one event of functions/recorded/events, handed to the bundled consumer", () => {
  const events = recorded<RecordedEvent>("events");

  test.each(events)("%s", async (name, { event, expected }) => {
    expect(expected.key).toBe(name);
    await deployment.table.put(recentlySent(expected.key));
    const countBefore = deployment.metric(expected.metric);

    const again = await deployment.consume([kinesisRecord(event)]);

    expect(again).toEqual([]);
    const item = await deployment.table.get(expected.key);
    expect(item?.status).toBe(expected.status);
    expect(item?.status_reason).toBe(expected.reason);
    expect(await deployment.queued()).toBe(expected.wakeUps);
    await eventually(() => expect(deployment.metric(expected.metric)).toBe(countBefore + 1));
    expect(await deployment.kept()).toEqual(new Map());
  });

  test("fault 12: all of them in one batch come to the same, whatever their dialect", async () => {
    await Promise.all(events.map(([name]) => deployment.table.put(recentlySent(name))));

    const again = await deployment.consume(events.map(([, { event }]) => kinesisRecord(event)));

    expect(again).toEqual([]);
    const statuses = await Promise.all(
      events.map(async ([name]) => [name, (await deployment.table.get(name))?.status]),
    );
    expect(statuses).toEqual(events.map(([name, { expected }]) => [name, expected.status]));
    const wakeUps = events.reduce((sum, [, { expected }]) => sum + expected.wakeUps, 0);
    expect(await deployment.queued()).toBe(wakeUps);
  });
});

describe("one invocation of functions/recorded/kinesis, handed to the bundled consumer", () => {
  test.each(recorded<RecordedInvocation>("kinesis"))("%s", async (_name, { event, expected }) => {
    const keys = Object.keys(expected.items);
    await Promise.all(keys.map((key) => deployment.table.put(recentlySent(key))));
    const keptBefore = (await deployment.kept()).size;

    const again = await deployment.consume(event.Records);

    expect(again).toEqual([]);
    const statuses = await Promise.all(
      keys.map(async (key) => [key, (await deployment.table.get(key))?.status]),
    );
    expect(Object.fromEntries(statuses)).toEqual(expected.items);
    if (expected.wakeUps !== "any") expect(await deployment.queued()).toBe(expected.wakeUps);
    expect((await deployment.kept()).size - keptBefore).toBe(expected.kept);
  });
});
