import {
  ControlPlaneBusyError,
  streamOfDescription,
  streamOfReadModel,
} from "../../functions/firehose-attachment/core/delivery-stream.ts";
import {
  delimiter,
  describedStream,
  extendedS3,
  s3Destination,
  streamRoleArn,
} from "../support/delivery-streams.ts";

const off = { enabled: false, processors: [] };

describe("a stream in a description by Firehose", () => {
  test("has all that is told: itself, what it reads, and what it delivers to", () => {
    const description = describedStream(extendedS3({ Enabled: true, Processors: [delimiter] }), {
      DeliveryStreamARN: "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive",
      VersionId: "7",
      Source: {
        KinesisStreamSourceDescription: {
          KinesisStreamARN: "arn:aws:kinesis:us-east-1:123456789012:stream/events",
        },
      },
    });

    expect(streamOfDescription(description)).toStrictEqual({
      arn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive",
      status: "ACTIVE",
      destinations: [
        {
          kind: "ExtendedS3",
          id: "destinationId-000000000001",
          roleArn: streamRoleArn,
          processing: { enabled: true, processors: [delimiter] },
        },
      ],
      hasMoreDestinations: false,
      versionId: "7",
      sourceKinesisStreamArn: "arn:aws:kinesis:us-east-1:123456789012:stream/events",
    });
  });

  test("lacks what is not told, and has then neither destinations nor more of them", () => {
    expect(streamOfDescription({})).toStrictEqual({ destinations: [], hasMoreDestinations: false });
  });

  test("has no Kinesis stream where its source is of another kind", () => {
    const description: object = { Source: { MSKSourceDescription: { TopicName: "events" } } };

    expect(streamOfDescription(description)).toStrictEqual({
      destinations: [],
      hasMoreDestinations: false,
    });
  });

  test("has its processing off and empty where none is told, and no role where none is told", () => {
    const { destinations } = streamOfDescription(describedStream({ SplunkDestinationDescription: {} }));

    expect(destinations).toStrictEqual([
      { kind: "Splunk", id: "destinationId-000000000001", processing: off },
    ]);
  });

  test("has no destination of a kind that is told as nothing", () => {
    const { destinations } = streamOfDescription(
      describedStream({
        ...extendedS3(),
        SplunkDestinationDescription: undefined,
        RedshiftDestinationDescription: null,
      }),
    );

    expect(destinations.map(({ kind }) => kind)).toEqual(["ExtendedS3"]);
  });
});

describe("a stream in CloudFormation's read model", () => {
  test("has its destination without an id; its tags, its source and its encryption are none", () => {
    expect(
      streamOfReadModel({
        DeliveryStreamName: "archive",
        DeliveryStreamEncryptionConfigurationInput: { KeyType: "AWS_OWNED_CMK" },
        KinesisStreamSourceConfiguration: { RoleARN: streamRoleArn },
        ExtendedS3DestinationConfiguration: s3Destination,
        Tags: [{ Key: "owner", Value: "marketing" }],
      }),
    ).toStrictEqual({
      destinations: [{ kind: "ExtendedS3", roleArn: streamRoleArn, processing: off }],
      hasMoreDestinations: false,
    });
  });
});

test("that AWS asks for patience is told by the error's name, which logs show", () => {
  expect(String(new ControlPlaneBusyError("firehose:UpdateDestination is throttled."))).toBe(
    "ControlPlaneBusyError: firehose:UpdateDestination is throttled.",
  );
});
