/**
 * Scenarios: what the carriers and the SMS service do in a run, written down in a JSON file.
 *
 * The schema here is the only source; `docs/scenario.schema.json` is generated from it for editors.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { eventStatuses, statusesOf } from "../../functions/core/events/statuses.ts";

/** What becomes of an attempt at the handset, in the words of `record_status`; `SILENCE` = no final event. */
export const attemptOutcomes = [
  ...statusesOf("pinpoint").filter((status) => eventStatuses[status].class !== "in-progress"),
  "SILENCE",
] as const;

/** See {@link attemptOutcomes}. */
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/**
 * What the service answers to a call instead of accepting it: a `DeliveryStatus` in an HTTP 200, an HTTP
 * error, or `HANG`: the message is taken and the answer never comes.
 */
export const apiAnswers = [
  "THROTTLED",
  "TEMPORARY_FAILURE",
  "UNKNOWN_FAILURE",
  "PERMANENT_FAILURE",
  "OPT_OUT",
  "DUPLICATE",
  "HTTP_429",
  "HTTP_500",
  "HANG",
] as const;

/**
 * What End User Messaging answers beside them, in the words of its errors' reasons. To a call of Pinpoint, which has no such
 * words, the answer is `PERMANENT_FAILURE`.
 */
export const endUserMessagingAnswers = [
  "ACCOUNT_DISABLED",
  "COUNTRY_NOT_ENABLED",
  "DESTINATION_COUNTRY_BLOCKED",
  "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
  "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
  "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
  "INSUFFICIENT_ACCOUNT_REPUTATION",
  "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
  "MESSAGE_TYPE_MISMATCH",
  "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
  "NO_ORIGINATION_IDENTITIES_FOUND",
  "NUMBER_CAPABILITIES_MISMATCH",
  "PRICE_OVER_THRESHOLD",
  "RESOURCE_NOT_ACTIVE",
  "RESOURCE_NOT_FOUND",
  "SENDER_ID_NOT_REGISTERED",
] as const;

/** See {@link endUserMessagingAnswers}. */
export type EndUserMessagingAnswer = (typeof endUserMessagingAnswers)[number];

/** See {@link apiAnswers}. */
export type ApiAnswer = (typeof apiAnswers)[number] | EndUserMessagingAnswer;

/** A message of an error: the rule, in our words, and what was given instead. */
function must(rule: string): (issue: v.BaseIssue<unknown>) => string {
  return ({ input }) => {
    const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
    return `must be ${rule}; got ${isObject ? "an object" : (JSON.stringify(input) ?? "nothing")}`;
  };
}

/** A number of a range, its ends included. */
function numberFrom(least: number, most: number) {
  const message = must(`a number from ${least} to ${most}`);
  return v.pipe(v.number(message), v.minValue(least, message), v.maxValue(most, message));
}

/** A whole number of a range, its ends included. */
function wholeNumberFrom(least: number, most: number) {
  const message = must(`a whole number from ${least} to ${most}`);
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

/** One of some words. */
function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, must(`one of ${words.join(", ")}`));
}

/** A list. */
function listOf<Entry extends v.GenericSchema>(entry: Entry) {
  return v.array(entry, must("a list"));
}

const noEntry = "must have at least one entry";
const text = v.string(must("a text"));
const rate = numberFrom(0, 1);
const seconds = numberFrom(0, 3_600);
const twoNumbers = must("two numbers from 0 to 3600, the lower first");
const range = v.pipe(
  v.strictTuple([seconds, seconds], (issue) =>
    Array.isArray(issue.input) || issue.path === undefined
      ? twoNumbers(issue)
      : "must be left out: a range is two numbers, the lower first",
  ),
  v.check(([shortest, longest]) => shortest <= longest, twoNumbers),
);

/** An object that has these keys alone; another one is refused with the names of those that there are. */
function keys<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);
  return v.strictObject(entries, (issue) => {
    if (issue.expected === "never") return `unknown key (the known keys are ${known.join(", ")})`;
    return issue.expected === "Object" ? must("an object")(issue) : "is missing";
  });
}

const atLeastOne = must("a whole number, at least 1");

const messageShare = keys({
  share: v.pipe(rate, v.description("Part of the messages that this script is for; all shares add up to 1.")),
  outcomes: v.pipe(
    listOf(oneOf(attemptOutcomes)),
    v.minLength(1, noEntry),
    v.description("What becomes of attempt 0, 1, …; the last repeats. SILENCE: no final event ever comes."),
  ),
  api_answers: v.optional(
    v.pipe(
      listOf(listOf(oneOf([...apiAnswers, ...endUserMessagingAnswers]))),
      v.description(
        "For attempt 0, 1, …: the answers to its calls before one is accepted. HANG accepts and never answers. The words after it are those of End User Messaging; Pinpoint answers PERMANENT_FAILURE instead.",
      ),
    ),
  ),
  validity_seconds: v.optional(
    v.pipe(
      v.number(atLeastOne),
      v.integer(atLeastOne),
      v.minValue(1, atLeastOne),
      v.description("How long these messages are of use, from the moment they are produced."),
    ),
  ),
});

const eventNoise = keys({
  doubled: v.optional(v.pipe(rate, v.description("Part of the events put on the stream twice.")), 0),
  delayed: v.optional(v.pipe(rate, v.description("Part of the events held back by `delay_seconds`.")), 0),
  delay_seconds: v.optional(
    v.pipe(range, v.description("Shortest and longest delay of a delayed event and of a second copy.")),
    [0.2, 2],
  ),
  reordered: v.optional(
    v.pipe(rate, v.description("Part of the attempts whose final event comes before the buffered one.")),
    0,
  ),
  lost: v.optional(v.pipe(rate, v.description("Part of the final events that never come.")), 0),
});

