/** For users whose delivery events already go to a Firehose stream. */
import type { Construct } from "../cdktf.ts";
import { identityInputs, serviceInputs } from "../inputs/configuration-set-inputs.ts";
import { endUserMessagingInputs } from "../inputs/end-user-messaging-inputs.ts";
import { firehoseInputs } from "../inputs/firehose-inputs.ts";
import { maybePinpointInputs } from "../inputs/inputs.ts";
import { output, sharedOutputs } from "../inputs/outputs.ts";
import { RetryEngine } from "../shared/retry-engine.ts";
import { type Artefacts, SmsRetryStack } from "../shared/sms-retry-stack.ts";
import { bothServices } from "./both-services.ts";
import { firehoseAlarms } from "./firehose-alarms.ts";
import { FirehoseAttachment } from "./firehose-attachment.ts";
import { firehoseEligibilityCheck } from "./firehose-eligibility-check.ts";
import { FirehoseTransformation } from "./firehose-transformation.ts";

/**
 * Stack `sms-retry-firehose`: puts a transformation into an existing Firehose stream, if it may, and takes it out
 * again on destroy. There is no events bucket: what the stream delivers is the archive.
 */
export class FirehoseStack extends SmsRetryStack {
  constructor(scope: Construct, artefacts: Artefacts) {
    super(scope, "sms-retry-firehose");
    const inputs = {
      ...maybePinpointInputs(this),
      ...serviceInputs(this),
      ...endUserMessagingInputs(this),
      ...identityInputs(this),
      ...firehoseInputs(this),
    };
    const props = { inputs, place: this.place, artefacts };

    const engine = new RetryEngine(this, { ...props, sending: bothServices(this, props) });
    const transformation = new FirehoseTransformation(this, { ...props, engine });
    const attachment = new FirehoseAttachment(this, { ...props, engine, transformation });
    firehoseEligibilityCheck(this, inputs);
    firehoseAlarms(this, { ...props, engine, transformation });
    sharedOutputs(this, { engine, consumer: transformation.lambda });
    output(
      this,
      "transformation_function_arn",
      transformation.lambda.arn,
      "ARN of the function that transforms the stream's records; name it where the stream's own Terraform configuration has a processing block.",
    );
    output(
      this,
      "firehose_attached",
      attachment.attached,
      "Whether the transformation is attached to the stream, as of the last apply that looked.",
    );
    output(
      this,
      "firehose_attachment_reason",
      attachment.reason,
      "Sentence that says so, or why not; once the cause is gone, apply with -replace=aws_lambda_invocation.recheck_transformation.",
    );
  }
}
