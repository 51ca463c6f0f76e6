/** What connects the transformation to the user's Firehose stream, and disconnects it again. */
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { Construct, IamRolePolicy, type ITerraformDependable, LambdaInvocation, Token } from "../cdktf.ts";
import type { FirehoseInputs } from "../inputs/firehose-inputs.ts";
import type { PinpointInputs } from "../inputs/inputs.ts";
import { policyDocument, type Statement } from "../shared/access.ts";
import type { RetryEngine } from "../shared/retry-engine.ts";
import { type EngineProps, SmsFunction } from "../shared/sms-function.ts";
import type { FirehoseTransformation } from "./firehose-transformation.ts";

/** What is connected to what. */
export interface FirehoseAttachmentProps extends EngineProps {
  readonly inputs: PinpointInputs & FirehoseInputs;
  readonly transformation: FirehoseTransformation;
  readonly engine: RetryEngine;
}

/**
 * The function `attach-transformation` and the invocations by which Terraform has it attach on apply, check again
 * where something changed, and detach on destroy, before anything that the transformation needs is gone.
 */
export class FirehoseAttachment extends Construct {
  /** Whether the transformation was attached when it was looked at last, as text: what a boolean shows nothing of in cdktf. */
  readonly attached: string;
  /** HCL of the same, as a boolean. */
  readonly attachedHcl: string;
  /** HCL of the sentence that says so, or why not. */
  readonly reason: string;
  /** Address of what looks last at an apply. */
  readonly checkAddress: string;

