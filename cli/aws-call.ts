/** Calls of AWS on behalf of the user, and what is told where one fails. */
import { UserError } from "./user-error.ts";

/** For a client's `requestHandler`: nobody waits longer for an answer on a screen. Times in milliseconds. */
export const screenPatience = {
  connectionTimeout: 2_000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
};

/** The user's credentials lack a right, which for some facts is no reason to give up. */
export class MissingRightError extends UserError {
  override readonly name = "MissingRightError";
}

/**
 * Calls AWS.
 *
 * @param client whose region the sentence names
 * @param action as in IAM
 * @throws UserError with a sentence for the user in place of the error of the SDK or an adapter; MissingRightError
 */
export async function calling<Result>(
  client: { readonly config: { region(): Promise<string> } },
  action: string,
  call: () => Promise<Result>,
): Promise<Result> {
  let region = "";
  try {
    region = await client.config.region();
    return await call();
  } catch (error) {
    throw error instanceof UserError ? error : userError(action, region, rootOf(error));
  }
}

const refusedRights: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "AccessDenied",
  "ForbiddenException",
  "UnauthorizedOperation",
]);

const refusedCredentials: ReadonlySet<string> = new Set([
  "ExpiredTokenException",
  "ExpiredToken",
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "IncompleteSignatureException",
  "MissingAuthenticationTokenException",
]);

const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPROTO",
  "TimeoutError",
]);

function userError(action: string, region: string, cause: Error): UserError {
  const { name, message } = cause;
  const code = "code" in cause ? String(cause.code) : name;
  const sentence = (text: string) => new UserError(text, { cause });
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return sentence(
      "There are no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try again.",
    );
  }
  if (/region is missing/i.test(message)) {
    return sentence("No AWS region is set; set AWS_REGION to the region of your deployment, and try again.");
  }
  if (refusedCredentials.has(name) || /security token .* (invalid|expired)/i.test(message)) {
    return sentence(`AWS does not accept your credentials (${name}); renew them, and try again.`);
  }
  if (refusedRights.has(name)) {
    return new MissingRightError(
      `Your AWS credentials have no right to ${action} (${name}); use others, or have the right given to these.`,
      { cause },
    );
  }
  if (unreachable.has(code) || unreachable.has(name)) {
    return sentence(
      `AWS cannot be reached in the region ${region} (${code}); check the region, the network and AWS_ENDPOINT_URL, and try again.`,
    );
  }
  return sentence(`${action} failed (${name}); mend the cause and try again: ${message}`);
}

/** The SDK's own error inside those of the adapters, and the first of several tries to connect. */
function rootOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  if (!(error instanceof Error)) return new Error(String(error));
  const isOurs = error.name === "ControlPlaneError" || error.name === "ControlPlaneBusyError";
  return isOurs && error.cause !== undefined ? rootOf(error.cause) : error;
}
