/** Cancels a message that still waits. */
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { type Withdrawal, withdrawMessage } from "../../functions/core/message/cancel-message.ts";
import {
  latestAttemptOf,
  type Message,
  type MessageStatus,
  statusOf,
} from "../../functions/core/message/message.ts";
import { print } from "../options.ts";
import { UserError } from "../user-error.ts";
import { messageAccess, noSuchMessage, type TableSelection } from "./message-access.ts";

/** What the user asked for. */
export interface CancelRequest extends TableSelection {
  readonly id: string;
  readonly reason: string;
  readonly retentionDays: number;
  readonly json?: boolean;
}

/** What became of it; `--json` prints it. */
export interface CancelAnswer {
  readonly application_message_id: string;
  /** The status before; `CANCELLED` where it was cancelled before. */
  readonly before: MessageStatus;
  /** The attempt that may still arrive, because it was being sent or has been sent; null = none. */
  readonly may_arrive: number | null;
}

/**
 * Cancels and says what may still arrive.
 *
 * @throws UserError if there is no such message, or it has ended otherwise
 */
export async function cancel({
  id,
  reason,
  retentionDays,
  json,
  ...selection
}: CancelRequest): Promise<void> {
  const policy = { keptSeconds: retentionDays * 86_400 };
  const withdrawal = await messageAccess(selection).use("dynamodb:UpdateItem", (store) =>
    withdrawMessage(id, { store, clock: systemClock, policy }, reason),
  );
  const { before } = withdrawal;
  if (before === undefined) throw noSuchMessage(id, selection.table);
  const status = statusOf(before);
  if (!withdrawal.isCancelled && status !== "CANCELLED") {
    throw new UserError(`${id} has ended as ${status}; there is nothing to cancel.`);
  }
  const answer: CancelAnswer = {
    application_message_id: id,
    before: status,
    may_arrive: mayArrive(withdrawal, before),
  };
  print(answer, json, cancelText);
}

function mayArrive({ isCancelled }: Withdrawal, before: Message): number | null {
  const status = statusOf(before);
  return isCancelled && (status === "SENDING" || status === "SENT") ? latestAttemptOf(before) : null;
}

/** The answer for people. */
export function cancelText({
  application_message_id: id,
  before,
  may_arrive: attempt,
}: CancelAnswer): string {
  if (before === "CANCELLED") return `${id} was cancelled before.\n`;
  const arriving =
    attempt === null ? "" : ` Attempt ${attempt} had been sent, or was being sent, and may still arrive.`;
  return `${id} is cancelled: it was ${before}, and nothing is sent any more.${arriving}\n`;
}