  constructor(scope: Construct, options: FirehoseAttachmentProps) {
    super(scope, "firehose-attachment");
    const lambda = this.#lambda(options);
    const mayChangeStream = this.#mayChangeStream(lambda, options);
    const rights = [mayChangeStream, this.#mayPassRole(lambda, options), this.#roleMayInvoke(options)];
    const attachment = this.#attachment(lambda, rights, options);
    this.checkAddress = this.#recheck(lambda, attachment, options);
    this.attachedHcl = `jsondecode(${this.checkAddress}.result).attached`;
    this.attached = `\${tostring(${this.attachedHcl})}`;
    this.reason = `\${jsondecode(${this.checkAddress}.result).reason}`;
  }

  #lambda({
    transformation,
    engine: _engine,
    ...props
  }: FirehoseAttachmentProps): SmsFunction<"attach-transformation"> {
    return new SmsFunction(this, "attach-transformation", {
      ...props,
      memoryMegabytes: 256,
      timeoutSeconds: timeoutSecondsOf["attach-transformation"],
      access: {
        statements: [
          {
            // The stream's role is let in by the function's own policy: no right to change a role exists.
            Sid: "LetTheRoleIn",
            Action: ["lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"],
            Resource: transformation.lambda.arn,
          },
        ],
        environment: {},
      },
    });
  }

  /**
   * The right to the stream. An update that names no role passes none on, but AWS's pages do not say whether
   * UpdateDestination asks for iam:PassRole all the same; see {@link FirehoseAttachment.#mayPassRole}.
   */
  #mayChangeStream(
    lambda: SmsFunction<"attach-transformation">,
    { inputs, place }: FirehoseAttachmentProps,
  ): IamRolePolicy {
    return new IamRolePolicy(this, "aws_iam_role_policy.attach_transformation_stream", {
      // With another stream this becomes another policy, so that the right to the former one stays until the
      // transformation is off it.
      name: `change-${inputs.deliveryStreamName.text}`,
      role: lambda.roleName,
      policy: policyDocument({
        Sid: "ChangeStream",
        Action: ["firehose:DescribeDeliveryStream", "firehose:UpdateDestination"],
        Resource: place.arn("firehose", `deliverystream/${inputs.deliveryStreamName.text}`),
      }),
    });
  }

  /** The right to pass on the stream's role, and no other: only where the user names it. */
  #mayPassRole(
    lambda: SmsFunction<"attach-transformation">,
    { inputs }: FirehoseAttachmentProps,
  ): IamRolePolicy {
    return new IamRolePolicy(this, "aws_iam_role_policy.attach_transformation_role", {
      count: Token.asNumber(inputs.roleName.ifNull("0", "1")),
      name: "pass-stream-role",
      role: lambda.roleName,
      policy: policyDocument({
        Sid: "PassStreamRole",
        Action: "iam:PassRole",
        Resource: { hcl: "local.firehose_role_arn" },
        Condition: { StringEquals: { "iam:PassedToService": "firehose.amazonaws.com" } },
      }),
    });
  }

  #roleMayInvoke({ inputs, transformation }: FirehoseAttachmentProps): IamRolePolicy {
    const { arn } = transformation.lambda;
    const statement: Statement = {
      Sid: "InvokeTransformation",
      Action: ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
      // Firehose's console writes the second form, and AWS's pages ask for an ARN with a version.
      Resource: [arn, `${arn}:$LATEST`],
    };
    return new IamRolePolicy(this, "aws_iam_role_policy.firehose_role", {
      count: Token.asNumber(inputs.roleName.ifNull("0", "1")),
      name: `${inputs.namePrefix.text}-transform-firehose`,
      role: inputs.roleName.text,
      policy: policyDocument(statement),
    });
  }

  /**
   * Attaches when it is created and detaches when it is destroyed. As it depends on all that a transformation needs,
   * it is created last and destroyed first.
   */
  #attachment(
    lambda: SmsFunction<"attach-transformation">,
    rights: readonly ITerraformDependable[],
    options: FirehoseAttachmentProps,
  ): LambdaInvocation {
    const { inputs, transformation, engine } = options;
    return new LambdaInvocation(this, "aws_lambda_invocation.attach_transformation", {
      functionName: lambda.functionName,
      lifecycleScope: "CRUD",
      input: this.#request(options),
      // Another stream: off the former one before its policy goes.
      triggers: { delivery_stream_name: inputs.deliveryStreamName.text },
      dependsOn: [...lambda.permissions, ...rights, ...transformation.lambda.permissions, ...engine.ready],
      lifecycle: {
        // A function that is replaced loses its policy: off the stream before, and on again after.
        replaceTriggeredBy: [`${transformation.lambda.address}.arn`],
      },
    });
  }

  /**
   * Says how it stands with the attachment, and puts it right. It is replaced, which calls nothing on its way out,
   * wherever there is something to look at again.
   *
   * It is a resource of its own because the provider records an update in place that failed as if it had
   * succeeded, while a creation that failed is repeated by the next apply. And who wants another look, because
   * the stream was refused and is changed now, replaces this one, and nothing is detached.
   *
   * @see https://github.com/hashicorp/terraform-provider-aws/issues/43447
   * @returns its address
   */
  #recheck(
    lambda: SmsFunction<"attach-transformation">,
    attachment: LambdaInvocation,
    options: FirehoseAttachmentProps,
  ): string {
    const address = "aws_lambda_invocation.recheck_transformation";
    new LambdaInvocation(this, address, {
      functionName: lambda.functionName,
      lifecycleScope: "CREATE_ONLY",
      // With this scope the provider adds no `tf`.
      input: this.#request(options, { tf: '{ action = "update" }' }),
      triggers: {
        attaching_code: lambda.codeHash,
        transforming_code: options.transformation.lambda.codeHash,
      },
      dependsOn: [attachment],
      lifecycle: { replaceTriggeredBy: ["aws_lambda_invocation.attach_transformation"] },
    });
    return address;
  }

  /** The input of an invocation, as the function reads it; the values are HCL. */
  #request(
    { inputs, transformation }: FirehoseAttachmentProps,
    more: Readonly<Record<string, string>> = {},
  ): string {
    const request = {
      delivery_stream_name: inputs.deliveryStreamName.hcl,
      transformation_function_arn: `${transformation.lambda.address}.arn`,
      buffer_size_megabytes: inputs.bufferSizeMegabytes.hcl,
      buffer_interval_seconds: inputs.bufferIntervalSeconds.hcl,
      settle_seconds: inputs.detachWaitSeconds.hcl,
      ...more,
    };
    const fields = Object.entries(request).map(([name, hcl]) => `${name} = ${hcl}`);
    return `\${jsonencode({ ${fields.join(", ")} })}`;
  }
}
