/** The Kinesis stream of delivery events, whoever made it. */
import type { Construct, IamRolePolicy } from "../cdktf.ts";
import type { Input } from "../inputs/input.ts";
import { grantKeyUse } from "./access.ts";

/** A Kinesis stream as its readers see it. */
export interface EventStream {
  readonly arn: string;
  /** As metrics name it. */
  readonly streamName: string;
  /**
   * Input that holds the ARN of the stream's own KMS key, or null.
   * @default - none: the stream is encrypted with `kms_key_arn` or a key that AWS manages
   */
  readonly key?: Input;
}

/** Lets a role decrypt the stream where its key is not the key of everything else. */
export function mayDecryptStream(
  scope: Construct,
  name: string,
  role: string,
  stream: EventStream,
): IamRolePolicy[] {
  if (stream.key === undefined) return [];
  const key = { isGiven: `${stream.key.hcl} != null`, arn: stream.key.text };
  return [grantKeyUse(scope, `${name}_stream_key`, { role, key, actions: ["kms:Decrypt"] })];
}
