/** `docs/alarms.md`: the alarms of every stack, with what an operator may change of each. */
import { code, type StacksByName, type SynthesisedStack, table } from "./inputs-and-outputs.ts";

/** An alarm as the stacks have it. */
interface StackAlarm {
  readonly alarm_actions: string;
  readonly threshold: number | string;
  readonly comparison_operator: string;
  readonly treat_missing_data: string;
  readonly evaluation_periods: number;
  readonly period?: number;
  readonly statistic?: string;
  readonly metric_name?: string;
  readonly metric_query?: readonly { readonly id: string; readonly period?: number }[];
}

/**
 * The page as Markdown: a row for each alarm, by name.
 *
 * @throws Error if an alarm of the stacks is not made like the others
 */
export function alarmsPage(stacks: StacksByName): string {
  const alarms = new Map<string, { readonly alarm: StackAlarm; readonly stacks: string[] }>();
  for (const [stack, synthesised] of stacks)
    for (const [name, alarm] of Object.entries(alarmsOf(synthesised))) {
      const known = alarms.get(name);
      if (known === undefined) alarms.set(name, { alarm, stacks: [stack] });
      else known.stacks.push(stack);
    }
  const rows = [...alarms]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { alarm, stacks: its }]) => [
      code(name),
      severityOf(name, alarm),
      thresholdOf(name, alarm),
      minutesOf(alarm),
      alarm.treat_missing_data === "ignore" ? "as before" : "well",
      its.length === stacks.size ? "all" : its.map((stack) => stack.replace("sms-retry-", "")).join(", "),
    ]);
  return `# Alarms

<!-- Written by \`npm run docs\` from the stacks. Change the alarms there, not this page. -->

What each alarm means and what to do about it is in [operations.md](operations.md#alarms); which one a fault raises, and
when, [too](operations.md#which-alarm-a-fault-raises). In AWS an alarm is called after \`name_prefix\` and its name here with
hyphens.

* **Severity**: \`page\` notifies \`alarm_topic_arn\`, \`ticket\` notifies \`ticket_topic_arn\`, or the former where that is not
  given. The input [\`alarms\`](inputs.md#input_alarms) sets another for single alarms, or \`none\`.
* **Fires**: beyond a threshold, which the same input sets; those with a dash say yes or no.
* **After**: the time that is looked at. CloudWatch looks every minute.
* **Silence**: what it means that the metric says nothing. What counts trouble is silent where there is none; of a queue SQS
  says nothing where nobody has used it for six hours, whatever lies in it.

${table(["Alarm", "Severity", "Fires", "After", "Silence", "Stacks"], rows)}
`;
}

function alarmsOf({ resource }: SynthesisedStack): Readonly<Record<string, StackAlarm>> {
  return (resource?.aws_cloudwatch_metric_alarm ?? {}) as Readonly<Record<string, StackAlarm>>;
}

function severityOf(name: string, { alarm_actions }: StackAlarm): string {
  const [, severity] = /coalesce\(try\([^)]*\), "(\w+)"\)/.exec(alarm_actions) ?? [];
  if (severity === undefined)
    throw new Error(`The alarm ${name} has no severity; make it as stacks/shared/alarms.ts does.`);
  return severity;
}

function thresholdOf(name: string, { threshold, comparison_operator, ...alarm }: StackAlarm): string {
  if (threshold === 0) return "–";
  const metric =
    alarm.metric_name === undefined ? "a sum or share" : `${alarm.statistic} of \`${alarm.metric_name}\``;
  const [, own] = /coalesce\(try\([^)]*\), ([\d.]+)\)/.exec(String(threshold)) ?? [];
  if (own === undefined)
    throw new Error(`The alarm ${name} has no threshold to set; make it as stacks/shared/alarms.ts does.`);
  return `${metric} ${comparison_operator === "LessThanThreshold" ? "below" : "above"} ${Number(own).toLocaleString("en")}`;
}

function minutesOf({ period, metric_query = [], evaluation_periods }: StackAlarm): string {
  const seconds = period ?? metric_query.find(({ id }) => id === "verdict")?.period ?? 0;
  return evaluation_periods === 1 ? `${seconds / 60} min` : `${evaluation_periods} × ${seconds / 60} min`;
}
