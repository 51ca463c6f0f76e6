/**
 * The plan's own look at the stream: warns of what the attaching function will refuse, and of a transformation that
 * somebody took off.
 *
 * The rules are those of `functions/firehose-attachment/core/firehose-eligibility.ts`, in HCL. Cloud Control tells no status, so the
 * one refusal that the plan cannot foresee is `not-active`.
 */
import type { RefusalReason } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import { type Construct, DataAwsCloudcontrolapiResource, TerraformLocal, Token } from "../cdktf.ts";
import type { FirehoseInputs } from "../inputs/firehose-inputs.ts";
import type { Input } from "../inputs/input.ts";
import type { PinpointInputs } from "../inputs/inputs.ts";
import { Check } from "../shared/check.ts";
import { type Place, reference } from "../shared/sms-retry-stack.ts";
import type { FirehoseAttachment } from "./firehose-attachment.ts";

/** A refusal in HCL. */
interface Refusal {
  /** Whether it does not apply. */
  readonly isAbsent: string;
  /** Its reason, as a sentence. */
  readonly text: string;
}

/** What the checks look at. */
export interface FirehoseChecksOptions {
  readonly inputs: PinpointInputs & FirehoseInputs;
  readonly place: Place;
  readonly attachment: FirehoseAttachment;
}

/**
 * `check.firehose_attachment`, whether the stream may get the transformation, and `check.firehose_attached`, whether it
 * still has it. The stream is read as CloudFormation describes it; the expressions are wrapped, so that nothing is said of
 * what cannot be understood. Terraform prints the values that a check's condition names, and the description of a stream
 * may hold an access key: so the conditions name locals that hold the verdict and nothing else.
 */
export function firehoseChecks(scope: Construct, options: FirehoseChecksOptions): void {
  const { inputs, attachment } = options;
  const { deliveryStreamName, planCheck } = inputs;
  const refusals = lookedAt(scope, options);
  new Check(scope, "firehose_attachment", {
    assertions: [
      {
        condition: `length(${refusals}) == 0`,
        message:
          `format("The Firehose stream %s is left as it is, without the transformation: %s", ${deliveryStreamName.hcl}, ` +
          `join(" ", values(${refusals})))`,
      },
    ],
  });
  new Check(scope, "firehose_attached", {
    assertions: [
      {
        // Only the last part may be unknown at plan: where the transformation is about to be attached.
        condition:
          `!${planCheck.hcl} || length(${refusals}) > 0 || local.firehose_had_transformation ? true : ` +
          `!${attachment.attachedHcl} || local.firehose_has_transformation`,
        message:
          'format("The transformation was attached to the Firehose stream %s and is off it now, so no failed message is ' +
          "sent again. Apply with -replace=aws_lambda_invocation.recheck_transformation; and where a Terraform " +
          "configuration of your own describes the stream, let it ignore changes of its processing_configuration first, " +
          `or its next apply takes it off once more.", ${deliveryStreamName.hcl})`,
      },
    ],
  });
}

/**
 * Reads the stream outside the checks, where a plan that changes nothing counts no change: once as it is before the apply,
 * and once as it is after. Without `firehose_plan_check` neither is read, and nothing is found.
 *
 * @returns the address of the refusals, reason → sentence
 */
function lookedAt(scope: Construct, { inputs, place, attachment }: FirehoseChecksOptions) {
  const { deliveryStreamName, namePrefix, planCheck, roleName } = inputs;
  const read = (name: string, dependsOn: string[]) => {
    const address = `data.aws_cloudcontrolapi_resource.${name}`;
    const data = new DataAwsCloudcontrolapiResource(scope, address, {
      count: Token.asNumber(`\${${planCheck.hcl} ? 1 : 0}`),
      typeName: "AWS::KinesisFirehose::DeliveryStream",
      identifier: deliveryStreamName.text,
    });
    if (dependsOn.length > 0) data.dependsOn = dependsOn;
    return partsOfStream(`jsondecode(one(${address}[*].properties))`, namePrefix);
  };
  const isOurs = ({ isOn, processors, others }: StreamParts) =>
    `\${try(${isOn} && length(${others}) < length(${processors}), false)}`;
  const before = read("delivery_stream", []);
  const refusals = Object.entries(refusalsOf(before)).map(
    ([reason, { isAbsent, text }]) =>
      `"${reason}" = { applies = try(!(${isAbsent}), false), text = try(${text}, "it is not eligible.") }`,
  );
  new TerraformLocal(
    scope,
    "local.firehose_refusals",
    `\${{ for reason, refusal in { ${refusals.join(", ")} } : reason => refusal.text if refusal.applies }}`,
  );
  // The name does not say on which path the role is; the stream's description does, where it is read.
  const named = `format("/%s", ${roleName.hcl})`;
  new TerraformLocal(
    scope,
    "local.firehose_role_arn",
    `\${try([for arn in [${before.roleArn}] : arn if endswith(arn, ${named})][0], ` +
      `"${place.roleArn({ name: reference(`coalesce(${roleName.hcl}, "none")`) })}")}`,
  );
  new TerraformLocal(scope, "local.firehose_had_transformation", isOurs(before));
  const after = read("attached_delivery_stream", [attachment.checkAddress]);
  new TerraformLocal(scope, "local.firehose_has_transformation", isOurs(after));
  return "local.firehose_refusals";
}

