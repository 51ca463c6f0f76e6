/**
 * What must happen, whatever went wrong before: every retryable failure with retries and time left ends in a send, and
 * every message in a state that its history justifies. Each violation is a sentence.
 */
import type { MessageStatus } from "../functions/core/message/message.ts";
import { type Evidence, inSeconds, isMatchable, isRecorded } from "./evidence.ts";
import type { Plan } from "./plan.ts";
import { messageValiditySeconds } from "./settings.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import type { SaidEvent } from "./sms-service-model.ts";

/**
 * How long a message may stand still after everything works again, beside the delay of its retry, in seconds: a
 * hand-over that is late, some that fail, and an operator who comes round after five minutes and after fifteen.
 */
const patienceSeconds = 2_500;

/** The longest wait after the service did not take a send, in seconds; by End User Messaging it may be the operator's turn. */
const longestBackOffSeconds = { pinpoint: 125, "end-user-messaging": 905 } as const;

/** With less left until its deadline, End User Messaging is not asked to send a message; in seconds. */
const leastSecondsLeft = 5;

/** The rules about progress that do not hold in a world that has come to rest. */
export function progressViolations(simulated: SimulatedWorld, evidence: readonly Evidence[]): string[] {
  return evidence.flatMap((each) => [
    ...(endProblem(each, simulated) ?? []),
    ...lateRetries(each, simulated),
    ...unknownDeliveries(each, simulated),
  ]);
}

/** Whether a message stands where its history justifies it. */
function endProblem(evidence: Evidence, simulated: SimulatedWorld): string[] | undefined {
  const { message, item, status } = evidence;
  const { id } = message;
  if (!message.isReadable) {
    return evidence.calls.length > 0 ? [`${id} was retried although its item cannot be read`] : undefined;
  }
  if (item === undefined) return message.isProduced ? [`${id} was never produced`] : undefined;
  if (evidence.isDeleted || isGone(evidence, simulated)) return undefined;
  const why = justify[status]?.(evidence, simulated);
  return why === undefined
    ? undefined
    : [`${id} is ${status} (${item.status_reason ?? "no reason"}): ${why}`];
}

function isGone({ item }: Evidence, { world }: SimulatedWorld): boolean {
  return (inSeconds(item?.expires_at) ?? Number.POSITIVE_INFINITY) <= world.now;
}

type Justify = (evidence: Evidence, simulated: SimulatedWorld) => string | undefined;

/** What speaks against each state; nothing where it is justified. */
const justify: Readonly<Partial<Record<MessageStatus, Justify>>> = {
  SENDING: () => "for ever",
  RETRY_SCHEDULED: () => "for ever",
  SENT: againstSent,
  EXHAUSTED: againstExhausted,
  EXPIRED: againstExpired,
  DELIVERED: ({ said }) =>
    said.some(({ kind }) => kind === "success") ? undefined : "nothing was delivered",
  REJECTED: ({ said, calls }) =>
    said.some(({ kind }) => kind === "permanent") ||
    calls.some(({ outcome }) => outcome !== "accepted" && outcome !== "deferred")
      ? undefined
      : "nobody refused it",
  OPTED_OUT: ({ message }, { service }) =>
    service.optedOut.has(message.destination) ? undefined : "nobody opted out",
  CANCELLED: ({ message }) => (message.cancelledAt === undefined ? "nobody cancelled it" : undefined),
};

/** A message may wait for ever only for what the service never says. */
function againstSent(evidence: Evidence, { plan, counts }: SimulatedWorld): string | undefined {
  const { message, latest, said, sends, item } = evidence;
  const { trackDeliveries, receiptTimeoutSeconds, maxRetries } = plan.inputs;
  const saidOfLatest = said.filter((event) => event.attempt === latest && isMatchable(evidence, event));
  const isAccepted = sends.some((send) => send.attempt === latest && isRecorded(evidence, send));
  // The check looks at what is known to be accepted since a time.
  const isChecked = receiptTimeoutSeconds > 0 && item?.attempts?.[latest]?.sent_at !== undefined;
  if (saidOfLatest.some(({ kind }) => kind === "success")) {
    const isNotLookedAt = trackDeliveries === "none" || (trackDeliveries === "retried" && latest === 0);
    return isNotLookedAt && !isChecked ? undefined : "its delivery is not written";
  }
  const hasFailed = saidOfLatest.some(({ kind }) => kind === "retryable");
  // With retries off an attempt of unknown outcome is followed by nothing; the check has written that down.
  const hasNoReceipt = item?.attempts?.[latest]?.outcome === "NO_RECEIPT";
  const isNoted = hasFailed || isChecked || (hasNoReceipt && saidOfLatest.length === 0);
  if (maxRetries === 0 && item?.status_reason === "retries-off" && isNoted) return undefined;
  if (saidOfLatest.length > 0) return "what the service said of its latest attempt is lost";
  if (!isAccepted) return "nobody knows whether its latest attempt was sent";
  // A producer that cannot queue the check says so; `sms-retry redrive --overdue` is for that.
  const isToldNotQueued = message.isProduced && latest === 0 && counts.has("RetryMessageNotQueued");
  return isChecked && !isToldNotQueued ? "its receipt never came, and nobody looked" : undefined;
}