const outage = keys({
  from_seconds: v.pipe(seconds, v.description("Start, counted from the first send.")),
  until_seconds: v.pipe(seconds, v.description("End, counted from the first send.")),
  outcome: v.optional(
    v.pipe(
      oneOf(attemptOutcomes),
      v.description("What becomes of every attempt handed over meanwhile, whatever its script says."),
    ),
    "CARRIER_UNREACHABLE",
  ),
});

/** Ceiling of each origination identity, in parts per second: more than a local run can send. */
const unhurriedPace = 200;

/** The origination identity that the local run's application sends by. */
export const applicationOrigination = "+15559990000";

const settings = keys({
  max_sends_per_second: v.optional(
    v.pipe(
      numberFrom(0.2, 4_000),
      v.description("Ceiling of each origination identity, in message parts per second."),
    ),
    unhurriedPace,
  ),
  origination_number: v.optional(
    v.pipe(text, v.description("What retries leave by; absent = the application's own number.")),
  ),
  send_rates: v.optional(
    v.pipe(
      v.record(v.string(), numberFrom(0.2, 4_000)),
      v.description(
        `Ceilings of single origination identities, in message parts per second; ${applicationOrigination} is the application's.`,
      ),
    ),
    {},
  ),
  retry_delays_seconds: v.optional(
    v.pipe(
      listOf(wholeNumberFrom(0, 3_600)),
      v.minLength(1, noEntry),
      v.description("Longest wait before retry 1, 2, …; the last repeats. 0 means at once."),
    ),
    // Seconds and not minutes, so that a run ends while one watches.
    [1, 1, 2],
  ),
  message_validity_seconds: v.optional(
    v.pipe(
      wholeNumberFrom(1, 604_800),
      v.description("How long a message is of use whose script says nothing else."),
    ),
    86_400,
  ),
});

function sumOf(messages: readonly { readonly share: number }[]): number {
  return messages.reduce((sum, { share }) => sum + share, 0);
}

/** The schema of a scenario file. */
export const scenarioSchema = v.pipe(
  keys({
    $schema: v.optional(text),
    description: v.pipe(text, v.description("What happens in this scenario, in a sentence.")),
    messages: v.pipe(
      listOf(messageShare),
      v.minLength(1, noEntry),
      v.check(
        (shares) => shares.length === 0 || Math.abs(sumOf(shares) - 1) < 0.001,
        ({ input }) => `the shares must add up to 1; got ${sumOf(input)}`,
      ),
      v.description("What happens to the messages, by shares."),
    ),
    carrier_delay_seconds: v.optional(
      v.pipe(range, v.description("Shortest and longest time from the hand-over to the final event.")),
      [0.2, 0.6],
    ),
    events: v.optional(v.pipe(eventNoise, v.description("What goes wrong with delivery events.")), {}),
    outages: v.optional(v.pipe(listOf(outage), v.description("Times at which a carrier is down.")), []),
    settings: v.optional(
      v.pipe(settings, v.description("Inputs of the stacks, by their names, that the deployment gets.")),
      {},
    ),
    time_limit_seconds: v.optional(
      v.pipe(seconds, v.description("After this time a run ends, whatever is still open.")),
      120,
    ),
  }),
  v.description("What the carriers and the SMS service do in a local run of sms-retry."),
);

/** A scenario, defaults filled in. */
export type Scenario = v.InferOutput<typeof scenarioSchema>;

/** What happens to one message. */
export type MessageScript = v.InferOutput<typeof messageShare>;

/** A scenario that does not exist, cannot be read or is no scenario; its message is one sentence for a user. */
export class InvalidScenarioError extends Error {
  override readonly name = "InvalidScenarioError";
}

/** Folder of the scenarios that come with the project, one JSON file each. */
export const scenarioFolder = join(import.meta.dirname, "../scenarios");

/** Names of the scenarios that come with the project. */
export const scenarioNames = [
  "mixed",
  "all-delivered",
  "outage",
  "lost-events",
  "lost-answers",
  "throttled",
] as const;

/**
 * Loads a scenario.
 *
 * @param nameOrFile a name of {@link scenarioNames}, or the path of a JSON file
 * @throws InvalidScenarioError naming what is wrong and where
 */
export async function loadScenario(nameOrFile: string): Promise<Scenario> {
  const isBuiltIn = (scenarioNames as readonly string[]).includes(nameOrFile);
  if (!isBuiltIn && !/[./\\]/.test(nameOrFile)) {
    throw new InvalidScenarioError(
      `There is no scenario "${nameOrFile}"; use ${scenarioNames.join(", ")} or the path of a JSON file.`,
    );
  }
  const path = isBuiltIn ? join(scenarioFolder, `${nameOrFile}.json`) : nameOrFile;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidScenarioError(
      `The scenario file ${path} cannot be read; give the path of a JSON file, or one of ${scenarioNames.join(", ")}.`,
      { cause },
    );
  }
  return parseScenario(text, nameOrFile);
}

/**
 * Reads the text of a scenario file.
 *
 * @param name how to call the scenario in an error
 * @throws InvalidScenarioError naming every wrong field
 */
export function parseScenario(text: string, name: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidScenarioError(`The scenario ${name} is not JSON; correct the file.`, { cause });
  }
  const parsed = v.safeParse(scenarioSchema, value);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  // A number can break its rule in two ways, which is one problem.
  throw new InvalidScenarioError(
    `The scenario ${name} is not valid; correct the file: ${[...new Set(problems)].join("; ")}.`,
  );
}
