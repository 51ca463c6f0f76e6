/** The alarms of a deployment: how each is made, whom it notifies and what an operator may set of it. */
import type { FunctionName } from "../../functions/contract/environment.ts";
import type { MetricName } from "../../functions/core/observability/telemetry.ts";
import { CloudwatchMetricAlarm, type CloudwatchMetricAlarmConfig, Construct, Lazy, Token } from "../cdktf.ts";
import { Input } from "../inputs/input.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { Check } from "./check.ts";

/** Who is to hear of an alarm: somebody now, or somebody on the next working day. */
export type Severity = "page" | "ticket";

/** What every alarm says. */
interface Alarm {
  /** Sentence for the person who is told. */
  readonly description: string;
  readonly severity: Severity;
  /**
   * What it means that the metric says nothing: that all is well, or that all is as it was.
   * @default "well": what counts trouble is silent where there is none
   */
  readonly silence?: "well" | "as before";
}

/** One metric, and the value that is too much or too little. */
export type Watch = Alarm & {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum" | "Minimum";
  /**
   * Minutes that are looked at together.
   * @default 5
   */
  readonly periodMinutes?: number;
} & (
    | {
        /** The alarm fires above this value; an operator may set another. */
        readonly above: number;
      }
    | {
        /** The alarm fires below this value; an operator may set another. */
        readonly below: number;
      }
  );

/** One metric among several. */
export interface CountedMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Several metrics that only together say that something is wrong. */
export interface WatchTogether extends Alarm {
  /** Minutes that are looked at together. */
  readonly periodMinutes: number;
  /** The sums of metrics, by the names that they have in the expression. */
  readonly sums: Readonly<Record<string, CountedMetric>>;
  /** Metric math. */
  readonly expression: string;
  /**
   * The alarm fires above this value; an operator may set another.
   * @default - above 0, and nothing else: the expression says yes or no
   */
  readonly above?: number;
  /**
   * How many periods in a row.
   * @default 1
   */
  readonly periods?: number;
  /**
   * HCL of whether there is such an alarm; its address then ends with an index.
   * @default - there is
   */
  readonly onCondition?: string;
}

/**
 * Makes alarms, `aws_cloudwatch_metric_alarm.<name>`. They notify by their severity, also when the trouble is over. The
 * input `alarms` changes single ones, by the names that there are.
 */
export class Alarms extends Construct {
  /** Namespace of the functions' own metrics. */
  readonly namespace: string;
  readonly #inputs: SharedInputs;
  readonly #names: string[] = [];
  readonly #withThreshold: string[] = [];
  readonly #settings: Input;

  constructor(scope: Construct, inputs: SharedInputs) {
    super(scope, "alarms");
    this.#inputs = inputs;
    this.namespace = inputs.namePrefix.text;
    this.#settings = this.#settingsInput();
    this.#somebodyIsTold();
  }

