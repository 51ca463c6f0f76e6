/** Which alarm a fault raises, and after how many minutes: no part of a deployment fails in silence. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FunctionName } from "../../functions/contract/environment.ts";
import { reportEvent, reportRecord, reportRetryMessage } from "../../functions/core/observability/reports.ts";
import type { Telemetry } from "../../functions/core/observability/telemetry.ts";
import type { StackName } from "../../stacks/app.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { type Minute, metricKey, type StackAlarm, soundsAt } from "./alarm-evaluation.ts";
import { resourcesOf, synthesiseAll } from "./synthesised.ts";

const stacks = synthesiseAll();

/** The alarms of a stack by name. */
const alarmsOf = (name: StackName) =>
  Object.fromEntries(resourcesOf(stacks[name], "aws_cloudwatch_metric_alarm")) as unknown as Readonly<
    Record<string, StackAlarm>
  >;

/** Every metric that an alarm of a stack looks at. */
function metricsOf(name: StackName): readonly string[] {
  return Object.values(alarmsOf(name)).flatMap((alarm) =>
    alarm.metric_query === undefined
      ? [metricKey(alarm as Parameters<typeof metricKey>[0])]
      : alarm.metric_query.flatMap(({ metric }) => (metric === undefined ? [] : [metricKey(metric)])),
  );
}

/** What AWS, or a function, counts in a minute: name of a metric and a part of what it is of, to its value. */
type Counts = Readonly<Record<string, number>>;

const metrics = Object.fromEntries(
  (Object.keys(stacks) as StackName[]).map((name) => [name, [...new Set(metricsOf(name))]]),
);

function minuteOf(stack: StackName, counts: Counts): Minute {
  const known = metrics[stack] ?? [];
  return Object.fromEntries(
    Object.entries(counts).flatMap(([given, value]) => {
      const [metric = "", of = ""] = given.split(" of ");
      const found = known.filter((key) => key.startsWith(`${metric} of `) && key.includes(of));
      return found.map((key) => [key, value] as const);
    }),
  );
}

/** What a function counts when it reports this. */
function counted(service: FunctionName, report: (telemetry: Telemetry) => void, times = 1): Counts {
  const telemetry = recordedTelemetry();
  for (let number = 0; number < times; number += 1) report(telemetry);
  return Object.fromEntries(
    Object.entries(telemetry.counts).map(([metric, count]) => [`${metric} of ${service}`, count]),
  );
}

const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;
const retry = (result: Parameters<typeof reportRetryMessage>[1], times = 1) =>
  counted("resend", (telemetry) => reportRetryMessage(retryMessage, result, telemetry), times);
const event = (service: FunctionName, result: Parameters<typeof reportEvent>[0], times = 1) =>
  counted(service, (telemetry) => reportEvent(result, telemetry), times);

/** A minute in which all is well, of whatever stack. */
const well: Counts = {
  ...retry({ outcome: "sent", reason: "due", service: "end-user-messaging" }, 3),
  ...Object.assign(
    {},
    ...(["consume-kinesis", "consume-sns", "transform-firehose"] as const).map((service) =>
      event(service, { outcome: "retry-scheduled", reason: "retryable" as never }, 3),
    ),
  ),
  "Produced of produce": 10,
  "EndUserMessagingEvent of transform-firehose": 10,
  IncomingRecords: 100,
  PolledEventCount: 8,
  "DataReadFromKinesisStream.Records": 100,
  NumberOfMessagesPublished: 100,
  Invocations: 5,
  Duration: 300,
  IteratorAge: 2_000,
  KinesisMillisBehindLatest: 1_000,
  "DeliveryToS3.DataFreshness": 300,
  "ExecuteProcessing.Success": 1,
  ApproximateAgeOfOldestMessage: 20,
  ApproximateNumberOfMessagesVisible: 0,
  // Of one provisioned unit a second.
  ConsumedReadCapacityUnits: 30,
  ConsumedWriteCapacityUnits: 30,
};

interface Fault {
  readonly fault: string;
  readonly stack: StackName;
  /** What the metrics say while it lasts, by the minute of the fault; NaN = nothing. */
  readonly counts: (minute: number) => Counts;
}

