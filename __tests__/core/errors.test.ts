import {
  ContentionError,
  InvalidRequestError,
  InvalidSettingsError,
  PauseUnknownError,
  SendDeferredError,
  ShadowModeError,
  SmsRetryError,
  UnknownItemStatusError,
  UnreadableGateError,
  UnreadableMessageError,
} from "../../functions/core/errors.ts";
import {
  ControlPlaneError,
  InvalidInvocationError,
  StreamContentionError,
  StreamNotFoundError,
  UnreadableStreamError,
} from "../../functions/firehose-attachment/errors.ts";

const denied = Object.assign(new Error("You may not."), { name: "AccessDeniedException" });
const problems = ["A is missing.", "B is no number."];

/** What an operator reads in the log or in Terraform's output: name and text say what to do. */
const situations: [SmsRetryError, string, string][] = [
  [
    new InvalidSettingsError(problems),
    "InvalidSettingsError",
    "The function cannot start because of 2 wrong setting(s); correct the Terraform inputs and deploy again: A is missing. B is no number.",
  ],
  [
    new UnreadableMessageError(["retry_count", "status"]),
    "UnreadableMessageError",
    "A message-state item cannot be read because of its attribute(s) retry_count, status; correct the code that writes the item.",
  ],
  [
    new UnknownItemStatusError(),
    "UnknownItemStatusError",
    "A message-state item has a status that this version does not know; deploy the version that wrote it, or correct the code that writes the item.",
  ],
  [
    new UnreadableGateError(["rate", "version"]),
    "UnreadableGateError",
    "An item of the table of gates cannot be read because of its attribute(s) rate, version; see which with sms-retry gate, and delete it: it forms itself anew, but for a pause.",
  ],
  [
    new PauseUnknownError(),
    "PauseUnknownError",
    "The table of gates is throttled and did not say whether all sends are paused; the message is tried again later.",
  ],
  [
    new ShadowModeError(),
    "ShadowModeError",
    "The message was not sent because the deployment is in shadow mode; send it without the function produce, or set shadow_mode to false and apply.",
  ],
  [
    new InvalidRequestError(problems),
    "InvalidRequestError",
    "The message cannot be produced; correct the invocation event: A is missing. B is no number.",
  ],
  [
    new SendDeferredError("order-4711", "throttled"),
    "SendDeferredError",
    'The SMS service did not take the message now (throttled); invoke again with application_message_id "order-4711".',
  ],
  [
    new ContentionError(8),
    "ContentionError",
    "A message changed under 8 decisions in a row; the event or retry message is tried again later.",
  ],
  [
    new StreamNotFoundError("archive"),
    "StreamNotFoundError",
    'There is no Firehose stream "archive" in this account and region; correct the input firehose_delivery_stream_name and apply again.',
  ],
  [
    new UnreadableStreamError("archive"),
    "UnreadableStreamError",
    'Firehose describes the stream "archive" without a version, a role or a destination id; look at the stream in the AWS console and apply again.',
  ],
  [
    new StreamContentionError("archive", 5),
    "StreamContentionError",
    'The Firehose stream "archive" or our function was changed by others, or AWS was busy, in 5 tries in a row; apply again when nothing else changes them.',
  ],
  [
    new ControlPlaneError("firehose:UpdateDestination", "archive", denied),
    "ControlPlaneError",
    'firehose:UpdateDestination failed for "archive"; mend the cause and apply again: AccessDeniedException: You may not.',
  ],
  [
    new ControlPlaneError("lambda:AddPermission", "archive", "socket closed"),
    "ControlPlaneError",
    'lambda:AddPermission failed for "archive"; mend the cause and apply again: socket closed',
  ],
  [
    new InvalidInvocationError(problems),
    "InvalidInvocationError",
    "The transformation cannot be attached or detached; correct the input of the aws_lambda_invocation: A is missing. B is no number.",
  ],
];

test.each(situations)("%s: named by its class, with a text that says what to do", (error, name, text) => {
  expect(error).toBeInstanceOf(SmsRetryError);
  expect({ name: error.name, text: error.message, logged: String(error) }).toEqual({
    name,
    text,
    logged: `${name}: ${text}`,
  });
});

test.each([
  ["a call that AWS refused", new ControlPlaneError("firehose:UpdateDestination", "archive", denied)],
  ["a stream that never came to rest", new StreamContentionError("archive", 5, denied)],
])("the error for %s keeps its cause", (_what, error) => {
  expect(error.cause).toBe(denied);
});

test.each([
  ["settings", new InvalidSettingsError(problems)],
  ["an invocation", new InvalidInvocationError(problems)],
])("the problems of %s can be read one by one", (_what, error) => {
  expect(error.problems).toEqual(problems);
});
