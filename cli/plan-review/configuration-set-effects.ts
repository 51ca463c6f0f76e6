/** What a plan does to the configuration set of End User Messaging and to the way of its events. */
import { isRecord } from "../../functions/core/events/send-context.ts";
import { checkEffects, type Effect, harmless, warning } from "./effects.ts";
import { code } from "./markdown.ts";
import {
  type Action,
  actionOf,
  attribute,
  find,
  type Plan,
  type ResourceChange,
  type Values,
} from "./plan.ts";

/** All effects; none where the plan has no such way. */
export function configurationSetEffects(plan: Plan): Effect[] {
  const effectsOf = (
    type: string,
    name: string,
    describe: (resource: ResourceChange, action: Action) => Effect[],
  ): Effect[] => {
    const resource = find(plan, type, name);
    return resource === undefined ? [] : describe(resource, actionOf(resource));
  };
  return [
    ...effectsOf("aws_cloudcontrolapi_resource", "configuration_set", setEffects),
    ...givenSetEffects(plan),
    ...effectsOf("aws_sns_topic_policy", "sms_events", policyEffects),
    ...effectsOf("aws_sns_topic_subscription", "sms_events", subscriptionEffects),
    ...effectsOf("aws_lambda_event_source_mapping", "consume_sns", readingEffects),
  ];
}

/** What the plan found of a set that is given; the check holds where the stack makes its own. */
function givenSetEffects(plan: Plan): Effect[] {
  if (typeof configurationSetOf(plan) !== "string") return [];
  return checkEffects(
    plan.checks,
    "event_destination",
    "A destination of your configuration set leads here.",
  );
}

/** Whose events a plan of the stack is about: a set that is given, or `null` for one that the stack makes. */
export function configurationSetOf(plan: Plan): string | null | undefined {
  if (find(plan, "aws_lambda_event_source_mapping", "consume_sns") === undefined) return undefined;
  const isMade = plan.resource_changes?.some(
    (resource) => resource.mode === "managed" && isSet(resource) && actionOf(resource) !== "destroy",
  );
  if (isMade) return null;
  const read = plan.resource_changes?.find((resource) => resource.mode === "data" && isSet(resource));
  const given = plan.variables?.configuration_set_name?.value;
  return attribute(read, "identifier") ?? (typeof given === "string" ? given : null);
}

function isSet({ type, name }: ResourceChange): boolean {
  return type === "aws_cloudcontrolapi_resource" && name === "configuration_set";
}

interface Destination {
  readonly name: string;
  readonly sink: string;
  readonly isEnabled: boolean;
  readonly types: readonly string[];
}

/** A set as the plan has it; `undefined` where only the apply will tell. */
function setIn(
  values: Values | null | undefined,
): { readonly name: string; readonly destinations: readonly Destination[] } | undefined {
  const model = parsed(values?.desired_state);
  if (typeof model?.ConfigurationSetName !== "string") return undefined;
  const destinations = Array.isArray(model.EventDestinations) ? model.EventDestinations.filter(isRecord) : [];
  return {
    name: model.ConfigurationSetName,
    destinations: destinations.map((destination) => {
      const { EventDestinationName: name, MatchingEventTypes: types, Enabled } = destination;
      const sinks = [destination.SnsDestination, destination.KinesisFirehoseDestination].filter(isRecord);
      const arn = sinks.map((sink) => sink.TopicArn ?? sink.DeliveryStreamArn)[0];
      return {
        name: String(name),
        sink: typeof arn === "string" ? arn : "(known after apply)",
        isEnabled: Enabled === true,
        types: Array.isArray(types) ? types.map(String) : [],
      };
    }),
  };
}

function setEffects({ change: { before, after } }: ResourceChange, action: Action): Effect[] {
  const [was, becomes] = [setIn(before), setIn(after)];
  const set = (found: typeof was) => `The configuration set ${code(found?.name ?? "(known after apply)")}`;
  switch (action) {
    case "create":
      return [
        harmless(
          `${set(becomes)} is created. Every send of your application must name it: one without it has no events.`,
        ),
        ...(becomes?.destinations.map(destinationEffect) ?? []),
      ];
    case "destroy":
      return [
        warning(
          `${set(was)} is destroyed: sends that name it are refused, those of your application too, and nobody hears of those under way.`,
        ),
      ];
    case "replace":
      return [
        warning(
          `${set(was)} is replaced by ${code(becomes?.name ?? "(known after apply)")}: sends that name the former one are refused.`,
        ),
        ...(becomes?.destinations.map(destinationEffect) ?? []),
      ];
    case "forget":
      return [harmless(`${set(was)} stays, and Terraform will not know it any more.`)];
    case "update":
      return [
        harmless(`${set(becomes)} is changed in place.`),
        ...differences(was?.destinations ?? [], becomes?.destinations ?? []),
      ];
    case "keep":
      return [harmless(`${set(becomes)} stays as it is.`)];
  }
}

