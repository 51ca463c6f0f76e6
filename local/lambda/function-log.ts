/** What functions wrote: their log lines, and the metrics among them. */

/** Gathers the lines of functions. */
export interface FunctionLog {
  /** Takes a line that a function wrote to stdout or stderr. */
  add(line: string): void;
  /** All lines that are no metrics, in the order in which they came. */
  readonly lines: readonly string[];
  /** Sum of each metric over all functions. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** A line in CloudWatch's embedded metric format. */
interface MetricLine {
  readonly _aws: { readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { Name: string }[] }[] };
  readonly [metric: string]: unknown;
}

/**
 * An empty log.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function functionLog(): FunctionLog {
  const lines: string[] = [];
  const metrics = new Map<string, number>();
  return {
    lines,
    metrics,
    add(line) {
      const metricLine = parseMetricLine(line);
      if (metricLine === undefined) {
        lines.push(line);
        return;
      }
      for (const { Metrics } of metricLine._aws.CloudWatchMetrics) {
        for (const { Name } of Metrics) {
          const values = [metricLine[Name] ?? []].flat();
          const sum = values.reduce<number>((total, value) => total + Number(value), 0);
          metrics.set(Name, (metrics.get(Name) ?? 0) + sum);
        }
      }
    },
  };
}

function parseMetricLine(line: string): MetricLine | undefined {
  if (!line.includes('"CloudWatchMetrics"')) return undefined;
  try {
    return JSON.parse(line) as MetricLine;
  } catch {
    return undefined;
  }
}
