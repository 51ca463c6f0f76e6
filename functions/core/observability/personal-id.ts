/** Ids that tell a person: they stand in logs, queues and schedules, where no number and no address may be. */

/**
 * Whether an application's id is a phone number in E.164, with its plus, or an e-mail address. Digits alone may be an order's
 * number, and are none.
 */
export function isPersonalId(id: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(id) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(id);
}

/** An id as it may be logged: itself, or that it was withheld. */
export function loggableId(id: string): string {
  return isPersonalId(id) ? "withheld: it tells a person" : id;
}
