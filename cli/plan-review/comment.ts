/** The review of a plan as the text of a pull request's comment. */
import { configurationSetEffects } from "./configuration-set-effects.ts";
import type { Effect } from "./effects.ts";
import { code, folded } from "./markdown.ts";
import { type Action, changesOf, type Plan, type ResourceChange } from "./plan.ts";
import { streamEffects } from "./stream-effects.ts";
import { type Verdict, verdictEffects } from "./verdict.ts";

/** GitHub's limit of a comment, in characters. */
const commentLimit = 65_536;

/** How many resources that hold nothing are listed; the rest is in the full plan. */
const listLimit = 10;

/** What a comment says. */
export interface Review {
  /** What was planned: name of a stack or of a folder. */
  readonly subject: string;
  readonly plan: Plan;
  /** The plan as `terraform show` prints it, sensitive values hidden. */
  readonly planText: string;
  /** @default - inspect was not asked */
  readonly verdict?: Verdict;
}

/** First line of a comment: by it a later run finds the comment that it replaces. */
export function marker(subject: string): string {
  return `<!-- sms-retry plan of ${subject.replaceAll(/[^\w./-]/g, "_")} -->`;
}

/**
 * The comment, of at most 65,536 characters: first what is destroyed or replaced, then what becomes of the stream of
 * delivery events, then numbers, then the whole plan, folded, as far as there is room.
 */
export function reviewComment({ subject, plan, planText, verdict }: Review): string {
  const parts = [
    marker(subject),
    `## Plan of ${code(subject)}: ${headline(plan)}`,
    lossesPart(plan),
    effectsPart("Your stream of delivery events", streamEffects(plan)),
    effectsPart("The configuration set and its events", configurationSetEffects(plan)),
    verdict === undefined ? "" : effectsPart("Verdict of inspect", verdictEffects(plan, verdict)),
    numbersPart(plan),
  ].filter((part) => part !== "");
  const head = parts.join("\n\n");
  return `${head}\n\n${fullPlan(planText.trim(), commentLimit - head.length - 10)}\n`;
}

/** The comment where there is no plan. */
export function failureComment(subject: string, step: string, output: string): string {
  const head = `${marker(subject)}\n## No plan of ${code(subject)}: ${code(step)} failed`;
  return `${head}\n\n${withinLimit("What it wrote", output.trim(), commentLimit - head.length - 10, "end")}\n`;
}

const verbs: readonly (readonly [Action, string])[] = [
  ["create", "to create"],
  ["update", "to change in place"],
  ["replace", "to replace"],
  ["destroy", "to destroy"],
  ["forget", "to forget"],
];

function headline(plan: Plan): string {
  const actions = changesOf(plan).map(({ action }) => action);
  const counts = verbs.flatMap(([action, verb]) => {
    const count = actions.filter((one) => one === action).length;
    return count === 0 ? [] : [`${count} ${verb}`];
  });
  return counts.length === 0 ? "nothing to do" : counts.join(", ");
}

/** What goes with a resource of a type, and by name with one that holds something else. */
const holdings: Readonly<Record<string, string>> = {
  aws_dynamodb_table: "the body and the state of every message; retries under way end",
  "aws_dynamodb_table.send_gates": "the pauses of its origination identities",
  aws_s3_bucket: "the archive of all events",
  aws_kinesis_stream: "events that nobody has read yet",
  aws_sqs_queue: "retries that wait in it",
  "aws_sqs_queue.sms_events": "events that nobody has read yet",
  "aws_sqs_queue.sms_events_dead_letters": "events that were given up",
  aws_scheduler_schedule_group: "retries that wait in it",
  aws_cloudwatch_log_group: "logs",
};

function holdingOf({ type, name }: ResourceChange): string | undefined {
  return holdings[`${type}.${name}`] ?? holdings[type];
}

