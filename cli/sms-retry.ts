#!/usr/bin/env node
/** `npx sms-retry`: every command of this project for those who use or operate it. */
import { exitCodes, smsRetry } from "./command-line.ts";
import { interruption } from "./interruption.ts";

const signal = interruption(() => {
  process.stderr.write("Interrupted.\n");
  process.exit(exitCodes.interrupted);
});
// Who reads the output may have seen enough, such as `| head`: then the command ends as other commands do, without a word.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.nobodyReads);
});
const code = await smsRetry(process.argv.slice(2), signal);
// What an interrupted command still waits for does not matter; what another one printed may still be on its way.
if (code === exitCodes.interrupted) process.exit(code);
process.exitCode = code;
