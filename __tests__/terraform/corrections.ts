/**
 * Answers of moto (5.2.1) that are not what AWS answers, and what the gateway makes of them. Without these the
 * provider would wait for ever or see a difference that is the emulator's, not ours.
 *
 * Every entry is one attribute, with the reason; a test holds the list, and a run of all stacks fails for an entry
 * that was of no use.
 */
import { type AwsAnswer, type AwsCall, errorAnswer, jsonAnswer, jsonOf } from "./aws-call.ts";

/** What one gateway remembers of the requests, because moto does not. */
export type Memory = Map<string, unknown>;

/** One corrected attribute. */
export interface Correction {
  /** Service and attribute. */
  readonly name: string;
  /** What moto does instead of what AWS does. */
  readonly reason: string;
  /**
   * Answers a call in moto's place; `undefined` leaves it to moto.
   * @default - every call is moto's
   */
  instead?(call: AwsCall, memory: Memory): AwsAnswer | undefined;
  /**
   * The answer to a call as it should be; the same object where there was nothing to correct.
   * @default - moto's answers stand
   */
  correct?(answer: AwsAnswer, call: AwsCall, memory: Memory): AwsAnswer;
}

/** All corrections. */
export const corrections: readonly Correction[] = [
  queueAttribute(
    "Policy",
    "moto forgets the policy of a queue when any other attribute is set; AWS keeps what a call does not name.",
  ),
  queueAttribute(
    "RedrivePolicy",
    "moto writes the JSON text anew, with spaces; AWS gives back what was set.",
  ),
  queueAttribute("RedriveAllowPolicy", "moto does not know the attribute and refuses to read it."),
  {
    name: "s3 Policy",
    reason:
      "moto does not look at conditions: it takes the refusal of everything but TLS for one of everything.",
    instead(call, memory) {
      const isAboutPolicy = new URL(call.target, "http://localhost").searchParams.has("policy");
      if (call.service !== "s3" || !isAboutPolicy || call.path.length !== 1) return undefined;
      const key = `s3/${call.path[0]}/Policy`;
      if (call.method === "PUT") memory.set(key, call.body);
      if (call.method === "DELETE") memory.delete(key);
      const kept = memory.get(key) as Buffer | undefined;
      if (call.method !== "GET") return { status: 204, headers: {}, body: Buffer.alloc(0) };
      return kept && { status: 200, headers: { "content-type": "application/json" }, body: kept };
    },
  },
  {
    name: "scheduler ConflictException",
    reason: "moto makes a schedule group anew where there is one of the name; AWS refuses it.",
    instead(call, memory) {
      if (call.service !== "scheduler" || call.path[0] !== "schedule-groups") return undefined;
      const key = `scheduler/${call.path[1]}`;
      if (call.method === "DELETE") memory.delete(key);
      if (call.method !== "POST") return undefined;
      if (memory.has(key))
        return errorAnswer(409, "ConflictException", `Schedule group ${call.path[1]} already exists.`);
      memory.set(key, true);
      return undefined;
    },
  },
  {
    name: "kinesis Tags",
    reason: "moto does not keep the tags that a stream is created with.",
    correct(answer, call, memory) {
      if (call.service !== "kinesis" || answer.status >= 300) return answer;
      const { StreamName, StreamARN, ResourceARN, Tags } = jsonOf(call) as StreamRequest;
      const key = `kinesis/${StreamName ?? (StreamARN ?? ResourceARN)?.split("/").at(-1)}/Tags`;
      if (call.operation === "CreateStream") memory.set(key, Tags);
      const kept = memory.get(key) as StreamRequest["Tags"];
      if (!call.operation.startsWith("ListTagsFor") || kept === undefined) return answer;
      const told = JSON.parse(answer.body.toString()) as { Tags: { Key: string; Value: string }[] };
      const known = new Set(told.Tags.map(({ Key }) => Key));
      const missing = Object.entries(kept).filter(([Key]) => !known.has(Key));
      if (missing.length === 0) return answer;
      return jsonAnswer({
        ...told,
        Tags: [...told.Tags, ...missing.map(([Key, Value]) => ({ Key, Value }))],
      });
    },
  },
  {
    name: "lambda LoggingConfig",
    reason: "moto does not keep the log group and format of a function.",
    correct(answer, call, memory) {
      if (call.service !== "lambda" || call.path[1] !== "functions" || answer.status >= 300) return answer;
      const asked = call.method === "GET" ? {} : jsonOf(call);
      const name = String(call.path[2] ?? asked.FunctionName);
      const key = `lambda/${name}/LoggingConfig`;
      if (asked.LoggingConfig !== undefined) memory.set(key, asked.LoggingConfig);
      const kept = memory.get(key);
      const isAboutConfiguration = ["configuration", "code", undefined].includes(call.path[3]);
      if (kept === undefined || !isAboutConfiguration || answer.body.length === 0) return answer;
      const told = JSON.parse(answer.body.toString()) as { Configuration?: object };
      return jsonAnswer(
        told.Configuration === undefined
          ? { ...told, LoggingConfig: kept }
          : { ...told, Configuration: { ...told.Configuration, LoggingConfig: kept } },
        answer.status,
      );
    },
  },
  {
    name: "lambda StartingPositionTimestamp",
    reason: "moto keeps from when on an event source mapping reads, and does not tell it.",
    correct(answer, call, memory) {
      const isAboutMappings = call.service === "lambda" && call.path[1] === "event-source-mappings";
      if (!isAboutMappings || answer.status >= 300 || answer.body.length === 0) return answer;
      const told = JSON.parse(answer.body.toString()) as Mapping & { EventSourceMappings?: Mapping[] };
      const key = ({ UUID }: Mapping) => `lambda/${UUID}/StartingPositionTimestamp`;
      if (call.method === "POST") memory.set(key(told), jsonOf(call).StartingPositionTimestamp);
      const complete = (mapping: Mapping) => ({
        ...mapping,
        StartingPositionTimestamp: memory.get(key(mapping)),
      });
      const mappings = told.EventSourceMappings ?? [told];
      if (mappings.every((mapping) => memory.get(key(mapping)) === undefined)) return answer;
      return jsonAnswer(
        told.EventSourceMappings === undefined
          ? complete(told)
          : { ...told, EventSourceMappings: told.EventSourceMappings.map(complete) },
        answer.status,
      );
    },
  },
];