function lossesPart(plan: Plan): string {
  const losses = changesOf(plan).filter(({ action }) => action === "destroy" || action === "replace");
  if (losses.length === 0) return "";
  const row = ({ change, action }: (typeof losses)[number]) => {
    const verb = action === "replace" ? `**replaced**${replacedFor(change)}` : "**destroyed**";
    const held = holdingOf(change);
    return `- ${verb}: ${code(change.address)}${held === undefined ? "" : `, and with it ${held}`}`;
  };
  const holding = losses.filter(({ change }) => change.type in holdings).map(row);
  const others = losses.filter(({ change }) => !(change.type in holdings)).map(row);
  const left = others.length - listLimit;
  return [
    `> [!${holding.length > 0 ? "CAUTION" : "IMPORTANT"}]`,
    `> ${holding.length > 0 ? "**Data is lost.**" : "No data is lost."} ${losses.length === 1 ? "One resource is" : `${losses.length} resources are`} destroyed or replaced.`,
    "",
    ...holding,
    ...others.slice(0, listLimit),
    ...(left > 0 ? [`- and ${left} more that hold no data: see the full plan`] : []),
  ].join("\n");
}

function replacedFor({ change: { replace_paths: paths = [] } }: ResourceChange): string {
  return paths.length === 0 ? "" : ` for another ${paths.map((path) => code(path.join("."))).join(", ")}`;
}

function effectsPart(title: string, effects: readonly Effect[]): string {
  if (effects.length === 0) return "";
  const rows = effects.map(({ text, isWarning }) => `- ${isWarning ? "⚠️ " : ""}${text}`);
  return [`### ${title}`, "", ...rows].join("\n");
}

function numbersPart(plan: Plan): string {
  const changes = changesOf(plan);
  const types = [
    ...new Set(changes.filter(({ action }) => action !== "keep").map(({ change }) => change.type)),
  ].sort();
  if (types.length === 0) return "";
  const columns = verbs.filter(([verb]) => changes.some(({ action }) => action === verb));
  const count = (type: string, verb: Action) =>
    changes.filter(({ change, action }) => change.type === type && action === verb).length || "";
  const rows = types.map(
    (type) => `| ${code(type)} | ${columns.map(([verb]) => count(type, verb)).join(" | ")} |`,
  );
  const outputs = Object.values(plan.output_changes ?? {}).filter(({ actions }) => actions[0] !== "no-op");
  return [
    `| Resources | ${columns.map(([verb]) => verb).join(" | ")} |`,
    `|---|${columns.map(() => "--:|").join("")}`,
    ...rows,
    ...(outputs.length === 0 ? [] : ["", `Outputs that change: ${outputs.length}.`]),
  ].join("\n");
}

/** A plan that shows its policies is long, and much of it is blanks: those go first, then what says nothing yet. */
function fullPlan(text: string, room: number): string {
  const narrow = narrowed(text);
  const fitting = [text, narrow].find((plan) => folded("Full plan", plan).length <= room);
  if (fitting !== undefined) return folded("Full plan", fitting);
  return withinLimit(
    "Full plan, without what is known only after apply",
    withoutUnknown(narrow),
    room,
    "beginning",
  );
}

/** The text without the attributes of which it says that nobody knows them before the apply, and nothing else. */
function withoutUnknown(text: string): string {
  return text.replaceAll(/^ *[+~] \S+ = \(known after apply\)\n/gm, "");
}

/** The text with a quarter of its indentation, and without what aligns its equals signs. */
function narrowed(text: string): string {
  return text
    .replaceAll(/^ {4,}/gm, (blanks) => " ".repeat(Math.ceil(blanks.length / 4)))
    .replaceAll(/(\S) {2,}= /g, "$1 = ");
}

/** The text folded, with as many whole lines of its beginning or its end as there is room for. */
function withinLimit(summary: string, text: string, room: number, kept: "beginning" | "end"): string {
  const whole = folded(summary, text);
  if (whole.length <= room) return whole;
  const note = `Shortened: the ${kept} of it; the log of this run has the rest`;
  const space = room - folded(`${summary} (${note})`, "").length - 20;
  const lines = text.split("\n");
  if (kept === "end") lines.reverse();
  const chosen: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > space) break;
    chosen.push(line);
  }
  if (kept === "end") chosen.reverse();
  return folded(`${summary} (${note})`, chosen.join("\n"));
}
