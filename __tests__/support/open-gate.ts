/** Gates of tests: one that lets every message go at once, one that lets none go, and such as answer as told. */
import type { GateReason } from "../../functions/core/sending/gate/gate.ts";
import type { NoPermit, Permit, SendGate } from "../../functions/core/sending/gate/send-gate.ts";

/** A permit that is never too late. */
export function permitFor(parts: number, steps: Partial<Permit> = {}): Permit {
  return { kind: "permit", parts, departs: async () => true, report: () => {}, ...steps };
}

type Acquire = (...asked: Parameters<SendGate["acquire"]>) => Permit | NoPermit | Promise<Permit | NoPermit>;

/** A gate that answers as told. */
export function gateOf(acquire: Acquire): SendGate {
  return { acquire: async (identity, request) => acquire(identity, request), settle: async () => {} };
}

/** A gate that every message goes through at once. */
export const openGate: SendGate = gateOf((_identity, { parts }) => permitFor(parts));

/** A gate that no message goes through before `until`, epoch seconds; `waitsAs` as {@link NoPermit.waitsAs}. */
export function closedGate(reason: GateReason, until: number, waitsAs?: number): SendGate {
  return gateOf(() => ({ kind: "no-permit", reason, until, ...(waitsAs !== undefined && { waitsAs }) }));
}
