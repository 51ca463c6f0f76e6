/** What an account has of End User Messaging, and how the stack for it would hear of its events. */
import { matchingEventTypes } from "../../functions/contract/event-destination.ts";
import { MissingRightError } from "../aws-call.ts";
import { UserError } from "../user-error.ts";
import type { Account, ConfigurationSet, EventDestination, OriginationIdentity } from "./account.ts";
import { defaultNamePrefix, type Inspection } from "./findings.ts";

/** Most event destinations of a configuration set. */
const mostDestinations = 5;

/** Most ARNs that are written into the settings; more would be chosen by a person. */
const mostIdentities = 20;

/** Which set is meant, and by which deployment. */
interface Asked {
  readonly namePrefix: string;
  readonly configurationSetName?: string | null;
}

/**
 * Inspects what the account has of End User Messaging. The stack is always the same; what is found is whether it makes a
 * configuration set or takes one, and what is in the way.
 *
 * @throws UserError in one sentence
 */
export async function inspectEndUserMessaging(account: Account, asked: Asked): Promise<Inspection> {
  const { namePrefix } = asked;
  const sets = await account.configurationSets();
  const found = await identitiesOf(account);
  const choice = choose(sets, asked, account.region);
  const usable = found.identities?.filter(({ usable }) => usable) ?? [];
  const isWritten = usable.length > 0 && usable.length <= mostIdentities;
  return {
    schema_version: 1,
    region: account.region,
    pinpoint_application_id: null,
    event_stream: null,
    configuration_sets: sets,
    origination_identities: found.identities,
    stack: "sms-retry-end-user-messaging",
    stack_reason: choice.reason,
    transformation: null,
    tfvars: {
      ...(namePrefix !== defaultNamePrefix && { name_prefix: namePrefix }),
      ...(choice.given !== undefined && { configuration_set_name: choice.given.name }),
      ...(isWritten && { origination_identity_arns: usable.map(({ arn }) => arn) }),
    },
    missing: [],
    warnings: [...choice.warnings, ...identityWarnings(found.identities)],
    notes: [
      ...choice.notes,
      ...found.notes,
      ...(usable.length > mostIdentities
        ? [
            "Name the identities that your messages leave by in origination_identity_arns; without it the functions may send from all.",
          ]
        : []),
    ],
  };
}

/** What becomes of the configuration sets. */
interface Choice {
  readonly reason: string;
  /** The set that the input names; absent where the stack makes its own. */
  readonly given?: ConfigurationSet;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

function choose(
  sets: readonly ConfigurationSet[],
  { namePrefix, configurationSetName }: Asked,
  region: string,
): Choice {
  const own = `${namePrefix}-sms`;
  const named = sets.find(({ name }) => name === configurationSetName);
  if (typeof configurationSetName === "string" && named === undefined) {
    throw new UserError(
      `There is no configuration set "${configurationSetName}" in the region ${region}; check the name and the region.`,
    );
  }
  const made = sets.find(({ name, event_destinations: all }) => name === own && hasOwn(all, namePrefix));
  if (made !== undefined && (named === undefined || named === made)) {
    return {
      reason: `The configuration set ${own} is that of this deployment, and its events come to it.`,
      warnings: destinationWarnings(made, namePrefix),
      notes: [],
    };
  }
  const only = sets.length === 1 && configurationSetName === undefined ? sets[0] : undefined;
  const given = named ?? (only?.name === own ? undefined : only);
  if (given !== undefined) return givenSet(given, namePrefix);
  return newSet(sets, own);
}

/** A set with the name of the stack's own that leads elsewhere would be in the way of the one that the stack makes. */
function newSet(sets: readonly ConfigurationSet[], own: string): Choice {
  const isTaken = sets.some(({ name }) => name === own);
  return {
    reason: `The stack creates the configuration set ${own} with its event destinations; every send must name it.`,
    warnings: isTaken
      ? [
          `There is a configuration set ${own} already, whose events do not come to this deployment; give another --name-prefix, or take it with --configuration-set ${own}.`,
        ]
      : [],
    notes:
      sets.length > 1
        ? [
            "There are several configuration sets; name the one that your sends name with --configuration-set, to have its events come to the stack instead.",
          ]
        : [],
  };
}

function givenSet(set: ConfigurationSet, namePrefix: string): Choice {
  const { name, event_destinations: all } = set;
  const leadsHere = hasOwn(all, namePrefix);
  const isFull = !leadsHere && all.length >= mostDestinations;
  const [firehose] = all.filter(({ kind }) => kind === "firehose");
  return {
    given: set,
    reason: leadsHere
      ? `The events of the configuration set ${name} come to this deployment.`
      : `The stack takes the events of the configuration set ${name}, to which you add an event destination after the first apply: its output event_destination_hcl or event_destination_commands says which.`,
    warnings: [
      ...destinationWarnings(set, namePrefix),
      ...(isFull
        ? [
            `The configuration set ${name} has ${mostDestinations} event destinations, and no more can be added; remove one first.`,
          ]
        : []),
    ],
    notes:
      firehose === undefined || leadsHere
        ? []
        : [
            `Its events go to the Firehose stream ${streamNameOf(firehose)} as well, which the stack sms-retry-firehose could read in place of a topic: npx sms-retry inspect --stream ${streamNameOf(firehose)} looks at it.`,
          ],
  };
}

/** Whether a destination is the topic that the stack makes; switched off or not. */
function isOwn({ kind, arn }: EventDestination, namePrefix: string): boolean {
  return kind === "sns" && arn.endsWith(`:${namePrefix}-sms-events`);
}

function hasOwn(destinations: readonly EventDestination[], namePrefix: string): boolean {
  return destinations.some((destination) => isOwn(destination, namePrefix));
}

function streamNameOf({ arn }: EventDestination): string {
  return arn.slice(arn.indexOf("/") + 1);
}

/** What is wrong with the destination that leads to this deployment. */
function destinationWarnings({ name: set, event_destinations: all }: ConfigurationSet, namePrefix: string) {
  const needed = matchingEventTypes("none");
  return all
    .filter((destination) => isOwn(destination, namePrefix))
    .flatMap(({ name, enabled, matching_event_types: types }) => {
      const isMatched = (type: string) =>
        [type, `${type.split("_")[0]}_ALL`, "ALL"].some((each) => types.includes(each));
      const missing = needed.filter((type) => !isMatched(type));
      return [
        ...(enabled
          ? []
          : [
              `The event destination ${name} of ${set} is switched off, so no failure is seen; switch it on.`,
            ]),
        ...(missing.length === 0
          ? []
          : [
              `The event destination ${name} of ${set} does not match ${missing.join(", ")}; add them, or these failures are not seen.`,
            ]),
      ];
    });
}

async function identitiesOf(account: Account): Promise<{
  readonly identities: readonly OriginationIdentity[] | null;
  readonly notes: readonly string[];
}> {
  try {
    return { identities: await account.originationIdentities(), notes: [] };
  } catch (error) {
    if (!(error instanceof MissingRightError)) throw error;
    return { identities: null, notes: [`The origination identities could not be read: ${error.message}`] };
  }
}

function identityWarnings(identities: readonly OriginationIdentity[] | null): string[] {
  if (identities === null || identities.some(({ usable }) => usable)) return [];
  return [
    identities.length === 0
      ? "There is no phone number, pool or sender id to send from; request one in the console of AWS End User Messaging first."
      : "No phone number, pool or sender id can send SMS now; complete their registration, or wait until they are ACTIVE.",
  ];
}
