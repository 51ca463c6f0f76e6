/**
 * What makes the resources of a stack one deployment: a name that no other deployment has and that it keeps, and an end
 * that takes everything or nothing.
 */
import {
  type Construct,
  DynamodbTable,
  TerraformResource,
  type TerraformResourceLifecycle,
  type TerraformStack,
} from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import { hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";
import { KeptValue } from "./kept-value.ts";

/** The resource whose creation takes the name: AWS refuses a second schedule group of the same name, and hands none over. */
const nameClaim = "aws_scheduler_schedule_group.retries";

const keptPrefix = "terraform_data.name_prefix";

/** What comes before everything else, and so must not wait for anything else. */
export const firstAddresses: readonly string[] = [keptPrefix, nameClaim];

/**
 * What the schedule group of retries has to have, as its creation takes the name: with it a plan with another `name_prefix` fails and says what would be
 * lost, unless `deletion_protection` is off. The prefix of the first apply is kept in `terraform_data.name_prefix`.
 */
export function prefixIsKept(
  scope: Construct,
  { deletionProtection, namePrefix }: SharedInputs,
): TerraformResourceLifecycle {
  const { kept } = new KeptValue(scope, keptPrefix, {
    hcl: namePrefix.hcl,
    takenAnewWith: `${deletionProtection.hcl} ? "protected" : ${namePrefix.hcl}`,
  });
  return {
    precondition: [
      {
        condition: `\${!${deletionProtection.hcl} || ${kept} == ${namePrefix.hcl}}`,
        errorMessage:
          `The name_prefix would change from \${${kept}} to \${${namePrefix.hcl}}: everything would be made anew under the ` +
          "new name, and the states of all messages, the retries under way, the dead letters and the archive of the old " +
          "name be destroyed. Keep the name_prefix, or apply once with deletion_protection = false before you change it.",
      },
    ],
  };
}

/**
 * Orders all resources of a stack, which have to be there already: what takes the name comes first, so that a second
 * deployment with the same name fails before it takes over a queue, an alarm or a topic of the first, for which AWS
 * gives out what is there already. And {@link deletionGuard} comes last.
 */
export function completeDeployment(
  stack: TerraformStack,
  { inputs }: { readonly inputs: SharedInputs },
): void {
  const resources = resourcesOf(stack);
  for (const resource of resources)
    if (!firstAddresses.includes(resource.node.id)) dependOn(resource, [nameClaim]);
  dependOn(
    deletionGuard(stack, inputs),
    resources.map(({ node }) => node.id),
  );
  for (const resource of resourcesOf(stack))
    if (taggableTypes.includes(resource.terraformResourceType))
      resource.addOverride("tags", inputs.tags.text);
}

/** The types that take tags, of those that the stacks use. */
const taggableTypes = [
  "aws_cloudwatch_log_group",
  "aws_cloudwatch_metric_alarm",
  "aws_dynamodb_table",
  "aws_iam_role",
  "aws_kinesis_firehose_delivery_stream",
  "aws_kinesis_stream",
  "aws_lambda_event_source_mapping",
  "aws_lambda_function",
  "aws_s3_bucket",
  "aws_scheduler_schedule_group",
  "aws_sns_topic",
  "aws_sqs_queue",
];

/**
 * Table `<prefix>-deletion-guard`, which stays empty and costs nothing. It depends on everything, so a destroy begins with
 * it; and while `deletion_protection` is on DynamoDB refuses to delete it, so that a refused destroy has taken nothing.
 * The protections of table and bucket alone would be asked only after what depends on them is gone.
 */
function deletionGuard(
  scope: Construct,
  { deletionProtection, kmsKeyArn, namePrefix }: SharedInputs,
): DynamodbTable {
  return new DynamodbTable(scope, "aws_dynamodb_table.deletion_guard", {
    name: `${namePrefix.text}-deletion-guard`,
    hashKey: "nothing",
    attribute: [{ name: "nothing", type: "S" }],
    billingMode: "PAY_PER_REQUEST",
    pointInTimeRecovery: { enabled: true },
    serverSideEncryption: {
      enabled: expression(hasKmsKey),
      kmsKeyArn: kmsKeyArn.text,
    },
    deletionProtectionEnabled: deletionProtection.flag,
  });
}

function resourcesOf(stack: TerraformStack): TerraformResource[] {
  return stack.node.findAll().filter((element) => TerraformResource.isTerraformResource(element));
}

/** Lets a resource be made after others, and be destroyed before them. */
export function dependOn(resource: TerraformResource, addresses: readonly string[]): void {
  resource.dependsOn = [...new Set([...(resource.dependsOn ?? []), ...addresses])];
}
