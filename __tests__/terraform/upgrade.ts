/** From the previous release to this one and back, with messages under way: docs/release.md says what must hold. */
import { check, same } from "./expectations.ts";
import type { PlanWithChanges } from "./plan-changes.ts";
import { type RunOptions, type Situation, StackRun } from "./stack-run.ts";

/** What an upgrade starts from. */
export interface PreviousRelease {
  readonly name: string;
  readonly stacksFolder: string;
}

/**
 * Types of resources that hold messages or events, or bring them: no release takes one away. Alarms, rights and settings
 * may come and go.
 */
const keptTypes = [
  "aws_cloudcontrolapi_resource",
  "aws_dynamodb_table",
  "aws_kinesis_firehose_delivery_stream",
  "aws_kinesis_stream",
  "aws_lambda_event_source_mapping",
  "aws_lambda_function",
  "aws_pinpoint_event_stream",
  "aws_s3_bucket",
  "aws_scheduler_schedule_group",
  "aws_sns_topic",
  "aws_sns_topic_subscription",
  "aws_sqs_queue",
];

/**
 * Applies the previous release of a stack, this one, and the previous one again, each time with one message that waits
 * for its event and one whose retry is queued: all are sent again by the functions that are there then.
 */
export async function runUpgrade(
  situation: Situation,
  previous: PreviousRelease,
  options: RunOptions,
): Promise<void> {
  const run = new StackRun(situation, { ...options, stacksFolder: previous.stacksFolder });
  await situation.prepare(run);
  await run.step(`previous release (${previous.name.slice(0, 12)})`, async () => {
    await run.terraform.run(["init"]);
    await run.apply({});
  });
  await change(run, "upgrade", options.stacksFolder);
  await change(run, "downgrade", previous.stacksFolder);
}

/** Changes to another build while two messages are under way; afterwards both are sent again. */
async function change(run: StackRun, name: string, stacksFolder: string): Promise<void> {
  const waiting = `${name}-waiting`;
  const queued = `${name}-queued`;
  const items = () => Promise.all([waiting, queued].map((id) => run.itemOf(id)));

  const before = await run.step(`${name}: messages under way`, async () => {
    await run.produceMessage(waiting);
    await run.produceMessage(queued);
    await run.failMessage(queued);
    return items();
  });
  await run.step(`${name}: nothing is replaced`, async () => {
    await run.use(stacksFolder);
    await run.terraform.run(["plan", "-out=change.plan"]);
    same("what is taken away", takenBy(await run.terraform.show<PlanWithChanges>("change.plan")), []);
    await run.terraform.run(["apply", "change.plan"]);
    await run.readOutputs();
  });
  await run.step(`${name}: nothing is lost`, async () => {
    same("the items", await items(), before);
    const sent = run.aws.sentSms().length;
    await run.resendMessage(queued);
    await run.failMessage(waiting);
    await run.resendMessage(waiting);
    same("how many were sent again", run.aws.sentSms().length - sent, 2);
  });
}

/** Is made anew on purpose when the functions' code is another: it looks at the stream again, and its end does nothing. */
const lookAgain = "aws_lambda_invocation.recheck_transformation";

/** What a plan replaces, and what it destroys of what is kept. */
function takenBy({ resource_changes }: PlanWithChanges): string[] {
  check(resource_changes.length > 20, "The plan is nearly empty.");
  return resource_changes
    .filter(({ mode, change: { actions } }) => mode !== "data" && actions.includes("delete"))
    .filter(({ address }) => address !== lookAgain)
    .filter(
      ({ address, change: { actions } }) =>
        actions.length > 1 || keptTypes.includes(address.split(".")[0] ?? ""),
    )
    .map(({ address, change }) => `${change.actions.join("+")} ${address}`);
}
