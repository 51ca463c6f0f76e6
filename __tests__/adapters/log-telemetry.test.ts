/** What the functions write: the lines that CloudWatch reads, key for key as Powertools 2.36 wrote them. */
import { logTelemetry } from "../../functions/adapters/log-telemetry.ts";
import { telemetrySettings } from "../../functions/settings.ts";

const at = Date.UTC(2026, 10, 25, 21, 56, 37, 163) / 1000;

/** Telemetry of a function with these variables, and the lines that it writes. */
function telemetry(environment: Record<string, string> = {}) {
  const lines: string[] = [];
  const settings = telemetrySettings({
    POWERTOOLS_SERVICE_NAME: "resend",
    POWERTOOLS_METRICS_NAMESPACE: "sms-retry",
    POWERTOOLS_LOG_LEVEL: "INFO",
    ...environment,
  });
  const write = (line: string, to: string) => void lines.push(`${to} ${line}`);
  return { lines, telemetry: logTelemetry("1.2.3", settings, { now: () => at, write }) };
}

describe("a log line", () => {
  test("has level, text, time, service, trace, version and fields, in this order", () => {
    const { lines, telemetry: logs } = telemetry({
      _X_AMZN_TRACE_ID: "Root=1-5759e988-bd86;Parent=55;Sampled=1",
    });
    logs.info("Hello.", { application_message_id: "order-1", outcome: "sent" });

    expect(lines).toEqual([
      'stdout {"level":"INFO","message":"Hello.","timestamp":"2026-11-25T21:56:37.163Z","service":"resend","xray_trace_id":"1-5759e988-bd86","sms_retry_version":"1.2.3","application_message_id":"order-1","outcome":"sent"}',
    ]);
  });

  test("has the class of an error under a name of its own", () => {
    const { lines, telemetry: logs } = telemetry();
    logs.error("It failed.", { error: "TimeoutError", count: 2 });

    expect(lines).toEqual([
      'stderr {"level":"ERROR","message":"It failed.","timestamp":"2026-11-25T21:56:37.163Z","service":"resend","sms_retry_version":"1.2.3","count":2,"error_name":"TimeoutError"}',
    ]);
  });

  test.each(["+447700900123", "someone@example.com"])("has no id that tells a person, such as %s", (id) => {
    const { lines, telemetry: logs } = telemetry();
    logs.warn("Look.", { application_message_id: id });

    expect(lines.join()).not.toContain(id);
    expect(lines.join()).toContain('"application_message_id":"withheld: it tells a person"');
  });

  test("below the level of the function is not written", () => {
    const { lines, telemetry: logs } = telemetry({ POWERTOOLS_LOG_LEVEL: "ERROR" });
    logs.info("1");
    logs.warn("2");
    logs.error("3");

    expect(lines.map((line) => line.slice(0, 48))).toEqual([
      'stderr {"level":"ERROR","message":"3","timestamp',
    ]);
  });
});

describe("the counts of an invocation", () => {
  test("are one line of the embedded metric format", () => {
    const { lines, telemetry: metrics } = telemetry();
    metrics.count("Produced");
    metrics.count("EventFailed");
    metrics.count("Produced", 3);
    metrics.publish();

    expect(lines).toEqual([
      'stdout {"_aws":{"Timestamp":1795643797163,"CloudWatchMetrics":[{"Namespace":"sms-retry","Dimensions":[["service"]],"Metrics":[{"Name":"Produced","Unit":"Count"},{"Name":"EventFailed","Unit":"Count"}]}]},"service":"resend","Produced":4,"EventFailed":1}',
    ]);
  });

  test("begin anew after each, and nothing is written where there are none", () => {
    const { lines, telemetry: metrics } = telemetry();
    metrics.publish();
    metrics.count("Produced");
    metrics.publish();
    metrics.publish();

    expect(lines).toHaveLength(1);
  });
});
