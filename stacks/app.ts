/** The application as CDKTF sees it: all stacks, and where they are written. */
import { App } from "./cdktf.ts";
import { EndUserMessagingStack } from "./end-user-messaging/end-user-messaging-stack.ts";
import { FirehoseStack } from "./firehose/firehose-stack.ts";
import { KinesisStack } from "./kinesis/kinesis-stack.ts";
import { NewStreamStack } from "./kinesis/new-stream-stack.ts";
import { type Artefacts, remoteStateContext } from "./shared/sms-retry-stack.ts";

export { type StackName, stackNames } from "./stack-names.ts";

/**
 * Writes every stack to `<output folder>/stacks/<name>/cdk.tf.json`, its zips beside it. The same artefacts give
 * the same bytes on every machine.
 *
 * @param outputFolder existing or new folder
 * @default outputFolder - what the cdktf command line asks for, else `cdktf.out`
 * @param hasRemoteState whether the state lies in S3, in the bucket and key that `terraform init -backend-config` says;
 *   else in a file beside `cdktf.json`
 * @throws Error if a zip is missing
 */
export function synthesise(artefacts: Artefacts, outputFolder?: string, hasRemoteState = false): void {
  // Stack traces would write the paths of this machine into the output.
  const app = new App({
    stackTraces: false,
    ...(outputFolder !== undefined ? { outdir: outputFolder } : {}),
    context: { [remoteStateContext]: hasRemoteState },
  });
  new EndUserMessagingStack(app, artefacts);
  new NewStreamStack(app, artefacts);
  new KinesisStack(app, artefacts);
  new FirehoseStack(app, artefacts);
  app.synth();
}
