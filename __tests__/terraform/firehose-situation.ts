/** The situation of a user whose delivery events go to a Firehose stream. */
import {
  CreateDeliveryStreamCommand,
  type CreateDeliveryStreamCommandInput,
  type DeliveryStreamDescription,
  DescribeDeliveryStreamCommand,
} from "@aws-sdk/client-firehose";
import { GetPolicyCommand } from "@aws-sdk/client-lambda";
import type { FirehoseTransformationResult } from "aws-lambda";
import type { AwsCall } from "./aws-call.ts";
import { accountId, region } from "./emulated-aws.ts";
import { check, same } from "./expectations.ts";
import { isAllowed, statementsOf } from "./permissions.ts";
import type { Situation, StackRun } from "./stack-run.ts";

const roleArn = `arn:aws:iam::${accountId}:role/archive-delivery`;
const functionArn = `arn:aws:lambda:${region}:${accountId}:function:sms-retry-transform-firehose`;
const s3 = {
  RoleARN: roleArn,
  BucketARN: "arn:aws:s3:::sms-events-archive",
  Prefix: "events/",
  BufferingHints: { SizeInMBs: 64, IntervalInSeconds: 120 },
  CompressionFormat: "GZIP",
} as const;

/** The user's streams: one that may be attached to, and those that are refused. */
const streams = {
  "sms-events": { ExtendedS3DestinationConfiguration: s3 },
  "sms-events-masked": {
    ExtendedS3DestinationConfiguration: {
      ...s3,
      ProcessingConfiguration: {
        Enabled: true,
        Processors: [
          {
            Type: "Lambda",
            Parameters: [
              {
                ParameterName: "LambdaArn",
                ParameterValue: `arn:aws:lambda:${region}:${accountId}:function:mask-numbers:$LATEST`,
              },
            ],
          },
        ],
      },
    },
  },
  "sms-events-http": {
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url: "https://events.example.org/", Name: "events" },
      S3Configuration: s3,
    },
  },
} as const satisfies Record<string, Omit<CreateDeliveryStreamCommandInput, "DeliveryStreamName">>;

type StreamName = keyof typeof streams;

/** Streams that must be left alone, and what the plan and the output say of them. */
const refusals: readonly (readonly [name: StreamName, reason: RegExp])[] = [
  ["sms-events-masked", /has a processor already \(Lambda\)/],
  ["sms-events-http", /delivers to .*HTTP/i],
];

/** Stack `sms-retry-firehose`. */
export const firehoseSituation: Situation = {
  stack: "sms-retry-firehose",
  // A destroy waits for Firehose, which is not there.
  inputs: { firehose_delivery_stream_name: "sms-events", firehose_detach_wait_seconds: 0 },
  async prepare({ clients }) {
    for (const [DeliveryStreamName, configuration] of Object.entries(streams))
      await clients.firehose.send(new CreateDeliveryStreamCommand({ DeliveryStreamName, ...configuration }));
  },
  outputs: {
    consumer_function_name: "sms-retry-transform-firehose",
    transformation_function_arn: functionArn,
    firehose_attached: true,
    firehose_attachment_reason: "The transformation is attached.",
  },
  functionsWithMaxRetries: [
    "aws_lambda_function.produce",
    "aws_lambda_function.resend",
    "aws_lambda_function.transform_firehose",
  ],
  readAtEveryPlan: ["read data.aws_cloudcontrolapi_resource.delivery_stream read_because_check_nested"],
  // In the middle of detaching.
  stopDestroyAt: "aws_lambda_invocation.attach_transformation: Destroying...",
  deliver: deliverByFirehose,
  async more(run) {
    for (const [name, reason] of refusals)
      await run.step(`refused: ${name}`, () => refuse(run, name, reason));
    await run.step("without a Pinpoint project", () => planWithoutProject(run));
    await run.step("attached again", async () => {
      await run.apply({});
      same("the output firehose_attached", run.outputs.firehose_attached, true);
      same("the processors", processorsOf(await describe(run, "sms-events")).length, 1);
    });
  },
  async afterDestroy(run) {
    const detached = run.destroyCalls.findIndex(({ operation }) => operation === "UpdateDestination");
    const deleted = run.destroyCalls.findIndex(deletesWhatIsNeeded);
    check(detached >= 0, "The transformation was not detached.");
    check(
      detached < deleted,
      `Before the transformation was detached there was ${run.destroyCalls[deleted]?.operation}.`,
    );
    const stream = await describe(run, "sms-events");
    same("the stream's status", stream.DeliveryStreamStatus, "ACTIVE");
    same("the processors", processorsOf(stream), []);
    const { Prefix, CompressionFormat } = stream.Destinations?.[0]?.ExtendedS3DestinationDescription ?? {};
    same("the destination", { Prefix, CompressionFormat }, { Prefix: "events/", CompressionFormat: "GZIP" });
    for (const [name] of refusals) same(`the version of ${name}`, (await describe(run, name)).VersionId, "1");
  },
};

