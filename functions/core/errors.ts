/** Errors of this project: one class per situation that a caller handles. */

/** Base of all errors below: `instanceof SmsRetryError` means that the text is ours and holds no secret. */
export abstract class SmsRetryError extends Error {
  abstract override readonly name: string;
}

/** The settings of a function are wrong: it cannot start. The text lists every problem. */
export class InvalidSettingsError extends SmsRetryError {
  override readonly name = "InvalidSettingsError";
  /** One sentence per wrong or missing setting. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The function cannot start because of ${problems.length} wrong setting(s); correct the Terraform inputs and deploy again: ${problems.join(" ")}`,
    );
    this.problems = problems;
  }
}

/** An item of the table has attributes of types that no version of this project writes, or that cannot be changed. */
export class UnreadableMessageError extends SmsRetryError {
  override readonly name = "UnreadableMessageError";
  /** Names of the attributes, which may be logged; never their values. */
  readonly attributes: readonly string[];

  constructor(attributes: readonly string[], options?: ErrorOptions) {
    super(
      `A message-state item cannot be read because of its attribute(s) ${attributes.join(", ")}; correct the code that writes the item.`,
      options,
    );
    this.attributes = attributes;
  }
}

/** An item of the table has a status that this version does not know: a newer one wrote it. Leave the item alone. */
export class UnknownItemStatusError extends SmsRetryError {
  override readonly name = "UnknownItemStatusError";

  constructor() {
    super(
      "A message-state item has a status that this version does not know; deploy the version that wrote it, or correct the code that writes the item.",
    );
  }
}

/** A conditional write lost against other writers every time; trying the event again later will do. */
export class ContentionError extends SmsRetryError {
  override readonly name = "ContentionError";

  constructor(tries: number) {
    super(`A message changed under ${tries} decisions in a row; the event or wake-up is tried again later.`);
  }
}

/** A request to the producer lacks something or has it wrong. The text lists every problem. */
export class InvalidRequestError extends SmsRetryError {
  override readonly name = "InvalidRequestError";
  /** One sentence per problem. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The message cannot be produced; correct the invocation event: ${problems.join(" ")}`);
    this.problems = problems;
  }
}

/** The service did not take the producer's send now; the same request (same id) may be made again. */
export class SendDeferredError extends SmsRetryError {
  override readonly name = "SendDeferredError";

  constructor(applicationMessageId: string, reason: string) {
    super(
      `The SMS service did not take the message now (${reason}); invoke again with application_message_id "${applicationMessageId}".`,
    );
  }
}

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