interface StreamRequest {
  readonly StreamName?: string;
  readonly StreamARN?: string;
  readonly ResourceARN?: string;
  readonly Tags?: Readonly<Record<string, string>>;
}

interface Mapping {
  readonly UUID?: string;
}

/** An attribute of a queue that comes back as it was set. */
function queueAttribute(attribute: string, reason: string): Correction {
  return {
    name: `sqs ${attribute}`,
    reason,
    correct(answer, call, memory) {
      if (call.service !== "sqs") return answer;
      const request = jsonOf(call) as QueueRequest;
      const queue = request.QueueName ?? request.QueueUrl?.split("/").at(-1);
      const key = `sqs/${queue}/${attribute}`;
      if (call.operation === "DeleteQueue") memory.delete(key);
      const set = request.Attributes?.[attribute];
      if (set !== undefined && answer.status < 300) memory.set(key, set);
      const kept = memory.get(key);
      const isAsked = (request.AttributeNames ?? []).some((name) => name === "All" || name === attribute);
      if (call.operation !== "GetQueueAttributes" || !isAsked) return answer;
      const told = JSON.parse(answer.body.toString()) as QueueAnswer;
      // Other errors stand: a queue that is gone has no attribute.
      const isUnknown = told.__type?.endsWith("InvalidAttributeName") === true;
      if (answer.status >= 300 && !isUnknown) return answer;
      if (!isUnknown && (!kept || told.Attributes?.[attribute] === kept)) return answer;
      // What is not set is left out, which is no error.
      return jsonAnswer({ Attributes: { ...told.Attributes, ...(kept ? { [attribute]: kept } : {}) } });
    },
  };
}

interface QueueRequest {
  readonly QueueName?: string;
  readonly QueueUrl?: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly AttributeNames?: readonly string[];
}

interface QueueAnswer {
  readonly __type?: string;
  readonly Attributes?: Readonly<Record<string, string>>;
}
