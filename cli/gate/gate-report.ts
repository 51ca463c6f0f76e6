/** The state of gates, for people and for programs. */
import {
  allGatesKey,
  type StoredAttributes as Item,
  pauseOf,
  startsOf,
} from "../../functions/adapters/dynamodb/dynamodb-gate-store.ts";
import type { Pause } from "../../functions/core/sending/gate/gate.ts";

/** One gate; `--json` prints it. Times are epoch seconds. */
export interface GateReport {
  /** The origination identity; `*` stands for a pause of all. */
  readonly identity: string;
  /** Parts per second that bind now; null = nobody has sent in the last minute. */
  readonly rate: number | null;
  /** The share of the last second that is taken, from 0 to 1 over all lanes; null where there is no rate. */
  readonly used: number | null;
  readonly nextFreeAt: number | null;
  /** About how long what waits will take, in seconds. */
  readonly backlogSeconds: number;
  readonly breaker: "open" | "closed";
  /** When the breaker tries again; null where it is open. */
  readonly probeAt: number | null;
  readonly paused: boolean;
  /** null = until somebody resumes, or not paused. */
  readonly pausedUntil: number | null;
  readonly pausedBy: string | null;
  readonly pauseReason: string | null;
}

/** An item that cannot be read, and because of which attributes; nothing leaves by it. */
export interface UnreadableItem {
  readonly gate: string;
  readonly attributes: readonly string[];
}

/** What a table of gates holds. */
export interface GatesAnswer {
  readonly gates: readonly GateReport[];
  readonly unreadable: readonly UnreadableItem[];
}

/** One report for each identity, from the items of all its lanes. */
export function gateReports(items: readonly Item[], now: number): GateReport[] {
  const byIdentity = Map.groupBy(items, ({ gate }) => gate.replace(/#\d+$/, ""));
  return [...byIdentity].map(([identity, lanes]) => reportOf(identity, lanes, now)).sort(byName);
}

function byName(a: GateReport, b: GateReport): number {
  return a.identity < b.identity ? -1 : 1;
}

function reportOf(identity: string, lanes: readonly Item[], now: number): GateReport {
  const main = lanes.find(({ gate }) => gate === identity);
  const rate = main?.rate !== undefined && (main.rate_until ?? 0) > now ? main.rate : null;
  const nextFree = Math.max(...lanes.map(({ next_free_at }) => next_free_at));
  const pause = main === undefined ? undefined : pauseOf(main);
  const isPaused = pause !== undefined && (pause.until ?? Number.POSITIVE_INFINITY) > now;
  const isClosed = main !== undefined && main.closed_since !== 0;
  return {
    identity,
    rate,
    used: rate === null ? null : usedShare(lanes, rate, now),
    nextFreeAt: nextFree === 0 ? null : nextFree,
    backlogSeconds: Math.max(
      0,
      Math.round(Math.max(...lanes.map(({ backlog_until }) => backlog_until.at(-1) ?? 0)) - now),
    ),
    breaker: isClosed ? "closed" : "open",
    probeAt: isClosed ? Math.max(main.closed_until, main.probe_until) : null,
    paused: isPaused,
    pausedUntil: isPaused ? (pause.until ?? null) : null,
    pausedBy: isPaused ? pause.by : null,
    pauseReason: isPaused ? (pause.reason ?? null) : null,
  };
}

function usedShare(lanes: readonly Item[], rate: number, now: number): number {
  const parts = lanes
    .flatMap(({ next_free_at, recent_starts }) => startsOf(recent_starts, next_free_at))
    .filter(({ at }) => at > now - 1 && at <= now)
    .reduce((sum, start) => sum + start.parts, 0);
  return Math.min(1, parts / Math.max(1, rate));
}

/** A table, a line for each gate, and a sentence for each item that cannot be read. */
export function gatesText({ gates, unreadable }: GatesAnswer): string {
  const all = gates.find(({ identity }) => identity === allGatesKey);
  const own = gates.filter(({ identity }) => identity !== allGatesKey);
  const rows = [
    ["identity", "rate/s", "used", "backlog", "breaker", "pause"],
    ...own.map((gate) => [
      gate.identity,
      gate.rate === null ? "-" : String(gate.rate),
      gate.used === null ? "-" : `${Math.round(gate.used * 100)} %`,
      `${gate.backlogSeconds} s`,
      gate.probeAt === null ? "open" : `closed, tries at ${clockTime(gate.probeAt)}`,
      pauseTextOf(gate),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const heading = all?.paused === true ? `All sends are paused: ${pauseTextOf(all)}.\n` : "";
  const problems = unreadable.map(
    ({ gate, attributes }) =>
      `The item ${gate} cannot be read because of ${attributes.join(", ")}, so nothing leaves by it; delete it: it forms itself anew, but for a pause.\n`,
  );
  return `${heading}${own.length === 0 ? "No identity has sent yet." : lines.join("\n")}\n${problems.join("")}`;
}

function pauseTextOf({ paused, pausedUntil, pausedBy, pauseReason }: GateReport): string {
  if (!paused) return "-";
  return pauseText({
    by: pausedBy ?? "unknown",
    ...(pausedUntil !== null && { until: pausedUntil }),
    ...(pauseReason !== null && { reason: pauseReason }),
  });
}

/** A pause in words: until when, by whom and why. */
export function pauseText({ until, by, reason }: Omit<Pause, "since">): string {
  const end = until === undefined ? "until resume" : `until ${clockTime(until)}`;
  return `${end}, by ${by}${reason === undefined ? "" : `: ${reason}`}`;
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19).concat(" UTC");
}
