/**
 * When CloudWatch's alarms of a synthesised stack go off, by the minute, over metrics that a test gives.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */

interface Metric {
  readonly namespace: string;
  readonly metric_name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** An alarm as a stack has it. */
export interface StackAlarm extends Partial<Metric> {
  readonly threshold: number | string;
  readonly comparison_operator: "GreaterThanThreshold" | "LessThanThreshold";
  readonly treat_missing_data: "notBreaching" | "ignore";
  readonly evaluation_periods: number;
  readonly statistic?: "Sum" | "Maximum" | "Minimum";
  readonly period?: number;
  readonly metric_query?: readonly {
    readonly id: string;
    readonly expression?: string;
    readonly period?: number;
    readonly metric?: Metric & { readonly stat: "Sum"; readonly period: number };
  }[];
}

/** What the metrics say in one minute; what is not there, they do not say. */
export type Minute = Readonly<Record<string, number>>;

/** The name of a metric in a {@link Minute}: its own, and whose it is. */
export function metricKey({ metric_name, dimensions }: Pick<Metric, "metric_name" | "dimensions">): string {
  return `${metric_name} of ${Object.values(dimensions).join(" ")}`;
}

/** The threshold that holds where no input sets another. */
function thresholdOf({ threshold }: StackAlarm): number {
  const [, own] = /, ([\d.]+)\)\}$/.exec(String(threshold)) ?? [];
  return Number(own ?? threshold);
}

const statistics = {
  Sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values: readonly number[]) => Math.max(...values),
  Minimum: (values: readonly number[]) => Math.min(...values),
};

/** The functions of metric math that the stacks use. */
const mathFunctions = {
  FILL: (value: number | undefined, instead: number) => value ?? instead,
  IF: (condition: boolean, one: number, other: number) => (condition ? one : other),
  MAX: (all: readonly number[]) => Math.max(...all),
};

/** Metric math, as far as the stacks use it, as a function of its metrics. */
function compiled(expression: string, names: readonly string[]): (...values: unknown[]) => number {
  // What Terraform fills in is the capacity of a table for five minutes, by one unit a second.
  const script = expression.replaceAll(/\$\{[^}]*\}/g, "300").replaceAll(/\bAND\b/g, "&&");
  const math = new Function(...Object.keys(mathFunctions), ...names, `return ${script};`);
  return (...values) => Number(math(...Object.values(mathFunctions), ...values));
}

/** What an alarm looks at in one period that ends with a minute; `undefined` where its metrics say nothing. */
function lookOf(alarm: StackAlarm, minutes: readonly Minute[]): (end: number) => number | undefined {
  const within = (metric: Metric, seconds: number, stat: keyof typeof statistics) => {
    const said = minutes.map((minute) => minute[metricKey(metric)]);
    return (end: number): number | undefined => {
      const values = said.slice(Math.max(0, end - seconds / 60), end).filter((value) => value !== undefined);
      return values.length === 0 ? undefined : statistics[stat](values);
    };
  };
  const { metric_query, statistic, period = 0 } = alarm;
  if (metric_query === undefined) return within(alarm as Metric, period, statistic ?? "Sum");
  const sums = metric_query.flatMap(({ id, metric }) =>
    metric === undefined ? [] : [{ id, sum: within(metric, metric.period, metric.stat) }],
  );
  const { expression = "" } = metric_query.find((query) => query.expression !== undefined) ?? {};
  const verdict = compiled(
    expression,
    sums.map(({ id }) => id),
  );
  return (end) => verdict(...sums.map(({ sum }) => sum(end)));
}

/** How long a period of an alarm is, in minutes. */
function minutesOf({ period, metric_query = [] }: StackAlarm): number {
  return (period ?? metric_query.find(({ expression }) => expression !== undefined)?.period ?? 0) / 60;
}

/** Whether an alarm sounds at the end of each minute. */
export function soundsAt(alarm: StackAlarm, minutes: readonly Minute[]): readonly boolean[] {
  const seenBy = lookOf(alarm, minutes);
  let sounds = false;
  return minutes.map((_, index) => {
    const values = Array.from({ length: alarm.evaluation_periods }, (_, back) =>
      seenBy(index + 1 - back * minutesOf(alarm)),
    );
    const isBeyond = (value: number | undefined) =>
      value !== undefined &&
      (alarm.comparison_operator === "GreaterThanThreshold"
        ? value > thresholdOf(alarm)
        : value < thresholdOf(alarm));
    const isSilent = values.every((value) => value === undefined);
    if (!(isSilent && alarm.treat_missing_data === "ignore")) sounds = values.every(isBeyond);
    return sounds;
  });
}
