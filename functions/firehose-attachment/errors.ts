/** Errors of attaching to a delivery stream and detaching from it. */
import { SmsRetryError } from "../core/errors.ts";

/** The delivery stream to attach to does not exist. */
export class StreamNotFoundError extends SmsRetryError {
  override readonly name = "StreamNotFoundError";

  constructor(deliveryStreamName: string) {
    super(
      `There is no Firehose stream "${deliveryStreamName}" in this account and region; correct the input firehose_delivery_stream_name and apply again.`,
    );
  }
}

/** The description of a delivery stream lacks what every description has. */
export class UnreadableStreamError extends SmsRetryError {
  override readonly name = "UnreadableStreamError";

  constructor(deliveryStreamName: string) {
    super(
      `Firehose describes the stream "${deliveryStreamName}" without a version, a role or a destination id; look at the stream in the AWS console and apply again.`,
    );
  }
}

/** Somebody else kept changing the delivery stream, or AWS kept asking for patience. */
export class StreamContentionError extends SmsRetryError {
  override readonly name = "StreamContentionError";

  constructor(deliveryStreamName: string, tries: number, cause?: unknown) {
    super(
      `The Firehose stream "${deliveryStreamName}" or our function was changed by others, or AWS was busy, in ${tries} tries in a row; apply again when nothing else changes them.`,
      { cause },
    );
  }
}

/** AWS refused a call on the delivery stream or on the function's policy, or did not answer it. */
export class ControlPlaneError extends SmsRetryError {
  override readonly name = "ControlPlaneError";

  /**
   * @param action as in IAM, e.g. `firehose:UpdateDestination`
   * @param cause its text is quoted: these calls carry neither numbers nor bodies
   */
  constructor(action: string, subject: string, cause: unknown) {
    const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`${action} failed for "${subject}"; mend the cause and apply again: ${said}`, { cause });
  }
}

/** The attaching function was invoked with something else than Terraform sends. The text lists every problem. */
export class InvalidInvocationError extends SmsRetryError {
  override readonly name = "InvalidInvocationError";
  /** One sentence per problem. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The transformation cannot be attached or detached; correct the input of the aws_lambda_invocation: ${problems.join(" ")}`,
    );
    this.problems = problems;
  }
}
