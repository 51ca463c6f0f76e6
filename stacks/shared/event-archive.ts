/** The audit copy: every event, also those no function is interested in. */
import {
  CloudwatchLogGroup,
  CloudwatchLogStream,
  Construct,
  IamRolePolicy,
  KinesisFirehoseDeliveryStream,
} from "../cdktf.ts";
import type { Input } from "../inputs/input.ts";
import { hasKmsKey } from "../inputs/inputs.ts";
import { deploymentKey, grantKeyUse, policyDocument, type Statement, trustPolicy } from "./access.ts";
import { type EventStream, mayDecryptStream } from "./event-stream.ts";
import { bucketPrefixes, type EventsBucket } from "./events-bucket.ts";
import { type ServiceRole, serviceRole } from "./service-role.ts";
import type { EngineProps } from "./sms-function.ts";

/** What the archive reads and where it writes. */
export interface EventArchiveProps extends EngineProps {
  /**
   * The Kinesis stream that is copied.
   * @default - none: events are put into the archive directly
   */
  readonly stream?: EventStream;
  readonly bucket: EventsBucket;
}

/**
 * A Firehose stream that copies all events of a Kinesis stream, or what is put into it, to the bucket, gzipped, one event
 * a line, in a folder for each hour. It works without the retry path: a broken function never costs an audit record.
 */
export class EventArchive extends Construct {
  readonly deliveryStream: KinesisFirehoseDeliveryStream;

  constructor(scope: Construct, options: EventArchiveProps) {
    super(scope, "event-archive");
    const logGroup = this.#logGroup(options);
    const logStream = new CloudwatchLogStream(this, "aws_cloudwatch_log_stream.event_archive", {
      name: "delivery",
      logGroupName: logGroup.name,
    });
    const role = this.#role(options);
    const permissions = this.#permissions(role, logGroup, logStream, options);
    const { bucket, inputs, stream } = options;
    this.deliveryStream = new KinesisFirehoseDeliveryStream(
      this,
      "aws_kinesis_firehose_delivery_stream.event_archive",
      {
        name: `${inputs.namePrefix.text}-event-archive`,
        destination: "extended_s3",
        ...(stream === undefined
          ? { serverSideEncryption: encryptionOfBuffer(inputs.kmsKeyArn) }
          : { kinesisSourceConfiguration: { kinesisStreamArn: stream.arn, roleArn: role.arn } }),
        extendedS3Configuration: {
          bucketArn: bucket.arn,
          roleArn: role.arn,
          prefix: `${bucketPrefixes.archive}!{timestamp:yyyy/MM/dd/HH}/`,
          errorOutputPrefix: `${bucketPrefixes.archiveErrors}!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/`,
          compressionFormat: "GZIP",
          kmsKeyArn: inputs.kmsKeyArn.text,
          bufferingInterval: 300,
          bufferingSize: 64,
          processingConfiguration: {
            enabled: true,
            // Records carry no line break of their own; without one their JSON texts run together.
            processors: [{ type: "AppendDelimiterToRecord" }],
          },
          cloudwatchLoggingOptions: {
            enabled: true,
            logGroupName: logGroup.name,
            logStreamName: logStream.name,
          },
        },
        dependsOn: permissions,
      },
    );
  }

  #logGroup({ inputs }: EngineProps): CloudwatchLogGroup {
    return new CloudwatchLogGroup(this, "aws_cloudwatch_log_group.event_archive", {
      name: `/aws/kinesisfirehose/${inputs.namePrefix.text}-event-archive`,
      retentionInDays: inputs.logRetentionDays.number,
      kmsKeyId: inputs.kmsKeyArn.text,
    });
  }

  #role({ inputs, place }: EngineProps): ServiceRole {
    return serviceRole(this, "aws_iam_role.event_archive", {
      inputs,
      place,
      name: "event-archive",
      // Firehose names the account that it acts for as the external id.
      trust: trustPolicy("firehose.amazonaws.com", {
        StringEquals: { "sts:ExternalId": place.accountId },
      }),
    });
  }

  #permissions(
    role: ServiceRole,
    logGroup: CloudwatchLogGroup,
    logStream: CloudwatchLogStream,
    { bucket, inputs, place, stream }: EventArchiveProps,
  ) {
    const policy = new IamRolePolicy(this, "aws_iam_role_policy.event_archive", {
      name: "event-archive",
      role: role.name,
      policy: policyDocument(
        ...(stream === undefined ? [] : [mayReadStream(stream)]),
        {
          Sid: "WriteArchive",
          Action: ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"],
          Resource: [
            `${bucket.arn}/${bucketPrefixes.archive}*`,
            `${bucket.arn}/${bucketPrefixes.archiveErrors}*`,
          ],
        },
        {
          Sid: "FindBucket",
          Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
          Resource: bucket.arn,
        },
        {
          Sid: "WriteLog",
          Action: "logs:PutLogEvents",
          Resource: `${place.arn("logs", `log-group:${logGroup.name}`)}:log-stream:${logStream.name}`,
        },
      ),
    });
    const key = grantKeyUse(this, "event_archive_key", {
      role: role.name,
      key: deploymentKey(inputs),
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    });
    const streamKey = stream === undefined ? [] : mayDecryptStream(this, "event_archive", role.name, stream);
    return [policy, key, ...streamKey];
  }
}

/** What is put directly is encrypted by Firehose itself while it waits; a Kinesis stream keeps it encrypted. */
function encryptionOfBuffer(key: Input) {
  return {
    enabled: true,
    keyType: `\${${hasKmsKey} ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"}`,
    keyArn: key.text,
  };
}

function mayReadStream(stream: EventStream): Statement {
  return {
    Sid: "ReadStream",
    Action: [
      "kinesis:DescribeStream",
      "kinesis:GetShardIterator",
      "kinesis:GetRecords",
      "kinesis:ListShards",
    ],
    Resource: stream.arn,
  };
}
