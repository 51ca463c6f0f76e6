/** Which stack fits, from what an account holds. */
import type { DeliveryStream } from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { eligibilityOf } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import { MissingRightError } from "../aws-call.ts";
import { UserError } from "../user-error.ts";
import type { Account } from "./account.ts";
import { inspectEndUserMessaging } from "./end-user-messaging.ts";
import { defaultNamePrefix, type Inspection, notLookedAt, type Subject } from "./findings.ts";

/** What is known when a stream is looked at. */
interface Known {
  readonly account: Account;
  readonly namePrefix: string;
  readonly applicationId?: string;
  readonly tfvars: Inspection["tfvars"];
}

/**
 * Inspects a stream, or the stream to which a project sends its events.
 *
 * @throws UserError in one sentence
 */
export async function inspect(account: Account, subject: Subject, namePrefix: string): Promise<Inspection> {
  if (subject.kind === "end-user-messaging")
    return inspectEndUserMessaging(account, { ...subject, namePrefix });
  const general = namePrefix === defaultNamePrefix ? {} : { name_prefix: namePrefix };
  if (subject.kind === "stream")
    return inspectFirehose({ account, namePrefix, tfvars: general }, subject.name);

  const tfvars = { ...general, pinpoint_application_id: subject.id };
  const arn = await account.eventStreamArn(subject.id);
  if (arn === "unknown") {
    throw new UserError(
      `There is no Pinpoint project "${subject.id}" in the region ${account.region}; check the id and the region.`,
    );
  }
  if (arn === "none") {
    return {
      ...common(account, subject.id),
      event_stream: null,
      stack: "sms-retry-new-stream",
      stack_reason: "The Pinpoint project has no event stream yet; the stack creates one.",
      transformation: null,
      tfvars,
      missing: [],
      warnings: [endedWarning],
      notes: [],
    };
  }
  const [, , service, region] = arn.split(":");
  const name = arn.slice(arn.indexOf("/") + 1);
  if (region !== account.region) {
    throw new UserError(
      `The Pinpoint project sends its events to another region (${arn}); a stack must be deployed in the region of the stream: set AWS_REGION=${region}.`,
    );
  }
  const known = { account, namePrefix, applicationId: subject.id, tfvars };
  if (service === "firehose") return inspectFirehose(known, name);
  return inspectKinesis(
    known,
    { kind: "kinesis", name, arn },
    {
      reason: "The delivery events go to a Kinesis stream; the stack reads it and changes nothing about it.",
      transformation: null,
    },
  );
}

function common(account: Account, applicationId: string | undefined) {
  return {
    schema_version: 1,
    region: account.region,
    pinpoint_application_id: applicationId ?? null,
    ...notLookedAt,
  } as const;
}

/**
 * A dead stream cannot be told from a quiet one by its description.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/userguide/migrate.html
 */
const endedWarning =
  "Amazon Pinpoint ended on 2026-10-30, and its event streams are said to have ended with it: look whether events still " +
  "arrive, and if not, send by End User Messaging; docs/migration.md says how to do both.";

/** Of a stream that a project names; events may reach another one from elsewhere. */
function ended(applicationId: string | undefined): readonly string[] {
  return applicationId === undefined ? [] : [endedWarning];
}

async function inspectFirehose(known: Known, name: string): Promise<Inspection> {
  const { account, namePrefix, applicationId, tfvars } = known;
  const stream = await account.deliveryStream(name);
  if (stream?.arn === undefined) {
    throw new UserError(
      `There is no Firehose stream "${name}" in the region ${account.region}; check the name and the region.`,
    );
  }
  const eventStream = { kind: "firehose", name, arn: stream.arn } as const;
  const transformation = transformationOf(stream, stream.arn, namePrefix);
  if (!transformation.would_attach && stream.sourceKinesisStreamArn !== undefined) {
    return inspectKinesis(known, eventStream, {
      kinesisStreamArn: stream.sourceKinesisStreamArn,
      reason:
        "The Firehose stream takes no transformation, but it reads a Kinesis stream, which the stack can read as well.",
      transformation,
    });
  }
  const roleName = stream.destinations[0]?.roleArn?.split("/").at(-1);
  return {
    ...common(account, applicationId),
    event_stream: eventStream,
    stack: "sms-retry-firehose",
    stack_reason: transformation.would_attach
      ? "The delivery events go to a Firehose stream; the stack attaches its transformation to it."
      : "The delivery events go to a Firehose stream, but the stack would leave it as it is, and nothing would be sent again.",
    transformation,
    tfvars: { ...tfvars, firehose_delivery_stream_name: name },
    missing: missing(applicationId),
    warnings: ended(applicationId),
    notes:
      roleName === undefined || !transformation.would_attach
        ? []
        : [
            `If Firehose reports that it may not invoke the transformation, set firehose_role_name = "${roleName}".`,
          ],
  };
}

function transformationOf(stream: DeliveryStream, arn: string, namePrefix: string) {
  const [, partition, , region, accountId] = arn.split(":");
  // The name that the stack gives the function.
  const functionArn = `arn:${partition}:lambda:${region}:${accountId}:function:${namePrefix}-transform-firehose`;
  const verdict = eligibilityOf(stream, functionArn);
  if (!verdict.eligible) return { would_attach: false, reason: verdict.reason, text: verdict.text };
  return {
    would_attach: true,
    reason: verdict.reason,
    text:
      verdict.reason === "free"
        ? "The transformation would be attached."
        : "The transformation is attached already.",
  };
}

async function inspectKinesis(
  { account, applicationId, tfvars }: Known,
  eventStream: Inspection["event_stream"],
  {
    reason,
    transformation,
    kinesisStreamArn = eventStream?.arn ?? "",
  }: Pick<Inspection, "transformation"> & { readonly reason: string; readonly kinesisStreamArn?: string },
): Promise<Inspection> {
  const { key, notes } = await keyOf(account, kinesisStreamArn);
  return {
    ...common(account, applicationId),
    event_stream: eventStream,
    stack: "sms-retry-kinesis",
    stack_reason: reason,
    transformation,
    tfvars: {
      ...tfvars,
      kinesis_stream_arn: kinesisStreamArn,
      ...(key !== undefined && { kinesis_stream_kms_key_arn: key }),
    },
    missing: missing(applicationId),
    warnings: ended(applicationId),
    notes,
  };
}

async function keyOf(
  account: Account,
  streamArn: string,
): Promise<{ readonly key?: string; readonly notes: readonly string[] }> {
  try {
    const key = await account.kinesisKey(streamArn);
    // A key that AWS manages needs no right.
    if (key === "none" || key.endsWith("alias/aws/kinesis")) return { notes: [] };
    if (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\//.test(key)) return { key, notes: [] };
    return {
      notes: [
        `The Kinesis stream is encrypted with the key "${key}": set kinesis_stream_kms_key_arn to the ARN of that key.`,
      ],
    };
  } catch (error) {
    if (!(error instanceof MissingRightError)) throw error;
    return {
      notes: [
        "Whether the Kinesis stream is encrypted could not be read (kinesis:DescribeStreamSummary); if it is, with a key of your own, set kinesis_stream_kms_key_arn.",
      ],
    };
  }
}

function missing(applicationId: string | undefined): readonly string[] {
  return applicationId === undefined ? ["pinpoint_application_id"] : [];
}
