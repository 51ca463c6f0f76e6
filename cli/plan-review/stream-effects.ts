/** What a plan does to the stream of delivery events and to the project's way to it: what a reviewer asks first. */
import { checkEffects, type Effect, harmless, warning } from "./effects.ts";
import { code } from "./markdown.ts";
import { type Action, actionOf, attribute, find, type Plan, type ResourceChange } from "./plan.ts";

/** All effects; none where the plan has nothing of this project on a stream. */
export function streamEffects(plan: Plan): Effect[] {
  const ownStream = find(plan, "aws_kinesis_stream", "events");
  return [
    ...effectOf(ownStream, newStreamEffect),
    ...effectOf(find(plan, "aws_pinpoint_event_stream", "events"), eventStreamEffect),
    // Its opinion matters as long as there is an event stream to come; nothing looks at a destroy.
    ...checkEffects(plan.checks, "pinpoint_event_stream").filter(({ isWarning }) => isWarning),
    ...effectOf(find(plan, "aws_lambda_event_source_mapping", "consume_kinesis"), (resource, action) =>
      readingEffect(resource, action, ownStream !== undefined),
    ),
    ...firehoseEffects(plan),
  ];
}

/** Name or ARN of the stream whose events are read or transformed, where the plan knows it. */
export function streamOf(
  plan: Plan,
): { readonly kind: "kinesis" | "firehose"; readonly name: string } | undefined {
  const attachment = find(plan, "aws_lambda_invocation", "attach_transformation");
  if (attachment !== undefined) {
    const name = streamNameOf(attachment.change.after ?? attachment.change.before);
    return name === undefined ? undefined : { kind: "firehose", name };
  }
  const arn = attribute(find(plan, "aws_lambda_event_source_mapping", "consume_kinesis"), "event_source_arn");
  return arn === undefined ? undefined : { kind: "kinesis", name: arn };
}

function effectOf(
  resource: ResourceChange | undefined,
  describe: (resource: ResourceChange, action: Action) => Effect,
): Effect[] {
  return resource === undefined ? [] : [describe(resource, actionOf(resource))];
}

function newStreamEffect(resource: ResourceChange, action: Action): Effect {
  const stream = `The Kinesis stream ${code(attribute(resource, "name") ?? resource.address)}`;
  switch (action) {
    case "create":
      return harmless(`${stream} is created for the delivery events.`);
    case "destroy":
      return warning(`${stream} is destroyed, with the events in it that nobody has read yet.`);
    case "replace":
      return warning(`${stream} is replaced, and the events in it that nobody has read yet are lost.`);
    case "forget":
      return warning(`${stream} is left to itself: Terraform will not know it any more.`);
    case "update":
      return harmless(`${stream} is changed in place; the events in it stay.`);
    case "keep":
      return harmless(`${stream} stays as it is.`);
  }
}

function eventStreamEffect(resource: ResourceChange, action: Action): Effect {
  const project = `Pinpoint project ${code(attribute(resource, "application_id") ?? "(known after apply)")}`;
  switch (action) {
    case "create":
      return harmless(
        `The ${project} gets it as its event stream. Terraform cannot see whether the project has one already, which would be overwritten.`,
      );
    case "destroy":
      return warning(`The ${project} loses its event stream: its delivery events go nowhere.`);
    case "replace":
      return warning(
        `The event stream of the ${project} is taken away and set again; events in between are lost.`,
      );
    case "forget":
      return harmless(`The event stream of the ${project} stays, and Terraform will not know it any more.`);
    case "update":
      return harmless(`The event stream of the ${project} is changed in place.`);
    case "keep":
      return harmless(`The event stream of the ${project} stays as it is.`);
  }
}

