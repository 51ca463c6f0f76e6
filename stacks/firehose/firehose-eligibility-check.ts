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
import type { PinpointInputs } from "../inputs/inputs.ts";
import { Check } from "../shared/check.ts";

/** A refusal in HCL. */
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
export function firehoseEligibilityCheck(scope: Construct, inputs: PinpointInputs & FirehoseInputs): Check {
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
    assertions: Object.values(refusalsOf(partsOfStream(namePrefix))).map(({ isAbsent, text }) => ({
      condition: `try(${isAbsent}, true)`,
      message:
        `format("The Firehose stream %s is left as it is, without the transformation: %s", ${deliveryStreamName.hcl}, ` +
        `try(${text}, "it is not eligible."))`,
    })),
  });
}

/** What the refusals rest on, each an expression in HCL. */
type StreamParts = Readonly<Record<"kinds" | "kind" | "isOn" | "processors" | "others", string>>;

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

/**
 * The parts of the stream. They cannot be Terraform's `locals`, which do not see the data source of a check.
 *
 * @see https://developer.hashicorp.com/terraform/language/block/check
 */
function partsOfStream(namePrefix: Input): StreamParts {
  const stream = "jsondecode(data.aws_cloudcontrolapi_resource.delivery_stream.properties)";
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

  return { kinds, kind, isOn, processors, others };
}
