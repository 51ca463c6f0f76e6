/**
 * Logs and metrics as lines of JSON on the output of the function, which CloudWatch keeps: log lines with the keys of
 * Powertools for AWS Lambda, and counts in the embedded metric format.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { loggableId } from "../core/observability/personal-id.ts";
import type { LogFields, Telemetry } from "../core/observability/telemetry.ts";
import { telemetrySettings } from "../settings.ts";
import { systemClock, systemOutput } from "./system-clock.ts";

/** Telemetry of one function; {@link PublishedTelemetry.publish} at the end of every invocation. */
export interface PublishedTelemetry extends Telemetry {
  /** Writes the counts since the last time as one log line, which CloudWatch reads as metrics. */
  publish(): void;
}

/** What the lines depend on, for tests; everything else of them is the caller's. */
export interface TelemetryOutside {
  /** Epoch seconds. */
  readonly now: () => number;
  /** Writes one line; which of the two makes no difference to CloudWatch. */
  readonly write: (line: string, to: "stdout" | "stderr") => void;
}

const machine: TelemetryOutside = { now: systemClock.now, write: systemOutput };

/**
 * Telemetry by the settings of the environment; lines below its log level are not written.
 *
 * @param version stands in every log line
 */
export function logTelemetry(
  version: string,
  settings = telemetrySettings(),
  { now, write }: TelemetryOutside = machine,
): PublishedTelemetry {
  const { service, namespace, levels, traceId } = settings;
  let counts = new Map<string, number>();

  function log(
    level: "INFO" | "WARN" | "ERROR",
    message: string,
    { error, application_message_id: id, ...fields }: LogFields = {},
  ): void {
    if (!levels.has(level)) return;
    const trace = traceId();
    const line = {
      level,
      message,
      timestamp: new Date(now() * 1000).toISOString(),
      service,
      ...(trace !== undefined && { xray_trace_id: trace }),
      sms_retry_version: version,
      ...(id !== undefined && { application_message_id: loggableId(id) }),
      ...fields,
      // Its class alone; Powertools has whole errors under "error", and so have the dashboards that know it.
      ...(error !== undefined && { error_name: error }),
    };
    write(JSON.stringify(line), level === "INFO" ? "stdout" : "stderr");
  }

  return {
    count(metric, value = 1) {
      counts.set(metric, (counts.get(metric) ?? 0) + value);
    },
    info: (text, fields) => log("INFO", text, fields),
    warn: (text, fields) => log("WARN", text, fields),
    error: (text, fields) => log("ERROR", text, fields),
    publish() {
      if (counts.size === 0) return;
      write(metricLine(counts, { namespace, service, at: now() }), "stdout");
      counts = new Map();
    },
  };
}

/** Counts in the embedded metric format, all under the dimension `service`. A line takes 100; we have fewer names. */
function metricLine(
  counts: ReadonlyMap<string, number>,
  { namespace, service, at }: { readonly namespace: string; readonly service: string; readonly at: number },
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: Math.round(at * 1000),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [["service"]],
          Metrics: [...counts.keys()].map((Name) => ({ Name, Unit: "Count" })),
        },
      ],
    },
    service,
    ...Object.fromEntries(counts),
  });
}
