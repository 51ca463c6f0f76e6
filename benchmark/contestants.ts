/** What is measured: the built bundles, and where the user brings them those of another commit or another handler. */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { accountId, localCredentials, region } from "../local/aws-clients.ts";
import { functionEnvironment, type LocalFunctionName } from "../local/function-environments.ts";
import type { HandlerUnderTest } from "./processes.ts";
import { applicationId } from "./workloads.ts";

/** The tables of the benchmark. */
export const tables = { messages: "message-state", gates: "send-gates" } as const;

/** One that is measured. */
export interface Contestant {
  readonly name: string;
  /** The tables that get the items of messages. */
  readonly itemTables: readonly string[];
  /** How a function runs against a stub at this URL; `undefined` where it has none of this name. */
  handler(name: LocalFunctionName, endpoint: string): HandlerUnderTest | undefined;
  /** Size of the zip of a function in bytes, where there is one. */
  zipBytes(name: LocalFunctionName): number | undefined;
}

/** Services of the stub by the SDK's names for them. */
const services = ["DYNAMODB", "SQS", "S3", "SCHEDULER", "PINPOINT", "PINPOINT_SMS_VOICE_V2"] as const;

/** Retries that are due at once, and a ceiling that never binds: what is measured is the work and not the waiting. */
const settings = {
  retry_delays_seconds: [0],
  message_validity_seconds: 86_400,
  max_sends_per_second: 1_000,
  send_rates: {},
};

/** The bundles in a folder, as `npm run bundle` writes it. */
export function bundles(name: string, folder: string): Contestant {
  return {
    name,
    itemTables: [tables.messages],
    handler(functionName, endpoint) {
      const module = resolve(folder, functionName, "index.mjs");
      if (!existsSync(module)) return undefined;
      return { module, exportName: "handler", environment: environmentOf(functionName, endpoint) };
    },
    zipBytes(functionName) {
      return statSync(join(folder, `${functionName}.zip`), { throwIfNoEntry: false })?.size;
    },
  };
}

function environmentOf(name: LocalFunctionName, endpoint: string): Record<string, string> {
  const arnOf = (queue: string) => `arn:aws:sqs:${region}:${accountId}:${queue}`;
  return functionEnvironment(name, {
    resources: {
      tableName: tables.messages,
      gateTableName: tables.gates,
      queueUrl: `${endpoint}/${accountId}/retry`,
      queueArn: arnOf("retry"),
      deadLetterQueueArn: arnOf("dead"),
      failureBucketName: "events",
    },
    endpoints: Object.fromEntries(services.map((service) => [service, endpoint])),
    sending: { service: "pinpoint", applicationId },
    maxRetries: 3,
    settings,
    trackDeliveries: "retried",
  });
}

/** A handler of somebody else. */
export interface OtherHandler {
  /** Path of its module. */
  readonly path: string;
  readonly exportName: string;
  /** What it is: the events that it is given are those of this function of ours. */
  readonly as: LocalFunctionName;
  /** Its environment variables, beside those that Lambda and the SDK have. */
  readonly environment: Readonly<Record<string, string>>;
  /** The table that it looks messages up in. */
  readonly itemTable: string;
}

/** Another handler, with Region, credentials and endpoints as ours have them. */
export function otherHandler({ path, exportName, as, environment, itemTable }: OtherHandler): Contestant {
  return {
    name: "other",
    itemTables: [itemTable],
    handler(name, endpoint) {
      if (name !== as) return undefined;
      return {
        module: resolve(path),
        exportName,
        environment: {
          AWS_REGION: region,
          AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
          AWS_ENDPOINT_URL: endpoint,
          ...environment,
        },
      };
    },
    zipBytes: () => undefined,
  };
}
