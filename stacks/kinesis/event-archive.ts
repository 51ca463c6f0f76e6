/** The audit copy: every event of the stream, also those no function is interested in. */
import {
  CloudwatchLogGroup,
  CloudwatchLogStream,
  Construct,
  IamRole,
  IamRolePolicy,
  KinesisFirehoseDeliveryStream,
} from "../cdktf.ts";
import { grantKeyUse, policyDocument, trustPolicy } from "../shared/access.ts";
import { type EventStream, mayDecryptStream } from "../shared/event-stream.ts";
import { bucketPrefixes, type EventsBucket } from "../shared/events-bucket.ts";
import type { EngineProps } from "../shared/sms-function.ts";

/** What the archive reads and where it writes. */
export interface EventArchiveProps extends EngineProps {
  readonly stream: EventStream;
  readonly bucket: EventsBucket;
}

/**
 * A Firehose stream that copies all events of a Kinesis stream to the bucket, gzipped, one event a line, in a
 * folder for each hour. It works without the retry path: a broken function never costs an audit record.
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
        kinesisSourceConfiguration: { kinesisStreamArn: stream.arn, roleArn: role.arn },
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

  #role({ inputs, place }: EngineProps): IamRole {
    return new IamRole(this, "aws_iam_role.event_archive", {
      name: `${inputs.namePrefix.text}-event-archive-${place.region}`,
      // Firehose names the account that it acts for as the external id.
      assumeRolePolicy: trustPolicy("firehose.amazonaws.com", {
        StringEquals: { "sts:ExternalId": place.accountId },
      }),
    });
  }

  #permissions(
    role: IamRole,
    logGroup: CloudwatchLogGroup,
    logStream: CloudwatchLogStream,
    { bucket, inputs, stream }: EventArchiveProps,
  ) {
    const policy = new IamRolePolicy(this, "aws_iam_role_policy.event_archive", {
      name: "event-archive",
      role: role.id,
      policy: policyDocument(
        {
          Sid: "ReadStream",
          Action: [
            "kinesis:DescribeStream",
            "kinesis:GetShardIterator",
            "kinesis:GetRecords",
            "kinesis:ListShards",
          ],
          Resource: stream.arn,
        },
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
          Resource: `${logGroup.arn}:log-stream:${logStream.name}`,
        },
      ),
    });
    const key = grantKeyUse(this, "event_archive_key", {
      role: role.id,
      key: inputs.kmsKeyArn,
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    });
    return [policy, key, ...mayDecryptStream(this, "event_archive", role.id, stream)];
  }
}
