/** The outputs that every stack has, and those of the stacks on a Kinesis stream. */
import { type Construct, TerraformOutput } from "../cdktf.ts";
import type { KinesisConsumer } from "../kinesis/kinesis-consumer.ts";
import type { EventArchive } from "../shared/event-archive.ts";
import type { EventsBucket } from "../shared/events-bucket.ts";
import type { RetryEngine } from "../shared/retry-engine.ts";

/** Declares an output, `<thing>_<attribute>`; the description says what a caller does with it. */
export function output(scope: Construct, name: string, value: string, description: string): void {
  new TerraformOutput(scope, name, { value, description });
}

/** Declares what an application or an operator needs to know of a deployment. */
export function sharedOutputs(
  scope: Construct,
  {
    engine: { table, gates, queue, resend, produce },
    consumer,
  }: { readonly engine: RetryEngine; readonly consumer: { readonly functionName: string } },
): void {
  output(
    scope,
    "message_table_name",
    table.tableName,
    "Name of the table of message states, into which an application that sends by itself writes its items.",
  );
  output(scope, "message_table_arn", table.arn, "ARN of the table of message states.");
  output(
    scope,
    "send_gate_table_name",
    gates.tableName,
    "Name of the table of send gates, for npx sms-retry gate, pause and resume, and for a deployment that shares it.",
  );
  output(scope, "retry_queue_url", queue.url, "URL of the queue of due retries.");
  output(scope, "retry_queue_arn", queue.arn, "ARN of the queue of due retries.");
  output(
    scope,
    "dead_letter_queue_url",
    queue.deadLetterUrl,
    "URL of the queue of retries that were given up.",
  );
  output(
    scope,
    "dead_letter_queue_arn",
    queue.deadLetterArn,
    "ARN of the queue of retries that were given up.",
  );
  output(
    scope,
    "produce_function_name",
    produce.functionName,
    "Name of the function that sends a message and writes its item; invoke it to try the system out.",
  );
  output(scope, "produce_function_arn", produce.arn, "ARN of the function that sends a message.");
  output(scope, "resend_function_name", resend.functionName, "Name of the function that sends the retries.");
  output(
    scope,
    "consumer_function_name",
    consumer.functionName,
    "Name of the function that reads the delivery events.",
  );
}

/** Declares the shared outputs, and where the archive of a Kinesis stream lies. */
export function kinesisOutputs(
  scope: Construct,
  {
    engine,
    bucket,
    consumer,
    archive,
  }: {
    readonly engine: RetryEngine;
    readonly bucket: EventsBucket;
    readonly consumer: KinesisConsumer;
    readonly archive: EventArchive;
  },
): void {
  sharedOutputs(scope, { engine, consumer: consumer.lambda });
  archiveOutputs(scope, { bucket, archive });
}

/** Declares where the archive of all events lies. */
export function archiveOutputs(
  scope: Construct,
  { bucket, archive }: { readonly bucket: EventsBucket; readonly archive: EventArchive },
): void {
  output(
    scope,
    "events_bucket_name",
    bucket.bucketName,
    "Name of the bucket with the archive of all events (archive/), malformed records (malformed/) and batches that were given up (aws/lambda/).",
  );
  output(
    scope,
    "event_archive_name",
    archive.deliveryStream.name,
    "Name of the Firehose stream that writes the archive.",
  );
}
