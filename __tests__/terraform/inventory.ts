/** Everything that exists on the emulated AWS, of the kinds that our stacks create. */
import { unsigned } from "./aws-call.ts";
import { applicationId, type EmulatedAws, region } from "./emulated-aws.ts";

interface Listing {
  readonly service: string;
  readonly method?: string;
  readonly path?: string;
  /** `X-Amz-Target` of a JSON call. */
  readonly target?: string;
  /** Form of a query call. */
  readonly form?: string;
  /** Finds the names in the answer. */
  readonly names: RegExp;
}

/** How the resources of a type are listed. */
const listings: Readonly<Record<string, Listing>> = {
  // Configuration sets are all that a stack makes by Cloud Control.
  aws_cloudcontrolapi_resource: {
    service: "sms-voice",
    target: "PinpointSMSVoiceV2.DescribeConfigurationSets",
    names: /"ConfigurationSetName": ?"([^"]+)"/g,
  },
  aws_cloudwatch_log_group: {
    service: "logs",
    target: "Logs_20140328.DescribeLogGroups",
    names: /"logGroupName": ?"([^"]+)"/g,
  },
  aws_cloudwatch_metric_alarm: {
    service: "monitoring",
    form: "Action=DescribeAlarms&Version=2010-08-01",
    names: /<AlarmName>([^<]+)</g,
  },
  aws_dynamodb_table: {
    service: "dynamodb",
    target: "DynamoDB_20120810.ListTables",
    names: /"([\w.-]+)"(?=[,\]])/g,
  },
  aws_iam_role: {
    service: "iam",
    form: "Action=ListRoles&Version=2010-05-08",
    names: /<RoleName>([^<]+)</g,
  },
  aws_kinesis_firehose_delivery_stream: {
    service: "firehose",
    target: "Firehose_20150804.ListDeliveryStreams",
    names: /"([\w.-]+)"(?=[,\]])/g,
  },
  aws_kinesis_stream: {
    service: "kinesis",
    target: "Kinesis_20131202.ListStreams",
    names: /"StreamName": ?"([^"]+)"/g,
  },
  aws_lambda_event_source_mapping: {
    service: "lambda",
    method: "GET",
    path: "/2015-03-31/event-source-mappings/",
    names: /"UUID": ?"([^"]+)"/g,
  },
  aws_lambda_function: {
    service: "lambda",
    method: "GET",
    path: "/2015-03-31/functions/",
    names: /"FunctionName": ?"([^"]+)"/g,
  },
  aws_pinpoint_event_stream: {
    service: "mobiletargeting",
    method: "GET",
    path: `/v1/apps/${applicationId}/eventstream`,
    names: /"DestinationStreamArn": ?"([^"]+)"/g,
  },
  aws_s3_bucket: { service: "s3", method: "GET", names: /<Bucket>.*?<Name>([^<]+)</gs },
  aws_scheduler_schedule_group: {
    service: "scheduler",
    method: "GET",
    path: "/schedule-groups",
    names: /"Name": ?"([^"]+)"/g,
  },
  aws_sns_topic: {
    service: "sns",
    form: "Action=ListTopics&Version=2010-03-31",
    names: /<TopicArn>([^<]+)</g,
  },
  aws_sns_topic_subscription: {
    service: "sns",
    form: "Action=ListSubscriptions&Version=2010-03-31",
    names: /<SubscriptionArn>([^<]+)</g,
  },
  aws_sqs_queue: { service: "sqs", target: "AmazonSQS.ListQueues", names: /\/([\w-]+)"/g },
};

/** Types that live and die with a resource of another type, and the invocations, which create nothing themselves. */
const partsOfOthers = [
  "aws_cloudwatch_log_stream",
  "aws_iam_role_policy",
  "aws_lambda_invocation",
  "aws_s3_bucket_lifecycle_configuration",
  "aws_s3_bucket_logging",
  "aws_s3_bucket_ownership_controls",
  "aws_s3_bucket_policy",
  "aws_s3_bucket_public_access_block",
  "aws_s3_bucket_server_side_encryption_configuration",
  "aws_sns_topic_policy",
  "aws_sqs_queue_policy",
  "aws_sqs_queue_redrive_allow_policy",
  // Exists in Terraform's state alone.
  "terraform_data",
];

/** Whether the resources of a type have names of their own in the inventory. */
export function isListed(type: string): boolean {
  return type in listings;
}

/** Types of resources that the inventory would not see; empty = a comparison of inventories says all. */
export function unseenTypes(types: readonly string[]): string[] {
  return types.filter((type) => !(type in listings) && !partsOfOthers.includes(type));
}

/** Names of everything that exists, `<type> <name>`, sorted. */
export async function inventoryOf(aws: EmulatedAws): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(listings).map(async ([type, { service, method = "POST", path = "/", ...listing }]) => {
      const response = await fetch(`${aws.endpoint}${path}`, {
        method,
        headers: {
          ...unsigned(service, region),
          ...(listing.target !== undefined && {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": listing.target,
          }),
          ...(listing.form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        },
        ...(method === "POST" && { body: listing.form ?? "{}" }),
      });
      return [...(await response.text()).matchAll(listing.names)].map(([, name]) => `${type} ${name}`);
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** What a bucket has besides its objects, each of which is a resource of its own and can go without the bucket. */
const bucketSettings = [
  "publicAccessBlock",
  "policy",
  "encryption",
  "lifecycle",
  "ownershipControls",
] as const;

/** Every setting of a bucket as S3 answers it, with the status: that of one which is gone is 404. */
export async function settingsOfBucket(aws: EmulatedAws, bucket: string): Promise<Record<string, string>> {
  const answers = await Promise.all(
    bucketSettings.map(async (setting) => {
      const response = await fetch(`${aws.endpoint}/${bucket}?${setting}`, {
        headers: unsigned("s3", region),
      });
      return [setting, `${response.status} ${await response.text()}`] as const;
    }),
  );
  return Object.fromEntries(answers);
}
