/** What a worker learns of the length of its own calls; kept from one invocation to the next. */

/** How long before its time a message is claimed, at least and at most, in seconds. */
const claimLead = { least: 0.04, most: 0.5 } as const;

/** See the module's comment; all times in seconds. */
export class SendTiming {
  /** Of the calls for one message, together. */
  callSeconds = 0.15;
  /** How long before its time a message is claimed. A new worker's first calls are slow. */
  leadSeconds = 0.2;

  /** The calls for a message took so long, together. */
  observeCalls(seconds: number): void {
    this.callSeconds += (seconds - this.callSeconds) / 8;
  }

  /** So much time before a message's time would have been enough to claim it. */
  observeClaim(seconds: number): void {
    const wanted = Math.min(Math.max(1.5 * seconds, claimLead.least), claimLead.most);
    // What was too short is mended at once; what was too long, little by little.
    this.leadSeconds =
      wanted > this.leadSeconds ? wanted : this.leadSeconds + (wanted - this.leadSeconds) / 16;
  }
}
