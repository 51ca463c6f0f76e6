/**
 * The AWS clients of the functions and scripts that change or read infrastructure; apart from
 * `aws-clients.ts`, so that neither side loads the other's. Region, credentials and endpoints are the SDK's own
 * business, as there.
 */
import { FirehoseClient } from "@aws-sdk/client-firehose";
import { LambdaClient } from "@aws-sdk/client-lambda";

/** Changes of infrastructure take longer than the calls of a send, and nobody waits for them but Terraform. */
const patience = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
};

/** A client of Firehose's control plane. */
export function firehoseClient(): FirehoseClient {
  return new FirehoseClient(patience);
}

/** A client of Lambda's control plane. */
export function lambdaClient(): LambdaClient {
  return new LambdaClient(patience);
}