/** What the refusals rest on, each an expression in HCL. */
type StreamParts = Readonly<Record<"kinds" | "kind" | "isOn" | "processors" | "others" | "roleArn", string>>;

/** In the order of the table. No two apply to the same stream, so that a user reads one reason. */
function refusalsOf({
  kinds,
  kind,
  isOn,
  processors,
  others,
}: StreamParts): Record<Exclude<RefusalReason, "not-active">, Refusal> {
  return {
    "no-destination": {
      isAbsent: `length(${kinds}) > 0`,
      text: '"it has no destination."',
    },
    "several-destinations": {
      isAbsent: `length(${kinds}) < 2`,
      text: '"it has several destinations."',
    },
    "legacy-s3": {
      isAbsent: `${kind} != "S3"`,
      text: '"its legacy S3 destination takes no transformation; update it to an extended S3 destination."',
    },
    "not-s3": {
      isAbsent: `length(${kinds}) != 1 || contains(["S3", "ExtendedS3"], ${kind})`,
      text: `format("it delivers to %s, not to Amazon S3.", ${kind})`,
    },
    "other-processor": {
      isAbsent:
        `${kind} != "ExtendedS3" || !${isOn} || length(${others}) == 0 || ` +
        `length(${others}) < length(${processors})`,
      text: `format("it has a processor already (%s).", join(", ", ${others}))`,
    },
    "disabled-processor": {
      isAbsent: `${kind} != "ExtendedS3" || ${isOn} || length(${others}) == 0`,
      text: `format("it has a processor that is switched off (%s), and attaching would switch it on; remove it.", join(", ", ${others}))`,
    },
  };
}

/** The parts of a stream, given HCL of its description. */
function partsOfStream(stream: string, namePrefix: Input): StreamParts {
  const extendedS3 = `${stream}.ExtendedS3DestinationConfiguration`;

  // Firehose may tell an extended S3 destination a second time in the legacy form. keys() fails for null.
  const isToldTwice = `(key == "S3DestinationConfiguration" && can(keys(${extendedS3})))`;
  const suffix = '"DestinationConfiguration"';
  const kinds =
    `[for key, value in ${stream} : trimsuffix(key, ${suffix}) ` +
    `if endswith(key, ${suffix}) && can(keys(value)) && !${isToldTwice}]`;
  // That of the one destination. one() is unknown to Terraform where there is none.
  const kind = `join(" and ", ${kinds})`;

  const processing = `${extendedS3}.ProcessingConfiguration`;
  const isOn = `try(${processing}.Enabled == true, false)`;
  const processors = `try([for processor in ${processing}.Processors : processor], [])`;

  // The ARN that the function has or will have: a reference to it would be unknown at the first plan.
  const arn =
    'format("arn:%s:lambda:%s:%s:function:%s-transform-firehose", data.aws_partition.current.partition, ' +
    `data.aws_region.current.id, data.aws_caller_identity.current.account_id, ${namePrefix.hcl})`;
  // Whatever version of it.
  const isOurArn =
    'parameter.ParameterName == "LambdaArn" && ' +
    `startswith(format("%s:", parameter.ParameterValue), format("%s:", ${arn}))`;
  const isOurs = `processor.Type == "Lambda" && anytrue([for parameter in processor.Parameters : ${isOurArn}])`;
  // The types of the processors that do not invoke our function.
  const others =
    `[for processor in ${processors} : try(tostring(processor.Type), "unknown") ` +
    `if !try(${isOurs}, false)]`;

  return { kinds, kind, isOn, processors, others, roleArn: `${extendedS3}.RoleARN` };
}
