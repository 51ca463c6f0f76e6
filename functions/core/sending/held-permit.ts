/** The permit that one message holds from its wait to its departure. */
import type { Message } from "../message/message.ts";
import { isBodyTooLong, partsOf } from "../message/message-parts.ts";
import { anyIdentity, type NoPermit, type Permit, type SendGate } from "./gate/send-gate.ts";
import type { Route } from "./route.ts";

/** The permit of one message: taken once, however often its claim is tried. One that is not used lapses. */
export class HeldPermit {
  readonly #gate: SendGate;
  #permit: Permit | undefined;
  /** Whose gate gave it. */
  #identity: string | undefined;

  constructor(gate: SendGate) {
    this.#gate = gate;
  }

  /**
   * Waits until the message may be claimed.
   *
   * @param route how it leaves
   * @returns why it does not leave now; `undefined` where it has a permit, or needs none
   * @throws as {@link SendGate.acquire}
   */
  async take(
    message: Message,
    route: Route,
    request: { readonly isFirstSend: boolean; readonly waitsAs?: number },
  ): Promise<NoPermit | undefined> {
    if ("blocked" in route || this.covers(message, route)) return undefined;
    await route.sender.prepare?.();
    this.#identity = gateOf(route);
    const answer = await this.#gate.acquire(this.#identity, {
      parts: partsOf(message.message_body),
      ...request,
      ...(message.deadline !== undefined && { deadline: message.deadline }),
    });
    if (answer.kind === "no-permit") return answer;
    this.#permit = answer;
    return undefined;
  }

  /**
   * Whether the permit is for this identity and as many parts as the message has: the application may have written
   * otherwise. A message without text, number or way out needs none: it does not leave.
   */
  covers({ message_body: body, destination_number }: Message, route: Route): boolean {
    if (body === undefined || destination_number === undefined || "blocked" in route) return true;
    return (
      !isBodyTooLong(body) && partsOf(body) <= (this.#permit?.parts ?? 0) && gateOf(route) === this.#identity
    );
  }

  /** The permit, where one was taken. */
  get permit(): Permit | undefined {
    return this.#permit;
  }
}

/** The name of the gate through which a message leaves. */
function gateOf({ identity = anyIdentity }: { readonly identity?: string }): string {
  return identity;
}
