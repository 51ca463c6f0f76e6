/** What keeps `npm run inspect` from an answer, in one sentence for the caller. */

/** The inspection found no answer; the message is for the user. */
export class InspectionError extends Error {
  override readonly name = "InspectionError";
  /** Whether a right is missing, which for some facts is no reason to give up. */
  readonly isMissingRight: boolean;

  constructor(message: string, options: ErrorOptions = {}, isMissingRight = false) {
    super(message, options);
    this.isMissingRight = isMissingRight;
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

/**
 * The error for the user in place of one of the SDK or an adapter.
 *
 * @param action as in IAM
 */
export function inspectionError(action: string, region: string, error: unknown): InspectionError {
  const cause = rootOf(error);
  const { name, message } = cause;
  const code = "code" in cause ? String(cause.code) : name;
  if (name === "CredentialsProviderError" || /could not load credentials/i.test(message)) {
    return new InspectionError(
      "There are no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try again.",
      { cause },
    );
  }
  if (/region is missing/i.test(message)) {
    return new InspectionError(
      "No AWS region is set; set AWS_REGION to the region of your deployment, and try again.",
      {
        cause,
      },
    );
  }
  if (refusedCredentials.has(name) || /security token .* (invalid|expired)/i.test(message)) {
    return new InspectionError(`AWS does not accept your credentials (${name}); renew them, and try again.`, {
      cause,
    });
  }
  if (refusedRights.has(name)) {
    return new InspectionError(
      `Your AWS credentials have no right to ${action} (${name}); use others, or have the right given to these.`,
      { cause },
      true,
    );
  }
  if (unreachable.has(code) || unreachable.has(name)) {
    return new InspectionError(
      `AWS cannot be reached in the region ${region} (${code}); check the region, the network and AWS_ENDPOINT_URL, and try again.`,
      { cause },
    );
  }
  return new InspectionError(`${action} failed (${name}): ${message}`, { cause });
}

/** The SDK's own error inside those of the adapters, and the first of several tries to connect. */
function rootOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  if (!(error instanceof Error)) return new Error(String(error));
  const isOurs = error.name === "ControlPlaneError" || error.name === "ControlPlaneBusyError";
  return isOurs && error.cause !== undefined ? rootOf(error.cause) : error;
}
