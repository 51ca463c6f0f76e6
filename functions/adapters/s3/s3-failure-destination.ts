/** Keeps malformed records, byte for byte, beside what Lambda's on-failure destination keeps. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { FailureDestination } from "../../core/processing/failure-destination.ts";

/** Stores one object; `s3-client.ts` makes it on first use, because malformed records are rare. */
export type PutObject = (input: PutObjectCommandInput) => Promise<unknown>;

/** A destination that writes `malformed/<record id>` into the bucket; the same record again is one object. */
export function s3FailureDestination(putObject: PutObject, bucketName: string): FailureDestination {
  return {
    async keep(record, problem) {
      await putObject({
        Bucket: bucketName,
        Key: `malformed/${record.id.replaceAll(/[^\w:-]/g, "_")}`,
        Body: record.data,
        ContentType: "application/octet-stream",
        Metadata: { problem },
      });
    },
  };
}