const silent = Number.NaN;
const noSends: Counts = {
  "RetrySent of resend": silent,
  "EndUserMessagingSent of resend": silent,
};
const kinesis = "sms-retry-kinesis";
const firehose = "sms-retry-firehose";
const v2 = "sms-retry-end-user-messaging";

/** From when on a retry is late that was due when the fault began. */
const lateFrom = (minute: number, reason: string) =>
  retry({ outcome: "not-due", reason, isLate: 60 * minute > 1_800 });

const faults: readonly Fault[] = [
  {
    fault: "the account has reached its spend limit: every send is refused",
    stack: kinesis,
    counts: () => ({
      ...noSends,
      ...retry({ outcome: "deferred", reason: "spend-limit", blocks: "all" }, 3),
    }),
  },
  {
    fault: "the service does not know the origination identity for a country",
    stack: v2,
    counts: () => retry({ outcome: "deferred", reason: "identity-not-allowed:X", blocks: "some" }),
  },
  {
    fault: "the SMS service is out of reach: the gate closes",
    stack: kinesis,
    counts: (minute) => ({
      ...noSends,
      ...retry({ outcome: "unconfirmed", reason: "no-answer" }),
      ...lateFrom(minute, "breaker-closed"),
    }),
  },
  {
    fault: "somebody pauses the sends without an end",
    stack: kinesis,
    counts: (minute) => ({
      ...noSends,
      ...retry({ outcome: "not-due", reason: "paused", remindsOfPause: true, isLate: 60 * minute > 1_800 }),
    }),
  },
  {
    fault: "more is due than the ceiling lets through",
    stack: kinesis,
    counts: (minute) => ({ ...lateFrom(minute, "no-capacity") }),
  },
  {
    fault: "the answers of one send in a minute are lost",
    stack: kinesis,
    counts: () => retry({ outcome: "sent-again", reason: "outcome-unknown" }),
  },
  {
    fault: "failures come so late that their messages are useless",
    stack: kinesis,
    counts: () => event("consume-kinesis", { outcome: "expired", reason: "deadline" as never }, 4),
  },
  {
    fault: "the table is throttled",
    stack: kinesis,
    counts: () => ({ WriteThrottleEvents: 40, ReadThrottleEvents: 3 }),
  },
  {
    fault: "nine tenths of the table's provisioned write units are used",
    stack: kinesis,
    counts: () => ({ ConsumedWriteCapacityUnits: 54 }),
  },
  {
    fault: "the retry queue's event source mapping is disabled",
    stack: kinesis,
    counts: (minute) => ({
      ...noSends,
      "ApproximateAgeOfOldestMessage of aws_sqs_queue.retry.": 60 * minute,
    }),
  },
  {
    fault: "the worker fails at every batch",
    stack: kinesis,
    counts: () => ({ ...noSends, "Errors of lambda_function.resend.": 2 }),
  },
  {
    fault: "the producer fails",
    stack: kinesis,
    counts: () => ({ "Errors of lambda_function.produce.": 1 }),
  },
  {
    fault: "the account has no concurrency left",
    stack: kinesis,
    counts: () => ({ Throttles: 9 }),
  },
  {
    fault: "a retry message cannot be handled, and is given up after hours",
    stack: kinesis,
    counts: (minute) => ({
      "RetryMessageFailed of resend": 1,
      // The queue that nobody uses is silent some time later, whatever lies in it.
      "ApproximateNumberOfMessagesVisible of retry_dead_letter": minute < 20 ? 0 : minute < 40 ? 1 : silent,
    }),
  },
  {
    fault: "Scheduler's role may not write to the queue",
    stack: kinesis,
    counts: (minute) => ({ TargetErrorCount: 1, InvocationDroppedCount: minute < 30 ? 0 : 1 }),
  },
  {
    fault: "the application writes its items too late, or not at all",
    stack: kinesis,
    counts: () => ({
      ...event("consume-kinesis", { outcome: "orphaned", reason: "no-item" }),
      ...event("resend", { outcome: "orphaned", reason: "no-item" }),
    }),
  },
  {
    fault: "the application writes an attribute of a wrong type, and a status of its own",
    stack: kinesis,
    counts: () => ({
      ...event("consume-kinesis", { outcome: "item-unreadable", reason: "unreadable-item" }),
      ...event("consume-kinesis", { outcome: "item-status-unknown", reason: "unknown-item-status" }),
    }),
  },
  {
    fault: "somebody else writes what is no event to the stream",
    stack: kinesis,
    counts: () =>
      counted("consume-kinesis", (telemetry) =>
        reportRecord({ id: "r", position: 0, result: "malformed", isReadable: false }, telemetry),
      ),
  },
  {
    fault: "the consumer's event source mapping is disabled",
    stack: kinesis,
    counts: () => ({ PolledEventCount: silent, IteratorAge: silent, "RetryScheduled of consume": silent }),
  },
  {
    fault: "the consumer cannot keep up with a shard",
    stack: kinesis,
    counts: (minute) => ({ IteratorAge: 30_000 * minute }),
  },
  {
    fault: "the consumer fails at every batch, for hours",
    stack: kinesis,
    counts: (minute) => ({
      "Errors of consume_kinesis": 3,
      IteratorAge: 60_000 * minute,
      OnFailureDestinationDeliveredEventCount: minute < 40 ? 0 : 10,
      DroppedEventCount: minute < 50 ? 0 : 10,
    }),
  },
  {
    fault: "the archive's role may not read the stream any more",
    stack: kinesis,
    counts: () => ({
      "DataReadFromKinesisStream.Records": silent,
      KinesisMillisBehindLatest: silent,
      "DeliveryToS3.DataFreshness": silent,
    }),
  },
  {
    fault: "the archive reads more slowly than events come",
    stack: kinesis,
    counts: (minute) => ({ KinesisMillisBehindLatest: 50_000 * minute }),
  },
  {
    fault: "the archive may not write to its bucket",
    stack: kinesis,
    counts: (minute) => ({ "DeliveryToS3.DataFreshness": 60 * minute }),
  },
  {
    fault: "an apply of the stream's owner takes the transformation off",
    stack: firehose,
    counts: () => ({ Invocations: silent, "ExecuteProcessing.Success": silent, Duration: silent }),
  },
  {
    fault: "Firehose may not invoke the transformation",
    stack: firehose,
    counts: () => ({ Invocations: silent, "ExecuteProcessing.Success": 0, Duration: silent }),
  },
  {
    fault: "the transformation fails, is throttled, or takes a minute",
    stack: firehose,
    counts: () => ({
      "Errors of transform_firehose": 1,
      "Throttles of transform_firehose": 1,
      Duration: 59_000,
    }),
  },
  {
    fault: "the table is out of reach for the transformation",
    stack: firehose,
    counts: () => ({
      ...counted("transform-firehose", (telemetry) =>
        reportRecord({ id: "r", position: 0, result: "failed", isReadable: true }, telemetry),
      ),
      ...event("transform-firehose", { outcome: "orphaned", reason: "no-item" }),
    }),
  },
  {
    fault: "an apply gives the transformation a setting that is wrong",
    stack: firehose,
    counts: () => ({ "SettingsInvalid of transform-firehose": 1 }),
  },
  {
    fault: "the configuration set does not send to the stream",
    stack: firehose,
    counts: () => ({ "EndUserMessagingEvent of transform-firehose": silent }),
  },
  {
    fault: "the configuration set has lost its event destinations",
    stack: v2,
    counts: () => ({ NumberOfMessagesPublished: silent, IncomingRecords: silent }),
  },
  {
    fault: "the topic may not write to the queue of events",
    stack: v2,
    counts: (minute) => ({
      NumberOfNotificationsFailed: 20,
      "ApproximateNumberOfMessagesVisible of sms_events_dead": minute < 45 ? 0 : 20,
    }),
  },
  {
    fault: "the consumer of the topic fails, is throttled and falls behind",
    stack: v2,
    counts: (minute) => ({
      "Errors of consume_sns": 2,
      "Throttles of consume_sns": 2,
      "ApproximateAgeOfOldestMessage of sms_events.": 60 * minute,
      ...event("consume-sns", { outcome: "orphaned", reason: "no-item" }),
    }),
  },
  {
    fault: "more events come at once than the archive takes",
    stack: v2,
    counts: () => ({ ThrottledRecords: 100 }),
  },
];