function destinationEffect({ name, sink, isEnabled, types }: Destination): Effect {
  const text = `Its destination ${code(name)} sends ${types.map(code).join(", ")} to ${code(sink)}.`;
  return isEnabled ? harmless(text) : warning(`${text} It is switched off.`);
}

/** What becomes of the destinations of a set that stays. */
function differences(was: readonly Destination[], becomes: readonly Destination[]): Effect[] {
  const gone = was.filter(({ name }) => becomes.every((other) => other.name !== name));
  const changes = becomes.flatMap((destination): Effect[] => {
    const former = was.find(({ name }) => name === destination.name);
    if (former === undefined) return [destinationEffect(destination)];
    const name = `Its destination ${code(destination.name)}`;
    const gained = destination.types.filter((type) => !former.types.includes(type));
    const lost = former.types.filter((type) => !destination.types.includes(type));
    return [
      ...(former.sink === destination.sink
        ? []
        : [warning(`${name} leads to ${code(destination.sink)} instead of ${code(former.sink)}.`)]),
      ...(former.isEnabled && !destination.isEnabled ? [warning(`${name} is switched off.`)] : []),
      ...(gained.length === 0 ? [] : [harmless(`${name} gets ${gained.map(code).join(", ")} as well.`)]),
      ...(lost.length === 0
        ? []
        : [warning(`${name} gets ${lost.map(code).join(", ")} no longer; nobody hears of these events.`)]),
    ];
  });
  return [
    ...gone.map(({ name, sink }) =>
      warning(`Its destination ${code(name)} goes, and ${code(sink)} gets no event any more.`),
    ),
    ...changes,
  ];
}

/** Who may publish to the topic: whoever may can end retry sequences, and start them. */
function policyEffects({ change: { before, after } }: ResourceChange, action: Action): Effect[] {
  if (action === "destroy" || action === "forget") return [];
  const policy = parsed(after?.policy);
  if (policy === undefined)
    return [warning("Who may publish to the topic of delivery events is known after the apply only.")];
  const isNew = action !== "keep" && before?.policy !== after?.policy;
  const verb = isNew ? "will be" : "is";
  const statements = (Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement]).filter(
    isRecord,
  );
  return statements
    .filter(({ Effect: effect }) => effect === "Allow")
    .map((allow) => publisherEffect(allow, verb));
}

function publisherEffect(allow: Readonly<Record<string, unknown>>, verb: string): Effect {
  const who = principalsOf(allow.Principal);
  const conditions = isRecord(allow.Condition) ? Object.values(allow.Condition).filter(isRecord) : [];
  const conditionOf = (key: string) =>
    conditions.map((condition) => condition[key]).find((value) => typeof value === "string") as
      | string
      | undefined;
  const [arn, account] = [conditionOf("aws:SourceArn"), conditionOf("aws:SourceAccount")];
  const text = `The topic of delivery events ${verb} open to ${who.map(code).join(", ")}`;
  if (arn === undefined || account === undefined || arn.includes("*"))
    return warning(
      `${text}, and not for one configuration set of one account alone: whoever gets it to publish can start and end retries.`,
    );
  return harmless(
    `${text} for ${code(arn)} of the account ${code(account)}, and to nobody else by this statement.`,
  );
}

function principalsOf(principal: unknown): string[] {
  if (typeof principal === "string") return [principal];
  return isRecord(principal) ? Object.values(principal).flat().map(String) : ["(unknown)"];
}

function subscriptionEffects(_resource: ResourceChange, action: Action): Effect[] {
  if (action === "replace")
    return [
      warning(
        "The subscription of the queue to the topic is replaced: failures that are told in between are not retried.",
      ),
    ];
  if (action === "destroy")
    return [warning("The queue is taken off the topic: failed messages are not sent again.")];
  return [];
}

function readingEffects(resource: ResourceChange, action: Action): Effect[] {
  const arn = attribute(resource, "event_source_arn");
  const queue = arn === undefined ? "The queue of delivery events" : `The queue ${code(arn)}`;
  switch (action) {
    case "create":
      return [harmless(`${queue} is read from now on.`)];
    case "destroy":
    case "forget":
      return [warning(`${queue} is no longer read: failed messages are not sent again.`)];
    case "replace":
      return [harmless(`${queue} is read by a new event source mapping; what waits in it is read, too.`)];
    case "update":
      return [harmless(`${queue} is read with other settings.`)];
    case "keep":
      return [harmless(`${queue} is read as before.`)];
  }
}

function parsed(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
