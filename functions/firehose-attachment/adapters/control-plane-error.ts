/** What an error of an AWS control plane means for the core. */
import { ControlPlaneBusyError } from "../core/delivery-stream.ts";
import { ControlPlaneError } from "../errors.ts";

/** Names under which services ask to come back later. Firehose says `LimitExceededException` for its call rate. */
const busyNames: ReadonlySet<string> = new Set([
  "ThrottlingException",
  "Throttling",
  "TooManyRequestsException",
  "LimitExceededException",
  "RequestLimitExceeded",
  "ServiceUnavailableException",
]);

const deniedNames: ReadonlySet<string> = new Set(["AccessDeniedException", "AccessDenied"]);

/**
 * The error for the core in place of one of the SDK.
 *
 * @param action as in IAM, e.g. `firehose:UpdateDestination`
 * @param subject the stream's name or the function's ARN
 */
export function controlPlaneError(action: string, subject: string, error: unknown): Error {
  const name = error instanceof Error ? error.name : "";
  // A right that Terraform has just granted holds everywhere only after some seconds.
  if (deniedNames.has(name)) {
    const denied = new ControlPlaneError(action, subject, error);
    return new ControlPlaneBusyError(`${action} is not allowed yet; it is tried again.`, { cause: denied });
  }
  if (busyNames.has(name))
    return new ControlPlaneBusyError(`${action} is throttled; it is tried again.`, { cause: error });
  return new ControlPlaneError(action, subject, error);
}
