/** The event source of a Firehose stream: a function through which its records pass. */
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { Construct } from "../cdktf.ts";
import type { ServiceInputs } from "../inputs/configuration-set-inputs.ts";
import type { FirehoseInputs } from "../inputs/firehose-inputs.ts";
import type { PinpointInputs } from "../inputs/inputs.ts";
import { retrySettings, serviceSettings } from "../inputs/settings.ts";
import { type Access, allOf } from "../shared/access.ts";
import type { RetryEngine } from "../shared/retry-engine.ts";
import { type EngineProps, SmsFunction } from "../shared/sms-function.ts";

/** What the transformation feeds, and how it answers. */
export interface FirehoseTransformationProps extends EngineProps {
  readonly inputs: PinpointInputs & ServiceInputs & FirehoseInputs;
  readonly engine: RetryEngine;
}

/**
 * The function `transform-firehose`. It hands every record back as it came, so it needs no right to the stream
 * and no place for what it cannot read: that is in the stream's own archive.
 */
export class FirehoseTransformation extends Construct {
  readonly lambda: SmsFunction<"transform-firehose">;
  /** Firehose allows an invocation 300 seconds; the function answers before its own time is over. */
  readonly timeoutSeconds = timeoutSecondsOf["transform-firehose"];

  constructor(scope: Construct, { engine, ...props }: FirehoseTransformationProps) {
    super(scope, "firehose-transformation");
    const { inputs } = props;
    this.lambda = new SmsFunction(this, "transform-firehose", {
      ...props,
      memoryMegabytes: 512,
      timeoutSeconds: this.timeoutSeconds,
      access: allOf(
        engine.table.access("GetItem", "BatchGetItem", "UpdateItem"),
        engine.queue.sending,
        retrySettings(inputs),
        serviceSettings(inputs),
        archiveSettings(inputs),
      ),
      preconditions: [
        {
          condition: `\${${inputs.smsService.hcl} != "pinpoint" || ${inputs.pinpointApplicationId.hcl} != null}`,
          errorMessage:
            'Retries by Pinpoint need its project; give pinpoint_application_id, or set sms_service to "end-user-messaging".',
        },
        {
          condition: `\${${inputs.smsService.hcl} != "end-user-messaging" || ${inputs.configurationSetName.hcl} != null}`,
          errorMessage:
            "A retry by End User Messaging without a configuration set has no events; name the set whose events go to this stream in configuration_set_name.",
        },
      ],
    });
  }
}

/** What the archive gets: in shadow mode nothing is retried, so nothing is kept out of it. */
function archiveSettings({
  dropRetriedEvents,
  shadowMode,
}: FirehoseTransformationProps["inputs"]): Access<"FIREHOSE_DROP_RETRIED_EVENTS" | "SHADOW_MODE"> {
  return {
    statements: [],
    environment: {
      FIREHOSE_DROP_RETRIED_EVENTS: dropRetriedEvents.text,
      SHADOW_MODE: shadowMode.text,
    },
  };
}
