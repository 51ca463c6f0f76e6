/** The role with which End User Messaging puts events into the archive. */
import { Construct, IamRolePolicy, type ITerraformDependable } from "../cdktf.ts";
import { policyDocument, trustPolicy } from "../shared/access.ts";
import type { EventArchive } from "../shared/event-archive.ts";
import { serviceRole } from "../shared/service-role.ts";
import type { EngineProps } from "../shared/sms-function.ts";
import { reference } from "../shared/sms-retry-stack.ts";
import type { ConfigurationSetName } from "./configuration-set-name.ts";

/** Who writes where. */
export interface ArchiveWriterProps extends EngineProps {
  readonly archive: EventArchive;
  readonly configurationSet: ConfigurationSetName;
}

/**
 * A role that the service assumes for one configuration set of this account, to put single records into one stream.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-kinesis-creating-role.html
 */
export class ArchiveWriter extends Construct {
  /** Made of the name. */
  readonly roleArn: string;
  /** ARN of the archive's stream, made of its name. */
  readonly deliveryStreamArn: string;
  /** What must exist before the first event is put. */
  readonly ready: ITerraformDependable[];

  constructor(scope: Construct, { archive, configurationSet, inputs, place }: ArchiveWriterProps) {
    super(scope, "archive-writer");
    const { deliveryStream } = archive;
    const streamName = reference("aws_kinesis_firehose_delivery_stream.event_archive.name");
    this.deliveryStreamArn = place.arn("firehose", `deliverystream/${streamName}`);
    const role = serviceRole(this, "aws_iam_role.event_archive_writer", {
      inputs,
      place,
      name: "archive-writer",
      trust: trustPolicy("sms-voice.amazonaws.com", {
        StringEquals: { "aws:SourceAccount": place.accountId },
        ArnLike: { "aws:SourceArn": configurationSet.arn },
      }),
    });
    this.roleArn = role.arn;
    const policy = new IamRolePolicy(this, "aws_iam_role_policy.event_archive_writer", {
      name: "event-archive-writer",
      role: role.name,
      policy: policyDocument({
        Sid: "PutEvent",
        Action: "firehose:PutRecord",
        Resource: this.deliveryStreamArn,
      }),
    });
    this.ready = [deliveryStream, policy];
  }
}
