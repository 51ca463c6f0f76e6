/**
 * A security review of a Terraform plan: reads what `terraform show -json` tells and lists what must not be deployed.
 * Pure: it knows resource types, not our stacks.
 */

type Values = Readonly<Record<string, unknown>>;

interface PlannedResource {
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly mode?: string;
  /** What will be; an attribute that only AWS knows is missing, and so is this if all are. */
  readonly values?: Values;
}

type Resource = PlannedResource & { readonly values: Values };

/** What the review reads of a plan's JSON. */
export interface Plan {
  readonly variables?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly planned_values: { readonly root_module: { readonly resources?: readonly PlannedResource[] } };
  readonly configuration: {
    readonly root_module: {
      readonly resources?: readonly {
        readonly address: string;
        readonly expressions?: Readonly<Record<string, unknown>>;
      }[];
    };
  };
}

/** Something that must not be deployed. */
export interface Finding {
  readonly address: string;
  /** What is wrong, as half a sentence: `is not encrypted`. */
  readonly problem: string;
}

/** How a plan is read. */
export interface ReviewOptions {
  /**
   * Whether everything is known, as in a plan after an apply: then a policy that cannot be read is a finding.
   * @default false
   */
  readonly isComplete?: boolean;
  /**
   * Addresses of tables whose items are worth nothing a minute later: they need no point-in-time recovery.
   * @default - every table needs it
   */
  readonly passingTables?: readonly string[];
  /**
   * Addresses of tables that never have an item, so that none has to leave.
   * @default - the items of every table have to leave
   */
  readonly emptyTables?: readonly string[];
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Resource?: string | readonly string[];
  readonly NotResource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * Wildcards that stand for names which are only made at run time, below something that is named.
 */
const namesOfRunTime = [
  /^arn:[^*]+:logs:[^*]+:log-group:[^*]+:log-stream:\*$/,
  /^arn:[^*]+:scheduler:[^*]+:schedule\/[^*/]+\/\*$/,
  /^arn:[^*:]+:s3:::[^*/]+\/[^*]+\/\*$/,
  // Lambda's network interfaces: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
  /^arn:[^*]+:ec2:[^*]+:\*\/\*$/,
];

/** Actions that take no resource, by the tables of AWS's Service Authorization Reference. */
const actionsWithoutResource = [
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
];

/**
 * Services that tell for whom they assume a role, so that a condition on it holds off everybody else. Lambda is not
 * among them: no page of AWS's that we know says that it tells a source when it assumes an execution role, and a
 * condition that is never met would stop every function.
 */
const servicesWithSource = [
  "events.amazonaws.com",
  "firehose.amazonaws.com",
  "pinpoint.amazonaws.com",
  "scheduler.amazonaws.com",
  "sms-voice.amazonaws.com",
  "sns.amazonaws.com",
];

const sourceConditions = /^(aws:SourceAccount|aws:SourceArn|aws:SourceOrgID|sts:ExternalId)$/i;

/** What must not be deployed of a plan; empty = nothing was found. */
export function reviewPlan(plan: Plan, options: ReviewOptions = {}): Finding[] {
  const { isComplete = false, passingTables = [], emptyTables = [] } = options;
  const resources = (plan.planned_values.root_module.resources ?? [])
    .filter(({ mode }) => mode !== "data")
    .map((resource) => ({ ...resource, values: resource.values ?? {} }));
  return resources.flatMap((resource) =>
    (rules[resource.type] ?? [])
      .flatMap((rule) => rule(resource, { plan, resources, isComplete, passingTables, emptyTables }))
      .map((problem) => ({ address: resource.address, problem })),
  );
}

interface PlanContext {
  readonly plan: Plan;
  readonly resources: readonly Resource[];
  readonly isComplete: boolean;
  readonly passingTables: readonly string[];
  readonly emptyTables: readonly string[];
}

type Rule = (resource: Resource, context: PlanContext) => string[];

const rules: Readonly<Record<string, readonly Rule[]>> = {
  aws_iam_role_policy: [rightsAreNamed],
  aws_iam_policy: [rightsAreNamed],
  aws_iam_role: [trustHasSource],
  aws_lambda_permission: [invokerIsNamed],
  aws_sns_topic: [topicIsClosed],
  aws_sns_topic_policy: [nobodyIsEverybody, publisherHasSource],
  aws_sqs_queue_policy: [nobodyIsEverybody, publisherHasSource],
  aws_s3_bucket_policy: [nobodyIsEverybody],
  aws_s3_bucket: [bucketIsClosed],
  aws_sqs_queue: [queueIsEncrypted],
  aws_dynamodb_table: [tableForgetsAndRecovers],
  aws_kinesis_stream: [streamIsEncrypted],
  aws_kinesis_firehose_delivery_stream: [deliveryIsEncrypted],
  aws_cloudwatch_log_group: [logForgets],
  aws_lambda_function: [environmentHasKey],
};

function rightsAreNamed(resource: Resource, { isComplete }: PlanContext): string[] {
  return overStatements(resource.values.policy, isComplete, (statement) => {
    if (statement.Effect !== "Allow") return [];
    const actions = listOf(statement.Action).filter((action) => action.includes("*"));
    const takesNone = listOf(statement.Action).every((action) => actionsWithoutResource.includes(action));
    const wide = listOf(statement.Resource).filter(
      (name) =>
        !(takesNone && name === "*") && name.includes("*") && !namesOfRunTime.some((form) => form.test(name)),
    );
    return [
      ...actions.map((action) => `allows the action ${action}`),
      ...wide.map((name) => `allows ${listOf(statement.Action).join(", ")} on ${name}`),
      ...(statement.NotAction === undefined ? [] : ["allows all actions but some"]),
      ...(statement.NotResource === undefined ? [] : ["allows something on all resources but some"]),
    ];
  });
}

function trustHasSource({ values }: Resource, { isComplete }: PlanContext): string[] {
  return overStatements(values.assume_role_policy, isComplete, (statement) => {
    if (statement.Effect !== "Allow") return [];
    if (isEverybody(statement.Principal)) return ["can be assumed by everybody"];
    const services = listOf(Object(statement.Principal).Service);
    const keys = Object.values(statement.Condition ?? {}).flatMap((each) => Object.keys(each));
    if (keys.some((key) => sourceConditions.test(key))) return [];
    return services
      .filter((service) => servicesWithSource.includes(service))
      .map((service) => `can be assumed by ${service} for any account`);
  });
}

function invokerIsNamed({ values }: Resource): string[] {
  const principal = String(values.principal ?? "");
  if (principal === "*") return ["lets everybody invoke the function"];
  const hasSource = Boolean(values.source_arn ?? values.source_account ?? values.principal_org_id);
  return principal.endsWith(".amazonaws.com") && !hasSource
    ? [`lets ${principal} invoke the function for any account`]
    : [];
}

function nobodyIsEverybody({ values }: Resource, { isComplete }: PlanContext): string[] {
  return overStatements(values.policy, isComplete, (statement) =>
    statement.Effect === "Allow" && isEverybody(statement.Principal) && statement.Condition === undefined
      ? ["allows something to everybody"]
      : [],
  );
}

/** An AWS service that fills something for one account, or one thing in it, must not do so for another. */
function publisherHasSource(resource: Resource, { isComplete }: PlanContext): string[] {
  return overStatements(resource.values.policy, isComplete, ({ Effect, Principal, Condition }) => {
    const keys = Object.values(Condition ?? {}).flatMap((each) => Object.keys(each));
    if (Effect !== "Allow" || keys.some((key) => sourceConditions.test(key))) return [];
    return listOf(Object(Principal).Service).map((service) => `can be filled by ${service} for any account`);
  });
}

function topicIsClosed(topic: Resource, context: PlanContext): string[] {
  const key = keyOf(context.plan);
  return [
    ...(key === undefined || topic.values.kms_master_key_id === key
      ? []
      : ["is not encrypted with the key that was given"]),
    ...onlyOverTls(topic, "aws_sns_topic_policy", "arn", context),
  ];
}

function bucketIsClosed(bucket: Resource, context: PlanContext): string[] {
  const companion = (type: string) => companionsOf(bucket, type, "bucket", context)[0]?.values;
  const block = companion("aws_s3_bucket_public_access_block");
  const isBlocked = [
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
  ].every((flag) => block?.[flag] === true);
  const encryption = companion("aws_s3_bucket_server_side_encryption_configuration");
  const [byDefault] = blocksOf(blocksOf(encryption?.rule)[0]?.apply_server_side_encryption_by_default);
  const key = keyOf(context.plan);
  const isEncrypted =
    byDefault?.sse_algorithm !== undefined && (key === undefined || byDefault.kms_master_key_id === key);
  const lifecycle = blocksOf(companion("aws_s3_bucket_lifecycle_configuration")?.rule);
  const expires = lifecycle.some(
    (rule) =>
      blocksOf(rule.expiration).length > 0 && (rule.status === "Enabled" || isKeptForEver(context.plan)),
  );
  return [
    ...(isBlocked ? [] : ["does not block every public access"]),
    ...(isEncrypted ? [] : ["is not encrypted"]),
    ...(expires ? [] : ["keeps its objects for ever, and nobody asked for it"]),
    ...onlyOverTls(bucket, "aws_s3_bucket_policy", "bucket", context),
  ];
}

function queueIsEncrypted(queue: Resource, context: PlanContext): string[] {
  const { kms_master_key_id: used, sqs_managed_sse_enabled: isManaged } = queue.values;
  const key = keyOf(context.plan);
  const isEncrypted = key === undefined ? isManaged === true || Boolean(used) : used === key;
  return [
    ...(isEncrypted ? [] : ["is not encrypted"]),
    ...(Number(queue.values.message_retention_seconds) > 0 ? [] : ["has no retention"]),
    ...onlyOverTls(queue, "aws_sqs_queue_policy", "queue_url", context),
  ];
}

function tableForgetsAndRecovers(
  { address, values }: Resource,
  { plan, passingTables, emptyTables }: PlanContext,
): string[] {
  const isRecovered = blocksOf(values.point_in_time_recovery)[0]?.enabled === true;
  const [encryption] = blocksOf(values.server_side_encryption);
  const key = keyOf(plan);
  // DynamoDB always encrypts; without the block with a key of its own.
  const isEncrypted = key === undefined || (encryption?.enabled === true && encryption.kms_key_arn === key);
  return [
    ...(isEncrypted ? [] : ["is not encrypted with the key that was given"]),
    ...(blocksOf(values.ttl)[0]?.enabled === true || emptyTables.includes(address)
      ? []
      : ["keeps its items for ever"]),
    ...(isRecovered || passingTables.includes(address) ? [] : ["has no point-in-time recovery"]),
  ];
}

function streamIsEncrypted({ values }: Resource, { plan }: PlanContext): string[] {
  const key = keyOf(plan);
  const isEncrypted = values.encryption_type === "KMS" && (key === undefined || values.kms_key_id === key);
  return [
    ...(isEncrypted ? [] : ["is not encrypted"]),
    ...(Number(values.retention_period) > 0 ? [] : ["has no retention"]),
  ];
}

function deliveryIsEncrypted({ values }: Resource, { plan }: PlanContext): string[] {
  const [source] = blocksOf(values.kinesis_source_configuration);
  const [destination] = blocksOf(values.extended_s3_configuration);
  const key = keyOf(plan);
  const isEncrypted = source !== undefined || blocksOf(values.server_side_encryption)[0]?.enabled === true;
  return [
    ...(isEncrypted ? [] : ["does not encrypt what it buffers"]),
    ...(key === undefined || destination?.kms_key_arn === key
      ? []
      : ["does not encrypt with the key that was given"]),
  ];
}

function logForgets({ values }: Resource, { plan }: PlanContext): string[] {
  const key = keyOf(plan);
  return [
    ...(Number(values.retention_in_days) > 0 ? [] : ["keeps its lines for ever"]),
    ...(key === undefined || values.kms_key_id === key
      ? []
      : ["is not encrypted with the key that was given"]),
  ];
}

function environmentHasKey({ values }: Resource, { plan }: PlanContext): string[] {
  const key = keyOf(plan);
  return key === undefined || values.kms_key_arn === key
    ? []
    : ["does not encrypt its environment with the key that was given"];
}

/** The resources of a type that are about another one, by what the configuration refers to. */
function companionsOf(
  resource: Resource,
  type: string,
  attribute: string,
  { plan, resources }: PlanContext,
): Resource[] {
  const referring = (plan.configuration.root_module.resources ?? []).filter(({ expressions }) => {
    const expression = expressions?.[attribute] as { references?: readonly string[] } | undefined;
    return expression?.references?.includes(resource.address) === true;
  });
  return resources.filter(
    (each) => each.type === type && referring.some(({ address }) => address === each.address),
  );
}

function onlyOverTls(
  resource: Resource,
  policyType: string,
  attribute: string,
  context: PlanContext,
): string[] {
  const policies = companionsOf(resource, policyType, attribute, context);
  if (policies.length === 0) return ["can be reached without TLS"];
  // A policy that names what does not exist yet is unknown until the apply; the next plan shows it.
  const texts = policies.map(({ values }) => values.policy);
  if (!context.isComplete && texts.includes(undefined)) return [];
  const refuses = texts
    .flatMap(statementsOf)
    .some(
      ({ Effect, Principal, Condition }) =>
        Effect === "Deny" &&
        isEverybody(Principal) &&
        String(Condition?.Bool?.["aws:SecureTransport"]) === "false",
    );
  return refuses ? [] : ["can be reached without TLS"];
}

function overStatements(
  policy: unknown,
  isComplete: boolean,
  problemsOf: (statement: Statement) => string[],
): string[] {
  if (policy === undefined || policy === null)
    return isComplete ? ["has a policy that the plan does not tell"] : [];
  return statementsOf(policy).flatMap(problemsOf);
}

function statementsOf(policy: unknown): Statement[] {
  if (typeof policy !== "string") return [];
  return [(JSON.parse(policy) as { Statement: Statement | Statement[] }).Statement].flat();
}

function isEverybody(principal: unknown): boolean {
  return principal === "*" || listOf(Object(principal).AWS).includes("*");
}

/** The key that the user gave, if the stack has such an input and it was given. */
function keyOf({ variables }: Plan): unknown {
  return variables?.kms_key_arn?.value ?? undefined;
}

function isKeptForEver({ variables }: Plan): boolean {
  return variables?.archive_retention_days !== undefined && variables.archive_retention_days.value === null;
}

function listOf(value: unknown): string[] {
  return value === undefined || value === null ? [] : ([value].flat() as string[]);
}

function blocksOf(value: unknown): Values[] {
  return value === undefined || value === null ? [] : ([value].flat() as Values[]);
}