  #somebodyIsTold(): void {
    new Check(this, "alarm_topic", {
      assertions: [
        {
          condition: `${this.#inputs.alarmTopicArn.hcl} != null`,
          message:
            '"The alarms notify nobody, because alarm_topic_arn is null; give it the ARN of an SNS topic that somebody reads."',
        },
      ],
    });
  }

  #settingsInput(): Input {
    const settings = "values(var.alarms)";
    const withThreshold = `{ for name, alarm in var.alarms : name => alarm if alarm.threshold != null }`;
    return new Input(this, "alarms", {
      type: "map(object({ severity = optional(string), threshold = optional(number) }))",
      description:
        "Other severities and thresholds of single alarms, by the names, and in the units, of docs/alarms.md. Severity " +
        "page notifies alarm_topic_arn, ticket notifies ticket_topic_arn, none notifies nobody. A threshold is a number " +
        "of at least 0, beyond which the alarm fires.",
      default: {},
      validation: {
        condition:
          `${noKeysBut("var.alarms", this.#names)} && ${noKeysBut(withThreshold, this.#withThreshold)} && ` +
          `alltrue([for alarm in ${settings} : alarm.severity == null ? true : contains(["page", "ticket", "none"], alarm.severity)]) && ` +
          `alltrue([for alarm in ${settings} : alarm.threshold == null ? true : alarm.threshold >= 0])`,
        message:
          "The input alarms must be a map of names of alarms, as in docs/alarms.md, to severities (page, ticket or none) and to thresholds of at least 0 where that page has one.",
      },
    });
  }

  /** Adds an alarm that fires as soon as a function counts something that should not happen. */
  watchOwnMetric(
    name: string,
    metric: MetricName,
    service: FunctionName,
    { severity, description }: Pick<Watch, "severity" | "description">,
  ): void {
    this.watch(name, {
      severity,
      description,
      ...this.ownMetric(metric, service),
      statistic: "Sum",
      above: 0,
    });
  }

  /** A metric that a function counts. */
  ownMetric(metric: MetricName, service: FunctionName): CountedMetric {
    return { namespace: this.namespace, metric, dimensions: { service } };
  }

  /** Adds an alarm on one metric. */
  watch(name: string, watch: Watch): void {
    this.#alarm(name, watch, {
      namespace: watch.namespace,
      metricName: watch.metric,
      dimensions: watch.dimensions,
      statistic: watch.statistic,
      period: (watch.periodMinutes ?? 5) * 60,
      ...("above" in watch
        ? { comparisonOperator: "GreaterThanThreshold", threshold: this.#thresholdOf(name, watch.above) }
        : { comparisonOperator: "LessThanThreshold", threshold: this.#thresholdOf(name, watch.below) }),
    });
  }

  /** Adds an alarm on metric math over several metrics. */
  watchTogether(name: string, watch: WatchTogether): void {
    const { periodMinutes, sums, expression, above, periods = 1, onCondition } = watch;
    const period = periodMinutes * 60;
    this.#alarm(name, watch, {
      ...(onCondition !== undefined && { count: Token.asNumber(`\${${onCondition} ? 1 : 0}`) }),
      metricQuery: [
        // With a period of its own: CloudWatch takes the expression's from the metrics otherwise, which may all be silent.
        { id: "verdict", label: name.replaceAll("_", " "), expression, period, returnData: true },
        ...Object.entries(sums).map(([id, { namespace, metric: metricName, dimensions }]) => ({
          id,
          metric: { namespace, metricName, dimensions, stat: "Sum", period },
        })),
      ],
      evaluationPeriods: periods,
      comparisonOperator: "GreaterThanThreshold",
      threshold: above === undefined ? 0 : this.#thresholdOf(name, above),
    });
  }

  /** HCL of what an operator has set of an alarm, or null. */
  #settingOf(name: string, what: "severity" | "threshold"): string {
    return `try(${this.#settings.hcl}["${name}"].${what}, null)`;
  }

  #thresholdOf(name: string, own: number): number {
    this.#withThreshold.push(name);
    return Token.asNumber(`\${coalesce(${this.#settingOf(name, "threshold")}, ${own})}`);
  }

  #alarm(
    name: string,
    { description, severity, silence = "well" }: Alarm,
    config: Partial<CloudwatchMetricAlarmConfig> & Pick<CloudwatchMetricAlarmConfig, "comparisonOperator">,
  ): void {
    this.#names.push(name);
    const actions = this.#actionsOf(name, severity);
    new CloudwatchMetricAlarm(this, `aws_cloudwatch_metric_alarm.${name}`, {
      alarmName: `${this.#inputs.namePrefix.text}-${name.replaceAll("_", "-")}`,
      alarmDescription: description,
      evaluationPeriods: 1,
      treatMissingData: silence === "well" ? "notBreaching" : "ignore",
      alarmActions: actions,
      okActions: actions,
      ...config,
    });
  }

  /** The topic of a severity, as a list; none where no topic was given, or where the severity is none. */
  #actionsOf(name: string, severity: Severity): string[] {
    const { alarmTopicArn, ticketTopicArn } = this.#inputs;
    const pages = alarmTopicArn.hcl;
    const tickets = `(${ticketTopicArn.hcl} == null ? ${pages} : ${ticketTopicArn.hcl})`;
    const topics = `{ page = ${pages}, ticket = ${tickets}, none = null }`;
    // compact() drops a null.
    return Token.asList(
      `\${compact([${topics}[coalesce(${this.#settingOf(name, "severity")}, "${severity}")]])}`,
    );
  }
}

/** HCL of whether a map has no keys but these; the names are read when all alarms are there. */
function noKeysBut(map: string, names: readonly string[]): string {
  const known = Lazy.stringValue({ produce: () => names.map((name) => `"${name}"`).join(", ") });
  return `length(setsubtract(keys(${map}), [${known}])) == 0`;
}
