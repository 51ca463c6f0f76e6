import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mockClient } from "aws-sdk-client-mock";
import type { DiscardedBatch } from "../../local/lambda/kinesis-event-source.ts";
import { s3FailureDestination } from "../../local/lambda/s3-failure-destination.ts";

it("writes metadata and the whole event under the name that Lambda uses", async () => {
  // Prepare
  const s3 = mockClient(S3Client);
  const record = (sequenceNumber: string, arrivedAt: number) => ({
    shardId: "shardId-000000000001",
    sequenceNumber,
    arrivedAt,
    partitionKey: "key",
    data: Buffer.from("poison"),
  });
  const batch: DiscardedBatch = {
    shardId: "shardId-000000000001",
    records: [record("100", 1_700_000_000), record("101", 1_700_000_002)],
    condition: "RetryAttemptsExhausted",
    invokeCount: 9,
    result: { ok: false, error: { errorType: "Error", errorMessage: "no", trace: [] } },
    event: { Records: [{ eventID: "shardId-000000000001:100" }] },
  };
  const ids = ["key-id", "request-id"];
  const discard = s3FailureDestination({
    client: new S3Client({}),
    bucket: "failures",
    mappingId: "mapping-id",
    functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:consume",
    streamArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/events",
    now: () => Date.parse("2026-11-23T19:04:05.678Z"),
    id: () => ids.shift() ?? "",
  });

  // Act
  await discard(batch);

  // Assess
  const [call] = s3.commandCalls(PutObjectCommand);
  const { Bucket, Key, Body } = call?.args[0].input ?? {};
  expect(Bucket).toBe("failures");
  expect(Key).toBe("aws/lambda/mapping-id/shardId-000000000001/2026/11/23/2026-11-23T19.04.05-key-id");
  expect(JSON.parse(String(Body))).toEqual({
    requestContext: {
      requestId: "request-id",
      functionArn: "arn:aws:lambda:eu-west-1:000000000000:function:consume",
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 9,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: "2026-11-23T19:04:05.678Z",
    KinesisBatchInfo: {
      shardId: "shardId-000000000001",
      startSequenceNumber: "100",
      endSequenceNumber: "101",
      approximateArrivalOfFirstRecord: "2023-11-14T22:13:20.000Z",
      approximateArrivalOfLastRecord: "2023-11-14T22:13:22.000Z",
      batchSize: 2,
      streamArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/events",
    },
    payload: '{"Records":[{"eventID":"shardId-000000000001:100"}]}',
  });
});
