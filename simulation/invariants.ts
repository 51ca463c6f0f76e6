/** What must never happen, whatever goes wrong; each violation is a sentence. */
import { attemptValiditySeconds, settingDefaults } from "../functions/contract/environment.ts";
import { isFinal, type Message } from "../functions/core/message/message.ts";
import { type Evidence, inSeconds, isRecorded, statusOf } from "./evidence.ts";
import type { TableWrite } from "./simulated-table.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import type { SmsCall } from "./sms-service-model.ts";

/** The rules about "never" that do not hold in a world that has come to rest. */
export function violationsOf(simulated: SimulatedWorld, evidence: readonly Evidence[]): string[] {
  return evidence.flatMap((each) => [
    ...sendsOfAnAttempt(each, simulated),
    ...retries(each, simulated),
    ...calls(each),
    ...repetitions(each, simulated),
    ...transitions(each),
    ...contents(each),
    ...endsOfData(each, simulated),
  ]);
}

/**
 * An attempt is sent once. At-least-once repeats it while nobody knows whether it was sent, marks it then, and goes
 * on to the next attempt after the second time, where there is one.
 */
function sendsOfAnAttempt(evidence: Evidence, { settings }: SimulatedWorld): string[] {
  const violations: string[] = [];
  for (const [attempt, sends] of Map.groupBy(evidence.sends, (send) => send.attempt)) {
    if (sends.length < 2) continue;
    const name = `${evidence.message.id} attempt ${attempt}`;
    if (evidence.guarantee === "at-most-once") violations.push(`${name} was sent ${sends.length} times`);
    if (sends.length > 2 && attempt < settings.resend.MAX_RETRIES) {
      violations.push(`${name} was sent ${sends.length} times with retries left`);
    }
    if (evidence.item?.attempts?.[attempt]?.possible_duplicate !== true) {
      violations.push(`${name} was sent ${sends.length} times and is not marked`);
    }
    for (const [index, earlier] of sends.entries()) {
      const next = sends[index + 1];
      if (next?.call === undefined) continue;
      const claim = claimOf(next.call, evidence);
      if (isRecorded(evidence, earlier, claim?.order)) {
        violations.push(`${name} was sent again although its first send was known`);
      }
    }
  }
  return violations;
}

/** A message has at most `max_retries` retries. */
function retries({ message, calls }: Evidence, { settings }: SimulatedWorld): string[] {
  const most = settings.resend.MAX_RETRIES;
  return calls
    .filter(({ attempt }) => attempt > most)
    .map(({ attempt }) => `${message.id} was retried as attempt ${attempt} of ${most}`);
}

/**
 * A claim is made so long before its send starts at most, in seconds: four hundredths for its own write, and what
 * timers are late.
 */
const claimLeadSeconds = 0.55;

/**
 * Every call follows from a claim that its own worker won, some hundredths of a second after the answer: so no send
 * starts after an end was written, save one whose claim was won before. By its worker's clock it starts within the
 * lease, before the deadline, and before the item is gone.
 */
function calls(evidence: Evidence): string[] {
  return evidence.calls.flatMap((call) => callProblem(call, evidence) ?? []);
}

function callProblem(
  call: SmsCall,
  { message, writes, item, deadline, sends }: Evidence,
): string | undefined {
  const name = `${message.id} attempt ${call.attempt}`;
  const claim = claimOf(call, { writes });
  if (claim === undefined) return `${name} was sent without a claim`;
  if (writes.some((write) => write.order < claim.order && isFinal(statusOf(write.after)))) {
    return `${name} was claimed after the end`;
  }
  if (call.sinceAnswer > claimLeadSeconds) return `${name} waited between its claim and its send`;
  const now = call.at + call.worker.clockOffset;
  if (now > Number(claim.after.claim_expires_at ?? 0)) return `${name} was sent after its lease`;
  if (now >= (deadline ?? Number.POSITIVE_INFINITY)) return `${name} was sent after the deadline`;
  const text = textCallProblem(call, deadline, now);
  if (text !== undefined) return `${name} ${text}`;
  const [first] = sends;
  if (first !== undefined && first.service !== call.service) {
    return `${name} was sent by ${call.service}, the message at first by ${first.service}`;
  }
  if (now >= (inSeconds(item?.expires_at) ?? Number.POSITIVE_INFINITY)) {
    return `${name} was sent although its item is gone`;
  }
  return undefined;
}

