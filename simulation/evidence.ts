/** All that a world knows about one message, gathered for the checks. */
import type { DeliveryGuarantee } from "../functions/contract/guarantees.ts";
import { isFinal, type Message, type MessageStatus } from "../functions/core/message/message.ts";
import type { ApplicationMessage } from "./application.ts";
import type { TableWrite } from "./simulated-table.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import type { SaidEvent, SmsCall, TakenSend } from "./sms-service-model.ts";

/** A message: as its application, its item and the SMS service know it. */
export interface Evidence {
  readonly message: ApplicationMessage;
  /** The item as it is, or as it was when TTL deleted it. */
  readonly item: Message | undefined;
  readonly isDeleted: boolean;
  readonly status: MessageStatus;
  /** Number of the latest attempt. */
  readonly latest: number;
  /** Epoch seconds, whatever unit the application wrote it in. */
  readonly deadline: number | undefined;
  readonly guarantee: DeliveryGuarantee;
  readonly writes: readonly TableWrite[];
  readonly sends: readonly TakenSend[];
  readonly calls: readonly SmsCall[];
  readonly said: readonly SaidEvent[];
  /** The write that ended the sequence first, if one did. */
  readonly ending: TableWrite | undefined;
  /** When the service said something of the message, or was asked to send it, last before a time. */
  lastActivityBefore(time: number): number;
}

/** The evidence about every message. */
export function evidenceOf(simulated: SimulatedWorld): Evidence[] {
  const { table, service, settings, messages } = simulated;
  const writes = Map.groupBy(table.writes, ({ id }) => id);
  const sends = Map.groupBy(service.sends, ({ id }) => id);
  const calls = Map.groupBy(service.calls, ({ id }) => id);
  const said = Map.groupBy(service.said, ({ id }) => id);
  return messages.map((message): Evidence => {
    const { id } = message;
    const isDeleted = !table.items.has(id) && table.deleted.has(id);
    const item = (table.items.get(id) ?? table.deleted.get(id)) as Message | undefined;
    const own = {
      writes: writes.get(id) ?? [],
      sends: sends.get(id) ?? [],
      calls: calls.get(id) ?? [],
      said: said.get(id) ?? [],
    };
    return {
      ...own,
      message,
      item,
      isDeleted,
      status: item?.status ?? "SENT",
      latest: item?.retry_count ?? 0,
      deadline: inSeconds(item?.deadline),
      guarantee: item?.delivery_guarantee ?? settings.resend.DELIVERY_GUARANTEE,
      ending: own.writes.find(({ after }) => isFinal(statusOf(after))),
      lastActivityBefore: (time) =>
        [...own.calls, ...own.sends, ...own.said]
          .map(({ at }) => at)
          .filter((at) => at <= time)
          .reduce((latest, at) => Math.max(latest, at), 0),
    };
  });
}

/** The status that an item of the table has; one that its application wrote has been sent. */
export function statusOf(item: Readonly<Record<string, unknown>>): MessageStatus {
  return (item.status ?? "SENT") as MessageStatus;
}

/** A time as seconds: from 10¹¹ on it can only be milliseconds. */
export function inSeconds(time: unknown): number | undefined {
  if (typeof time !== "number") return undefined;
  return time >= 1e11 ? time / 1_000 : time;
}

/** Whether the table knows that the service took a send, at a point in the order of things. */
export function isRecorded(
  { writes, message }: Evidence,
  { attempt, messageId, call }: Pick<TakenSend, "attempt" | "messageId" | "call">,
  order = Number.POSITIVE_INFINITY,
): boolean {
  if (call === undefined && attempt === 0 && !message.isProduced) return true;
  return writes.some(
    (write) =>
      write.order < order &&
      (write.after as unknown as Message).attempts?.[attempt]?.message_id === messageId,
  );
}

/** Whether an event can be matched to its attempt: by its tag, or by the service's id, where the table knew it. */
export function isMatchable(evidence: Evidence, { attempt, messageId, isTagged, at }: SaidEvent): boolean {
  if (isTagged) return true;
  return evidence.writes.some(
    (write) =>
      write.at <= at && (write.after as unknown as Message).attempts?.[attempt]?.message_id === messageId,
  );
}
