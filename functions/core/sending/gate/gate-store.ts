/** The port to where gates are kept, and to the time that all their users share. */
import type { GateState, GateTime, LaneState } from "./gate.ts";

/** One item of a gate: a lane, and in that of lane 0 what holds for all lanes. */
export interface GateItem {
  readonly lane: LaneState;
  readonly gate: GateState;
}

/** An item as it was read. */
export interface StoredGateItem extends GateItem {
  /** Changes with every write; 0 = there is no item yet. */
  readonly version: number;
}

/** What became of a write, and the item as it is now. */
export interface GateWrite {
  readonly isWritten: boolean;
  readonly stored: StoredGateItem;
}

/** Keeps gates. Every method rejects where the store is out of reach. */
export interface GateStore {
  /**
   * Items of a gate, in the order of the lanes; an item that does not exist comes as a new one with version 0.
   *
   * @param mayBeOld costs half as much; what was paused a moment ago may seem not to be. @default false
   */
  read(identity: string, lanes: readonly number[], mayBeOld?: boolean): Promise<readonly StoredGateItem[]>;
  /** Writes an item if it still is as `before`; else the answer has what it is now. */
  write(identity: string, lane: number, before: StoredGateItem, after: GateItem): Promise<GateWrite>;
}

/** The time that all users of a gate share, whatever their own clocks say. */
export interface GateClock {
  /** What is known of it now; epoch seconds. */
  now(): GateTime;
  /**
   * Learns the time well enough for reservations, where it is not known so well yet.
   *
   * @param ask a call whose answer tells the time
   * @throws what `ask` throws
   */
  sharpen(ask: () => Promise<unknown>): Promise<void>;
}
