/** By which service and from which origination identity an attempt leaves. */
import { originationPattern } from "../events/origination.ts";
import { type SmsService, smsServices } from "../events/statuses.ts";
import type { Message } from "../message/message.ts";
import { retryNumberOf } from "../message/retry-policy.ts";
import type { NotAllowed, SmsSender } from "./sms-sender.ts";

/** How the messages of a deployment leave. */
export interface Routing {
  /** The sender of each service that the deployment is set up for. */
  readonly senders: Readonly<Partial<Record<SmsService, SmsSender>>>;
  /** The service of a message that names none. */
  readonly smsService: SmsService;
  /**
   * Origination identities of the first retry, the second, and so on; the last repeats, and null is the message's own.
   * Empty = always the message's own. A first send always leaves by its own.
   */
  readonly identities: readonly (string | null)[];
}

/** The services that a deployment is set up for. */
export function servicesOf({ senders }: Routing): ReadonlySet<SmsService> {
  return new Set(smsServices.filter((service) => senders[service] !== undefined));
}

/** How one attempt leaves, or why it cannot. */
export type Route =
  | {
      readonly service: SmsService;
      readonly sender: SmsSender;
      /** The origination identity, as the gate and the record name it; absent where the service chooses one. */
      readonly identity?: string;
      /** What stands in for the message's own identity; absent where that is used. */
      readonly replacement?: string;
      /** How many identities there are for this attempt. */
      readonly identities: number;
    }
  | { readonly blocked: NotAllowed };

/** The attempt that is to leave. */
export interface RoutedAttempt {
  readonly attempt: number;
  /** How many identities the service has refused for it already. @default 0 */
  readonly identitiesRefused?: number;
}

/**
 * The route of an attempt. An identity that the service has refused makes room for the next one in the list, and after
 * the last for the first.
 *
 * By End User Messaging nothing leaves without an identity: the service would choose one, possibly an RCS agent, and
 * then writes events of another kind.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-send-message.html
 */
export function routeOf(
  message: Message,
  { attempt, identitiesRefused = 0 }: RoutedAttempt,
  { senders, smsService, identities }: Routing,
): Route {
  const service = message.sms_service ?? smsService;
  const sender = senders[service];
  if (sender === undefined) return { blocked: "not-allowed:service-not-set-up" };
  const own = message.origination_number ?? message.sender_id;
  const usable = ofRetry(identities, retryNumberOf(message, attempt)).flatMap((entry): Identity[] => {
    if (entry === null) return own === undefined ? [] : [{ identity: own }];
    return isUsable(service, entry) ? [{ identity: entry, replacement: entry }] : [];
  });
  const distinct = usable.filter(
    ({ identity }, index) => usable.findIndex((other) => other.identity === identity) === index,
  );
  const chosen = distinct[Math.min(identitiesRefused, distinct.length - 1)];
  if (chosen !== undefined) return { service, sender, ...chosen, identities: distinct.length };
  return service === "pinpoint"
    ? { service, sender, identities: 1 }
    : { blocked: "not-allowed:no-origination-identity" };
}

interface Identity {
  readonly identity: string;
  readonly replacement?: string;
}

/** The identities in the order in which an attempt tries them: its own one first. Some stand in it twice. */
function ofRetry(identities: Routing["identities"], retry: number): Routing["identities"] {
  if (retry === 0 || identities.length === 0) return [null];
  const first = Math.min(retry, identities.length) - 1;
  return [...identities.slice(first), ...identities];
}

/** Pinpoint knows numbers, short codes and sender ids, but no pools and no ARNs. */
function isUsable(service: SmsService, identity: string): boolean {
  return service !== "pinpoint" || originationPattern.test(identity);
}
