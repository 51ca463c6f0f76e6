/** The shards of a Kinesis stream, read as Lambda's pollers do. */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import type { SequencedRecord } from "./batch-delivery.ts";

/** Where a mapping starts to read. */
export type StartingPosition = "TRIM_HORIZON" | "LATEST";

/** A record of a Kinesis stream. */
export interface KinesisRecord extends SequencedRecord {
  readonly shardId: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** A reader of one shard. */
export interface ShardReader {
  readonly shardId: string;
  /** The next records, possibly none; rejects where the stream cannot be read now. */
  read(): Promise<KinesisRecord[]>;
}

/** Opens every shard of a stream; positions are fixed when the promise resolves. */
export async function openShards(
  client: KinesisClient,
  streamName: string,
  startingPosition: StartingPosition,
): Promise<ShardReader[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
  return Promise.all(
    Shards.map(async ({ ShardId: shardId = "" }) => {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: streamName,
          ShardId: shardId,
          ShardIteratorType: startingPosition,
        }),
      );
      return shardReader(client, shardId, ShardIterator);
    }),
  );
}

function shardReader(client: KinesisClient, shardId: string, first: string | undefined): ShardReader {
  let iterator = first;
  return {
    shardId,
    async read() {
      // A closed shard that has been read to its end has no next iterator.
      if (iterator === undefined) return [];
      const { Records = [], NextShardIterator } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator }),
      );
      iterator = NextShardIterator;
      return Records.map((record) => ({
        shardId,
        sequenceNumber: record.SequenceNumber ?? "",
        partitionKey: record.PartitionKey ?? "",
        arrivedAt: (record.ApproximateArrivalTimestamp?.getTime() ?? 0) / 1000,
        data: record.Data ?? new Uint8Array(),
      }));
    },
  };
}
