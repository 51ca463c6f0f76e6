/** `sms-retry status`, `resend` and `cancel` with `--local`, in the middle of a local run. Needs `npm run bundle`. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Summary } from "../../local/summary.ts";
import { type ScriptRun, signedOut } from "../support/script-run.ts";

const script = join(__dirname, "../../cli/sms-retry.ts");
const folder = mkdtempSync(join(tmpdir(), "sms-retry-scenario-"));
const scenario = join(folder, "refused-once.json");
// Each is refused for good by the first event, and would be delivered if it were sent again.
writeFileSync(
  scenario,
  JSON.stringify({
    description: "Every message is blocked once.",
    messages: [{ share: 1, outcomes: ["BLOCKED", "DELIVERED"] }],
    carrier_delay_seconds: [0.1, 0.2],
  }),
);

/** A pause holds within five seconds; in milliseconds. */
const pauseHoldsAfter = 5_500;

let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));
afterAll(() => rmSync(folder, { recursive: true }));

function smsRetry(standardInput: string, ...given: string[]): Promise<ScriptRun> {
  return new Promise((resolve) => {
    const run = execFile(process.execPath, [script, ...given], { env: signedOut }, (_error, stdout, stderr) =>
      resolve({ code: run.exitCode, stdout, stderr }),
    );
    run.stdin?.end(standardInput);
  });
}

test("what a local run has given up is listed, resent and delivered, or waits and is cancelled", async () => {
  const given = ["run", "--json", "--messages", "40", "--rate", "5", "--scenario", scenario];
  const running = spawn(process.execPath, [script, ...given], {
    env: signedOut,
    stdio: ["ignore", "pipe", "ignore"],
  });
  child = running;
  const ended = text(running.stdout as Readable);
  const ofRun = ["--local", String(running.pid)];
  let failed: { application_message_id: string; status: string }[] = [];
  while (failed.length < 2) {
    await sleep(200);
    const { code, stdout } = await smsRetry("", "status", "--failed", "--since", "1h", "--json", ...ofRun);
    if (code === 0) failed = JSON.parse(stdout).messages;
  }
  const [id = "", other = ""] = failed.map(({ application_message_id }) => application_message_id);

  // While it is paused the run cannot end, and what is resent waits.
  await smsRetry("", "pause", ...ofRun);
  await sleep(pauseHoldsAfter);
  const bodyGiven = ["--body-from-stdin", ...ofRun];
  const resent = await smsRetry("Once more.\n", "resend", id, "--reason", "unblocked", ...bodyGiven);
  const second = await smsRetry("Wrong.\n", "resend", other, "--reason", "unblocked", ...bodyGiven);
  const cancelled = await smsRetry("", "cancel", other, "--reason", "a wrong text", ...ofRun);
  const shown = await smsRetry("", "status", other, ...ofRun);
  const waiting = await smsRetry("", "status", id, "--explain", ...ofRun);
  await smsRetry("", "resume", ...ofRun);
  const summary = JSON.parse(await ended) as Summary;
  if (running.exitCode === null) await once(running, "exit");

  expect(failed[0]?.status).toBe("REJECTED");
  expect([resent.code, resent.stderr]).toEqual([0, ""]);
  expect(resent.stdout).toContain(`${id} is resent: attempt 1 is due`);
  expect(waiting.stdout).toContain("An operator began a new retry sequence: unblocked.");
  expect(waiting.stdout).toMatch(/^Next: Attempt 1 is due: .* \[retry-message: claim, due\]$/m);
  expect([second.code, cancelled.code, cancelled.stderr]).toEqual([0, 0, ""]);
  expect(cancelled.stdout).toBe(
    `${other} is cancelled: it was RETRY_SCHEDULED, and nothing is sent any more.\n`,
  );
  expect(shown.stdout).toContain("An operator cancelled it: a wrong text.");
  expect(running.exitCode).toBe(0);
  expect(summary.outcomes).toMatchObject({ recovered: 1, cancelled: 1, rejected: 38, open: 0 });
}, 180_000);