/** Minutes before a fault, of it and after it. */
const [before, during, after] = [70, 75, 70];

/** When each alarm of a stack sounds, over some hours with these counts in the middle. */
function soundsIn({ stack, counts }: Pick<Fault, "stack" | "counts">) {
  const usual = minuteOf(stack, well);
  const minutes = Array.from({ length: before + during + after }, (_, minute): Minute => {
    const isIn = minute >= before && minute < before + during;
    const said = isIn ? { ...usual, ...minuteOf(stack, counts(minute - before)) } : usual;
    return Object.fromEntries(Object.entries(said).filter(([, value]) => !Number.isNaN(value)));
  });
  return Object.entries(alarmsOf(stack)).map(([name, alarm]) => [name, soundsAt(alarm, minutes)] as const);
}

const played = new Map(faults.map((fault) => [fault, soundsIn(fault)]));

/** The alarms of a fault, each with the minute of the fault in which it sounds first. */
function raisedBy(fault: Fault): readonly (readonly [alarm: string, minutes: number])[] {
  return (played.get(fault) ?? [])
    .filter(([, sounds]) => sounds.includes(true))
    .map(([name, sounds]) => [name, sounds.indexOf(true) - before + 1] as const)
    .sort(([one, at], [other, later]) => at - later || (one < other ? -1 : 1));
}

