/** `sms-retry inspect` as a user runs it, against moto's control plane. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateStreamCommand, KinesisClient, StartStreamEncryptionCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { tfvarsText } from "../../cli/inspect/report.ts";
import { matchingEventTypes } from "../../functions/contract/event-destination.ts";
import { type ControlPlaneProxy, refusal, startControlPlaneProxy } from "../support/control-plane-proxy.ts";
import { lambdaProcessor, s3Destination, streamRoleArn } from "../support/delivery-streams.ts";
import { emulatorAccess } from "../support/message-table.ts";
import { type MotoAccount, motoAccount } from "../support/moto-account.ts";
import { describeWithMoto, type MotoServer, startMotoServer } from "../support/moto-server.ts";
import { scriptRunner, signedIn } from "../support/script-run.ts";

const ended = expect.stringContaining("Amazon Pinpoint ended on 2026-10-30") as string;
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
    configuration_sets: null,
    origination_identities: null,
    missing: [],
    warnings: [],
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
# pinpoint_application_id = "..." is required and was not found: fill it in, or set sms_service = "end-user-messaging" and configuration_set_name.
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
      configuration_sets: null,
      origination_identities: null,
      stack: "sms-retry-firehose",
      stack_reason:
        "The delivery events go to a Firehose stream; the stack attaches its transformation to it.",
      transformation: { would_attach: true, reason: "free", text: "The transformation would be attached." },
      tfvars: { pinpoint_application_id: id, firehose_delivery_stream_name: "archive" },
      missing: [],
      warnings: [ended],
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
      warnings: [ended],
    });
    const { stdout } = await run(environment, "--application-id", id);
    expect(stdout).toContain(
      "\nWarning                Amazon Pinpoint ended on 2026-10-30, and its event streams",
    );
  });

  describe("End User Messaging", () => {
    const arnOf = (service: string, resource: string) =>
      `arn:aws:${service}:us-east-1:123456789012:${resource}`;
    const toTopic = (topic: string, others: object = {}) => ({
      EventDestinationName: "events",
      Enabled: true,
      MatchingEventTypes: ["ALL"],
      SnsDestination: { TopicArn: arnOf("sns", topic) },
      ...others,
    });
    const toStream = {
      EventDestinationName: "archive",
      Enabled: true,
      MatchingEventTypes: ["TEXT_ALL"],
      KinesisFirehoseDestination: { DeliveryStreamArn: firehoseArn, IamRoleArn: streamRoleArn },
    };
    const set = (name: string, ...EventDestinations: object[]) => ({
      ConfigurationSetName: name,
      ConfigurationSetArn: arnOf("sms-voice", `configuration-set/${name}`),
      EventDestinations,
    });
    const number = (PhoneNumber: string, Status = "ACTIVE", NumberCapabilities = ["SMS"]) => ({
      PhoneNumber,
      PhoneNumberId: `phone-${PhoneNumber.slice(1)}`,
      PhoneNumberArn: arnOf("sms-voice", `phone-number/phone-${PhoneNumber.slice(1)}`),
      Status,
      NumberCapabilities,
      NumberType: "TEN_DLC",
      MessageType: "TRANSACTIONAL",
      IsoCountryCode: "US",
    });
    const pool = { PoolId: "pool-1", PoolArn: arnOf("sms-voice", "pool/pool-1"), Status: "ACTIVE" };
    const senderId = {
      SenderId: "SHOP",
      SenderIdArn: arnOf("sms-voice", "sender-id/SHOP/GB"),
      IsoCountryCode: "GB",
      MessageTypes: ["TRANSACTIONAL"],
      Registered: false,
    };

    /** What the account holds; no emulator here knows this control plane. Two sets come on two pages. */
    function hold({
      sets = [] as object[],
      numbers = [number("+12065550100")],
      pools = [] as object[],
      senderIds = [] as object[],
    }): void {
      const json = (body: object) => ({
        status: 200,
        headers: { "content-type": "application/x-amz-json-1.0" },
        body: JSON.stringify(body),
      });
      let page = 0;
      proxy.intercept = (operation, forward) => {
        if (operation === "DescribePhoneNumbers") return json({ PhoneNumbers: numbers });
        if (operation === "DescribePools") return json({ Pools: pools });
        if (operation === "DescribeSenderIds") return json({ SenderIds: senderIds });
        if (operation !== "DescribeConfigurationSets") return forward();
        page += 1;
        const hasMore = page < sets.length;
        return json({ ConfigurationSets: sets.slice(page - 1, page), ...(hasMore && { NextToken: "more" }) });
      };
    }

    test("with a set, numbers and a pool, for people", async () => {
      hold({
        sets: [set("shop", toStream, toTopic("of-marketing", { Enabled: false })), set("empty")],
        numbers: [number("+12065550100"), number("+12065550101", "PENDING")],
        pools: [pool],
        senderIds: [senderId],
      });

      const { code, stdout, stderr } = await run(environment, "--configuration-set", "shop");

      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(`Region                  us-east-1
Configuration sets      shop
                          archive: Firehose stream archive (1 event types)
                          events: topic of-marketing, switched off (1 event types)
                        empty
                          without event destinations
Origination identities  +12065550100 (phone number, TEN_DLC, US, ACTIVE)
                        +12065550101 (phone number, TEN_DLC, US, PENDING)
                        pool-1 (pool, ACTIVE)
                        SHOP (sender id, GB, not registered)
Stack that fits         sms-retry-end-user-messaging
                        The stack takes the events of the configuration set shop, to which you add an event destination after the first apply: its output event_destination_hcl or event_destination_commands says which.
Note                    Its events go to the Firehose stream archive as well, which the stack sms-retry-firehose could read in place of a topic: npx sms-retry inspect --stream archive looks at it.

# Inputs of the stack sms-retry-end-user-messaging in us-east-1, as sms-retry inspect found them.
configuration_set_name    = "shop"
origination_identity_arns = ["${arnOf("sms-voice", "phone-number/phone-12065550100")}", "${arnOf("sms-voice", "pool/pool-1")}", "${arnOf("sms-voice", "sender-id/SHOP/GB")}"]
`);
    });

    test("with nothing at all: the stack makes the set, and there is nothing to send from", async () => {
      hold({ numbers: [] });

      expect(await inspect()).toEqual({
        schema_version: 1,
        region: "us-east-1",
        pinpoint_application_id: null,
        event_stream: null,
        configuration_sets: [],
        origination_identities: [],
        stack: "sms-retry-end-user-messaging",
        stack_reason:
          "The stack creates the configuration set sms-retry-sms with its event destinations; every send must name it.",
        transformation: null,
        tfvars: {},
        missing: [],
        warnings: [
          "There is no phone number, pool or sender id to send from; request one in the console of AWS End User Messaging first.",
        ],
        notes: [],
      });
      expect((await run(environment)).stdout).toMatch(/\n# The defaults fit: nothing has to be set\.\n$/);
    });

    test.each<[string, object[], string[], object]>([
      ["the only set is taken", [set("shop")], [], { tfvars: { configuration_set_name: "shop" } }],
      [
        "of several none is taken unasked",
        [set("shop"), set("other")],
        [],
        { tfvars: {}, notes: [expect.stringContaining("--configuration-set")] },
      ],
      [
        "the set of a deployment is its own",
        [set("shop"), set("sms-retry-sms", toTopic("sms-retry-sms-events"))],
        [],
        { tfvars: {}, warnings: [], stack_reason: expect.stringContaining("is that of this deployment") },
      ],
      [
        "the set of another deployment is not taken for its own",
        [set("sms-retry-sms", toTopic("sms-retry-sms-events")), set("shop")],
        ["--name-prefix", "blue"],
        {
          tfvars: { name_prefix: "blue" },
          stack_reason: expect.stringContaining("creates the configuration set blue-sms"),
        },
      ],
      [
        "a set of the name that the stack would take is in the way",
        [set("sms-retry-sms")],
        [],
        {
          tfvars: {},
          warnings: [expect.stringContaining("There is a configuration set sms-retry-sms already")],
        },
      ],
      [
        "a given set that leads here has nothing to add",
        [set("shop", toTopic("sms-retry-sms-events"), toStream)],
        [],
        { warnings: [], notes: [], stack_reason: expect.stringContaining("come to this deployment") },
      ],
      [
        "a destination that is off, or leaves out a failure, is warned of",
        [
          set(
            "shop",
            toTopic("sms-retry-sms-events", {
              Enabled: false,
              MatchingEventTypes: matchingEventTypes("all").filter((type) => type !== "TEXT_UNREACHABLE"),
            }),
          ),
        ],
        [],
        {
          warnings: [
            "The event destination events of shop is switched off, so no failure is seen; switch it on.",
            "The event destination events of shop does not match TEXT_UNREACHABLE; add them, or these failures are not seen.",
          ],
        },
      ],
      [
        "a set that is full takes no destination more",
        [set("shop", ...Array.from({ length: 5 }, () => toTopic("of-others")))],
        [],
        { warnings: [expect.stringContaining("has 5 event destinations, and no more can be added")] },
      ],
    ])("%s", async (_what, sets, given, expected) => {
      hold({ sets, numbers: Array.from({ length: 21 }, (_, n) => number(`+1206555010${n}`)) });

      const found = (await inspect(...given)) as { notes: string[]; tfvars: object };

      // More identities than are written without being asked.
      const last = "without it the functions may send from all.";
      expect(found.notes.at(-1)).toContain(last);
      expect({ ...found, notes: found.notes.slice(0, -1) }).toMatchObject(expected);
      expect(Object.keys(found.tfvars)).not.toContain("origination_identity_arns");
    });

    test("with numbers that cannot send: a warning, and no ARN of theirs", async () => {
      hold({ numbers: [number("+12065550100", "PENDING"), number("+12065550101", "ACTIVE", ["VOICE"])] });

      expect(await inspect()).toMatchObject({
        tfvars: {},
        warnings: [expect.stringContaining("can send SMS now")],
      });
    });

    test("without the right to read the numbers there is an answer, without that to the sets none", async () => {
      hold({ sets: [set("shop")] });
      const held = proxy.intercept;
      const refuse = (refused: string) => {
        proxy.intercept = (operation, forward) =>
          operation === refused ? refusal("AccessDeniedException") : held(operation, forward);
      };

      refuse("DescribePools");
      expect(await inspect()).toMatchObject({
        origination_identities: null,
        tfvars: { configuration_set_name: "shop" },
        notes: [expect.stringContaining("no right to sms-voice:DescribePools")],
      });
      refuse("DescribeConfigurationSets");
      expect(await run(environment)).toEqual({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("no right to sms-voice:DescribeConfigurationSets"),
      });
    });

    test("without the set that was named", async () => {
      hold({ sets: [set("shop")] });

      expect(await run(environment, "--configuration-set", "stop")).toEqual({
        code: 1,
        stdout: "",
        stderr:
          'There is no configuration set "stop" in the region us-east-1; check the name and the region.\n',
      });
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
