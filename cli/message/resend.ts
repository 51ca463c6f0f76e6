/** Begins a new retry sequence of a message that has ended. */
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { queueMessageText } from "../../functions/adapters/sqs/sqs-retry-queue.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { isBodyTooLong, longestBodyCharacters } from "../../functions/core/message/message-parts.ts";
import {
  type Reopened,
  type ReopeningRefusal,
  reopenMessage,
} from "../../functions/core/message/reopening.ts";
import { calling, screenPatience } from "../aws-call.ts";
import { localAccess } from "../local-run.ts";
import { print } from "../options.ts";
import { urlOf } from "../redrive/queues.ts";
import { UserError } from "../user-error.ts";
import { messageAccess, noSuchMessage, type TableSelection } from "./message-access.ts";
import { isoTime } from "./status-text.ts";

/** What the user asked for. */
export interface ResendRequest extends TableSelection {
  readonly id: string;
  readonly reason: string;
  /** Whether standard input holds the body. */
  readonly bodyFromStdin: boolean;
  /** Name of the retry queue. */
  readonly queue: string;
  readonly retentionDays: number;
  readonly validitySeconds: number;
  readonly json?: boolean;
}

/** What became of it; `--json` prints it. */
export interface ResendAnswer {
  readonly application_message_id: string;
  /** The attempt that is due. */
  readonly attempt: number;
  /** When, epoch seconds. */
  readonly due_at: number;
  /** When the message becomes useless, epoch seconds; null = never. */
  readonly deadline: number | null;
  /** Whether it had been resent before, so that only its retry message was put on the queue once more. */
  readonly was_resent: boolean;
}

/**
 * Resends and says when.
 *
 * @throws UserError if it may not be resent, or the table or the queue does not take it
 */
export async function resend(
  request: ResendRequest,
  standardInput: AsyncIterable<Buffer | string>,
): Promise<void> {
  const { id, reason, queue, table, local, json } = request;
  const body = request.bodyFromStdin ? await bodyIn(standardInput) : undefined;
  const sqs = queueClient(local);
  // A queue that is not there is told before anything is written.
  const queueUrl = await urlOf(sqs, queue);
  const policy = {
    keptSeconds: request.retentionDays * 86_400,
    messageValiditySeconds: request.validitySeconds,
  };
  const reopened = await messageAccess(request).use("dynamodb:UpdateItem", (store) =>
    reopenMessage({ id, reason, ...(body !== undefined && { body }) }, { store, clock: systemClock, policy }),
  );
  if (reopened.kind === "refused") throw refusal(id, table, reopened);
  const { attempt, dueAt, message } = reopened;
  await putOnQueue(sqs, queueUrl, id, attempt);
  const answer: ResendAnswer = {
    application_message_id: id,
    attempt,
    due_at: dueAt,
    deadline: message.deadline ?? null,
    was_resent: reopened.kind === "already-resent",
  };
  print(answer, json, resendText);
}

/** The answer for people. */
export function resendText({
  application_message_id: id,
  attempt,
  was_resent,
  deadline,
}: ResendAnswer): string {
  const what = was_resent
    ? `${id} was resent before and waits for attempt ${attempt}; its retry message is on the queue once more.`
    : `${id} is resent: attempt ${attempt} is due, and leaves when the gate lets it through.`;
  const until = deadline === null ? "" : ` Nothing is sent after its deadline, ${isoTime(deadline)}.`;
  return `${what}${until}\n`;
}

function queueClient(local: ResendRequest["local"]): SQSClient {
  return new SQSClient({
    maxAttempts: 3,
    requestHandler: screenPatience,
    useQueueUrlAsEndpoint: false,
    ...(local !== undefined && localAccess(local, "sqs")),
  });
}

async function putOnQueue(sqs: SQSClient, queueUrl: string, id: string, attempt: number): Promise<void> {
  const pointer = { kind: "retry-message", application_message_id: id, attempt };
  const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: queueMessageText(pointer) });
  try {
    await calling(sqs, "sqs:SendMessage", () => sqs.send(command));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${id} is resent in the table, but its retry message is not on the queue, so run the command again: ${error.message}`,
      { cause: error },
    );
  }
}

/** A body on the command line would stay in the shell's history and in the list of processes. */
async function bodyIn(standardInput: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of standardInput) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    // Four bytes a character at most; who gives a file by mistake need not wait for its end.
    if (bytes > 8 * longestBodyCharacters) break;
  }
  // Whoever types it, or has it from echo, ends it with a line break that is none of its own.
  const body = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (body !== "" && !isBodyTooLong(body)) return body;
  throw new UserError(
    `Standard input must hold the text of the message, 1 to ${longestBodyCharacters} characters; give that and nothing else.`,
  );
}

/** Why not, and what to do, by the reason. */
const refusals: Readonly<Record<Exclude<ReopeningRefusal, "message-gone">, string>> = {
  delivered: "was delivered; produce a new message where the recipient is to get another",
  "opted-out": "is to a recipient who wants no messages; send it another way",
  cancelled: "was cancelled; produce a new message where the recipient is to get one after all",
  "still-open":
    "has not ended; see what it waits for with sms-retry status, and cancel it where it should not go on",
  "age-unknown": "names neither a deadline nor when it was created; write its deadline into the item first",
  deadline: "is past its deadline; produce a new message where it is still of use",
  "attempts-used-up": "has the highest number of attempts that there can be; produce a new message",
  "no-number": "names no number; write its destination_number into the item first",
  "has-a-body": "still holds its body, which is what is sent; leave out --body-from-stdin",
  "nothing-to-send":
    "holds no body any more, as the end of a message removes it; give the text with --body-from-stdin",
  "body-too-long": "has a body that no service takes; produce a new message",
};

function refusal(
  id: string,
  table: string,
  { reason }: Extract<Reopened, { readonly kind: "refused" }>,
): UserError {
  if (reason === "message-gone") return noSuchMessage(id, table);
  return new UserError(`${id} ${refusals[reason]}.`);
}
