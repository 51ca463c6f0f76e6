/** Logs and metrics by Powertools: structured JSON lines, and metrics in the embedded metric format. */
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { LogFields, Telemetry } from "../core/observability/telemetry.ts";

/** Telemetry of one function; {@link PublishedTelemetry.publish} at the end of every invocation. */
export interface PublishedTelemetry extends Telemetry {
  /** Writes the counts since the last time as one log line, which CloudWatch reads as metrics. */
  publish(): void;
}

/**
 * Telemetry by Powertools, set up by its own variables `POWERTOOLS_SERVICE_NAME`,
 * `POWERTOOLS_METRICS_NAMESPACE` and `POWERTOOLS_LOG_LEVEL`.
 *
 * @param version stands in every log line
 */
export function powertoolsTelemetry(version: string): PublishedTelemetry {
  const logger = new Logger({ persistentLogAttributes: { sms_retry_version: version } });
  const metrics = new Metrics();
  // Powertools writes a metric's values as a list; one sum a name is smaller and reads the same.
  let counts = new Map<string, number>();
  const fields = (given: LogFields | undefined): LogFields => given ?? {};
  return {
    count(metric, value = 1) {
      counts.set(metric, (counts.get(metric) ?? 0) + value);
    },
    info: (text, given) => logger.info(text, { ...fields(given) }),
    warn: (text, given) => logger.warn(text, { ...fields(given) }),
    // "error" is a reserved key of Powertools for error objects; ours is a class name.
    error: (text, given) => {
      const { error, ...others } = fields(given);
      logger.error(text, { ...others, ...(error !== undefined && { error_name: error }) });
    },
    publish() {
      const totals = counts;
      counts = new Map();
      for (const [metric, total] of totals) metrics.addMetric(metric, MetricUnit.Count, total);
      if (totals.size > 0) metrics.publishStoredMetrics();
    },
  };
}
