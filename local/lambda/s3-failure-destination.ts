/** The on-failure destination of a Kinesis mapping on S3: the metadata and, on S3 alone, the whole event. */
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { DiscardedBatch } from "./kinesis-event-source.ts";

/** Where discarded batches go and what stands in their metadata. */
export interface FailureDestinationOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly mappingId: string;
  readonly functionArn: string;
  readonly streamArn: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly id: () => string;
}

/**
 * A destination that writes each discarded batch as one object, named and filled as Lambda does.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
export function s3FailureDestination(
  options: FailureDestinationOptions,
): (batch: DiscardedBatch) => Promise<void> {
  return async (batch) => {
    const at = new Date(options.now()).toISOString();
    const day = at.slice(0, 10).replaceAll("-", "/");
    const time = at.slice(0, 19).replaceAll(":", ".");
    await options.client.send(
      new PutObjectCommand({
        Bucket: options.bucket,
        Key: `aws/lambda/${options.mappingId}/${batch.shardId}/${day}/${time}-${options.id()}`,
        Body: JSON.stringify(failureRecord(batch, options, at)),
      }),
    );
  };
}

function failureRecord(batch: DiscardedBatch, options: FailureDestinationOptions, at: string): object {
  const first = batch.records[0];
  const last = batch.records.at(-1);
  const arrival = (seconds = 0) => new Date(seconds * 1000).toISOString();
  return {
    requestContext: {
      requestId: options.id(),
      functionArn: options.functionArn,
      condition: batch.condition,
      approximateInvokeCount: batch.invokeCount,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: "$LATEST",
      functionError: batch.result?.ok === false ? "Unhandled" : "",
    },
    version: "1.0",
    timestamp: at,
    KinesisBatchInfo: {
      shardId: batch.shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first?.arrivedAt),
      approximateArrivalOfLastRecord: arrival(last?.arrivedAt),
      batchSize: batch.records.length,
      streamArn: options.streamArn,
    },
    payload: JSON.stringify(batch.event),
  };
}
