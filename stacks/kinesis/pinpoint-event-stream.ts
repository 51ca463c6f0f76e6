/** A Kinesis stream of our own that Pinpoint fills with the events of one project. */
import {
  Construct,
  PinpointEventStream as EventStreamOfProject,
  IamRolePolicy,
  type ITerraformDependable,
  KinesisStream,
  Token,
} from "../cdktf.ts";
import { Input } from "../inputs/input.ts";
import { hasKmsKey, type PinpointInputs } from "../inputs/inputs.ts";
import { deploymentKey, grantKeyUse, policyDocument, trustPolicy } from "../shared/access.ts";
import { Check } from "../shared/check.ts";
import type { EventStream } from "../shared/event-stream.ts";
import { type ServiceRole, serviceRole } from "../shared/service-role.ts";
import type { EngineProps } from "../shared/sms-function.ts";

/** Whose events fill the stream. */
export interface PinpointEventStreamProps extends EngineProps {
  readonly inputs: PinpointInputs;
}

/**
 * Stream `<prefix>-events`, encrypted, on demand unless `stream_shard_count` is given, keeping records for 24 hours
 * (messages are useless after that; the archive keeps them all). Pinpoint may write to it for this project only.
 */
export class PinpointEventStream extends Construct implements EventStream {
  readonly arn: string;
  readonly streamName: string;
  readonly #props: PinpointEventStreamProps;

  constructor(scope: Construct, props: PinpointEventStreamProps) {
    super(scope, "pinpoint-event-stream");
    this.#props = props;
    const stream = this.#stream();
    this.arn = props.place.arn("kinesis", `stream/${stream.name}`);
    this.streamName = stream.name;
  }

  /**
   * Makes Pinpoint write to the stream, replacing whatever event stream the project had; not where
   * `manage_event_stream` is false.
   *
   * @param readers what must read before the first event is written, because it starts at the newest record
   * @returns what fails if Pinpoint does not know the project
   */
  fill(readers: readonly ITerraformDependable[]): EventStreamOfProject {
    const { inputs } = this.#props;
    const { role, permissions } = this.#role();
    const isManaged = new Input(this, "manage_event_stream", {
      type: "bool",
      description:
        "Whether the stack makes the new stream the event stream of the Pinpoint project. false leaves the project " +
        "alone, for one whose event stream somebody else manages, or can no longer be read; docs/operations.md says " +
        "what to do in that case. true or false.",
      default: true,
    });
    eventStreamsEnded(this, isManaged);
    return new EventStreamOfProject(this, "aws_pinpoint_event_stream.events", {
      count: Token.asNumber(`\${${isManaged.hcl} ? 1 : 0}`),
      applicationId: inputs.pinpointApplicationId.text,
      destinationStreamArn: this.arn,
      roleArn: role.arn,
      dependsOn: [...permissions, ...readers],
    });
  }

  #stream(): KinesisStream {
    const { kmsKeyArn, namePrefix } = this.#props.inputs;
    const shardCount = new Input(this, "stream_shard_count", {
      type: "number",
      description:
        "Number of shards of the new Kinesis stream, for a fixed price; one takes 1000 events a second. " +
        "null lets the stream scale on demand. null or a whole number from 1 to 500.",
      default: null,
      validation: {
        condition:
          "var.stream_shard_count == null || try(var.stream_shard_count >= 1 && " +
          "var.stream_shard_count <= 500 && floor(var.stream_shard_count) == var.stream_shard_count, false)",
        message: "The input stream_shard_count must be null or a whole number from 1 to 500.",
      },
    });
    return new KinesisStream(this, "aws_kinesis_stream.events", {
      name: `${namePrefix.text}-events`,
      streamModeDetails: { streamMode: shardCount.ifNull('"ON_DEMAND"', '"PROVISIONED"') },
      shardCount: shardCount.number,
      retentionPeriod: 24,
      encryptionType: "KMS",
      kmsKeyId: Token.asString(`\${${hasKmsKey} ? ${kmsKeyArn.hcl} : "alias/aws/kinesis"}`),
    });
  }

  #role(): { readonly role: ServiceRole; readonly permissions: ITerraformDependable[] } {
    const { inputs, place } = this.#props;
    const role = serviceRole(this, "aws_iam_role.pinpoint_event_stream", {
      inputs,
      place,
      name: "pinpoint-stream",
      // Pinpoint must act for this project of this account, not for someone who knows the role's name.
      trust: trustPolicy("pinpoint.amazonaws.com", {
        StringEquals: { "aws:SourceAccount": place.accountId },
        ArnLike: {
          "aws:SourceArn": place.arn("mobiletargeting", `apps/${inputs.pinpointApplicationId.text}`),
        },
      }),
    });
    const policy = new IamRolePolicy(this, "aws_iam_role_policy.pinpoint_event_stream", {
      name: "pinpoint-event-stream",
      role: role.name,
      policy: policyDocument({
        Sid: "WriteEvents",
        Action: ["kinesis:PutRecords", "kinesis:DescribeStream"],
        Resource: this.arn,
      }),
    });
    const key = grantKeyUse(this, "pinpoint_event_stream_key", {
      role: role.name,
      key: deploymentKey(inputs),
      actions: ["kms:GenerateDataKey"],
    });
    return { role, permissions: [policy, key] };
  }
}

/** When Amazon Pinpoint ended, and its event streams with it. */
const pinpointEnd = "2026-10-30T00:00:00Z";

/**
 * `check.pinpoint_event_stream`: warns at every plan since Pinpoint's end, unless the stack manages no event stream.
 *
 * @see https://docs.aws.amazon.com/pinpoint/latest/userguide/migrate.html
 */
function eventStreamsEnded(scope: Construct, isManaged: Input): void {
  new Check(scope, "pinpoint_event_stream", {
    assertions: [
      {
        condition: `!${isManaged.hcl} || timecmp(plantimestamp(), "${pinpointEnd}") < 0`,
        message:
          '"Amazon Pinpoint ended on 2026-10-30, and its event streams are said to have ended with it, so this stack may ' +
          "never see an event; send with AWS End User Messaging and use the stack sms-retry-end-user-messaging, " +
          'or set manage_event_stream to false."',
      },
    ],
  });
}
