/** The bucket that keeps what must not be lost: the archive of all events, and records that failed. */
import {
  Construct,
  S3Bucket,
  S3BucketLifecycleConfiguration,
  S3BucketLoggingA,
  S3BucketOwnershipControls,
  S3BucketPolicy,
  S3BucketPublicAccessBlock,
  S3BucketServerSideEncryptionConfigurationA,
  Token,
} from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import { type ArchiveInputs, hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";
import { type Access, onlyOverTls, policyDocument, type Statement } from "./access.ts";
import type { Place } from "./sms-retry-stack.ts";

/** Prefixes of the bucket's objects, by what they hold. */
export const bucketPrefixes = {
  /** All events, written by Firehose. */
  archive: "archive/",
  /** What Firehose could not deliver as it should. */
  archiveErrors: "archive-errors/",
  /** Records that are no event, written by the functions. */
  malformed: "malformed/",
  /** Batches that an event source mapping gave up; the prefix is Lambda's own. */
  failedBatches: "aws/lambda/",
} as const;

/**
 * Bucket `<prefix>-events-<account>-<region>`: private, encrypted, TLS only, objects leave after
 * `archive_retention_days`. A destroy is refused while it holds objects, unless `deletion_protection` is off.
 *
 * Not versioned: every object is written once under a new name, and an expiry must really delete, because the
 * objects hold phone numbers.
 */
export class EventsBucket extends Construct {
  readonly bucketName: string;
  readonly arn: string;

  constructor(
    scope: Construct,
    { inputs, place }: { readonly inputs: SharedInputs & ArchiveInputs; readonly place: Place },
  ) {
    super(scope, "events-bucket");
    const bucket = new S3Bucket(this, "aws_s3_bucket.events", {
      bucket: `${inputs.namePrefix.text}-events-${place.accountId}-${place.region}`,
      forceDestroy: expression(`!${inputs.deletionProtection.hcl}`),
    });
    this.bucketName = bucket.bucket;
    this.arn = place.bucketArn(bucket);
    this.#closeToThePublic(bucket);
    this.#encrypt(bucket, inputs);
    this.#expire(bucket, inputs);
    this.#logAccess(bucket, inputs);
  }

  /** The right to keep a record that is no event. */
  get keepingMalformed(): Access<"FAILURE_BUCKET_NAME"> {
    return {
      statements: [
        {
          Sid: "KeepMalformed",
          Action: "s3:PutObject",
          // The names of objects are made at run time.
          Resource: `${this.arn}/${bucketPrefixes.malformed}*`,
        },
      ],
      environment: { FAILURE_BUCKET_NAME: this.bucketName },
    };
  }

  /** What Lambda needs to keep a batch that it gives up. */
  get keepingFailedBatches(): Statement[] {
    return [
      {
        Sid: "KeepFailedBatch",
        Action: "s3:PutObject",
        Resource: `${this.arn}/${bucketPrefixes.failedBatches}*`,
      },
      { Sid: "FindFailureBucket", Action: "s3:ListBucket", Resource: this.arn },
    ];
  }

  #closeToThePublic(bucket: S3Bucket): void {
    const block = new S3BucketPublicAccessBlock(this, "aws_s3_bucket_public_access_block.events", {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    new S3BucketOwnershipControls(this, "aws_s3_bucket_ownership_controls.events", {
      bucket: bucket.id,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    new S3BucketPolicy(this, "aws_s3_bucket_policy.events", {
      bucket: bucket.id,
      policy: policyDocument(onlyOverTls("s3:*", [this.arn, `${this.arn}/*`])),
      // S3 refuses the two changes at the same moment.
      dependsOn: [block],
    });
  }

  #encrypt(bucket: S3Bucket, { kmsKeyArn }: SharedInputs): void {
    new S3BucketServerSideEncryptionConfigurationA(
      this,
      "aws_s3_bucket_server_side_encryption_configuration.events",
      {
        bucket: bucket.id,
        rule: [
          {
            applyServerSideEncryptionByDefault: {
              sseAlgorithm: `\${${hasKmsKey} ? "aws:kms" : "AES256"}`,
              kmsMasterKeyId: kmsKeyArn.text,
            },
            bucketKeyEnabled: true,
          },
        ],
      },
    );
  }

  #expire(bucket: S3Bucket, { archiveRetentionDays }: ArchiveInputs): void {
    new S3BucketLifecycleConfiguration(this, "aws_s3_bucket_lifecycle_configuration.events", {
      bucket: bucket.id,
      rule: [
        {
          id: "expire",
          // A rule without an expiry is not allowed, so null switches the rule off.
          status: archiveRetentionDays.ifNull('"Disabled"', '"Enabled"'),
          filter: [{ prefix: "" }],
          expiration: [{ days: Token.asNumber(`\${coalesce(${archiveRetentionDays.hcl}, 365)}`) }],
        },
        {
          id: "abort-unfinished-uploads",
          status: "Enabled",
          filter: [{ prefix: "" }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
        },
      ],
    });
  }

  #logAccess(bucket: S3Bucket, { accessLogBucketName }: ArchiveInputs): void {
    new S3BucketLoggingA(this, "aws_s3_bucket_logging.events", {
      count: Token.asNumber(accessLogBucketName.ifNull("0", "1")),
      bucket: bucket.id,
      targetBucket: accessLogBucketName.text,
      targetPrefix: `${bucket.bucket}/`,
    });
  }
}
