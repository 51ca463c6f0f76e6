/**
 * An emulator of EventBridge Scheduler: one-time schedules whose target is an SQS queue.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
 */
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as v from "valibot";
import { ServiceError, serveRestJson } from "../rest-json.ts";

/** A running scheduler. */
export interface SchedulerEmulator {
  /** For `AWS_ENDPOINT_URL_SCHEDULER`. */
  readonly endpoint: string;
  /** Schedules whose time has not come. */
  readonly pending: number;
  /** Ends the server and forgets every schedule. */
  close(): Promise<void>;
}

/** What the scheduler needs. */
export interface SchedulerOptions {
  readonly accountId: string;
  readonly region: string;
  readonly sqs: SQSClient;
  /** URL of the queue with this ARN; `undefined` if there is none. */
  readonly queueUrlOf: (arn: string) => string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly id: () => string;
  /** Is told of a delivery that failed for good, whether or not there is a dead-letter queue for it. */
  readonly onError: (error: unknown) => void;
}

const createSchedule = v.object({
  GroupName: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-zA-Z\-_.]{1,64}$/)), "default"),
  ScheduleExpression: v.pipe(v.string(), v.regex(/^at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)$/)),
  ScheduleExpressionTimezone: v.optional(v.literal("UTC"), "UTC"),
  FlexibleTimeWindow: v.object({ Mode: v.picklist(["OFF", "FLEXIBLE"]) }),
  ActionAfterCompletion: v.optional(v.picklist(["NONE", "DELETE"]), "NONE"),
  Target: v.object({
    Arn: v.string(),
    RoleArn: v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/)),
    Input: v.optional(v.string(), "{}"),
    RetryPolicy: v.optional(
      v.object({
        MaximumEventAgeInSeconds: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)),
        ),
        MaximumRetryAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(185))),
      }),
    ),
    DeadLetterConfig: v.optional(
      v.object({ Arn: v.pipe(v.string(), v.regex(/^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+$/)) }),
    ),
  }),
});

/** Longest time that a timer of Node can wait. */
const maxTimerMilliseconds = 2 ** 31 - 1;

/** Starts a scheduler on a free port of 127.0.0.1. A time that has passed is delivered at once. */
export async function startScheduler(options: SchedulerOptions): Promise<SchedulerEmulator> {
  // A completed schedule keeps its name unless its action says DELETE.
  const schedules = new Map<string, NodeJS.Timeout>();
  let pending = 0;

  const server = await serveRestJson((request) => {
    const schedule = readSchedule(request, options);
    const { key, name, dueAt, isDeletedAfter } = schedule;
    if (schedules.has(key)) {
      throw new ServiceError(409, "ConflictException", `Schedule ${name} already exists.`);
    }
    const onTime = async () => {
      await deliver(schedule, options);
      pending -= 1;
      if (isDeletedAfter) schedules.delete(key);
    };
    const wait = Math.min(Math.max(dueAt - options.now(), 0), maxTimerMilliseconds);
    pending += 1;
    schedules.set(
      key,
      setTimeout(() => void onTime(), wait),
    );
    const { region, accountId } = options;
    return { status: 200, body: { ScheduleArn: `arn:aws:scheduler:${region}:${accountId}:schedule/${key}` } };
  }, options.id);

  return {
    endpoint: server.endpoint,
    get pending() {
      return pending;
    },
    async close() {
      for (const timer of schedules.values()) clearTimeout(timer);
      await server.close();
    },
  };
}

/** A schedule as it was asked for. */
interface Schedule {
  readonly name: string;
  /** Group and name. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly dueAt: number;
  readonly isDeletedAfter: boolean;
  readonly input: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string | undefined;
}

function readSchedule(
  { method, path, body }: { method: string; path: readonly string[]; body: string },
  { queueUrlOf }: Pick<SchedulerOptions, "queueUrlOf">,
): Schedule {
  const [resource, name] = path;
  if (method !== "POST" || resource !== "schedules" || name === undefined || path.length !== 2) {
    throw new ServiceError(404, "ResourceNotFoundException", "This emulator only creates schedules.");
  }
  if (!/^[0-9a-zA-Z\-_.]{1,64}$/.test(name)) throw invalid("Name");
  const { GroupName, ScheduleExpression, ActionAfterCompletion, Target } = parse(body);
  const queueUrl = queueUrlOf(Target.Arn);
  if (queueUrl === undefined) throw invalid("Target.Arn");
  const deadLetterArn = Target.DeadLetterConfig?.Arn;
  const deadLetterUrl = deadLetterArn === undefined ? undefined : queueUrlOf(deadLetterArn);
  if (deadLetterArn !== undefined && deadLetterUrl === undefined)
    throw invalid("Target.DeadLetterConfig.Arn");
  return {
    name,
    key: `${GroupName}/${name}`,
    dueAt: Date.parse(`${ScheduleExpression.slice(3, -1)}Z`),
    isDeletedAfter: ActionAfterCompletion === "DELETE",
    input: Target.Input,
    queueUrl,
    deadLetterUrl,
  };
}

/** Tries once: the emulator's queue is either there or not. */
async function deliver(
  { input, queueUrl, deadLetterUrl }: Schedule,
  { sqs, onError }: Pick<SchedulerOptions, "sqs" | "onError">,
): Promise<void> {
  const put = async (QueueUrl: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: input }));
  try {
    await put(queueUrl);
  } catch (error) {
    onError(error);
    if (deadLetterUrl !== undefined) await put(deadLetterUrl).catch(onError);
  }
}

function parse(body: string): v.InferOutput<typeof createSchedule> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw invalid("The request body");
  }
  const parsed = v.safeParse(createSchedule, value);
  if (!parsed.success) throw invalid(v.getDotPath(parsed.issues[0]) ?? "The request body");
  return parsed.output;
}

function invalid(what: string): ServiceError {
  return new ServiceError(400, "ValidationException", `${what} is not valid.`);
}
