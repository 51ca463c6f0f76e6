/**
 * Child process that is one execution environment of a handler, as Lambda keeps it warm, and measures itself. Plain
 * JavaScript, so that no time goes into leaving types out; it imports nothing but the handler.
 *
 * Its parent sends `{ load, export }` once, the path of a module and the name of its handler, and then
 * `{ event, timeoutSeconds }` for one invocation at a time, or `{}` to ask what it has used. Each is answered with the CPU
 * seconds of the whole process and its resident memory since it started, and an invocation with what the handler returned,
 * or its error.
 */
import { pathToFileURL } from "node:url";

let handler;
let invocations = 0;

/** Bytes written to stdout and stderr, which CloudWatch would take as log. */
let logBytes = 0;
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, done) => {
    logBytes += Buffer.byteLength(chunk);
    const callback = typeof encoding === "function" ? encoding : done;
    callback?.();
    return true;
  };
}

/** What the process has used so far. */
function used() {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    maxMemoryBytes: process.resourceUsage().maxRSS * 1024,
    logBytes,
  };
}

/** The context that Lambda hands over; older handlers answer by its callback, which nothing here calls. */
function contextOf(timeoutSeconds) {
  const endsAt = Date.now() + timeoutSeconds * 1000;
  return {
    awsRequestId: `benchmark-${invocations}`,
    functionName: "benchmark",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:benchmark",
    memoryLimitInMB: "256",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
  };
}

async function answer({ load, event, timeoutSeconds, export: name }) {
  if (load !== undefined) {
    handler = (await import(pathToFileURL(load).href))[name];
    if (typeof handler !== "function")
      throw new Error(`The module exports no function ${name}; name another with --export.`);
    return {};
  }
  if (event === undefined) return {};
  invocations += 1;
  return { answer: (await handler(event, contextOf(timeoutSeconds))) ?? null };
}

process.on("disconnect", () => process.exit());
process.on("message", (request) => {
  answer(request).then(
    (result) => process.send({ ...result, used: used() }),
    (error) => process.send({ error: String(error?.stack ?? error), used: used() }),
  );
});
