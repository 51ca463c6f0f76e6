/**
 * A Firehose delivery stream as far as a transformation concerns it, in one form for both ways of reading it,
 * and the port through which it is read and changed.
 */

/** A processor in Firehose's own words, so that those of others are handed back as they came. */
export interface Processor {
  readonly Type?: string | undefined;
  readonly Parameters?:
    | readonly {
        readonly ParameterName?: string | undefined;
        readonly ParameterValue?: string | undefined;
      }[]
    | undefined;
}

/** The processing block of a destination; a stream without one has it off and empty. */
export interface Processing {
  readonly enabled: boolean;
  readonly processors: readonly Processor[];
}

/** A destination of a stream. */
export interface Destination {
  /** As in Firehose's names, e.g. `ExtendedS3` of `ExtendedS3DestinationDescription`. */
  readonly kind: string;
  /** The read model of CloudFormation has none. */
  readonly id?: string;
  /** The role with which Firehose delivers, and invokes a transformation. */
  readonly roleArn?: string;
  readonly processing: Processing;
}

/** A delivery stream; what is `undefined` was not told. */
export interface DeliveryStream {
  readonly arn?: string;
  readonly status?: string;
  readonly destinations: readonly Destination[];
  /** Whether there are destinations beyond those listed. */
  readonly hasMoreDestinations: boolean;
  /** Changes with every update of the stream. */
  readonly versionId?: string;
  /** The Kinesis stream that it reads, if it reads one. */
  readonly sourceKinesisStreamArn?: string;
}

/** The part of Firehose's `DeliveryStreamDescription` that is read. */
export interface StreamDescription {
  readonly DeliveryStreamARN?: string | undefined;
  readonly DeliveryStreamStatus?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly HasMoreDestinations?: boolean | undefined;
  readonly Destinations?: readonly { readonly DestinationId?: string | undefined }[] | undefined;
  readonly Source?:
    | {
        readonly KinesisStreamSourceDescription?:
          | { readonly KinesisStreamARN?: string | undefined }
          | undefined;
      }
    | undefined;
}

/** Thrown by the ports where AWS asks for patience (throttling, an update that is under way): ask again. */
export class ControlPlaneBusyError extends Error {
  override readonly name = "ControlPlaneBusyError";
}

/** Reads and changes delivery streams. All but the named outcomes and busyness reject. */
export interface DeliveryStreams {
  /** The stream as it is now, or `undefined` if there is none of that name. */
  describe(name: string): Promise<DeliveryStream | undefined>;
  /**
   * Replaces the processing block of a destination and leaves everything else of the stream as it is.
   *
   * @returns `changed-meanwhile`, and nothing is written, if the stream is no longer the one described
   */
  setProcessing(
    name: string,
    described: Pick<DeliveryStream, "versionId">,
    destination: Pick<Destination, "kind" | "id">,
    processing: Processing,
  ): Promise<"updated" | "changed-meanwhile">;
}

/** The stream in a description by `DescribeDeliveryStream`. */
export function streamOfDescription(description: StreamDescription): DeliveryStream {
  const { DeliveryStreamARN: arn, DeliveryStreamStatus: status, VersionId: versionId } = description;
  const source = description.Source?.KinesisStreamSourceDescription?.KinesisStreamARN;
  return {
    ...(arn !== undefined && { arn }),
    ...(status !== undefined && { status }),
    destinations: (description.Destinations ?? []).flatMap((destination) =>
      destinationsIn(destination, "DestinationDescription", destination.DestinationId),
    ),
    hasMoreDestinations: description.HasMoreDestinations ?? false,
    ...(versionId !== undefined && { versionId }),
    ...(source !== undefined && { sourceKinesisStreamArn: source }),
  };
}

/**
 * The stream in CloudFormation's read model of `AWS::KinesisFirehose::DeliveryStream`, which Cloud Control
 * answers and Terraform reads at plan. It tells no status, so a stream that is not active passes there.
 */
export function streamOfReadModel(properties: object): DeliveryStream {
  return {
    destinations: destinationsIn(properties, "DestinationConfiguration", undefined),
    hasMoreDestinations: false,
  };
}

interface Configuration {
  readonly RoleARN?: string | undefined;
  readonly ProcessingConfiguration?:
    | { readonly Enabled?: boolean | undefined; readonly Processors?: readonly Processor[] | undefined }
    | undefined;
}

function destinationsIn(configurations: object, suffix: string, id: string | undefined): Destination[] {
  const destinations = Object.entries(configurations)
    .filter(([key, value]) => key.endsWith(suffix) && typeof value === "object" && value !== null)
    .map(([key, value]) => destinationOf(key.slice(0, -suffix.length), value as Configuration, id));
  // Firehose tells an extended S3 destination a second time in the legacy form.
  return destinations.some(({ kind }) => kind === "ExtendedS3")
    ? destinations.filter(({ kind }) => kind !== "S3")
    : destinations;
}

function destinationOf(kind: string, configuration: Configuration, id: string | undefined): Destination {
  const { RoleARN: roleArn, ProcessingConfiguration: processing } = configuration;
  return {
    kind,
    ...(id !== undefined && { id }),
    ...(roleArn !== undefined && { roleArn }),
    processing: { enabled: processing?.Enabled ?? false, processors: processing?.Processors ?? [] },
  };
}

/** The value of a processor's parameter, if it has that one. */
export function parameterOf(processor: Processor, name: string): string | undefined {
  return processor.Parameters?.find(({ ParameterName }) => ParameterName === name)?.ParameterValue;
}

/**
 * Whether a processor invokes this function, whatever version of it.
 *
 * @param functionArn unqualified
 */
export function invokesFunction(processor: Processor, functionArn: string): boolean {
  const invoked = processor.Type === "Lambda" ? parameterOf(processor, "LambdaArn") : undefined;
  return invoked === functionArn || (invoked?.startsWith(`${functionArn}:`) ?? false);
}
