import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamOfReadModel } from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { eligibilityOf } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import { synthesiseAll } from "./synthesised.ts";

const functionArn = "arn:aws:lambda:eu-west-1:123456789012:function:sms-retry-transform-firehose";

/** What the references of the expressions stand for here; the properties are those of each case. */
const values: Readonly<Record<string, string>> = {
  "one(data.aws_cloudcontrolapi_resource.delivery_stream[*].properties)": "stream_properties",
  "one(data.aws_cloudcontrolapi_resource.attached_delivery_stream[*].properties)": "stream_properties",
  "data.aws_partition.current.partition": '"aws"',
  "data.aws_region.current.id": '"eu-west-1"',
  "data.aws_caller_identity.current.account_id": '"123456789012"',
  "var.name_prefix": '"sms-retry"',
  "var.firehose_delivery_stream_name": '"stream-1"',
};

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

/** What is found at plan of each stream: the refusals, reason → sentence, and whether our transformation is on. */
function findingsOf(
  properties: readonly string[],
): { refusals: Record<string, string>; hasTransformation: boolean }[] {
  const { firehose_refusals, firehose_has_transformation } =
    synthesiseAll()["sms-retry-firehose"].locals ?? {};
  const inner = (template: unknown) =>
    Object.entries(values).reduce(
      (hcl, [from, to]) => hcl.replaceAll(from, to),
      String(template).slice(2, -1),
    );
  const folder = mkdtempSync(join(tmpdir(), "sms-retry-check-"));
  try {
    const locals = {
      // A template of Terraform's JSON: ${ would begin an expression.
      properties: properties.map((text) => text.replaceAll("${", "$${")),
      answers:
        `\${[for stream_properties in local.properties : { refusals = ${inner(firehose_refusals)}, ` +
        `hasTransformation = ${inner(firehose_has_transformation)} }]}`,
    };
    writeFileSync(join(folder, "main.tf.json"), JSON.stringify({ locals }));
    const written = execFileSync("terraform", [`-chdir=${folder}`, "console"], {
      input: "jsonencode(local.answers)\n",
      encoding: "utf8",
      stdio: "pipe",
      env: { ...process.env, CHECKPOINT_DISABLE: "1" },
    });
    return JSON.parse(JSON.parse(written) as string);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasTerraform = spawnSync("terraform", ["version"]).status === 0;
if (!hasTerraform) process.stderr.write("Skipped: the check's HCL needs terraform on the path.\n");

(hasTerraform ? describe : describe.skip)("the check's HCL, evaluated by terraform", () => {
  test("it warns of exactly what the attaching function refuses, for its reason", () => {
    const findings = findingsOf(readModels.map((model) => JSON.stringify(model)));
    const verdicts = readModels.map((model) => eligibilityOf(streamOfReadModel(model), functionArn));
    const found = readModels.map((model, index) => ({
      model,
      reasons: Object.keys(findings[index]?.refusals ?? {}),
      hasTransformation: findings[index]?.hasTransformation,
    }));
    expect(found).toEqual(
      readModels.map((model, index) => ({
        model,
        reasons: verdicts[index]?.eligible ? [] : [verdicts[index]?.reason],
        hasTransformation: verdicts[index]?.reason === "already-attached",
      })),
    );
    // Every reason was met, or the comparison would prove little.
    expect(new Set(found.flatMap((each) => each.reasons))).toEqual(new Set(reasons));
    expect(found.some((each) => each.hasTransformation)).toBe(true);
  });

  test("it says nothing of what it cannot read", () => {
    for (const finding of findingsOf(["", "no JSON", "null", "3", '"text"']))
      expect(finding).toEqual({ refusals: {}, hasTransformation: false });
  });

  test("its sentence has the reason and nothing of the stream's description", () => {
    const [finding] = findingsOf([
      JSON.stringify({ SplunkDestinationConfiguration: { HECToken: "secret" } }),
    ]);
    expect(finding?.refusals).toEqual({ "not-s3": "it delivers to Splunk, not to Amazon S3." });
  });
});
