/**
 * The reference: what becomes of messages where nothing goes wrong. It knows the rules, not the code: which sends
 * there must be, exactly, and when.
 */
import { type Evidence, inSeconds, isMatchable } from "./evidence.ts";
import { partsOfBody } from "./parts-of-body.ts";
import { delayBefore, toldDeadline } from "./progress.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import type { TakenSend } from "./sms-service-model.ts";

/** Where a world without faults departs from the reference; each violation is a sentence. */
export function departures(simulated: SimulatedWorld, evidence: readonly Evidence[]): string[] {
  if (simulated.plan.hasFaults) return [];
  const slack = slackSeconds(simulated, evidence);
  return evidence.flatMap((each) => departuresOf(each, simulated, slack));
}

/** What hand-overs, turns and whole seconds take, in seconds. */
function slackSeconds({ plan }: SimulatedWorld, evidence: readonly Evidence[]): number {
  const parts = evidence.reduce((sum, { message }) => sum + partsOfBody(message.body), 0);
  const { maxSendsPerSecond, sendRates } = plan.inputs;
  return 30 + (4 * parts) / Math.min(maxSendsPerSecond, ...Object.values(sendRates));
}

function departuresOf(evidence: Evidence, simulated: SimulatedWorld, slack: number): string[] {
  const { message, sends, item, status, deadline, writes } = evidence;
  if (item === undefined) return [];
  const first = sends.filter(({ attempt }) => attempt === 0);
  // Its turn may come after its deadline.
  const isUseless = status === "EXPIRED" && (deadline ?? 0) <= (writes[0]?.at ?? 0) + slack;
  // End User Messaging tells of an opt-out at the call.
  const isRefused = status === "OPTED_OUT" && evidence.calls.length === 1;
  const mayBeUnsent = isUseless || isRefused;
  if (first.length !== 1 && message.cancelledAt === undefined && !(mayBeUnsent && first.length === 0)) {
    return [`${message.id} was sent ${first.length} times in a world without faults`];
  }
  const violations: string[] = [];
  for (let send = first[0]; send !== undefined; ) {
    const attempt: number = send.attempt + 1;
    const next = sends.filter((other) => other.attempt === attempt);
    const expected = expectedAfter(send, evidence, simulated, slack);
    const name = `${message.id} attempt ${attempt}`;
    const [{ at } = { at: 0 }] = next;
    if (next.length > 1) violations.push(`${name} was sent ${next.length} times in a world without faults`);
    if (expected.isSent === "no" && next.length > 0) violations.push(`${name} was sent for no reason`);
    if (expected.isSent === "yes" && next.length === 0) violations.push(`${name} was not sent`);
    if (next.length > 0 && expected.isSent !== "no" && (at < expected.from || at > expected.until)) {
      violations.push(
        `${name} was sent at ${at.toFixed(1)}, expected from ${expected.from.toFixed(1)} to ${expected.until.toFixed(1)}`,
      );
    }
    send = next[0];
  }
  return violations;
}

/** Whether there must be another send after one, and when it may start. */
interface Expected {
  readonly isSent: "yes" | "no" | "perhaps";
  readonly from: number;
  readonly until: number;
}

const none: Expected = { isSent: "no", from: 0, until: 0 };

function expectedAfter(
  send: TakenSend,
  evidence: Evidence,
  { plan, service }: SimulatedWorld,
  slack: number,
): Expected {
  const { message, said, item, writes, deadline = toldDeadline(evidence) } = evidence;
  const { maxRetries, retryDelaysSeconds, receiptTimeoutSeconds } = plan.inputs;
  const attempt = send.attempt + 1;
  if (attempt > maxRetries || !message.isReadable) return none;
  const event = said.find(({ messageId }) => messageId === send.messageId);

  // The application's own send is nobody's to check.
  const isChecked = receiptTimeoutSeconds > 0 && (send.call !== undefined || message.isProduced);
  const checkedAt = isChecked ? send.at + receiptTimeoutSeconds - 1 : Number.POSITIVE_INFINITY;
  let from: number;
  if (event === undefined || event.at > checkedAt) {
    if (!isChecked || evidence.guarantee === "at-most-once") return none;
    from = checkedAt;
  } else {
    if (event.kind !== "retryable") return none;
    // A retry that was scheduled has given the item a deadline.
    if (send.attempt === 0 && event.status === "UNKNOWN" && isAgeUnknown(send, evidence)) return none;
    from = event.at;
  }
  // An event that is before its item waits for it, each time as long as it has waited.
  const itemAt = writes[0]?.at ?? from;
  const known = Math.max(from, itemAt + Math.max(0, itemAt - from));
  const longest = delayBefore(attempt, retryDelaysSeconds);
  const until = known + longest + (longest > 900 ? 62 : 0) + slack;
  const ends = [
    deadline,
    inSeconds(item?.expires_at),
    // What is not in the table yet cannot be withdrawn.
    (message.cancelledAt ?? 0) >= itemAt ? message.cancelledAt : undefined,
    service.optedOut.get(message.destination),
  ].filter((end) => end !== undefined);
  const end = Math.min(Number.POSITIVE_INFINITY, ...ends);
  if (end <= from) return none;
  // The id of an untagged event may become known after it was said.
  const isCertain = until < end && (event === undefined || isMatchable(evidence, event));
  return { isSent: isCertain ? "yes" : "perhaps", from, until };
}

function isAgeUnknown({ service }: TakenSend, { writes }: Evidence): boolean {
  if (service === "end-user-messaging") return false;
  const [first] = writes;
  return first?.after.created_at == null && first?.after.deadline == null;
}
