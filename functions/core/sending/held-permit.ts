/** The permit that one message holds from its wait to its departure. */
import type { Message } from "../message/message.ts";
import { isBodyTooLong, partsOf } from "../message/message-parts.ts";
import { anyIdentity, type NoPermit, type Permit, type SendGate } from "./gate/send-gate.ts";

/** The permit of one message: taken once, however often its claim is tried. One that is not used lapses. */
export class HeldPermit {
  readonly #gate: SendGate;
  #permit: Permit | undefined;

  constructor(gate: SendGate) {
    this.#gate = gate;
  }

  /**
   * Waits until the message may be claimed.
   *
   * @param origination what it leaves by, whatever the item says; absent = as the item says
   * @returns why it does not leave now; `undefined` where it has a permit, or needs none
   * @throws as {@link SendGate.acquire}
   */
  async take(
    message: Message,
    { origination, ...request }: { origination?: string; isFirstSend: boolean; waitsAs?: number },
  ): Promise<NoPermit | undefined> {
    if (this.covers(message)) return undefined;
    const answer = await this.#gate.acquire(identityOf(message, origination), {
      parts: partsOf(message.message_body ?? ""),
      ...request,
      ...(message.deadline !== undefined && { deadline: message.deadline }),
    });
    if (answer.kind === "no-permit") return answer;
    this.#permit = answer;
    return undefined;
  }

  /**
   * Whether the permit is for as many parts as the message has: the application may have written a longer text. A
   * message without text or number needs none: it ends without leaving.
   */
  covers({ message_body: body, destination_number }: Message): boolean {
    if (body === undefined || destination_number === undefined) return true;
    return !isBodyTooLong(body) && partsOf(body) <= (this.#permit?.parts ?? 0);
  }

  /** The permit, where one was taken. */
  get permit(): Permit | undefined {
    return this.#permit;
  }
}

/** The origination identity that a message leaves by, as its gate is named. */
export function identityOf(
  { origination_number, sender_id }: Pick<Message, "origination_number" | "sender_id">,
  origination: string | undefined,
): string {
  return origination ?? origination_number ?? sender_id ?? anyIdentity;
}
