/** What must hold at the end of every run; each violation is a sentence. */
import type { Message, MessageStatus } from "../functions/core/message.ts";
import { isFinal } from "../functions/core/message.ts";
import type { Surroundings } from "./functions.ts";

/** The rules that do not hold in a world that has come to rest. */
export function violationsOf(surroundings: Surroundings): string[] {
  return [
    ...sendsPerAttempt(surroundings),
    ...retriesPerMessage(surroundings),
    ...sendsInTime(surroundings),
    ...claimsBeforeSends(surroundings),
    ...transitions(surroundings),
    ...openMessages(surroundings),
    ...contents(surroundings),
  ];
}

const messagesOf = ({ table }: Surroundings): Message[] =>
  [...table.items.values()].map((item) => item as unknown as Message);

/** (a) An attempt is sent once, or twice where it is marked and the guarantee allows it. */
function sendsPerAttempt(surroundings: Surroundings): string[] {
  const { service, settings } = surroundings;
  const violations: string[] = [];
  for (const [key, sends] of Map.groupBy(service.sends, ({ id, attempt }) => `${id} attempt ${attempt}`)) {
    const { id, attempt } = sends[0] ?? { id: "", attempt: 0 };
    const item = surroundings.table.items.get(id) as Message | undefined;
    const isMarked = item?.attempts?.[attempt]?.possible_duplicate === true;
    const most = settings.resend.DELIVERY_GUARANTEE === "at-least-once" ? 2 : 1;
    if (sends.length > most) violations.push(`${key} was sent ${sends.length} times`);
    else if (sends.length > 1 && !isMarked) violations.push(`${key} was sent twice and is not marked`);
  }
  return violations;
}

/** (b) A message has at most `max_retries` retries. */
function retriesPerMessage({ service, settings }: Surroundings): string[] {
  return service.sends
    .filter(({ attempt }) => attempt > settings.resend.MAX_RETRIES)
    .map(({ id, attempt }) => `${id} was retried as attempt ${attempt} of ${settings.resend.MAX_RETRIES}`);
}

/** (c) No call begins after the deadline. */
function sendsInTime({ service, table }: Surroundings): string[] {
  return service.calls.flatMap(({ id, attempt, at }) => {
    const deadline = Number(table.items.get(id)?.deadline ?? Number.POSITIVE_INFINITY);
    return at >= deadline ? [`${id} attempt ${attempt} was sent ${at - deadline} s after the deadline`] : [];
  });
}

/** (c) Every retry was claimed, and claimed while the series was open: nothing is sent after its end. */
function claimsBeforeSends({ service, table }: Surroundings): string[] {
  return service.calls
    .filter(({ attempt }) => attempt > 0)
    .flatMap(({ id, attempt, at }) => {
      const claim = table.writes.findLast(
        (write) => write.id === id && write.at <= at && isClaimOf(write.after as unknown as Message, attempt),
      );
      if (claim === undefined) return [`${id} attempt ${attempt} was sent without a claim`];
      const claimed = claim.after as unknown as Message;
      return at > (claimed.claim_expires_at ?? 0)
        ? [`${id} attempt ${attempt} was sent after its lease`]
        : [];
    });
}

function isClaimOf(item: Message, attempt: number): boolean {
  return item.status === "SENDING" && item.retry_count === attempt;
}

/** States only move forward; only `DELIVERED` may follow an end, and never an opt-out or a cancellation. */
function transitions({ table }: Surroundings): string[] {
  return table.writes.flatMap(({ id, before, after }) => {
    const from = before?.status as MessageStatus | undefined;
    const to = after.status as MessageStatus | undefined;
    if (from === undefined || from === to || !isFinal(from)) return [];
    const isLateSuccess = to === "DELIVERED" && ["EXHAUSTED", "EXPIRED", "REJECTED"].includes(from);
    return isLateSuccess ? [] : [`${id} went from ${from} to ${to}`];
  });
}

/** (d) and (e) Nothing is open for ever: what is `SENT` at the end waits for an outcome that nobody lost. */
function openMessages(surroundings: Surroundings): string[] {
  return messagesOf(surroundings).flatMap((message) => {
    const { application_message_id: id, status = "SENT" } = message;
    if (isFinal(status)) return [];
    const latest = message.retry_count ?? 0;
    const isAwaited = status === "SENT" && message.status_reason === "outcome-unknown";
    const wasTaken = surroundings.service.sends.some((send) => send.id === id && send.attempt === latest);
    return isAwaited && !wasTaken ? [] : [`${id} is ${status} for ever`];
  });
}

/** The number and the body are those that the application gave, byte for byte. */
function contents({ service, table }: Surroundings): string[] {
  return service.sends.flatMap(({ id, body, destination }) => {
    const item = table.items.get(id);
    if (item === undefined) return [];
    const isSame = item.message_body === body && (item.destination_number ?? destination) === destination;
    return isSame ? [] : [`${id} was sent with another body or to another number`];
  });
}