/** The last allowed retry failed, or the guarantee forbids to go on without a receipt. */
function againstExhausted(evidence: Evidence, { plan }: SimulatedWorld): string | undefined {
  const { latest, said, sends, item, ending, guarantee, message } = evidence;
  const { maxRetries, receiptTimeoutSeconds } = plan.inputs;
  if (item?.status_reason !== "NO_RECEIPT") {
    if (latest < maxRetries) return `only ${latest} of ${maxRetries} retries were made`;
    const hasFailed = said.some(({ attempt, kind }) => attempt === latest && kind === "retryable");
    return hasFailed ? undefined : "its last retry did not fail";
  }
  const isChecked = receiptTimeoutSeconds > 0 && (message.isProduced || latest > 0);
  const isUnknown = !sends.some(
    (send) => send.attempt === latest && isRecorded(evidence, send, ending?.order),
  );
  if (!isUnknown && !isChecked) return "its latest attempt was accepted";
  if (guarantee === "at-least-once" && latest < maxRetries) return "retries were left";
  const unheard = unheardOf(evidence, plan);
  return unheard === undefined ? undefined : `its receipt had come ${unheard.toFixed(0)} s before`;
}

/** For how long an event of the latest attempt was there before the message ended without it, all being well. */
function unheardOf({ said, latest, ending }: Evidence, { calmFrom, inputs }: Plan): number | undefined {
  const endedAt = ending?.at ?? 0;
  const heard = said.find(
    ({ kind, attempt, at, isTagged }) =>
      attempt === latest &&
      isTagged &&
      !(kind === "success" && inputs.trackDeliveries === "none") &&
      Math.max(at, calmFrom) + 600 < endedAt,
  );
  return heard === undefined ? undefined : endedAt - heard.at;
}

/** A message expires at its deadline, not before; and not where there was time to send it. */
function againstExpired(evidence: Evidence, { plan }: SimulatedWorld): string | undefined {
  const { ending, item, calls, latest, deadline = toldDeadline(evidence) } = evidence;
  if (item?.status_reason === "age-unknown") return againstUnknownAge(evidence);
  if (deadline === undefined || ending === undefined) return "it has no deadline";
  const isDeferred = plan.hasFaults || calls.some(({ outcome }) => outcome === "deferred");
  const early = deadline - ending.at - plan.worstSkewSeconds;
  const [service] = plan.inputs.services;
  const inTime = service === "pinpoint" ? 2 : 2 + leastSecondsLeft;
  if (early > (isDeferred ? longestBackOffSeconds[service] : inTime))
    return `${early.toFixed(0)} s were left`;
  // An attempt of unknown outcome waits for its receipt, in the end for half of the time that is left.
  if (item?.status_reason === "NO_RECEIPT" || isOutcomeUnknown(evidence, ending.order)) return undefined;
  const since = Math.max(evidence.lastActivityBefore(ending.at), plan.calmFrom);
  const idle = Math.min(deadline, ending.at) - since;
  const patience = patienceSeconds + delayBefore(latest + 1, plan.inputs.retryDelaysSeconds);
  return idle > patience ? `nothing was tried for ${idle.toFixed(0)} s, all being well` : undefined;
}

/** Each event of End User Messaging tells when its message was sent, also where its item does not. */
export function toldDeadline({ sends: [first] }: Evidence): number | undefined {
  return first?.service === "end-user-messaging" ? first.at + messageValiditySeconds : undefined;
}

function isOutcomeUnknown(evidence: Evidence, order: number): boolean {
  const { sends, calls, latest } = evidence;
  if (!calls.some(({ attempt }) => attempt === latest)) return false;
  return !sends.some((send) => send.attempt === latest && isRecorded(evidence, send, order));
}

/** `UNKNOWN` of a message whose age nobody knows may be what the service says after 72 hours. */
function againstUnknownAge({ said, writes }: Evidence): string | undefined {
  const [first] = writes;
  const isAged = first?.after.created_at != null || first?.after.deadline != null;
  if (isAged) return "its age is known";
  return said.some(({ status }) => status === "UNKNOWN") ? undefined : "nobody said UNKNOWN";
}

/** Once everything works, a retry leaves within its delay and some patience. */
function lateRetries(evidence: Evidence, { plan }: SimulatedWorld): string[] {
  const { message, said, calls } = evidence;
  return said
    .filter(({ kind, attempt }) => kind === "retryable" && attempt < plan.inputs.maxRetries)
    .flatMap(({ attempt, at }) => {
      const next = calls.find((call) => call.attempt === attempt + 1);
      const patience = patienceSeconds + delayBefore(attempt + 1, plan.inputs.retryDelaysSeconds);
      const late = (next?.at ?? 0) - Math.max(at, plan.calmFrom) - patience;
      return late > 0 ? [`${message.id} attempt ${attempt + 1} came ${late.toFixed(0)} s too late`] : [];
    });
}

/** The longest delay before an attempt; the last of the list repeats. */
export function delayBefore(attempt: number, delays: readonly number[]): number {
  return delays[Math.min(attempt, delays.length) - 1] ?? 0;
}

/** A delivery that the system looks at ends the message, whatever it had ended in before. */
function unknownDeliveries(evidence: Evidence, { plan }: SimulatedWorld): string[] {
  const { message, status, said, item } = evidence;
  const { trackDeliveries } = plan.inputs;
  if (trackDeliveries === "none" || !message.isReadable || item === undefined || evidence.isDeleted)
    return [];
  if (!["REJECTED", "EXPIRED", "EXHAUSTED"].includes(status)) return [];
  const isKnown = ({ kind, attempt, isTagged }: SaidEvent): boolean =>
    // A delivery at once is not written where only deliveries of retried messages are.
    kind === "success" && isTagged && (trackDeliveries === "all" || attempt > 0);
  return said.some(isKnown) ? [`${message.id} was delivered, and is ${status}`] : [];
}
