/** A Lambda function of this project with everything that belongs to it alone. */
import type { FunctionEnvironment, FunctionName, LogLevel } from "../../functions/contract/environment.ts";
import {
  CloudwatchLogGroup,
  Construct,
  IamRolePolicy,
  type ITerraformDependable,
  LambdaFunction,
  TerraformAsset,
  Token,
} from "../cdktf.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import {
  type Access,
  deploymentKey,
  grantKeyUse,
  policyDocument,
  type Statement,
  trustPolicy,
} from "./access.ts";
import { type ServiceRole, serviceRole } from "./service-role.ts";
import { type Artefacts, type Place, reference } from "./sms-retry-stack.ts";

/** What the constructs of a stack share. */
export interface EngineProps {
  readonly inputs: SharedInputs;
  readonly place: Place;
  readonly artefacts: Artefacts;
}

/** The variables that every function gets from {@link SmsFunction} itself. */
export type OwnVariable =
  | "SMS_RETRY_VERSION"
  | "POWERTOOLS_SERVICE_NAME"
  | "POWERTOOLS_METRICS_NAMESPACE"
  | "POWERTOOLS_LOG_LEVEL";

/** What one function needs beyond the props. */
export interface SmsFunctionProps<Name extends FunctionName> extends EngineProps {
  /** Memory in MB, 128 to 10240; the share of a processor grows with it. */
  readonly memoryMegabytes: number;
  /** Time after which an invocation is stopped, in seconds, 1 to 900. */
  readonly timeoutSeconds: number;
  /** Permissions and the variables that go with them: all of the function's contract but {@link OwnVariable}. */
  readonly access: Access<Exclude<keyof FunctionEnvironment<Name>, OwnVariable>>;
  /**
   * Permissions that Lambda needs on the function's behalf, e.g. to poll a source.
   * @default - none
   */
  readonly statements?: readonly Statement[];
  /**
   * What must hold of several inputs together, else the plan fails with the sentence. A validation may look at other
   * inputs only from Terraform 1.9 on.
   * @default - nothing
   */
  readonly preconditions?: readonly { readonly condition: string; readonly errorMessage: string }[];
}

/**
 * A Lambda function on arm64 with a log group of ours (retention, key), a role that may do only what is listed,
 * and exactly the environment of its contract. Network, tracing, concurrency and signature are as the inputs say; the code is the
 * zip that `npm run bundle` wrote.
 *
 * Addresses: `aws_lambda_function.<name>`, `aws_iam_role.<name>`, `aws_iam_role_policy.<name>`,
 * `aws_iam_role_policy.<name>_key`, `…_vpc`, `…_tracing`, `aws_cloudwatch_log_group.<name>`, with underscores for hyphens.
 */
export class SmsFunction<Name extends FunctionName> extends Construct {
  readonly functionName: string;
  readonly arn: string;
  /** Terraform's address of the function, for where a reference is written as plain text. */
  readonly address: string;
  /** SHA-256 of the zip: another one is other code. */
  readonly codeHash: string;
  /** Name of the function's role, to attach what only some stacks need. */
  readonly roleName: string;
  /** What must exist before anything invokes the function: its permissions. */
  readonly permissions: ITerraformDependable[];
  readonly #name: string;

  constructor(scope: Construct, name: Name, options: SmsFunctionProps<Name>) {
    super(scope, name);
    this.#name = name.replaceAll("-", "_");
    const logGroup = this.#logGroup(name, options);
    const role = this.#role(name, options);
    this.roleName = role.name;
    this.permissions = this.#permissions(name, role, logGroup, options);
    const lambda = this.#lambda(name, role, logGroup, options);
    this.functionName = lambda.functionName;
    this.arn = options.place.arn("lambda", `function:${lambda.functionName}`);
    this.address = `aws_lambda_function.${this.#name}`;
    this.codeHash = lambda.sourceCodeHash;
  }

