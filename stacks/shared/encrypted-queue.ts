/** A queue as every stack wants it. */
import { type Construct, SqsQueue, SqsQueuePolicy, SqsQueueRedriveAllowPolicy } from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { onlyOverTls, policyDocument, type Statement } from "./access.ts";

/** A day, in seconds. */
export const daySeconds = 86_400;

/** What one queue has of its own. */
export interface EncryptedQueueProps
  extends Pick<
    ConstructorParameters<typeof SqsQueue>[2] & object,
    "messageRetentionSeconds" | "visibilityTimeoutSeconds" | "redrivePolicy"
  > {
  /** Last part of the address; with hyphens for underscores also the last part of the name. */
  readonly id: string;
  /**
   * Who besides this account may do what with the queue, given its ARN.
   * @default - nobody
   */
  readonly statements?: (arn: string) => readonly Statement[];
}

/**
 * `aws_sqs_queue.<id>` with its policy: encrypted with the user's key or by SQS, reached over TLS only, and by nobody else
 * but who is named.
 */
export function encryptedQueue(
  scope: Construct,
  { kmsKeyArn, namePrefix }: SharedInputs,
  { id, statements = () => [], ...options }: EncryptedQueueProps,
): SqsQueue {
  const queue = new SqsQueue(scope, `aws_sqs_queue.${id}`, {
    name: `${namePrefix.text}-${id.replaceAll("_", "-")}`,
    kmsMasterKeyId: kmsKeyArn.text,
    // The two kinds of encryption exclude each other; null leaves the attribute alone.
    sqsManagedSseEnabled: expression(`${kmsKeyArn.hcl} == null ? true : null`),
    ...options,
  });
  new SqsQueuePolicy(scope, `aws_sqs_queue_policy.${id}`, {
    queueUrl: queue.url,
    policy: policyDocument(...statements(queue.arn), onlyOverTls("sqs:*", [queue.arn])),
  });
  return queue;
}

/** Lets a dead-letter queue take what one queue gives up, and nothing of another queue. */
export function onlyFilledBy(scope: Construct, id: string, deadLetters: SqsQueue, queue: SqsQueue): void {
  new SqsQueueRedriveAllowPolicy(scope, `aws_sqs_queue_redrive_allow_policy.${id}`, {
    queueUrl: deadLetters.url,
    redriveAllowPolicy: JSON.stringify({ redrivePermission: "byQueue", sourceQueueArns: [queue.arn] }),
  });
}
