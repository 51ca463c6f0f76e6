/** Attaches our transformation to a delivery stream, or says why it may not be. */
import type { Clock } from "../../core/clock.ts";
import { StreamNotFoundError, UnreadableStreamError } from "../errors.ts";
import {
  type DeliveryStream,
  type DeliveryStreams,
  type Destination,
  invokesFunction,
  type Processor,
  parameterOf,
} from "./delivery-stream.ts";
import { eligibilityOf, type RefusalReason } from "./firehose-eligibility.ts";
import { type FunctionPolicies, grantRole, revokeRole } from "./function-policy.ts";
import { untilSettled } from "./until-settled.ts";

/** A stream and the function that transforms its records. */
export interface TransformationPlace {
  readonly deliveryStreamName: string;
  /** Unqualified. */
  readonly functionArn: string;
}

/** How Firehose shall collect records for an invocation. */
export interface BufferHints {
  /** 0.2 to 3. */
  readonly bufferSizeMegabytes: number;
  /** 0 to 900. */
  readonly bufferIntervalSeconds: number;
}

/** What attaching and detaching work with. */
export interface AttachmentPorts {
  readonly streams: DeliveryStreams;
  readonly policies: FunctionPolicies;
  readonly clock: Pick<Clock, "sleep">;
}

/** How it stands with the transformation now; the text is for the stream's owner. */
export interface Attachment {
  readonly attached: boolean;
  readonly reason: RefusalReason | "attached" | "detached";
  readonly text: string;
}

const attached: Attachment = {
  attached: true,
  reason: "attached",
  text: "The transformation is attached.",
};

/**
 * Attaches the transformation, or brings the one that is attached up to date. Everything else of the stream is
 * kept; a stream that is as wanted is not written to, and one that is refused not at all. The last thing
 * written is the stream: only when the role may invoke the function does a record get there.
 *
 * @throws StreamNotFoundError if there is no such stream
 * @throws StreamContentionError if the stream changed under every try, or AWS never had time
 */
export async function attachTransformation(
  request: TransformationPlace & BufferHints,
  { streams, policies, clock }: AttachmentPorts,
): Promise<Attachment> {
  const { deliveryStreamName, functionArn } = request;
  return untilSettled(deliveryStreamName, clock, async () => {
    const stream = await streams.describe(deliveryStreamName);
    if (stream === undefined) throw new StreamNotFoundError(deliveryStreamName);
    const verdict = eligibilityOf(stream, functionArn);
    if (!verdict.eligible) {
      // Where the processor is ours and only resting, Firehose needs the right as soon as it is back.
      if (!lists(stream, functionArn)) await revokeRole(policies, functionArn);
      return { attached: false, reason: verdict.reason, text: verdict.text };
    }

    const [destination] = stream.destinations;
    if (destination?.id === undefined || destination.roleArn === undefined) {
      throw new UnreadableStreamError(deliveryStreamName);
    }
    const grant = await grantRole(policies, functionArn, destination.roleArn);
    if (grant === "changed-meanwhile") return grant;
    const wanted = parametersOf(request);
    if (isAsWanted(destination, wanted, functionArn)) return attached;
    const outcome = await streams.setProcessing(deliveryStreamName, stream, destination, {
      enabled: true,
      processors: withOurs(destination.processing.processors, processorOf(wanted), functionArn),
    });
    return outcome === "updated" ? attached : outcome;
  });
}

function lists({ destinations }: DeliveryStream, functionArn: string): boolean {
  return destinations.some(({ processing }) =>
    processing.processors.some((processor) => invokesFunction(processor, functionArn)),
  );
}

/** The other processors keep their places: they run in the order of the list. */
function withOurs(
  processors: readonly Processor[],
  ours: Processor,
  functionArn: string,
): readonly Processor[] {
  const place = processors.findIndex((processor) => invokesFunction(processor, functionArn));
  return place === -1 ? [...processors, ours] : processors.with(place, ours);
}

/**
 * The parameters of our processor by name.
 *
 * They name no role, so that Firehose fills in the stream's own: a caller that names one may need the right to
 * pass it on. The ARN has no `:$LATEST`, as it often does elsewhere: a resource policy cannot name that version,
 * and a statement on the function alone is valid for the unqualified ARN alone.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
 */
function parametersOf({
  functionArn,
  bufferSizeMegabytes,
  bufferIntervalSeconds,
}: TransformationPlace & BufferHints): Readonly<Record<string, string>> {
  return {
    LambdaArn: functionArn,
    // Firehose's own default, written out because the description has it then in any case.
    NumberOfRetries: "3",
    BufferSizeInMBs: String(bufferSizeMegabytes),
    BufferIntervalInSeconds: String(bufferIntervalSeconds),
  };
}

function processorOf(parameters: Readonly<Record<string, string>>): Processor {
  return {
    Type: "Lambda",
    Parameters: Object.entries(parameters).map(([ParameterName, ParameterValue]) => ({
      ParameterName,
      ParameterValue,
    })),
  };
}

function isAsWanted(
  { roleArn, processing }: Destination,
  wanted: Readonly<Record<string, string>>,
  functionArn: string,
): boolean {
  const ours = processing.processors.find((processor) => invokesFunction(processor, functionArn));
  if (!processing.enabled || ours === undefined) return false;
  // The role that Firehose filled in stays when the owner gives the stream another.
  if ((parameterOf(ours, "RoleArn") ?? roleArn) !== roleArn) return false;
  return Object.entries(wanted).every(([name, value]) => isSame(parameterOf(ours, name), value));
}

/** Firehose may write "1.0" where we wrote "1"; what is absent or empty is no number. */
function isSame(present: string | undefined, wanted: string): boolean {
  return present === wanted || (present !== "" && Number(present) === Number(wanted));
}