  #logGroup(name: Name, { inputs }: EngineProps): CloudwatchLogGroup {
    return new CloudwatchLogGroup(this, `aws_cloudwatch_log_group.${this.#name}`, {
      name: `/aws/lambda/${inputs.namePrefix.text}-${name}`,
      retentionInDays: inputs.logRetentionDays.number,
      kmsKeyId: inputs.kmsKeyArn.text,
    });
  }

  #role(name: Name, { inputs, place }: EngineProps): ServiceRole {
    const trust = trustPolicy("lambda.amazonaws.com");
    return serviceRole(this, `aws_iam_role.${this.#name}`, { inputs, place, name, trust });
  }

  #permissions(
    name: Name,
    role: ServiceRole,
    logGroup: CloudwatchLogGroup,
    { access, statements = [], inputs, place }: SmsFunctionProps<Name>,
  ): ITerraformDependable[] {
    const policy = new IamRolePolicy(this, `aws_iam_role_policy.${this.#name}`, {
      name,
      role: role.name,
      policy: policyDocument(
        {
          Sid: "WriteLog",
          Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
          Resource: `${place.arn("logs", `log-group:${logGroup.name}`)}:log-stream:*`,
        },
        ...access.statements,
        ...statements,
      ),
    });
    const key = grantKeyUse(this, `${this.#name}_key`, {
      role: role.name,
      key: deploymentKey(inputs),
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    });
    return [policy, key, ...this.#rightsOfInputs(role, inputs, place)];
  }

  /**
   * What Lambda does with the function's role where the inputs ask for it: network interfaces of its own making in a VPC,
   * and traces.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
   */
  #rightsOfInputs(role: ServiceRole, inputs: SharedInputs, place: Place): IamRolePolicy[] {
    const rights: readonly (readonly [name: string, isAsked: string, statements: readonly Statement[]])[] = [
      [
        "vpc",
        `${inputs.vpc.hcl} != null`,
        [
          {
            Sid: "UseNetworkInterfaces",
            Action: [
              "ec2:CreateNetworkInterface",
              "ec2:DeleteNetworkInterface",
              "ec2:AssignPrivateIpAddresses",
              "ec2:UnassignPrivateIpAddresses",
            ],
            // The interfaces are not there yet; AWS's page asks for this form.
            Resource: place.arn("ec2", "*/*"),
          },
          // These two take no resource.
          {
            Sid: "FindNetworkInterfaces",
            Action: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
            Resource: "*",
          },
        ],
      ],
      [
        "tracing",
        inputs.tracing.hcl,
        // These take no resource.
        [
          {
            Sid: "WriteTraces",
            Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            Resource: "*",
          },
        ],
      ],
    ];
    return rights.map(
      ([name, isAsked, statements]) =>
        new IamRolePolicy(this, `aws_iam_role_policy.${this.#name}_${name}`, {
          count: Token.asNumber(`\${${isAsked} ? 1 : 0}`),
          name: `${this.#name.replaceAll("_", "-")}-${name}`,
          role: role.name,
          policy: policyDocument(...statements),
        }),
    );
  }

  #lambda(
    name: Name,
    role: ServiceRole,
    logGroup: CloudwatchLogGroup,
    {
      access,
      artefacts,
      inputs,
      memoryMegabytes,
      timeoutSeconds,
      preconditions = [],
    }: SmsFunctionProps<Name>,
  ): LambdaFunction {
    const zip = new TerraformAsset(this, name, {
      path: `${artefacts.functionsFolder}/${name}.zip`,
      // Keeps the content's hash out of the path: Terraform sees new code by the hash of the zip itself.
      assetHash: ".",
    });
    const path = `\${path.module}/${zip.path}`;
    const lambda = new LambdaFunction(this, `aws_lambda_function.${this.#name}`, {
      functionName: `${inputs.namePrefix.text}-${name}`,
      role: role.arn,
      runtime: inputs.lambdaRuntime.text,
      architectures: ["arm64"],
      handler: "index.handler",
      filename: path,
      sourceCodeHash: `\${filebase64sha256("${path}")}`,
      memorySize: memoryMegabytes,
      timeout: timeoutSeconds,
      kmsKeyArn: inputs.kmsKeyArn.text,
      codeSigningConfigArn: inputs.codeSigningConfigArn.text,
      tracingConfig: { mode: `\${${inputs.tracing.hcl} ? "Active" : "PassThrough"}` },
      // -1 is none.
      reservedConcurrentExecutions: Token.asNumber(
        `\${lookup(${inputs.reservedConcurrency.hcl}, "${name}", -1)}`,
      ),
      // "Text" leaves the functions' own JSON lines, metrics among them, as they were written.
      loggingConfig: { logFormat: "Text", logGroup: logGroup.name },
      environment: {
        variables: {
          ...access.environment,
          SMS_RETRY_VERSION: artefacts.version,
          POWERTOOLS_SERVICE_NAME: name,
          POWERTOOLS_METRICS_NAMESPACE: inputs.namePrefix.text,
          POWERTOOLS_LOG_LEVEL: "INFO" satisfies LogLevel,
        } satisfies Record<OwnVariable, string>,
      },
      // Lambda reads the environment with the role's right to the key.
      dependsOn: this.permissions,
      ...(preconditions.length > 0 && { lifecycle: { precondition: [...preconditions] } }),
    });
    // A block with empty lists would be one that AWS does not tell back.
    lambda.addOverride("dynamic.vpc_config", {
      for_each: `\${${inputs.vpc.hcl} == null ? [] : [${inputs.vpc.hcl}]}`,
      content: {
        subnet_ids: reference("vpc_config.value.subnet_ids"),
        security_group_ids: reference("vpc_config.value.security_group_ids"),
      },
    });
    return lambda;
  }
}
