/** What an operator must hear of where events come through a Firehose stream. */
import type { Construct } from "../cdktf.ts";
import type { ServiceInputs } from "../inputs/configuration-set-inputs.ts";
import type { FirehoseInputs } from "../inputs/firehose-inputs.ts";
import type { PinpointInputs } from "../inputs/inputs.ts";
import type { Alarms } from "../shared/alarms.ts";
import {
  type SharedAlarmsProps,
  sharedAlarms,
  watchBlockedForSome,
  watchFunction,
  watchMessages,
  watchOrphans,
} from "../shared/shared-alarms.ts";
import type { FirehoseTransformation } from "./firehose-transformation.ts";

/** What these alarms watch besides the shared ones. */
export interface FirehoseAlarmsProps extends SharedAlarmsProps {
  readonly inputs: PinpointInputs & ServiceInputs & FirehoseInputs;
  readonly transformation: FirehoseTransformation;
}

/**
 * The shared alarms, and those on the transformation. Its answer is always good, so what it could not do shows in
 * its own metrics alone; that Firehose could not reach it shows in Firehose's.
 */
export function firehoseAlarms(
  scope: Construct,
  { inputs, engine, transformation }: FirehoseAlarmsProps,
): Alarms {
  const alarms = sharedAlarms(scope, { inputs, engine });
  watchFunction(alarms, transformation.lambda);
  watchCapacity(alarms, transformation);
  watchBypass(alarms, transformation, inputs);
  alarms.watch("firehose_processing", {
    severity: "page",
    description:
      "Firehose could not have records transformed and puts them under processing-failed/ when it gives up: look " +
      "whether its role may invoke transform-firehose, and at the function's log.",
    namespace: "AWS/Firehose",
    metric: "ExecuteProcessing.Success",
    dimensions: { DeliveryStreamName: inputs.deliveryStreamName.text },
    statistic: "Minimum",
    below: 1,
  });
  alarms.watchOwnMetric("transform_firehose_event_failed", "EventFailed", "transform-firehose", {
    severity: "ticket",
    description:
      "Events were delivered without having been handled, so their messages may not be sent again; look at the log.",
  });
  alarms.watchOwnMetric("transform_firehose_settings_invalid", "SettingsInvalid", "transform-firehose", {
    severity: "page",
    description:
      "A setting of transform-firehose is wrong, so nothing is retried; events are delivered as they came. Correct the inputs that its log names.",
  });
  alarms.watchOwnMetric("record_malformed", "RecordMalformed", "transform-firehose", {
    severity: "ticket",
    description: "A record of the stream was no delivery event; it was delivered as it came.",
  });
  watchSilence(alarms, inputs);
  watchBlockedForSome(alarms);
  watchMessages(alarms, "transform-firehose");
  watchOrphans(alarms, "transform-firehose");
  return alarms;
}

/**
 * The likeliest mistake where retries leave by End User Messaging: a configuration set that does not send to this stream.
 * Every event that comes by is counted, whatever it is about. Where nothing leaves by it there is no such alarm.
 */
function watchSilence(alarms: Alarms, { smsService }: ServiceInputs): void {
  alarms.watchTogether("sends_without_events", {
    severity: "page",
    description:
      "Messages were sent by End User Messaging for an hour and not one event of it came by, so no failure is seen: does the configuration set have this Firehose stream among its event destinations?",
    periodMinutes: 60,
    sums: {
      produced: alarms.ownMetric("EndUserMessagingSent", "produce"),
      resent: alarms.ownMetric("EndUserMessagingSent", "resend"),
      events: alarms.ownMetric("EndUserMessagingEvent", "transform-firehose"),
    },
    // 1 for an hour with sends and without any event.
    expression: "IF(FILL(produced, 0) + FILL(resent, 0) > 0 AND FILL(events, 0) == 0, 1, 0)",
    onCondition: `${smsService.hcl} == "end-user-messaging"`,
  });
}

function watchCapacity(alarms: Alarms, { lambda, timeoutSeconds }: FirehoseTransformation): void {
  alarms.watch("transform_firehose_duration", {
    severity: "ticket",
    description:
      "transform-firehose takes most of its time for a batch, in milliseconds, and may leave events out; lower firehose_buffer_size_megabytes.",
    namespace: "AWS/Lambda",
    metric: "Duration",
    dimensions: { FunctionName: lambda.functionName },
    statistic: "Maximum",
    above: timeoutSeconds * 1000 * 0.75,
  });
}

/**
 * Whoever describes the stream elsewhere can take the transformation off with an apply of theirs, and nothing fails. A
 * stream without it is wrong however that came, so one that was refused sounds the alarm too.
 */
function watchBypass(
  alarms: Alarms,
  { lambda }: FirehoseTransformation,
  { deliveryStreamName }: FirehoseInputs,
): void {
  const ofStream = (metric: string) => ({
    namespace: "AWS/Firehose",
    metric,
    dimensions: { DeliveryStreamName: deliveryStreamName.text },
  });
  alarms.watchTogether("transform_firehose_not_called", {
    severity: "page",
    description:
      "The Firehose stream gets records and does not hand them to transform-firehose, so no failed message is sent again: was the transformation taken off by an apply of the stream's own configuration? A plan and the output firehose_attachment_reason say how it stands.",
    // As long as firehose_buffer_interval_seconds can be: what came at the end of one period is handed over in the next.
    periodMinutes: 15,
    periods: 2,
    sums: {
      put: ofStream("IncomingRecords"),
      read: ofStream("DataReadFromKinesisStream.Records"),
      called: {
        namespace: "AWS/Lambda",
        metric: "Invocations",
        dimensions: { FunctionName: lambda.functionName },
      },
    },
    expression: "IF(FILL(put, 0) + FILL(read, 0) > 0 AND FILL(called, 0) == 0, 1, 0)",
  });
}