/**
 * A call of End User Messaging names the configuration set, without which nobody hears what came of it; and is over, by its
 * time to live, early enough for another try.
 */
function textCallProblem(
  { service, configurationSetName, timeToLive = Number.POSITIVE_INFINITY }: SmsCall,
  deadline = Number.POSITIVE_INFINITY,
  now: number,
): string | undefined {
  if (service === "pinpoint") return undefined;
  if (configurationSetName === undefined) return "was sent without a configuration set";
  const { ATTEMPT_VALIDITY_SECONDS: longest } = settingDefaults;
  const most = Math.min(longest, Math.max(attemptValiditySeconds.least, deadline - now));
  return timeToLive > most + 1
    ? `may be handed over for ${timeToLive} s, of ${most.toFixed(0)} s`
    : undefined;
}

/** The write by which a call's own worker won its claim. */
function claimOf(call: SmsCall, { writes }: Pick<Evidence, "writes">): TableWrite | undefined {
  return writes.findLast((write) => write.order < call.order && isClaimOf(write, call));
}

function isClaimOf({ after }: TableWrite, { attempt, worker }: SmsCall): boolean {
  const item = after as unknown as Message;
  return (
    item.status === "SENDING" &&
    item.retry_count === attempt &&
    item.attempts?.[attempt]?.claim_id?.startsWith(`${worker.name}/`) === true
  );
}

/** The least that is left of a lease when a send starts. */
const leaseMarginSeconds = 20;

/** What was perhaps sent is not tried again before its lease is over, however its worker ended. */
function repetitions({ message, calls }: Evidence, { plan }: SimulatedWorld): string[] {
  // Another worker's clock may run ahead.
  if (plan.worstSkewSeconds > 0) return [];
  return calls.flatMap((call, index) => {
    const next = calls.find(({ attempt }, other) => other > index && attempt >= call.attempt);
    const isUnknown = call.outcome === undefined || call.outcome === "unconfirmed";
    return isUnknown &&
      next !== undefined &&
      next.at - call.at < leaseMarginSeconds - 1 &&
      next.attempt === call.attempt
      ? [
          `${message.id} attempt ${call.attempt} was repeated ${(next.at - call.at).toFixed(0)} s after an answer was lost`,
        ]
      : [];
  });
}

/**
 * States only move forward; only `DELIVERED` may follow an end, and never an opt-out or a cancellation. Nobody but a
 * producer makes an item.
 */
function transitions({ message, writes }: Evidence): string[] {
  return writes.flatMap(({ before, after, worker }) => {
    if (before === undefined) {
      return worker === undefined || after.message_body !== undefined
        ? []
        : [`${message.id} was written although there is no such item`];
    }
    const [from, to] = [statusOf(before), statusOf(after)];
    if (from === to || !isFinal(from)) return [];
    const isLateSuccess = to === "DELIVERED" && ["EXHAUSTED", "EXPIRED", "REJECTED"].includes(from);
    return isLateSuccess ? [] : [`${message.id} went from ${from} to ${to}`];
  });
}

/** The number and the body are those of the item, byte for byte. */
function contents({ message, item, sends, writes }: Evidence): string[] {
  if (item === undefined || !message.isReadable) return [];
  // The end of a message takes its body away.
  const stored = writes.find(({ after }) => after.message_body !== undefined)?.after.message_body;
  return sends.flatMap(({ body, destination }) => {
    const isSame =
      (stored ?? item.message_body) === body &&
      (item.destination_number ?? message.destination) === destination;
    return isSame ? [] : [`${message.id} was sent with another body or to another number`];
  });
}

/** An item whose message we have ended holds no body, and goes after the retention at the latest. */
function endsOfData({ message, writes }: Evidence, { settings, plan }: SimulatedWorld): string[] {
  const kept = settings.resend.ENDED_MESSAGE_RETENTION_DAYS * 86_400;
  return writes.flatMap(({ before, after, worker, at }) => {
    const isEnd = isFinal(statusOf(after)) && before !== undefined && statusOf(before) !== statusOf(after);
    if (worker === undefined || !isEnd) return [];
    if (after.message_body !== undefined) return [`${message.id} has ended and still holds its body`];
    const latest = at + plan.worstSkewSeconds + kept + 1;
    return Number(after.expires_at ?? Number.POSITIVE_INFINITY) > latest
      ? [`${message.id} has ended and is kept longer than ${kept} s`]
      : [];
  });
}
