/**
 * The plan's own look at the stream: warns of what the attaching function will refuse.
 *
 * The rules are those of `functions/firehose-attachment/core/firehose-eligibility.ts`, in HCL. Cloud Control tells no status, so the
 * one refusal that the plan cannot foresee is `not-active`.
 */
import type { RefusalReason } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import type { Construct } from "../cdktf.ts";
import type { FirehoseInputs } from "../inputs/firehose-inputs.ts";
import type { Input } from "../inputs/input.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { Check } from "../shared/check.ts";

/** A refusal in HCL, over the names that {@link withNames} binds. */
interface Refusal {
  /** Whether it does not apply. */
  readonly isAbsent: string;
  /** Its reason, as a sentence. */
  readonly text: string;
}

/**
 * `check.firehose_attachment`. It reads the stream as CloudFormation describes it, and says nothing where it
 * cannot: every expression is wrapped, and a stream that cannot be read is a warning of Terraform's.
 */
export function firehoseEligibilityCheck(scope: Construct, inputs: SharedInputs & FirehoseInputs): Check {
  const { deliveryStreamName, namePrefix } = inputs;
  return new Check(scope, "firehose_attachment", {
    data: {
      type: "aws_cloudcontrolapi_resource",
      name: "delivery_stream",
      attributes: {
        type_name: "AWS::KinesisFirehose::DeliveryStream",
        identifier: deliveryStreamName.text,
      },
    },
    assertions: Object.values(refusals).map(({ isAbsent, text }) => ({
      condition: `try(${withNames(namePrefix, isAbsent)}, true)`,
      message:
        `format("The Firehose stream %s is left as it is, without the transformation: %s", ${deliveryStreamName.hcl}, ` +
        `try(${withNames(namePrefix, text)}, "it is not eligible."))`,
    })),
  });
}

// In the order of the table. No two apply to the same stream, so that a user reads one reason.
const refusals: Record<Exclude<RefusalReason, "not-active">, Refusal> = {
  "no-destination": {
    isAbsent: "length(kinds) > 0",
    text: '"it has no destination."',
  },
  "several-destinations": {
    isAbsent: "length(kinds) < 2",
    text: '"it has several destinations."',
  },
  "legacy-s3": {
    isAbsent: 'kind != "S3"',
    text: '"its legacy S3 destination takes no transformation; update it to an extended S3 destination."',
  },
  "not-s3": {
    isAbsent: 'length(kinds) != 1 || contains(["S3", "ExtendedS3"], kind)',
    text: 'format("it delivers to %s, not to Amazon S3.", kind)',
  },
  "other-processor": {
    isAbsent: 'kind != "ExtendedS3" || !isOn || length(others) == 0 || length(others) < length(processors)',
    text: 'format("it has a processor already (%s).", join(", ", others))',
  },
  "disabled-processor": {
    isAbsent: 'kind != "ExtendedS3" || isOn || length(others) == 0',
    text: 'format("it has a processor that is switched off (%s), and attaching would switch it on; remove it.", join(", ", others))',
  },
};

/** HCL with names for parts of the stream. A check has no locals; a loop over one value binds a name as well. */
function withNames(namePrefix: Input, hcl: string): string {
  const suffix = '"DestinationConfiguration"';
  const names = {
    stream: "jsondecode(data.aws_cloudcontrolapi_resource.delivery_stream.properties)",
    // Firehose may tell an extended S3 destination a second time in the legacy form. keys() fails for null.
    kinds:
      `[for key, value in stream : trimsuffix(key, ${suffix}) if endswith(key, ${suffix}) && can(keys(value)) && ` +
      '!(key == "S3DestinationConfiguration" && can(keys(stream.ExtendedS3DestinationConfiguration)))]',
    // That of the one destination. one() is unknown to Terraform where there is none.
    kind: 'join(" and ", kinds)',
    processing: "try(stream.ExtendedS3DestinationConfiguration.ProcessingConfiguration, null)",
    isOn: "try(processing.Enabled == true, false)",
    processors: "try([for processor in processing.Processors : processor], [])",
    // The ARN that the function has or will have: a reference to it would be unknown at the first plan.
    arn:
      'format("arn:%s:lambda:%s:%s:function:%s-transform-firehose", data.aws_partition.current.partition, ' +
      `data.aws_region.current.id, data.aws_caller_identity.current.account_id, ${namePrefix.hcl})`,
    // The types of the processors that do not invoke our function, whatever version of it.
    others:
      '[for processor in processors : try(tostring(processor.Type), "unknown") if !try(processor.Type == "Lambda" && ' +
      'anytrue([for parameter in processor.Parameters : parameter.ParameterName == "LambdaArn" && ' +
      'startswith(format("%s:", parameter.ParameterValue), format("%s:", arn))]), false)]',
  };
  return Object.entries(names).reduceRight(
    (body, [name, value]) => `one([for ${name} in [${value}] : ${body}])`,
    hcl,
  );
}