/** Whether a call takes away what the transformation needs as long as records come to it. */
function deletesWhatIsNeeded({ service, operation, method, path, body }: AwsCall): boolean {
  const text = body.toString();
  const functionNames = ["sms-retry-transform-firehose", "sms-retry-attach-transformation"];
  return (
    operation === "DeleteTable" ||
    (operation === "DeleteQueue" && text.includes('/sms-retry-retry"')) ||
    (operation === "DeleteRolePolicy" && functionNames.some((name) => text.includes(`RoleName=${name}-`))) ||
    (service === "lambda" && method === "DELETE" && functionNames.includes(String(path[2])))
  );
}

/** A user of End User Messaging alone needs no project; one of Pinpoint is told at the plan. */
async function planWithoutProject(run: StackRun): Promise<void> {
  const inputs = { firehose_delivery_stream_name: "sms-events", name_prefix: "sms-no-project" };
  const pinpoint = await run.another("no-project", inputs);
  const { output } = await pinpoint.run(["plan"], [1]);
  check(
    unwrapped(output).includes("Retries by Pinpoint need its project; give pinpoint_application_id"),
    `The plan does not ask for the project:\n${output}`,
  );
  const service = ["-var=sms_service=end-user-messaging", "-var=configuration_set_name=shop"];
  await pinpoint.run(["plan", ...service]);
}

async function refuse(run: StackRun, name: StreamName, reason: RegExp): Promise<void> {
  const before = await describe(run, name);
  const change = { firehose_delivery_stream_name: name };
  const { output } = await run.terraform.run(["plan", `-var=firehose_delivery_stream_name=${name}`]);
  const warning = unwrapped(output);
  check(
    warning.includes("Check block assertion failed") && reason.test(warning),
    `The plan does not warn:\n${output}`,
  );
  await run.apply(change);
  same("the output firehose_attached", run.outputs.firehose_attached, false);
  check(
    reason.test(String(run.outputs.firehose_attachment_reason)),
    `The output firehose_attachment_reason is: ${run.outputs.firehose_attachment_reason}`,
  );
  same("the refused stream", await describe(run, name), before);
  same("the processors of the former stream", processorsOf(await describe(run, "sms-events")), []);
}

/** Terraform's text without its frame and its line breaks. */
function unwrapped(output: string): string {
  return output.replaceAll(/\s*\n[│\s]*/g, " ");
}

async function describe(run: StackRun, name: StreamName): Promise<DeliveryStreamDescription> {
  const { DeliveryStreamDescription } = await run.clients.firehose.send(
    new DescribeDeliveryStreamCommand({ DeliveryStreamName: name }),
  );
  if (DeliveryStreamDescription === undefined) throw new Error(`The stream ${name} has no description.`);
  return DeliveryStreamDescription;
}

function processorsOf({ Destinations }: DeliveryStreamDescription) {
  const processing = Destinations?.[0]?.ExtendedS3DestinationDescription?.ProcessingConfiguration;
  return processing?.Enabled === true ? (processing.Processors ?? []) : [];
}

/** Hands a batch over as Firehose does: to the function of the stream's processor, if the role may invoke it. */
async function deliverByFirehose(run: StackRun, event: Buffer): Promise<void> {
  const [processor] = processorsOf(await describe(run, "sms-events"));
  const target = processor?.Parameters?.find(
    ({ ParameterName }) => ParameterName === "LambdaArn",
  )?.ParameterValue;
  check(
    target !== undefined && target.split(":").slice(0, 7).join(":") === functionArn,
    `Attached: ${target}`,
  );
  await checkInvocation(run, target);
  const data = event.toString("base64");
  const answer = await run.invoke<FirehoseTransformationResult>(target, {
    invocationId: "invocation-1",
    deliveryStreamArn: `arn:aws:firehose:${region}:${accountId}:deliverystream/sms-events`,
    region,
    records: [{ recordId: "record-1", approximateArrivalTimestamp: Date.now(), data }],
  });
  // Firehose has to be told every record; one whose message is sent again is kept out of the archive.
  same(`the answer of transform-firehose (${run.lastLines()})`, answer, {
    records: [{ recordId: "record-1", result: "Dropped", data }],
  });
}

/** The stream's role has no right of its own: the function's policy has to let it in. */
async function checkInvocation(run: StackRun, target: string): Promise<void> {
  const { Policy = "{}" } = await run.clients.lambda.send(
    new GetPolicyCommand({ FunctionName: functionArn }),
  );
  // moto writes the principal bare, where Lambda writes { AWS: … }.
  const ofRole = statementsOf(Policy).filter(
    ({ Principal }) => (Object(Principal).AWS ?? Principal) === roleArn,
  );
  for (const action of ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"])
    check(
      isAllowed(ofRole, { action, resources: [functionArn, target] }),
      `The role ${roleArn} may not do ${action} on ${target}.`,
    );
}
