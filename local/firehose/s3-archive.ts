/** The archive that a delivery stream fills, as a bucket: written by the stream, read by whoever audits. */
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { decodeRecord } from "../../functions/core/events/event-records.ts";
import { failedPrefix } from "./delivery-stream.ts";

/** What lies in an archive. */
export interface ArchiveContents {
  /** JSON values in the objects outside `processing-failed/`. */
  readonly delivered: readonly unknown[];
  /** Records in `processing-failed/`. */
  readonly failed: readonly unknown[];
}

/** Writes objects into a bucket. */
export function s3ObjectWriter(
  client: S3Client,
  bucket: string,
): (key: string, body: Buffer) => Promise<void> {
  return async (key, body) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  };
}

/**
 * Reads everything in an archive.
 *
 * @throws Error naming an object that does not hold JSON values alone
 */
export async function readArchive(client: S3Client, bucket: string): Promise<ArchiveContents> {
  const delivered: unknown[] = [];
  const failed: unknown[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key = "" } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const decoded = decodeRecord((await Body?.transformToByteArray()) ?? new Uint8Array());
      if (decoded.type === "malformed")
        throw new Error(`The object ${Key} is ${decoded.problem}; look at what the transformation answers.`);
      (Key.startsWith(failedPrefix) ? failed : delivered).push(...decoded.values);
    }
  }
  return { delivered, failed };
}
