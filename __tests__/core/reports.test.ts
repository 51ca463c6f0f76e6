/** What an operator sees of single outcomes. */
import { reportEvent, reportRecord, reportRetryMessage } from "../../functions/core/observability/reports.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";

const retryMessage = { kind: "retry-message", application_message_id: "order-4711", attempt: 1 } as const;

test("an item with a status of a later version is a warning that says what to deploy", () => {
  const telemetry = recordedTelemetry();

  reportEvent({ outcome: "item-status-unknown", reason: "unknown-item-status" }, telemetry);

  expect(telemetry.lines).toEqual([
    [
      "warn",
      "An item has a status that this version does not know, so it is left alone; deploy the version that wrote it.",
      expect.objectContaining({ outcome: "item-status-unknown" }),
    ],
  ]);
});

test("only a retry message that is put off counts as one that a closed gate holds back", () => {
  const telemetry = recordedTelemetry();

  reportRetryMessage(retryMessage, { outcome: "deferred", reason: "paused" }, telemetry);
  expect(telemetry.counts.SendPaused).toBeUndefined();
  reportRetryMessage(retryMessage, { outcome: "not-due", reason: "paused" }, telemetry);
  expect(telemetry.counts.SendPaused).toBe(1);
});

test("a record of which nobody knows what is wrong is logged without a reason", () => {
  const telemetry = recordedTelemetry();

  reportRecord({ id: "r", position: 0, result: "malformed", isReadable: false }, telemetry);

  expect(telemetry.lines.map(([, , fields]) => fields)).toEqual([
    expect.objectContaining({ record_id: "r", reason: "" }),
  ]);
});

test("a late retry counts as such, whatever becomes of it", () => {
  const telemetry = recordedTelemetry();

  reportRetryMessage(retryMessage, { outcome: "not-due", reason: "no-capacity", isLate: true }, telemetry);
  reportRetryMessage(retryMessage, { outcome: "sent", reason: "due", isLate: true }, telemetry);
  reportRetryMessage(retryMessage, { outcome: "sent", reason: "due" }, telemetry);

  expect(telemetry.counts.RetryLate).toBe(2);
});
