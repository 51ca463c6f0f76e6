/** `sms-retry inspect` as a user runs it, against moto's control plane. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateStreamCommand, KinesisClient, StartStreamEncryptionCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { tfvarsText } from "../../cli/inspect/report.ts";
import { type ControlPlaneProxy, refusal, startControlPlaneProxy } from "../support/control-plane-proxy.ts";
import { lambdaProcessor, s3Destination, streamRoleArn } from "../support/delivery-streams.ts";
import { emulatorAccess } from "../support/message-table.ts";
import { type MotoAccount, motoAccount } from "../support/moto-account.ts";
import { describeWithMoto, type MotoServer, startMotoServer } from "../support/moto-server.ts";
import { scriptRunner, signedIn } from "../support/script-run.ts";

const run = scriptRunner("sms-retry.ts", "inspect");

test("what HCL would read as a template is quoted in the tfvars", () => {
  const text = tfvarsText({
    schema_version: 1,
    region: "us-east-1",
    pinpoint_application_id: null,
    event_stream: null,
    stack: "sms-retry-new-stream",
    stack_reason: "",
    transformation: null,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is HCL
    tfvars: { name_prefix: 'a"${b}%{c}' },
    missing: [],
    notes: [],
  });
  expect(text).toContain('name_prefix = "a\\"$${b}%%{c}"\n');
});

describeWithMoto("sms-retry inspect", () => {
  let moto: MotoServer;
  let proxy: ControlPlaneProxy;
  let account: MotoAccount;
  let environment: Record<string, string>;
  const folder = mkdtempSync(join(tmpdir(), "inspect-"));

  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startControlPlaneProxy(moto.endpoint);
    account = motoAccount(moto.endpoint);
    environment = { ...signedIn, AWS_ENDPOINT_URL: proxy.endpoint };
  }, 90_000);

  beforeEach(async () => {
    proxy.reset();
    await moto.reset();
  });

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await proxy.close();
    await moto.stop();
  });

  const firehoseArn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive";
  const kinesisArn = "arn:aws:kinesis:us-east-1:123456789012:stream/events";
  const ours = lambdaProcessor("arn:aws:lambda:us-east-1:123456789012:function:sms-retry-transform-firehose");
  const theirs = lambdaProcessor("arn:aws:lambda:us-east-1:123456789012:function:mask-addresses");
  const withProcessor = (processor: typeof ours) =>
    account.createS3Stream("archive", { Enabled: true, Processors: [processor as never] });

  const kinesis = () =>
    new KinesisClient({
      ...emulatorAccess,
      endpoint: moto.endpoint,
      requestHandler: new NodeHttpHandler(),
    });

  async function inspect(...given: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await run(environment, ...given, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  }

  test("a stream that the transformation may be attached to, for people", async () => {
    await account.createS3Stream("archive");

    const { code, stdout, stderr } = await run(environment, "--stream", "archive");

    expect(stderr).toBe("");
    expect(stdout).toBe(`Region                 us-east-1
Delivery events go to  Firehose stream archive
Stack that fits        sms-retry-firehose
                       The delivery events go to a Firehose stream; the stack attaches its transformation to it.
Transformation         yes
                       The transformation would be attached. (free)
Note                   If Firehose reports that it may not invoke the transformation, set firehose_role_name = "archive-delivery".

# Inputs of the stack sms-retry-firehose in us-east-1, as sms-retry inspect found them.
firehose_delivery_stream_name = "archive"
# pinpoint_application_id = "..." is required and was not found: fill it in.
`);
    expect(code).toBe(0);
  });

  test("the same for machines: every field of the schema", async () => {
    await account.createS3Stream("archive");
    const id = await account.createApplication(firehoseArn);

    expect(await inspect("--application-id", id)).toEqual({
      schema_version: 1,
      region: "us-east-1",
      pinpoint_application_id: id,
      event_stream: { kind: "firehose", name: "archive", arn: firehoseArn },
      stack: "sms-retry-firehose",
      stack_reason:
        "The delivery events go to a Firehose stream; the stack attaches its transformation to it.",
      transformation: { would_attach: true, reason: "free", text: "The transformation would be attached." },
      tfvars: { pinpoint_application_id: id, firehose_delivery_stream_name: "archive" },
      missing: [],
      notes: [
        'If Firehose reports that it may not invoke the transformation, set firehose_role_name = "archive-delivery".',
      ],
    });
  });

  test("a stream with a processor: the reason of the attaching function", async () => {
    await withProcessor(theirs);

    expect(await inspect("--stream", "archive")).toMatchObject({
      stack: "sms-retry-firehose",
      transformation: {
        would_attach: false,
        reason: "other-processor",
        text: "The stream has a processor already (Lambda); the transformation is attached only where there is none.",
      },
    });
  });

  test("a stream that is attached to already, by the name prefix of its deployment", async () => {
    await withProcessor(ours);

    expect(await inspect("--stream", "archive")).toMatchObject({
      transformation: { would_attach: true, reason: "already-attached" },
    });
    expect(await inspect("--stream", "archive", "--name-prefix", "another")).toMatchObject({
      transformation: { would_attach: false, reason: "other-processor" },
      tfvars: { name_prefix: "another" },
    });
  });

  test("a refused stream that reads a Kinesis stream: the stack for that one", async () => {
    await kinesis().send(new CreateStreamCommand({ StreamName: "events", ShardCount: 1 }));
    await account.createStream("archive", {
      DeliveryStreamType: "KinesisStreamAsSource",
      KinesisStreamSourceConfiguration: { KinesisStreamARN: kinesisArn, RoleARN: streamRoleArn },
      RedshiftDestinationConfiguration: {
        RoleARN: streamRoleArn,
        ClusterJDBCURL: "jdbc:redshift://events.example.com:5439/events",
        CopyCommand: { DataTableName: "events" },
        S3Configuration: { ...s3Destination },
      },
    });

    expect(await inspect("--stream", "archive")).toMatchObject({
      event_stream: { kind: "firehose" },
      stack: "sms-retry-kinesis",
      transformation: { would_attach: false, reason: "not-s3" },
      tfvars: { kinesis_stream_arn: kinesisArn },
      missing: ["pinpoint_application_id"],
    });
  });

  describe("a project whose events go to a Kinesis stream", () => {
    const keyArn = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012";

    test.each<[string | undefined, object, string[]]>([
      [undefined, {}, []],
      ["alias/aws/kinesis", {}, []],
      [keyArn, { kinesis_stream_kms_key_arn: keyArn }, []],
      [
        "alias/events",
        {},
        [
          'The Kinesis stream is encrypted with the key "alias/events": set kinesis_stream_kms_key_arn to the ARN of that key.',
        ],
      ],
    ])("encrypted with %s", async (key, keyInput, notes) => {
      await kinesis().send(new CreateStreamCommand({ StreamName: "events", ShardCount: 1 }));
      if (key !== undefined) {
        await kinesis().send(
          new StartStreamEncryptionCommand({ StreamName: "events", EncryptionType: "KMS", KeyId: key }),
        );
      }
      const id = await account.createApplication(kinesisArn);

      expect(await inspect("--application-id", id)).toMatchObject({
        event_stream: { kind: "kinesis", name: "events", arn: kinesisArn },
        stack: "sms-retry-kinesis",
        transformation: null,
        tfvars: { pinpoint_application_id: id, kinesis_stream_arn: kinesisArn, ...keyInput },
        notes,
      });
    });

    test("is answered without the right to look at the key", async () => {
      const id = await account.createApplication(kinesisArn);
      proxy.intercept = (operation, forward) =>
        operation === "DescribeStreamSummary" ? refusal("AccessDeniedException") : forward();

      expect(await inspect("--application-id", id)).toMatchObject({
        stack: "sms-retry-kinesis",
        notes: [expect.stringContaining("could not be read (kinesis:DescribeStreamSummary)")],
      });
    });
  });

  test("a project without an event stream: the stack that creates one", async () => {
    const id = await account.createApplication();

    expect(await inspect("--application-id", id)).toMatchObject({
      event_stream: null,
      stack: "sms-retry-new-stream",
      transformation: null,
      tfvars: { pinpoint_application_id: id },
    });
  });

  describe("--write", () => {
    test("writes the tfvars, and does not replace a file unless it is told to", async () => {
      await account.createS3Stream("archive");
      const id = await account.createApplication(firehoseArn);
      const file = join(folder, "terraform.tfvars");
      const expected = `# Inputs of the stack sms-retry-firehose in us-east-1, as sms-retry inspect found them.
pinpoint_application_id       = "${id}"
firehose_delivery_stream_name = "archive"
`;

      const first = await run(environment, "--application-id", id, "--write", file, "--json");
      expect(first).toMatchObject({ code: 0, stderr: `Written to ${file}.\n` });
      expect(JSON.parse(first.stdout)).toMatchObject({ stack: "sms-retry-firehose" });
      expect(readFileSync(file, "utf8")).toBe(expected);

      writeFileSync(file, "mine");
      expect(await run(environment, "--application-id", id, "--write", file)).toEqual({
        code: 1,
        stdout: "",
        stderr: `The file ${file} exists; name another, or let --force replace it.\n`,
      });
      expect(readFileSync(file, "utf8")).toBe("mine");

      expect(await run(environment, "--application-id", id, "--write", file, "--force")).toMatchObject({
        code: 0,
      });
      expect(readFileSync(file, "utf8")).toBe(expected);
    });

    test("into a folder that is not there is one sentence", async () => {
      await account.createS3Stream("archive");
      const file = join(folder, "nowhere/terraform.tfvars");

      expect(await run(environment, "--stream", "archive", "--write", file)).toEqual({
        code: 1,
        stdout: "",
        stderr: `The file ${file} cannot be written (ENOENT); name another.\n`,
      });
    });
  });

  describe("no answer", () => {
    const someId = "0123456789abcdef0123456789abcdef";

    test.each<[string, string[], string]>([
      [
        "an unknown stream",
        ["--stream", "archive"],
        'There is no Firehose stream "archive" in the region us-east-1; check the name and the region.\n',
      ],
      [
        "an unknown project",
        ["--application-id", someId],
        `There is no Pinpoint project "${someId}" in the region us-east-1; check the id and the region.\n`,
      ],
    ])("%s", async (_what, given, stderr) => {
      expect(await run(environment, ...given)).toEqual({ code: 1, stdout: "", stderr });
    });

    test("a project whose events go to another region", async () => {
      const elsewhere = firehoseArn.replace("us-east-1", "eu-west-1");
      const id = await account.createApplication(elsewhere);

      expect(await run(environment, "--application-id", id)).toEqual({
        code: 1,
        stdout: "",
        stderr: `The Pinpoint project sends its events to another region (${elsewhere}); a stack must be deployed in the region of the stream: set AWS_REGION=eu-west-1.\n`,
      });
    });

    test.each<[string, string, string[], string]>([
      [
        "DescribeDeliveryStream",
        "AccessDeniedException",
        ["--stream", "archive"],
        "Your AWS credentials have no right to firehose:DescribeDeliveryStream (AccessDeniedException); use others, or have the right given to these.\n",
      ],
      [
        "GetEventStream",
        "ForbiddenException",
        ["--application-id", someId],
        "Your AWS credentials have no right to mobiletargeting:GetEventStream (ForbiddenException); use others, or have the right given to these.\n",
      ],
      [
        "DescribeDeliveryStream",
        "ExpiredTokenException",
        ["--stream", "archive"],
        "AWS does not accept your credentials (ExpiredTokenException); renew them, and try again.\n",
      ],
      [
        "DescribeDeliveryStream",
        "InvalidArgumentException",
        ["--stream", "archive"],
        "firehose:DescribeDeliveryStream failed (InvalidArgumentException); mend the cause and try again: no\n",
      ],
    ])("%s is answered with %s", async (refused, name, given, stderr) => {
      proxy.intercept = (operation, forward) =>
        operation === refused ? refusal(name, 403, "no") : forward();

      expect(await run(environment, ...given)).toEqual({ code: 1, stdout: "", stderr });
    });
  });
});
