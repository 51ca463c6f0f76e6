/** What `sms-retry inspect` says of the account, and where a plan and the account do not agree. */
import { type Account, callersAccount } from "../inspect/account.ts";
import { defaultNamePrefix, type Inspection, type Subject } from "../inspect/findings.ts";
import { inspect } from "../inspect/inspection.ts";
import { UserError } from "../user-error.ts";
import { configurationSetOf } from "./configuration-set-effects.ts";
import { type Effect, harmless, warning } from "./effects.ts";
import { code, plain } from "./markdown.ts";
import { actionOf, attribute, find, type Plan } from "./plan.ts";
import { streamOf } from "./stream-effects.ts";

/** The answer, or the sentence that says why there is none. */
export type Verdict = { readonly inspection: Inspection } | { readonly reason: string };

/** Asks the account of the caller's credentials; a missing right or a wrong id is a reason, not an error. */
export async function verdictOn(
  plan: Plan,
  account: () => Promise<Account> = callersAccount,
): Promise<Verdict> {
  const subject = subjectOf(plan);
  if (subject === undefined)
    return {
      reason:
        "The plan does not say which Pinpoint project, Firehose stream or configuration set it is about.",
    };
  try {
    return { inspection: await inspect(await account(), subject, namePrefixOf(plan)) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { reason: error.message };
  }
}

/** The verdict as sentences in Markdown, contradictions between plan and account first. */
export function verdictEffects(plan: Plan, verdict: Verdict): Effect[] {
  if ("reason" in verdict) return [harmless(`Not known: ${plain(verdict.reason)}`)];
  const { inspection } = verdict;
  const { stack, stack_reason: reason, transformation, warnings, notes } = inspection;
  return [
    ...contradictions(plan, inspection).map(warning),
    ...foundEffects(inspection),
    harmless(`Stack that fits: ${code(stack)}. ${plain(reason)}`),
    ...(transformation === null ? [] : [harmless(plain(transformation.text))]),
    ...warnings.map((text) => warning(plain(text))),
    ...notes.map((note) => harmless(plain(note))),
  ];
}

function foundEffects({
  event_stream: stream,
  configuration_sets: sets,
  origination_identities: identities,
}: Inspection): Effect[] {
  if (sets === null)
    return [
      harmless(
        stream === null
          ? "The delivery events go nowhere today."
          : `The delivery events go to the ${stream.kind === "kinesis" ? "Kinesis" : "Firehose"} stream ${code(stream.name)} today.`,
      ),
    ];
  const names = sets.map(({ name }) => code(name)).join(", ");
  const usable = identities?.filter(({ usable: isUsable }) => isUsable).length ?? 0;
  return [
    harmless(names === "" ? "There is no configuration set today." : `Configuration sets today: ${names}.`),
    ...(identities === null
      ? []
      : [harmless(`Of ${identities.length} numbers, pools and sender ids ${usable} can send SMS now.`)]),
  ];
}

/** What a plan alone cannot know: that it overwrites an event stream, or reads a stream without events. */
function contradictions(plan: Plan, { event_stream: today }: Inspection): string[] {
  if (today === null) return [];
  const eventStream = find(plan, "aws_pinpoint_event_stream", "events");
  if (eventStream !== undefined) {
    return actionOf(eventStream) === "create"
      ? [
          `The project sends its delivery events to ${code(today.arn)} today. This plan overwrites that: nothing would arrive there any more.`,
        ]
      : [];
  }
  const planned = streamOf(plan);
  if (planned?.kind !== "kinesis" || today.kind !== "kinesis" || planned.name === today.arn) return [];
  return [
    `The project sends its delivery events to ${code(today.arn)}, but this plan is about ${code(planned.name)}.`,
  ];
}

/** What the account has of End User Messaging; a Firehose stream itself, as events may reach it from elsewhere than from the project; else the project. */
function subjectOf(plan: Plan): Subject | undefined {
  const set = configurationSetOf(plan);
  if (set !== undefined) return { kind: "end-user-messaging", configurationSetName: set };
  const stream = streamOf(plan);
  if (stream?.kind === "firehose") return { kind: "stream", name: stream.name };
  const id = applicationIdOf(plan);
  return id === undefined ? undefined : { kind: "application", id };
}

/** The project as an input of the plan or, where a module is called with it, as a text in the call. */
function applicationIdOf({ variables, configuration }: Plan): string | undefined {
  const input = "pinpoint_application_id";
  const calls = Object.values(configuration?.root_module?.module_calls ?? {});
  const given = [
    variables?.[input]?.value,
    ...calls.map((call) => call.expressions?.[input]?.constant_value),
  ];
  return given.find((value) => typeof value === "string");
}

function namePrefixOf(plan: Plan): string {
  const name = attribute(find(plan, "aws_lambda_function", "resend"), "function_name");
  return name?.replace(/-resend$/, "") ?? defaultNamePrefix;
}
