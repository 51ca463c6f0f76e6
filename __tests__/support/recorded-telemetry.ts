/** Telemetry that is kept, for tests that look at what an operator would see. */
import type { LogFields, MetricName, Telemetry } from "../../functions/core/observability/telemetry.ts";

/** Telemetry with what it was told. */
export interface RecordedTelemetry extends Telemetry {
  /** Level, text and fields of every line. */
  readonly lines: [level: "info" | "warn" | "error", text: string, fields: LogFields | undefined][];
  /** Sum of each metric. */
  readonly counts: Partial<Record<MetricName, number>>;
}

/** Telemetry that has been told nothing yet. */
export function recordedTelemetry(): RecordedTelemetry {
  const lines: RecordedTelemetry["lines"] = [];
  const counts: RecordedTelemetry["counts"] = {};
  return {
    lines,
    counts,
    count(metric, value = 1) {
      counts[metric] = (counts[metric] ?? 0) + value;
    },
    info: (text, fields) => void lines.push(["info", text, fields]),
    warn: (text, fields) => void lines.push(["warn", text, fields]),
    error: (text, fields) => void lines.push(["error", text, fields]),
  };
}
