/** A queue as every stack wants it. */
import { Construct, SqsQueue, SqsQueuePolicy, SqsQueueRedriveAllowPolicy } from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import { hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";
import { onlyOverTls, policyDocument, type Statement } from "./access.ts";
import type { Place } from "./sms-retry-stack.ts";

/** A day, in seconds. */
export const daySeconds = 86_400;

/** What one queue has of its own. */
export interface EncryptedQueueProps {
  readonly inputs: SharedInputs;
  readonly place: Place;
  /** How long a message is kept, from when it was first sent. */
  readonly messageRetentionSeconds: number;
  /**
   * How long a message that is being worked on is hidden.
   * @default 30
   */
  readonly visibilityTimeoutSeconds?: number;
  /**
   * Where a message goes that was received in vain, and after how many receives.
   * @default - it stays
   */
  readonly redrive?: { readonly deadLetters: EncryptedQueue; readonly maxReceiveCount: number };
  /**
   * What an AWS service may do with the queue, given its ARN.
   * @default - nobody but who has a role in this account
   */
  readonly statements?: (arn: string) => readonly Statement[];
}

/**
 * `aws_sqs_queue.<id>`, named `<prefix>-<id>` with hyphens for underscores, and its policy: encrypted with the user's key or
 * by SQS, and reached over TLS only. A dead-letter queue takes what one queue gives up, and nothing of another queue.
 */
export class EncryptedQueue extends Construct {
  /** As SQS gives it out; known when the queue is there. */
  readonly url: string;
  /** The same made of names, so that a plan shows the environment that holds it. */
  readonly knownUrl: string;
  /** Made of the name, so that a plan shows what refers to it. */
  readonly arn: string;
  readonly queueName: string;
  /** What must exist before an AWS service fills the queue. */
  readonly policy: SqsQueuePolicy;

  constructor(scope: Construct, id: string, props: EncryptedQueueProps) {
    super(scope, id);
    const { inputs, place, statements = () => [], redrive } = props;
    const { kmsKeyArn, namePrefix } = inputs;
    const queue = new SqsQueue(this, `aws_sqs_queue.${id}`, {
      name: `${namePrefix.text}-${id.replaceAll("_", "-")}`,
      kmsMasterKeyId: kmsKeyArn.text,
      // The two kinds of encryption exclude each other; null leaves the attribute alone.
      sqsManagedSseEnabled: expression(`${hasKmsKey} ? null : true`),
      messageRetentionSeconds: props.messageRetentionSeconds,
      ...(props.visibilityTimeoutSeconds !== undefined && {
        visibilityTimeoutSeconds: props.visibilityTimeoutSeconds,
      }),
      ...(redrive !== undefined && {
        redrivePolicy: JSON.stringify({
          deadLetterTargetArn: redrive.deadLetters.arn,
          maxReceiveCount: redrive.maxReceiveCount,
        }),
      }),
    });
    this.url = queue.url;
    this.queueName = queue.name;
    this.knownUrl = place.queueUrl(queue);
    this.arn = place.arn("sqs", queue.name);
    this.policy = new SqsQueuePolicy(this, `aws_sqs_queue_policy.${id}`, {
      queueUrl: queue.url,
      policy: policyDocument(...statements(this.arn), onlyOverTls("sqs:*", [this.arn])),
    });
    if (redrive === undefined) return;
    const { node, url } = redrive.deadLetters;
    new SqsQueueRedriveAllowPolicy(this, `aws_sqs_queue_redrive_allow_policy.${node.id}`, {
      queueUrl: url,
      redriveAllowPolicy: JSON.stringify({ redrivePermission: "byQueue", sourceQueueArns: [this.arn] }),
    });
  }
}

/** What Lambda needs to read a queue for a function. */
export function mayReceive(sid: string, queue: EncryptedQueue): Statement {
  return {
    Sid: sid,
    Action: [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ChangeMessageVisibility",
    ],
    Resource: queue.arn,
  };
}
