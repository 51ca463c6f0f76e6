/** Keeps malformed records, byte for byte, beside what Lambda's on-failure destination keeps. */
import type { FailureDestination } from "../../core/processing/failure-destination.ts";
import type { PutObject } from "./s3-put-object.ts";

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
