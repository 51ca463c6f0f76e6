/** The Lambda runtime, with throwaway handlers in real child processes. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functionLog } from "../../local/lambda/function-log.ts";
import {
  type FunctionRuntime,
  functionRuntime,
  type RuntimeOptions,
} from "../../local/lambda/function-runtime.ts";

let folder: string;
const started: FunctionRuntime[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "function-runtime-"));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((runtime) => runtime.stop()));
});

afterAll(() => rm(folder, { recursive: true }));

let bundles = 0;

/** A function whose bundle is this source. */
async function deploy(source: string, changed: Partial<RuntimeOptions> = {}) {
  bundles += 1;
  const bundle = join(folder, `${bundles}.mjs`);
  await writeFile(bundle, source);
  const lines: string[] = [];
  let ids = 0;
  const runtime = functionRuntime({
    identity: {
      functionName: "sms-retry-test",
      functionVersion: "$LATEST",
      invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:sms-retry-test",
      memoryLimitInMB: "256",
      logGroupName: "/aws/lambda/sms-retry-test",
    },
    bundle,
    environment: { COLOUR: "green" },
    timeoutSeconds: 5,
    maxEnvironments: 2,
    onLine: (line) => lines.push(line),
    id: () => {
      ids += 1;
      return `request-${ids}`;
    },
    ...changed,
  });
  started.push(runtime);
  return { runtime, lines };
}

it("hands event and context over, and the answer back", async () => {
  const { runtime } = await deploy(`
    export async function handler(event, context) {
      const { getRemainingTimeInMillis, logStreamName, ...rest } = context;
      return { event, rest, remaining: getRemainingTimeInMillis(), colour: process.env.COLOUR, home: process.env.HOME };
    }`);

  const result = await runtime.invoke({ text: "✔" });

  expect(result).toEqual({
    ok: true,
    payload: {
      event: { text: "✔" },
      rest: {
        functionName: "sms-retry-test",
        functionVersion: "$LATEST",
        invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:sms-retry-test",
        memoryLimitInMB: "256",
        logGroupName: "/aws/lambda/sms-retry-test",
        awsRequestId: "request-1",
        callbackWaitsForEmptyEventLoop: true,
      },
      remaining: expect.any(Number),
      colour: "green",
    },
  });
  const { remaining } = (result as { payload: { remaining: number } }).payload;
  expect(remaining).toBeGreaterThan(4_000);
  expect(remaining).toBeLessThanOrEqual(5_000);
});

it("keeps an environment warm, and starts another only when all are busy", async () => {
  const { runtime } = await deploy(`
    let calls = 0;
    export async function handler({ wait = 0 }) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      calls += 1;
      return process.pid + "/" + calls;
    }`);
  const call = async (wait = 0) =>
    ((await runtime.invoke({ wait })) as { payload: string }).payload.split("/");

  const [firstPid, firstCalls] = await call();
  const [secondPid, secondCalls] = await call();
  const side = await Promise.all([call(100), call(100), call(100), call(100)]);

  expect(secondPid).toBe(firstPid);
  expect([firstCalls, secondCalls]).toEqual(["1", "2"]);
  expect(new Set(side.map(([pid]) => pid)).size).toBe(2);
  expect(runtime.invocations).toBe(6);
});

it("answers a thrown error in Lambda's shape, and the environment lives on", async () => {
  const { runtime } = await deploy(`
    let calls = 0;
    export async function handler() {
      calls += 1;
      if (calls === 1) throw new RangeError("too far");
      return calls;
    }`);

  expect(await runtime.invoke({})).toEqual({
    ok: false,
    error: { errorType: "RangeError", errorMessage: "too far", trace: expect.any(Array) },
  });
  expect(await runtime.invoke({})).toEqual({ ok: true, payload: 2 });
});

it("kills an environment whose time is up, and the next invocation gets a new one", async () => {
  const { runtime } = await deploy(
    `
    export async function handler({ hang }) {
      if (hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
      return process.pid;
    }`,
    { timeoutSeconds: 0.5 },
  );

  const before = await runtime.invoke({});
  const timedOut = await runtime.invoke({ hang: true });
  const after = await runtime.invoke({});

  expect(timedOut).toMatchObject({
    ok: false,
    error: {
      errorType: "Sandbox.Timedout",
      errorMessage: "RequestId: request-2 Error: Task timed out after 0.50 seconds",
    },
  });
  expect(after.ok).toBe(true);
  expect(after).not.toEqual(before);
});

it("answers an exit of the process as an error", async () => {
  const { runtime } = await deploy("export const handler = async () => process.exit(3);");

  expect(await runtime.invoke({})).toMatchObject({
    ok: false,
    error: {
      errorType: "Runtime.ExitError",
      errorMessage: "RequestId: request-1 Error: Runtime exited with error: exit status 3",
    },
  });
});

it("fails every invocation of a bundle that cannot be loaded or exports no handler", async () => {
  const { runtime: broken } = await deploy('throw new TypeError("bad setting");');
  const { runtime: empty } = await deploy("export const other = 1;");

  expect(await broken.invoke({})).toMatchObject({ ok: false, error: { errorType: "TypeError" } });
  expect(await broken.invoke({})).toMatchObject({ ok: false, error: { errorType: "TypeError" } });
  expect(await empty.invoke({})).toMatchObject({
    ok: false,
    error: { errorType: "Runtime.HandlerNotFound" },
  });
});

it("ends what runs, waits and comes later when it is stopped, and starts nothing any more", async () => {
  const { runtime } = await deploy("export const handler = () => new Promise(() => {});", {
    maxEnvironments: 1,
  });
  const running = [runtime.invoke({}), runtime.invoke({}), runtime.invoke({})];

  await runtime.stop();

  const results = await Promise.all([...running, runtime.invoke({})]);
  expect(results.map((result) => !result.ok && result.error.errorType)).toEqual([
    "Runtime.ExitError",
    ...Array(3).fill("Sandbox.Stopped"),
  ]);
});

it("gives every line of stdout and stderr away, the last ones before stop resolves", async () => {
  const { runtime, lines } = await deploy(`
    export async function handler() {
      console.log("out");
      console.error("err");
      process.stdout.write("no line break");
    }`);

  await runtime.invoke({});
  await runtime.stop();

  expect(lines.toSorted()).toEqual(["err", "no line break", "out"]);
});

it("counts metrics in the embedded metric format, and keeps the other lines", () => {
  const log = functionLog();
  const metric = (values: object) =>
    JSON.stringify({
      _aws: {
        Timestamp: 1,
        CloudWatchMetrics: [
          {
            Namespace: "sms-retry",
            Dimensions: [["service"]],
            Metrics: Object.keys(values).map((Name) => ({ Name, Unit: "Count" })),
          },
        ],
      },
      service: "test",
      ...values,
    });

  log.add(metric({ EventAbsorbed: 2, Produced: [1, 1, 1] }));
  log.add(metric({ EventAbsorbed: 5 }));
  log.add('{"level":"INFO"}');
  log.add('{"CloudWatchMetrics" broken');

  expect(Object.fromEntries(log.metrics)).toEqual({ EventAbsorbed: 7, Produced: 3 });
  expect(log.lines).toEqual(['{"level":"INFO"}', '{"CloudWatchMetrics" broken']);
});
