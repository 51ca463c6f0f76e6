/** What every stack of this project has in common before its first resource. */
import {
  AwsProvider,
  type Construct,
  DataAwsCallerIdentity,
  DataAwsPartition,
  DataAwsRegion,
  LocalBackend,
  type Node,
  TerraformDataSource,
  TerraformElement,
  TerraformResource,
  TerraformStack,
} from "../cdktf.ts";
import { providerVersions, terraformVersions } from "./terraform-versions.ts";

/** The context of the application that says whether the state lies in S3. */
export const remoteStateContext = "sms-retry:remote-state";

/** What a build produced and a stack ships. */
export interface Artefacts {
  /** Version of this project; the functions print it in every log line. */
  readonly version: string;
  /** Absolute path of the folder that holds `<function name>.zip` of every function. */
  readonly functionsFolder: string;
}

/**
 * Where a stack is deployed, as Terraform will know it: every value is text of HCL, so do not compare it.
 *
 * The ARNs are made of names: unlike the attribute `arn` of a resource, a plan shows them, and a policy that holds them
 * can be read before it is applied.
 */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  /** ARN of something in this account and region. */
  arn(service: string, resource: string): string;
  /** ARN of a role of this account, which is of no region; without a path it has none. */
  roleArn(role: { readonly name: string; readonly path?: string }): string;
  /** URL of a queue in this account and region, as SQS gives it out. */
  queueUrl(queue: { readonly name: string }): string;
  /** ARN of a bucket, which names neither account nor region. */
  bucketArn(bucket: { readonly bucket: string }): string;
}

/**
 * A stack whose construct ids are Terraform addresses: `new IamRole(scope, "aws_iam_role.resend", …)` becomes
 * exactly `aws_iam_role.resend`, however deep the construct is nested. Moving code between constructs thus
 * never renames, and so never destroys, a resource.
 *
 * The region and the credentials are those of the AWS environment (`AWS_REGION`, `AWS_PROFILE`).
 *
 * @throws Error on synthesis if an id does not name its resource's type, or if two resources share an address
 */
export class SmsRetryStack extends TerraformStack {
  /** Account, region and partition of the deployment. */
  readonly place: Place;
  readonly #owners = new Map<string, TerraformElement>();

  constructor(scope: Construct, name: string) {
    super(scope, name);
    this.#providerAndBackend(name);
    this.place = this.#place();
  }

  // The only place that knows a provider or a backend: a plain module drops both and keeps the ranges.
  #providerAndBackend(name: string): void {
    new AwsProvider(this, "aws", {});
    // Relative to cdktf.out/stacks/<name>: the state lies beside cdktf.json, on whatever machine it runs.
    new LocalBackend(this, { path: `../../../terraform.${name}.tfstate` });
    if (this.node.tryGetContext(remoteStateContext) === true) {
      // Without a backend of its own a stack gets a local one, so that has to be taken out.
      this.addOverride("terraform.backend.local", undefined);
      this.addOverride("terraform.backend.s3", {});
    }
    this.addOverride("terraform.required_version", terraformVersions);
    this.addOverride("terraform.required_providers.aws", {
      source: "hashicorp/aws",
      version: providerVersions,
    });
  }

  #place(): Place {
    new DataAwsPartition(this, "data.aws_partition.current");
    new DataAwsCallerIdentity(this, "data.aws_caller_identity.current");
    new DataAwsRegion(this, "data.aws_region.current");
    // As Terraform's text, not as cdktf's tokens: within an expression cdktf takes the braces off some of its tokens.
    const partition = reference("data.aws_partition.current.partition");
    const dnsSuffix = reference("data.aws_partition.current.dns_suffix");
    const accountId = reference("data.aws_caller_identity.current.account_id");
    // `name` is deprecated in provider 6 and `region` unknown to provider 5; `id` is the region in both.
    const region = reference("data.aws_region.current.id");
    return {
      partition,
      region,
      accountId,
      arn: (service, resource) => `arn:${partition}:${service}:${region}:${accountId}:${resource}`,
      roleArn: ({ name, path = "/" }) => `arn:${partition}:iam::${accountId}:role${path}${name}`,
      queueUrl: ({ name }) => `https://sqs.${region}.${dnsSuffix}/${accountId}/${name}`,
      bucketArn: ({ bucket }) => `arn:${partition}:s3:::${bucket}`,
    };
  }

  protected override allocateLogicalId(element: TerraformElement | Node): string {
    if (!TerraformElement.isTerraformElement(element)) return element.id;
    const address = element.node.id;
    const logicalId = address.slice(address.lastIndexOf(".") + 1);
    const type = terraformType(element);
    if (type !== undefined && address !== `${type}.${logicalId}`)
      throw new Error(`The id "${element.node.path}" gives no address; let it end in "${type}.<name>".`);
    const owner = this.#owners.get(address);
    if (owner !== undefined && owner !== element)
      throw new Error(
        `Two constructs claim the address "${address}"; give one another id: ${owner.node.path}, ${element.node.path}.`,
      );
    this.#owners.set(address, element);
    return logicalId;
  }
}

/** What Terraform fills in for an address and its attribute. */
export function reference(hcl: string): string {
  return `\${${hcl}}`;
}

function terraformType(element: TerraformElement): string | undefined {
  if (TerraformResource.isTerraformResource(element)) return element.terraformResourceType;
  if (TerraformDataSource.isTerraformDataSource(element)) return `data.${element.terraformResourceType}`;
  return undefined;
}
