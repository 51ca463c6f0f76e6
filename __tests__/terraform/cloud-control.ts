/** A delivery stream as Cloud Control reads it: in the words of CloudFormation, not of Firehose's own API. */

type Json = Readonly<Record<string, unknown>>;

/** What the API calls a destination → what CloudFormation calls it. */
const destinationNames: readonly (readonly [api: string, model: string])[] = [
  ["ExtendedS3DestinationDescription", "ExtendedS3DestinationConfiguration"],
  ["S3DestinationDescription", "S3DestinationConfiguration"],
  ["RedshiftDestinationDescription", "RedshiftDestinationConfiguration"],
  ["ElasticsearchDestinationDescription", "ElasticsearchDestinationConfiguration"],
  ["SplunkDestinationDescription", "SplunkDestinationConfiguration"],
  ["HttpEndpointDestinationDescription", "HttpEndpointDestinationConfiguration"],
  ["SnowflakeDestinationDescription", "SnowflakeDestinationConfiguration"],
];

/**
 * The read model of `AWS::KinesisFirehose::DeliveryStream`.
 *
 * @param description `DeliveryStreamDescription` of `DescribeDeliveryStream`
 */
export function deliveryStreamModel(description: Json): Json {
  const [destination = {}] = (description.Destinations ?? []) as readonly Json[];
  const isExtended = destination.ExtendedS3DestinationDescription !== undefined;
  const destinations = destinationNames.flatMap(([api, model]) => {
    // The API tells an extended S3 destination a second time in the legacy form; CloudFormation tells it once.
    const isRepeated = api === "S3DestinationDescription" && isExtended;
    return destination[api] === undefined || isRepeated ? [] : [[model, destination[api]]];
  });
  return {
    DeliveryStreamName: description.DeliveryStreamName,
    DeliveryStreamType: description.DeliveryStreamType,
    Arn: description.DeliveryStreamARN,
    ...Object.fromEntries(destinations),
  };
}