function readingEffect(resource: ResourceChange, action: Action, isOwnStream: boolean): Effect {
  const arn = attribute(resource, "event_source_arn");
  const stream = arn === undefined ? "The new Kinesis stream" : `The Kinesis stream ${code(arn)}`;
  // Of a stream of the deployment itself another sentence tells.
  const untouched = isOwnStream ? "" : " Nothing about the stream is changed.";
  switch (action) {
    case "create":
      return harmless(
        `${stream} is read from now on, without the events before that.${untouched}${isOwnStream ? "" : " Its other consumers share their read throughput with the new ones."}`,
      );
    case "destroy":
    case "forget":
      return warning(`${stream} is no longer read: failed messages are not sent again.${untouched}`);
    case "replace":
      return newReadingEffect(resource, stream);
    case "update":
      return harmless(`${stream} is read on, from where it was read to, with other settings.`);
    case "keep":
      return harmless(`${stream} is read as before.`);
  }
}

/** What a new event source mapping reads depends on whether it keeps the time from which the old one began. */
function newReadingEffect({ change: { before, after } }: ResourceChange, stream: string): Effect {
  const from = after?.starting_position_timestamp;
  if (typeof from === "string" && from === before?.starting_position_timestamp)
    return harmless(
      `${stream} is read by a new event source mapping, once more from ${code(from)} on, or from its oldest event where it no longer has that one: nothing is skipped, and events that were handled already change nothing.`,
    );
  return warning(
    `${stream} is read by a new event source mapping, which begins shortly before this plan: what the old one had not read by then is not retried.`,
  );
}

function firehoseEffects(plan: Plan): Effect[] {
  const attachment = find(plan, "aws_lambda_invocation", "attach_transformation");
  if (attachment === undefined) return [];
  const action = actionOf(attachment);
  const checked = checkEffects(
    plan.checks,
    "firehose_attachment",
    "The plan looked at the stream and found nothing against it.",
  );
  const effect = attachmentEffects[action]({
    before: firehoseStream(attachment.change.before),
    after: firehoseStream(attachment.change.after),
    isRefused: checked.some(({ isWarning }) => isWarning),
    looksAgain: looksAgain(plan),
  });
  // The plan's look at the stream is about attaching, not about what is taken off or forgotten.
  return action === "destroy" || action === "forget" ? [effect] : [effect, ...checked];
}

/** What a plan says of the attachment. */
interface Attachment {
  readonly before: string;
  readonly after: string;
  /** Whether the plan's look at the stream found something against it. */
  readonly isRefused: boolean;
  /** Whether the function looks at the stream again although nothing else about the attachment changes. */
  readonly looksAgain: boolean;
}

const attachmentEffects: Readonly<Record<Action, (about: Attachment) => Effect>> = {
  create: ({ after, isRefused }) =>
    isRefused
      ? warning(`The transformation is created, but not attached to ${after}.`)
      : harmless(`The transformation is attached to ${after}, if it may be when the apply looks.`),
  destroy: ({ before }) =>
    harmless(
      `The transformation is taken off ${before} first; events are delivered on, and failed messages are not sent again.`,
    ),
  replace: ({ before, after, isRefused }) =>
    isRefused
      ? warning(`The transformation is taken off ${before}, and not attached to ${after}.`)
      : harmless(`The transformation is taken off ${before} and attached to ${after}.`),
  forget: ({ before }) =>
    warning(
      `The transformation stays on ${before}, and nothing will take it off: Terraform will not know it any more.`,
    ),
  update: ({ after }) => harmless(`The transformation on ${after} gets other buffering or other settings.`),
  keep: ({ after, looksAgain }) =>
    harmless(
      looksAgain
        ? `The function looks at ${after} again and puts the transformation right there.`
        : `The transformation of ${after} stays as it is.`,
    ),
};

function looksAgain(plan: Plan): boolean {
  const recheck = find(plan, "aws_lambda_invocation", "recheck_transformation");
  return recheck !== undefined && actionOf(recheck) !== "keep";
}

function firehoseStream(values: ResourceChange["change"]["after"]): string {
  return `the Firehose stream ${code(streamNameOf(values) ?? "(known after apply)")}`;
}

function streamNameOf(values: ResourceChange["change"]["after"]): string | undefined {
  const { triggers } = values ?? {};
  const name = (triggers as Readonly<Record<string, unknown>> | undefined | null)?.delivery_stream_name;
  return typeof name === "string" ? name : undefined;
}
