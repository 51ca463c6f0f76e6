/** `sms-retry pause` in the middle of a local run, as somebody does who tries it out. Needs `npm run bundle`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Summary } from "../../local/summary.ts";
import { scriptRunner, signedOut } from "../support/script-run.ts";

const run = scriptRunner("sms-retry.ts");
const pausedSeconds = 8;
let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

/** The longest time without any send, in whole seconds. */
function longestSilence({ sendRate: { perSecond, applicationPerSecond } }: Summary): number {
  let [silence, longest] = [0, 0];
  for (const [second, retries] of perSecond.entries()) {
    silence = retries + (applicationPerSecond[second] ?? 0) === 0 ? silence + 1 : 0;
    longest = Math.max(longest, silence);
  }
  return longest;
}

test("a paused local run sends nothing from 5 s on until resume, and ends with nothing open", async () => {
  // Other tests may have runs of their own: this one is named.
  const running = spawn(
    process.execPath,
    [join(__dirname, "../../cli/sms-retry.ts"), ..."run --json --messages 100 --rate 12".split(" ")],
    { env: signedOut, stdio: ["ignore", "pipe", "ignore"] },
  );
  child = running;
  const ended = text(running.stdout as Readable);
  const ofRun = ["--local", String(running.pid)];
  while ((await run(signedOut, "gate", ...ofRun)).code !== 0) await sleep(200);
  await sleep(3_000);
  const paused = await run(signedOut, "pause", ...ofRun, "--reason", "a wrong text");
  await sleep(pausedSeconds * 1000);
  const resumed = await run(signedOut, "resume", ...ofRun);
  const stdout = await ended;
  if (running.exitCode === null) await once(running, "exit");

  expect([paused.code, paused.stderr, resumed.code, resumed.stderr]).toEqual([0, "", 0, ""]);
  expect(paused.stdout).toMatch(/^All sends are paused: until resume, by this machine: a wrong text\.$/m);
  expect(running.exitCode).toBe(0);
  const summary = JSON.parse(stdout) as Summary;
  expect(summary.outcomes.open).toBe(0);
  // A send may start up to 5 s after the pause, and two of the seconds are not whole.
  expect(longestSilence(summary)).toBeGreaterThanOrEqual(pausedSeconds - 5 - 2);
}, 180_000);

test("--local says where there is no such run, and how to start one", async () => {
  const { code, stderr } = await run(signedOut, "gate", "--local", "4294967295");

  expect([code, stderr]).toEqual([
    1,
    "No local run has the process id 4294967295; give --local alone, or start a run with npm start.\n",
  ]);
});
