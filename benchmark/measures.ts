/** The measures: their names, what they are in, and which way is better. Reports, baseline and page read them from here. */

/** What a measure is in, and how far it may be from the baseline before it counts as a regression. */
export const units = {
  /** Counted: the same on every machine. */
  count: { tolerance: 0.02, isMachineBound: false },
  /** Counted or divided, but not the same each time: how many messages a batch at the gate has depends on the moment. */
  about: { tolerance: 0.2, isMachineBound: false },
  /** CPU time: compared after division by the machine's own yardstick. */
  time: { tolerance: 0.4, isMachineBound: true },
  /** Times on the clock: they also wait for whatever else the machine does. */
  clock: { tolerance: 0.8, isMachineBound: true },
} as const;

/** One measure. */
export interface Measure {
  readonly text: string;
  readonly unit: string;
  readonly kind: keyof typeof units;
  readonly better: "lower" | "higher";
}

const count = (text: string, unit: string): Measure => ({ text, unit, kind: "count", better: "lower" });
const about = (text: string, unit: string): Measure => ({ text, unit, kind: "about", better: "lower" });
const time = (text: string, unit: string): Measure => ({ text, unit, kind: "time", better: "lower" });
const rate = (text: string, unit: string): Measure => ({ text, unit, kind: "clock", better: "higher" });

/** Every measure by the name that it has in JSON. */
export const measures = {
  yardstick_ms: time("yardstick: CPU of a fixed piece of JavaScript", "ms"),

  failures_per_second_100: rate("failures a second, one Kinesis lane, batch 100", "1/s"),
  failures_per_second_500: rate("failures a second, one Kinesis lane, batch 500", "1/s"),
  failure_cpu_ms: time("CPU of a failure in the event consumer", "ms"),
  failure_calls: count("AWS calls of a failure", "calls"),
  failure_request_bytes: count("bytes of their requests", "bytes"),
  failure_answer_bytes: count("bytes of their answers", "bytes"),

  retry_cpu_ms: time("CPU of a retry, event consumer and resend worker", "ms"),
  resend_cpu_ms: time("of it the resend worker", "ms"),
  message_write_units: about("write units of a message with three retries", "units"),
  message_read_units: about("read units of it", "units"),
  message_calls: about("AWS calls of it", "calls"),
  message_log_bytes: about("bytes of log of it", "bytes"),

  unknown_success_cpu_us: time("CPU of the success of a message that is not in the table", "µs"),
  unknown_success_read_units: count("read units of it", "units"),
  known_success_cpu_us: time("CPU of the success of a message that is in the table", "µs"),
  known_success_read_units: count("read units of it", "units"),
  known_success_write_units: count("write units of it", "units"),
  in_progress_cpu_us: time("CPU of an event in progress, on Firehose", "µs"),
  in_progress_calls: count("AWS calls of it", "calls"),

  firehose_batch_ms: {
    text: "a Firehose batch of 500 records, one in ten a failure",
    unit: "ms",
    kind: "clock",
    better: "lower",
  },
  growth_100_to_10000: about("CPU of a success in a batch of 10 000 against one of 100", "×"),
  memory_mb: about("resident memory of the event consumer after 500-record batches", "MB"),

  cold_start_consume_kinesis_ms: time("CPU until the first handled call: consume-kinesis", "ms"),
  cold_start_consume_sns_ms: time("CPU until the first handled call: consume-sns", "ms"),
  cold_start_transform_firehose_ms: time("CPU until the first handled call: transform-firehose", "ms"),
  cold_start_resend_ms: time("CPU until the first send has been recorded: resend", "ms"),
  cold_start_produce_ms: time("CPU until the first send has been recorded: produce", "ms"),
  zip_consume_kinesis_kib: count("zip of consume-kinesis", "KiB"),
  zip_consume_sns_kib: count("zip of consume-sns", "KiB"),
  zip_transform_firehose_kib: count("zip of transform-firehose", "KiB"),
  zip_resend_kib: count("zip of resend", "KiB"),
  zip_produce_kib: count("zip of produce", "KiB"),
} as const satisfies Record<string, Measure>;

/** Name of a measure. */
export type MeasureName = keyof typeof measures;

/** Figures of one run, by the measure. */
export type Figures = Partial<Record<MeasureName, number>>;

/** The middle of some figures, and how far they lie apart: largest less smallest, by the middle. */
export interface Summary {
  readonly median: number;
  readonly spread: number;
}

/** The summary of the figures of some runs. */
export function summaryOf(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (at: number) => sorted[Math.floor(at)] ?? 0;
  const median = (middle((sorted.length - 1) / 2) + middle(sorted.length / 2)) / 2;
  const range = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  return { median, spread: median === 0 ? 0 : range / median };
}
