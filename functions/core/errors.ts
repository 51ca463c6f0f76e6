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

/** An item of a gate has attributes that no version of this project writes, so that nothing may leave by it. */
export class UnreadableGateError extends SmsRetryError {
  override readonly name = "UnreadableGateError";
  /** Names of the attributes, which may be logged. */
  readonly attributes: readonly string[];

  constructor(attributes: readonly string[]) {
    super(
      `An item of the table of gates cannot be read because of its attribute(s) ${attributes.join(", ")}; see which with sms-retry gate, and delete it: it forms itself anew, but for a pause.`,
    );
    this.attributes = attributes;
  }
}

/** The table of gates did not say whether an operator has paused all sends, so that nothing may leave. */
export class PauseUnknownError extends SmsRetryError {
  override readonly name = "PauseUnknownError";

  constructor() {
    super(
      "The table of gates is throttled and did not say whether all sends are paused; the message is tried again later.",
    );
  }
}

/** A conditional write lost against other writers every time; trying the event again later will do. */
export class ContentionError extends SmsRetryError {
  override readonly name = "ContentionError";

  constructor(tries: number) {
    super(
      `A message changed under ${tries} decisions in a row; the event or retry message is tried again later.`,
    );
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

/** The deployment is in shadow mode and sends nothing; the message was neither written down nor sent. */
export class ShadowModeError extends SmsRetryError {
  override readonly name = "ShadowModeError";

  constructor() {
    super(
      "The message was not sent because the deployment is in shadow mode; send it without the function produce, or set shadow_mode to false and apply.",
    );
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
