/** Descriptions of delivery streams as Firehose gives them. */
import type {
  Processor,
  StreamDescription,
} from "../../functions/firehose-attachment/core/delivery-stream.ts";

/** Our transformation. */
export const functionArn = "arn:aws:lambda:us-east-1:123456789012:function:sms-retry-transform-firehose";

/** The role with which the owner's stream delivers. */
export const streamRoleArn = "arn:aws:iam::123456789012:role/archive-delivery";

/** A processor that invokes a function. */
export function lambdaProcessor(arn: string): Processor {
  return {
    Type: "Lambda",
    Parameters: [
      { ParameterName: "LambdaArn", ParameterValue: arn },
      { ParameterName: "NumberOfRetries", ParameterValue: "3" },
    ],
  };
}

/** A processor of somebody else. */
export const someoneElses: Processor = lambdaProcessor(
  "arn:aws:lambda:us-east-1:123456789012:function:mask-addresses:$LATEST",
);

/** A processor that is no function. */
export const delimiter: Processor = {
  Type: "AppendDelimiterToRecord",
  Parameters: [{ ParameterName: "Delimiter", ParameterValue: "\\n" }],
};

/** The configuration of an S3 destination, as an owner has it. */
export const s3Destination = {
  RoleARN: streamRoleArn,
  BucketARN: "arn:aws:s3:::sms-events-archive",
  Prefix: "events/",
  ErrorOutputPrefix: "errors/",
  BufferingHints: { SizeInMBs: 64, IntervalInSeconds: 120 },
  CompressionFormat: "GZIP",
  CloudWatchLoggingOptions: { Enabled: false },
} as const;

/** The description of a stream of `DescribeDeliveryStream` with these destinations in its one entry. */
export function describedStream(
  destinations: object,
  others: Partial<StreamDescription> = {},
): StreamDescription {
  return {
    DeliveryStreamStatus: "ACTIVE",
    VersionId: "1",
    HasMoreDestinations: false,
    Destinations: [{ DestinationId: "destinationId-000000000001", ...destinations }],
    ...others,
  };
}

/** An extended S3 destination as it is described: in both forms. */
export function extendedS3(processing?: { Enabled: boolean; Processors: readonly Processor[] }) {
  return {
    ExtendedS3DestinationDescription: {
      ...s3Destination,
      S3BackupMode: "Disabled",
      ...(processing !== undefined && { ProcessingConfiguration: processing }),
    },
    S3DestinationDescription: s3Destination,
  };
}
