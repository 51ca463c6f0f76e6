/** Where a send comes from: a phone number or short code, or a sender id. */

/**
 * What an event may tell of an origination: a phone number, a short code or a sender id, by the limits of End User
 * Messaging. Real events hold sender ids where their key says "phone number".
 */
export const originationPattern = /^(\+?[1-9]\d{1,18}|[A-Za-z0-9_-]{1,11})$/;

/** An origination number, a sender id, or both. */
export interface OriginationIdentity {
  readonly originationNumber?: string;
  readonly senderId?: string;
}

/** Tells a sender id from a phone number or short code: only a sender id has letters. */
export function originationOf(origination: string): OriginationIdentity {
  return /[A-Za-z]/.test(origination) ? { senderId: origination } : { originationNumber: origination };
}