test.each(Object.keys(stacks) as StackName[])("nothing sounds in %s while all is well", (stack) => {
  const sounding = soundsIn({ stack, counts: () => ({}) }).filter(([, at]) => at.includes(true));
  expect(sounding.map(([name]) => name)).toEqual([]);
});

test.each(faults)("$fault: an alarm says so, and stops when it is over", (fault) => {
  expect(raisedBy(fault).length).toBeGreaterThan(0);
  expect(played.get(fault)?.filter(([, sounds]) => sounds.at(-1))).toEqual([]);
});

test("every alarm of every stack is raised by some fault", () => {
  const all = new Set((Object.keys(stacks) as StackName[]).flatMap((stack) => Object.keys(alarmsOf(stack))));
  const raised = new Set(faults.flatMap((fault) => raisedBy(fault).map(([name]) => name)));
  expect([...all].filter((name) => !raised.has(name))).toEqual([]);
});

test("docs/operations.md says which alarm a fault raises, and when", () => {
  const rows = faults.map(
    (fault) =>
      `| ${fault.fault} | ${raisedBy(fault)
        .map(([alarm, minutes]) => `\`${alarm}\` ${minutes}`)
        .join(", ")} |`,
  );
  const page = readFileSync(join(__dirname, "../../docs/operations.md"), "utf8");
  const [, section = ""] = page.split("\n## Which alarm a fault raises\n");
  expect(section.split("\n").filter((line) => line.startsWith("| "))).toEqual(
    expect.arrayContaining(["| fault | alarms, and the minute of the fault in which they sound |", ...rows]),
  );
});

describe("the input alarms", () => {
  test.each(Object.keys(stacks) as StackName[])(
    "of %s knows its alarms, and those with a threshold",
    (stack) => {
      const [{ condition = "" } = {}] = stacks[stack].variable.alarms?.validation ?? [];
      const lists = [...condition.matchAll(/\), \[("[^\]]*")\]\)\) == 0/g)].map(([, names = ""]) =>
        names.split(", ").map((name) => JSON.parse(name)),
      );
      const alarms = Object.entries(alarmsOf(stack));
      expect(lists).toEqual(
        [
          alarms.map(([name]) => name),
          alarms.flatMap(([name, { threshold }]) => (threshold === 0 ? [] : [name])),
        ].map((names) => expect.arrayContaining(names)),
      );
      expect(lists.map((list) => list.length)).toEqual([
        alarms.length,
        alarms.filter(([, { threshold }]) => threshold !== 0).length,
      ]);
    },
  );
});
