/** The carrier of a simulated run: chance decides about every send, and about how badly its events are told. */

import type { SmsService } from "../functions/contract/environment.ts";
import { defaultRetryableStatuses as retryableStatuses } from "../functions/contract/statuses.ts";
import type { Carrier, CarrierPlan, PlannedEvent } from "../local/sms-service/carrier.ts";
import { retryTagOf } from "../local/sms-service/sms-request.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** By each service. The last of Pinpoint's is of no list; a destination of End User Messaging lets through what is listed. */
const permanentFailures: Readonly<Record<SmsService, readonly string[]>> = {
  pinpoint: ["BLOCKED", "INVALID", "TELEPORTED"],
  "end-user-messaging": ["BLOCKED", "INVALID", "PROTECT_BLOCKED"],
};

/** What End User Messaging refuses until an operator does something about it. */
const operatorErrors = [
  "RESOURCE_NOT_ACTIVE",
  "NO_ORIGINATION_IDENTITIES_FOUND",
  "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
  "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
  "RESOURCE_NOT_FOUND",
] as const;

/** A carrier that draws from the world's choices. */
export function chanceCarrier(world: VirtualWorld): Carrier {
  return {
    plan({ request }) {
      const isTagged = retryTagOf(request) !== undefined;
      // What an application sends by itself, without a tag, was taken: what was not concerns nobody here.
      const answer = isTagged ? refusal(world, request.api) : undefined;
      if (answer !== undefined) return { answer, events: [] };
      const plan = fateOf(world, isTagged, request.api);
      // The service took the message, and says that it does not know.
      return isTagged && world.strikes("lost-answer", 2) ? { ...plan, answer: "UNKNOWN_FAILURE" } : plan;
    },
  };
}

function refusal(world: VirtualWorld, api: SmsService): CarrierPlan["answer"] {
  if (api === "end-user-messaging" && world.strikes("throttle", 3)) return oneOf(operatorErrors, world);
  if (world.strikes("throttle", 6)) return world.choices.below(2) === 0 ? "THROTTLED" : "TEMPORARY_FAILURE";
  return world.strikes("throttle", 1) ? "PERMANENT_FAILURE" : undefined;
}

/** Decides what becomes of a send, and plans its events. */
function fateOf(world: VirtualWorld, isTagged: boolean, api: SmsService): CarrierPlan {
  const { choices } = world;
  const fate = choices.below(40);
  const soon = () => choices.below(40) + choices.below(10) / 10;
  const say = (kind: PlannedEvent["kind"], status: string, afterSeconds: number): PlannedEvent =>
    told(world, isTagged, { kind, status, afterSeconds });
  const ends = (kind: PlannedEvent["kind"], status: string, afterSeconds = soon()): CarrierPlan => ({
    outcome: status,
    events: [say(kind, status, afterSeconds)],
  });

  if (fate < 7) return ends("success", "DELIVERED");
  if (fate < 28) {
    const failure = ends("failure", oneOf(retryableStatuses, world));
    // The carrier gave it up, and the handset got it all the same.
    return world.strikes("late-delivery", 12)
      ? { ...failure, events: [...failure.events, say("success", "DELIVERED", soon() * 10)] }
      : failure;
  }
  if (fate < 31) return ends("failure", oneOf(permanentFailures[api], world));
  if (fate < 33) return ends("failure", "UNKNOWN", 72 * 3_600);
  // End User Messaging tells it at the call, and what an application sends by itself was taken.
  if (fate < 35 && (isTagged || api === "pinpoint")) return ends("opt-out", "OPTOUT");
  return fate < 37 ? { outcome: "SILENCE", events: [] } : ends("success", "SUCCESSFUL");
}

function oneOf<const Word extends string>(words: readonly Word[], { choices }: VirtualWorld): Word {
  return words[choices.below(words.length)] ?? (words[0] as Word);
}

/** Plans how an event comes: some without their tag, by a wrong clock, twice, late, or after one another. */
function told(
  world: VirtualWorld,
  isTagged: boolean,
  event: Pick<PlannedEvent, "kind" | "status" | "afterSeconds">,
): PlannedEvent {
  const { choices } = world;
  // Now and then an event comes without the retry tag: its message id alone tells the attempt.
  const isUntagged = isTagged && choices.happens(4);
  // The service's clock is up to five minutes off.
  const clockErrorSeconds = (choices.below(3) - 1) * 300;
  const copies = world.strikes("duplicate-delivery", 30) ? 2 + choices.below(2) : 1;
  const copiesAfterSeconds = Array.from({ length: copies }, (_, copy) => {
    const late = world.strikes("late-delivery", 8) ? choices.below(600) : 0;
    return event.afterSeconds + late + copy * ([0, 0, 0, 20][choices.below(4)] ?? 0);
  });
  return { ...event, isUntagged, clockErrorSeconds, copiesAfterSeconds };
}
