/**
 * What a failed call means for a send, by what is known: not sent, perhaps sent, or refused. One reading for
 * both services; what only one of them says, its sender adds.
 */
import type { SendResult } from "../../core/sending/sms-sender.ts";
import { RequestNotSentError } from "./send-connections.ts";

/**
 * Errors of a connection that was never made, whichever client it was. `EHOSTUNREACH` is not among them: Linux
 * gives it for a connection in use as well. Clients that watch their connections tell all of them apart.
 */
const connectionErrors: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/**
 * Names under which AWS's services throttle, whatever their HTTP status: many answer 400. The SDK retries the
 * same names; those of DynamoDB and EC2 are left out.
 *
 * @see https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
 */
const throttlingNames: ReadonlySet<string> = new Set([
  "BandwidthLimitExceeded",
  "LimitExceededException",
  "PriorRequestNotComplete",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);

/**
 * Names for a call whose sender was not recognised: clock skew, an expired or unknown token, no credentials.
 * Both services decide that before they look at the request. The SDK corrects a skew at its next call, and
 * Lambda renews tokens; what stays is for the operator.
 */
const authenticationNames: ReadonlySet<string> = new Set([
  "AuthFailure",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "InvalidToken",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException",
  "OptInRequired",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "TokenRefreshRequired",
  "TokenRefreshRequiredException",
  "UnrecognizedClientException",
]);

/**
 * The names of a 503 by which a service says itself that the request has failed and for how long: temporarily. A
 * 503 without such a name can come from a balancer whose server had the request already.
 *
 * @see https://docs.aws.amazon.com/chime-sdk/latest/APIReference/CommonErrors.html, one text for all services
 */
const unavailableNames: ReadonlySet<string> = new Set(["ServiceUnavailable", "ServiceUnavailableException"]);

/** An answer that says that the request did not arrive in time; S3's way of saying it is a 400 of this name. */
const requestTimeoutNames: ReadonlySet<string> = new Set(["RequestTimeout", "RequestTimeoutException"]);

/** What is known of an error of the SDK. */
export interface FailedCall {
  readonly error: unknown;
  /** The service's name for it; for an error that is none of the service's, the SDK's or Node's. */
  readonly name: string;
  /** Of the answer; absent where none came. */
  readonly httpStatus?: number;
  /** A word for logs and for the item: the name where it is one, else what is known, e.g. `http-502`. */
  readonly word: string;
}

/**
 * Reads the error of a call that was to send.
 *
 * - *not sent* → `deferred`: nothing can have left ({@link RequestNotSentError}), or the answer says that the
 *   request was not taken: throttling, an unknown sender, 408, a 503 by name, any other 4xx;
 * - *refused* → as `refusal` says, the service's own reading of its answer;
 * - everything else was *perhaps sent* → `unconfirmed`: time-out or reset after the connection stood, every
 *   other 5xx, an answer that cannot be read.
 */
export function resultOfFailedCall(
  error: unknown,
  refusal: (call: FailedCall) => SendResult | undefined,
): SendResult {
  if (error instanceof RequestNotSentError) {
    return error.stage === "connecting"
      ? { kind: "deferred", reason: "unreachable" }
      : notAllowed(failedCall(error.cause).word);
  }
  const call = failedCall(error);
  const { name, httpStatus, word } = call;
  const isClientError = httpStatus !== undefined && httpStatus >= 400 && httpStatus < 500;

  if (isThrottling(call)) return { kind: "deferred", reason: "throttled" };
  if (authenticationNames.has(name)) return notAllowed(word);
  if (httpStatus === 408 || (isClientError && requestTimeoutNames.has(name))) {
    return { kind: "deferred", reason: "temporary-failure" };
  }
  if (httpStatus === 503 && unavailableNames.has(name)) {
    return { kind: "deferred", reason: "temporary-failure" };
  }
  const refused = refusal(call);
  if (refused !== undefined) return refused;
  // Not taken, and nothing says that it lies in the message: a right, a project or a path that is not there.
  if (isClientError) return notAllowed(word);
  if (httpStatus === undefined && connectionErrors.has(codeOf(error))) {
    return { kind: "deferred", reason: "unreachable" };
  }
  return { kind: "unconfirmed", reason: word };
}

/** A send that an operator has to make possible; the service's word says how. */
export function notAllowed(word: string): SendResult {
  return { kind: "deferred", reason: `not-allowed:${word}` };
}

function failedCall(error: unknown): FailedCall {
  const name = error instanceof Error ? error.name : "";
  const httpStatus = httpStatusOf(error);
  return { error, name, ...(httpStatus !== undefined && { httpStatus }), word: wordOf(name, httpStatus) };
}

/** Names come from answers: what is no word may be a sentence, and sentences quote requests. */
function wordOf(name: string, httpStatus: number | undefined): string {
  const isKnown = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/.test(name);
  // So the SDK names answers without a name, and answers that it cannot read.
  const saysNothing = ["Unknown", "Error", "SyntaxError", "TypeError"].includes(name);
  if (isKnown && !(saysNothing && httpStatus !== undefined)) return name;
  return httpStatus === undefined ? "no-answer" : `http-${httpStatus}`;
}

function isThrottling({ error, name, httpStatus }: FailedCall): boolean {
  if (httpStatus === 429 || throttlingNames.has(name)) return true;
  const hint = error instanceof Error && "$retryable" in error ? error.$retryable : undefined;
  return typeof hint === "object" && hint !== null && "throttling" in hint && hint.throttling === true;
}

function httpStatusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
