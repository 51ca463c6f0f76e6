/** What a call that brought no answer of the service means for a send. */
import type { SendResult } from "../core/sms-sender.ts";

/** Errors of a connection that was never made: the request cannot have reached the service. */
const notReached: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Reads an error that is none of the service's: not sent where that is certain, else perhaps sent. */
export function resultOfFailedCall(error: unknown): SendResult {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (notReached.has(code)) return { kind: "deferred", reason: "unreachable" };
  if (error instanceof Error && error.name === "CredentialsProviderError") {
    return { kind: "deferred", reason: "not-allowed" };
  }
  return { kind: "unconfirmed", reason: error instanceof Error ? error.name : "error" };
}
