import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamOfReadModel } from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { eligibilityOf } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import { synthesiseAll } from "./synthesised.ts";

const functionArn = "arn:aws:lambda:eu-west-1:123456789012:function:sms-retry-transform-firehose";

/** What the references of the check stand for here; the properties are those of each case. */
const values: Readonly<Record<string, string>> = {
  "data.aws_cloudcontrolapi_resource.delivery_stream.properties": "stream_properties",
  "data.aws_partition.current.partition": '"aws"',
  "data.aws_region.current.id": '"eu-west-1"',
  "data.aws_caller_identity.current.account_id": '"123456789012"',
  "var.name_prefix": '"sms-retry"',
  "var.firehose_delivery_stream_name": '"stream-1"',
};

// In the order of the check's expectations.
const reasons = [
  "no-destination",
  "several-destinations",
  "legacy-s3",
  "not-s3",
  "other-processor",
  "disabled-processor",
];

const lambda = (arn: unknown) => ({
  Type: "Lambda",
  Parameters: [
    { ParameterName: "NumberOfRetries", ParameterValue: "3" },
    { ParameterName: "LambdaArn", ParameterValue: arn },
  ],
});

const processorLists: unknown[] = [
  undefined,
  null,
  [],
  [lambda(functionArn)],
  [lambda(`${functionArn}:$LATEST`)],
  [lambda(`${functionArn}:7`)],
  [lambda(`${functionArn}-of-others`)],
  [lambda("arn:aws:lambda:eu-west-1:123456789012:function:theirs")],
  [{ Type: "AppendDelimiterToRecord" }],
  [{ Type: "AppendDelimiterToRecord", Parameters: [] }, lambda(functionArn)],
  [{ Type: "Lambda" }],
  [{ Type: "Lambda", Parameters: null }],
  [{}],
  [
    { Type: "MetadataExtraction", Parameters: [{ ParameterName: "LambdaArn", ParameterValue: functionArn }] },
    { Type: "Decompression" },
  ],
];

const otherKinds = [
  "Redshift",
  "Elasticsearch",
  "Amazonopensearchservice",
  "AmazonOpenSearchServerless",
  "Splunk",
  "HttpEndpoint",
  "Snowflake",
  "Iceberg",
].map((kind) => `${kind}DestinationConfiguration`);

const readModels: Record<string, unknown>[] = [
  {},
  { DeliveryStreamType: "DirectPut", KinesisStreamSourceConfiguration: { RoleARN: "role" } },
  { S3DestinationConfiguration: { BucketARN: "bucket" } },
  { S3DestinationConfiguration: null },
  { ExtendedS3DestinationConfiguration: null },
  { ExtendedS3DestinationConfiguration: {} },
  { ExtendedS3DestinationConfiguration: { ProcessingConfiguration: null } },
  ...otherKinds.flatMap((key) => [
    { [key]: { RoleARN: "role" } },
    { [key]: { ProcessingConfiguration: { Enabled: true, Processors: [lambda(functionArn)] } } },
    { [key]: {}, ExtendedS3DestinationConfiguration: {} },
    { [key]: {}, S3DestinationConfiguration: {} },
  ]),
  ...[undefined, null, true, false].flatMap((Enabled) =>
    processorLists.flatMap((Processors) => {
      const extended = { BucketARN: "bucket", ProcessingConfiguration: { Enabled, Processors } };
      return [
        { ExtendedS3DestinationConfiguration: extended },
        { ExtendedS3DestinationConfiguration: extended, S3DestinationConfiguration: { BucketARN: "bucket" } },
      ];
    }),
  ),
];

/** What the check says of each stream: the reasons whose expectation does not hold, and the first one's sentence. */
function warningsOf(properties: readonly string[]): { reasons: string[]; text: string | undefined }[] {
  const assertions = synthesiseAll()["sms-retry-firehose"].check?.firehose_attachment?.assert ?? [];
  const inner = (template: string) =>
    Object.entries(values).reduce((hcl, [from, to]) => hcl.replaceAll(from, to), template.slice(2, -1));
  const each = assertions.map(
    ({ condition, error_message }) => `{ holds = ${inner(condition)}, text = ${inner(error_message)} }`,
  );
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-check-"));
  try {
    const locals = {
      // A template of Terraform's JSON: ${ would begin an expression.
      properties: properties.map((text) => text.replaceAll("${", "$${")),
      answers: `\${[for stream_properties in local.properties : [${each.join(", ")}]]}`,
    };
    writeFileSync(join(folder, "main.tf.json"), JSON.stringify({ locals }));
    const written = execFileSync("terraform", [`-chdir=${folder}`, "console"], {
      input: "jsonencode(local.answers)\n",
      encoding: "utf8",
      stdio: "pipe",
      env: { ...process.env, CHECKPOINT_DISABLE: "1" },
    });
    const answers = JSON.parse(JSON.parse(written) as string) as { holds: boolean; text: string }[][];
    return answers.map((answer) => ({
      reasons: reasons.filter((_, position) => answer[position]?.holds === false),
      text: answer.find(({ holds }) => !holds)?.text,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasTerraform = spawnSync("terraform", ["version"]).status === 0;
if (!hasTerraform) process.stderr.write("Skipped: the check's HCL needs terraform on the path.\n");

(hasTerraform ? describe : describe.skip)("the check's HCL, evaluated by terraform", () => {
  test("it warns of exactly what the attaching function refuses, for its reason", () => {
    const warnings = warningsOf(readModels.map((model) => JSON.stringify(model)));
    const verdicts = readModels.map((model) => eligibilityOf(streamOfReadModel(model), functionArn));
    expect(readModels.map((model, index) => ({ model, reasons: warnings[index]?.reasons }))).toEqual(
      readModels.map((model, index) => ({
        model,
        reasons: verdicts[index]?.eligible ? [] : [verdicts[index]?.reason],
      })),
    );
    // Every reason was met, or the comparison would prove little.
    expect(new Set(warnings.flatMap((warning) => warning.reasons))).toEqual(new Set(reasons));
  });

  test("it says nothing of what it cannot read", () => {
    for (const { reasons: found } of warningsOf(["", "no JSON", "null", "3", '"text"']))
      expect(found).toEqual([]);
  });

  test("its sentence names the stream and the reason", () => {
    const [warning] = warningsOf([JSON.stringify({ SplunkDestinationConfiguration: {} })]);
    expect(warning?.text).toBe(
      "The Firehose stream stream-1 is left as it is, without the transformation: it delivers to Splunk, not to Amazon S3.",
    );
  });
});
