/**
 * The attaching function against a control plane: moto's, which knows versions, policies and what is not there.
 * What moto cannot do (see `support/moto-server.ts`) is tested on the core, in `core/attach-transformation.test.ts`.
 */
import type { DeliveryStreamDescription } from "@aws-sdk/client-firehose";
import { UpdateDestinationCommand } from "@aws-sdk/client-firehose";
import { RemovePermissionCommand } from "@aws-sdk/client-lambda";
import { type ControlPlaneProxy, refusal, startControlPlaneProxy } from "../support/control-plane-proxy.ts";
import { lambdaProcessor, s3Destination, streamRoleArn } from "../support/delivery-streams.ts";
import { type MotoAccount, motoAccount } from "../support/moto-account.ts";
import { describeWithMoto, type MotoServer, startMotoServer } from "../support/moto-server.ts";

// Nobody waits in a test.
jest.mock("../../functions/adapters/system-clock.ts", () => ({
  systemClock: { now: () => 0, sleep: async () => {} },
  systemOutput: () => {},
}));

type Handler = typeof import("../../functions/attach-transformation/handler.ts")["handler"];
type Event = Parameters<Handler>[0];

describeWithMoto("attach-transformation", () => {
  const environment = { ...process.env };
  let moto: MotoServer;
  let proxy: ControlPlaneProxy;
  let account: MotoAccount;
  let handler: Handler;
  let functionArn: string;

  beforeAll(async () => {
    moto = await startMotoServer();
    proxy = await startControlPlaneProxy(moto.endpoint);
    account = motoAccount(moto.endpoint);
    Object.assign(process.env, {
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_ENDPOINT_URL: proxy.endpoint,
      SMS_RETRY_VERSION: "0.0.0-test",
      POWERTOOLS_SERVICE_NAME: "attach-transformation",
      POWERTOOLS_METRICS_NAMESPACE: "sms-retry",
      POWERTOOLS_LOG_LEVEL: "ERROR",
    });
    jest.spyOn(process.stderr, "write").mockReturnValue(true);
    jest.spyOn(process.stdout, "write").mockReturnValue(true);
    ({ handler } = await import("../../functions/attach-transformation/handler.ts"));
  }, 90_000);

  beforeEach(async () => {
    proxy.reset();
    await moto.reset();
    functionArn = await account.createFunction("sms-retry-transform-firehose");
  });

  afterAll(async () => {
    jest.restoreAllMocks();
    process.env = { ...environment };
    await proxy.close();
    await moto.stop();
  });

  const input = (changes: Partial<Event> = {}): Omit<Event, "tf"> => ({
    delivery_stream_name: "archive",
    transformation_function_arn: functionArn,
    buffer_size_megabytes: 1,
    buffer_interval_seconds: 60,
    ...changes,
  });
  const create = (changes?: Partial<Event>) =>
    handler({ ...input(changes), tf: { action: "create", prev_input: null } });
  const update = (before: Omit<Event, "tf">, changes?: Partial<Event>) =>
    handler({ ...input(changes), tf: { action: "update", prev_input: before } });
  const destroy = (changes?: Partial<Event>) =>
    handler({ ...input(changes), tf: { action: "delete", prev_input: input(changes) } });

  const attached = { attached: true, reason: "The transformation is attached." };
  const detached = { attached: false, reason: "The transformation is detached." };
  const writes = () => proxy.operations.filter((operation) => !/^(Describe|Get)/.test(operation));

  /** All of a description but what every update changes, and the legacy form, which moto loses on update. */
  function unversioned({ VersionId, LastUpdateTimestamp, Destinations, ...rest }: DeliveryStreamDescription) {
    return { ...rest, Destinations: Destinations?.map(({ S3DestinationDescription, ...each }) => each) };
  }

  const processingOf = ({ Destinations }: DeliveryStreamDescription) =>
    Destinations?.[0]?.ExtendedS3DestinationDescription?.ProcessingConfiguration;

  test("attaches, and keeps everything else of the stream", async () => {
    await account.createS3Stream("archive");
    const before = await account.describe("archive");

    expect(await create({ buffer_size_megabytes: 0.5 })).toEqual(attached);

    const after = await account.describe("archive");
    expect(after.VersionId).toBe("2");
    expect(after.Destinations?.[0]?.ExtendedS3DestinationDescription).toEqual({
      ...before.Destinations?.[0]?.ExtendedS3DestinationDescription,
      ProcessingConfiguration: {
        Enabled: true,
        Processors: [
          {
            Type: "Lambda",
            Parameters: [
              { ParameterName: "LambdaArn", ParameterValue: functionArn },
              { ParameterName: "NumberOfRetries", ParameterValue: "3" },
              { ParameterName: "BufferSizeInMBs", ParameterValue: "0.5" },
              { ParameterName: "BufferIntervalInSeconds", ParameterValue: "60" },
            ],
          },
        ],
      },
    });
    expect(await account.policy("sms-retry-transform-firehose")).toEqual([
      expect.objectContaining({
        Sid: "sms-retry-firehose-invoke",
        Action: "lambda:InvokeFunction",
        Principal: streamRoleArn,
        Effect: "Allow",
      }),
      expect.objectContaining({
        Sid: "sms-retry-firehose-read-configuration",
        Action: "lambda:GetFunctionConfiguration",
        Principal: streamRoleArn,
        Effect: "Allow",
      }),
    ]);
  });

  test("attached again, writes nothing", async () => {
    await account.createS3Stream("archive");
    await create();
    const before = await account.describe("archive");
    proxy.reset();

    expect(await update(input())).toEqual(attached);

    expect(writes()).toEqual([]);
    expect(await account.describe("archive")).toEqual(before);
  });

  test("brings the buffer hints up to date under the version that the stream has now", async () => {
    await account.createS3Stream("archive");
    await create();
    await account.update("archive", { Prefix: "moved/" });

    expect(await update(input(), { buffer_interval_seconds: 300 })).toEqual(attached);

    const { Destinations, VersionId } = await account.describe("archive");
    expect(VersionId).toBe("4");
    expect(Destinations?.[0]?.ExtendedS3DestinationDescription).toMatchObject({ Prefix: "moved/" });
    expect(JSON.stringify(Destinations)).toContain('"300"');
  });

  test("repairs what the owner has taken away", async () => {
    await account.createS3Stream("archive");
    await create();
    await account.update("archive", { ProcessingConfiguration: { Enabled: false, Processors: [] } });
    await account.lambda.send(
      new RemovePermissionCommand({
        FunctionName: functionArn,
        StatementId: "sms-retry-firehose-read-configuration",
      }),
    );

    expect(await update(input())).toEqual(attached);

    expect(processingOf(await account.describe("archive"))?.Enabled).toBe(true);
    expect(await account.policy("sms-retry-transform-firehose")).toHaveLength(2);
  });

  test("attached, then detached: stream and policy are as before, save version and an empty block", async () => {
    await account.createS3Stream("archive");
    const before = await account.describe("archive");
    await create();

    expect(await destroy()).toEqual(detached);

    const after = await account.describe("archive");
    expect(processingOf(after)).toEqual({ Enabled: false, Processors: [] });
    delete after.Destinations?.[0]?.ExtendedS3DestinationDescription?.ProcessingConfiguration;
    expect(unversioned(after)).toEqual(unversioned(before));
    expect(after.VersionId).toBe("3");
    expect(await account.policy("sms-retry-transform-firehose")).toEqual([]);
  });

  test("detached again, also when the stream is gone, writes nothing and succeeds", async () => {
    await account.createS3Stream("archive");
    await create();
    await destroy();
    proxy.reset();

    expect(await destroy()).toEqual(detached);
    await account.deleteStream("archive");
    expect(await destroy()).toEqual(detached);

    expect(writes()).toEqual([]);
  });

  test("detaching leaves somebody else's processor alone", async () => {
    await account.createS3Stream("archive");
    await create();
    await account.update("archive", {
      ProcessingConfiguration: { Enabled: true, Processors: [theirProcessor()] },
    });
    const before = await account.describe("archive");

    expect(await destroy()).toEqual(detached);

    expect(await account.describe("archive")).toEqual(before);
    expect(await account.policy("sms-retry-transform-firehose")).toEqual([]);
  });

  test("moves with the input to another stream, and leaves nothing on the former", async () => {
    await account.createS3Stream("archive");
    await account.createS3Stream("archive-2");
    await create();

    expect(await update(input(), { delivery_stream_name: "archive-2" })).toEqual(attached);

    expect(processingOf(await account.describe("archive"))).toEqual({ Enabled: false, Processors: [] });
    expect(processingOf(await account.describe("archive-2"))?.Enabled).toBe(true);
    expect(await account.policy("sms-retry-transform-firehose")).toHaveLength(2);
  });

  test("moves with the input to another function on the same stream", async () => {
    await account.createS3Stream("archive");
    await create();
    const otherArn = await account.createFunction("other-transform-firehose");

    expect(await update(input(), { transformation_function_arn: otherArn })).toEqual(attached);

    const text = JSON.stringify(processingOf(await account.describe("archive")));
    expect(text).toContain(otherArn);
    expect(text).not.toContain(functionArn);
    expect(await account.policy("sms-retry-transform-firehose")).toEqual([]);
    expect(await account.policy("other-transform-firehose")).toHaveLength(2);
  });

  const theirProcessor = () =>
    lambdaProcessor("arn:aws:lambda:us-east-1:123456789012:function:mask-addresses") as never;

  describe("a stream that may not be attached to is left alone, and the answer says why (fault 51)", () => {
    test.each<[string, string, () => Promise<void>]>([
      [
        "a processor",
        "The stream has a processor already (Lambda); the transformation is attached only where there is none.",
        () => account.createS3Stream("archive", { Enabled: true, Processors: [theirProcessor()] }),
      ],
      [
        "a processor that is switched off",
        "The stream has a processor that is switched off (Lambda), and attaching would switch it on; remove it and apply again.",
        () => account.createS3Stream("archive", { Enabled: false, Processors: [theirProcessor()] }),
      ],
      [
        "an HTTP endpoint",
        "The stream delivers to an HTTP endpoint; the transformation is attached only where the destination is Amazon S3.",
        () =>
          account.createStream("archive", {
            HttpEndpointDestinationConfiguration: {
              EndpointConfiguration: { Url: "https://events.example.com" },
              RoleARN: streamRoleArn,
              S3Configuration: { ...s3Destination },
            },
          }),
      ],
      [
        "Redshift",
        "The stream delivers to Amazon Redshift; the transformation is attached only where the destination is Amazon S3.",
        () =>
          account.createStream("archive", {
            RedshiftDestinationConfiguration: {
              RoleARN: streamRoleArn,
              ClusterJDBCURL: "jdbc:redshift://events.example.com:5439/events",
              CopyCommand: { DataTableName: "events" },
              S3Configuration: { ...s3Destination },
            },
          }),
      ],
      [
        "the legacy S3 form",
        "The stream has a legacy S3 destination, which takes no transformation; update it to an extended S3 destination and apply again.",
        () => account.createStream("archive", { S3DestinationConfiguration: { ...s3Destination } }),
      ],
    ])("%s", async (_what, reason, prepare) => {
      await prepare();
      const before = await account.describe("archive");

      expect(await create()).toEqual({ attached: false, reason });
      expect(await update(input())).toEqual({ attached: false, reason });
      expect(await destroy()).toEqual(detached);

      expect(writes()).toEqual([]);
      expect(await account.describe("archive")).toEqual(before);
      expect(await account.policy("sms-retry-transform-firehose")).toEqual([]);
    });

    // Moto has neither: the description is rewritten on its way.
    test.each([
      [
        "not ACTIVE",
        "The stream is CREATING, not ACTIVE; apply again when it is.",
        (text: string) => text.replace('"ACTIVE"', '"CREATING"'),
      ],
      [
        "several destinations",
        "The stream has several destinations; the transformation is attached only where there is one.",
        (text: string) => text.replace('"HasMoreDestinations": false', '"HasMoreDestinations": true'),
      ],
    ])("%s", async (_what, reason, rewrite) => {
      await account.createS3Stream("archive");
      const before = await account.describe("archive");
      proxy.intercept = async (_operation, forward) => {
        const answer = await forward();
        return { ...answer, body: rewrite(answer.body) };
      };

      expect(await create()).toEqual({ attached: false, reason });

      expect(writes()).toEqual([]);
      expect(await account.describe("archive")).toEqual(before);
    });
  });

  describe("when others change the stream at the same time", () => {
    /** The owner changes the prefix right before our update arrives. */
    const ownerIsFirst = (times: number) => {
      let left = times;
      proxy.intercept = async (operation, forward) => {
        if (operation === "UpdateDestination" && left > 0) {
          left -= 1;
          await account.update("archive", { Prefix: `events-${left}/` });
        }
        return forward();
      };
    };

    test("reads again and attaches; both changes are there", async () => {
      await account.createS3Stream("archive");
      ownerIsFirst(1);

      expect(await create()).toEqual(attached);

      const { Destinations } = await account.describe("archive");
      expect(Destinations?.[0]?.ExtendedS3DestinationDescription).toMatchObject({
        Prefix: "events-0/",
        ProcessingConfiguration: { Enabled: true },
      });
      expect(proxy.operations.filter((each) => each === "UpdateDestination")).toHaveLength(2);
      expect(await account.policy("sms-retry-transform-firehose")).toHaveLength(2);
    });

    test("reads again and detaches", async () => {
      await account.createS3Stream("archive");
      await create();
      ownerIsFirst(1);

      expect(await destroy()).toEqual(detached);

      expect(processingOf(await account.describe("archive"))).toEqual({ Enabled: false, Processors: [] });
    });

    test("gives up in one sentence when the version keeps moving", async () => {
      await account.createS3Stream("archive");
      ownerIsFirst(Number.POSITIVE_INFINITY);

      await expect(create()).rejects.toThrow(
        'The Firehose stream "archive" or our function was changed by others, or AWS was busy, in 5 tries in a row; apply again when nothing else changes them.',
      );

      expect(processingOf(await account.describe("archive"))).toBeUndefined();
    });

    test("an update whose answer was lost is not made twice", async () => {
      await account.createS3Stream("archive");
      let isFirst = true;
      proxy.intercept = async (operation, forward) => {
        const answer = await forward();
        if (operation !== "UpdateDestination" || !isFirst) return answer;
        isFirst = false;
        return "hang-up";
      };

      expect(await create()).toEqual(attached);

      expect((await account.describe("archive")).VersionId).toBe("2");
    });
  });

  describe("what fails makes the invocation fail, and the next one repairs (faults 50, 52)", () => {
    const failing = (failed: string, name: string) => {
      proxy.intercept = (operation, forward) =>
        operation === failed ? refusal(name, 400, "You may not.") : forward();
    };

    test.each([
      ["DescribeDeliveryStream", "firehose"],
      ["GetPolicy", "lambda"],
      ["AddPermission", "lambda"],
      ["UpdateDestination", "firehose"],
    ])("attach without the right to %s", async (operation, service) => {
      await account.createS3Stream("archive");
      const before = await account.describe("archive");
      failing(operation, "AccessDeniedException");

      await expect(create()).rejects.toThrow(
        new RegExp(`^${service}:${operation} failed for "[^"]+"; .*: AccessDeniedException: You may not\\.$`),
      );
      expect(await account.describe("archive")).toEqual(before);

      proxy.reset();
      expect(await create()).toEqual(attached);
      expect(await account.policy("sms-retry-transform-firehose")).toHaveLength(2);
    });

    test.each(["DescribeDeliveryStream", "UpdateDestination", "GetPolicy", "RemovePermission"])(
      "detach without the right to %s",
      async (operation) => {
        await account.createS3Stream("archive");
        await create();
        failing(operation, "AccessDeniedException");

        await expect(destroy()).rejects.toThrow(/AccessDeniedException/);

        proxy.reset();
        expect(await destroy()).toEqual(detached);
        expect(processingOf(await account.describe("archive"))).toEqual({ Enabled: false, Processors: [] });
        expect(await account.policy("sms-retry-transform-firehose")).toEqual([]);
      },
    );

    test("an argument that Firehose refuses", async () => {
      await account.createS3Stream("archive");
      failing("UpdateDestination", "InvalidArgumentException");

      await expect(create()).rejects.toThrow(/^firehose:UpdateDestination failed .*InvalidArgumentException/);
    });

    test("a stream that does not exist", async () => {
      await expect(create()).rejects.toThrow(
        'There is no Firehose stream "archive" in this account and region; correct the input firehose_delivery_stream_name and apply again.',
      );
      expect(writes()).toEqual([]);
    });

    test("a function that does not exist", async () => {
      await account.createS3Stream("archive");
      const before = await account.describe("archive");

      await expect(
        create({ transformation_function_arn: `${functionArn}-that-nobody-made` }),
      ).rejects.toThrow(/^lambda:AddPermission failed .*ResourceNotFoundException/);

      expect(await account.describe("archive")).toEqual(before);
    });

    test("throttling is waited out", async () => {
      await account.createS3Stream("archive");
      let left = 5;
      proxy.intercept = (_operation, forward) => {
        left -= 1;
        return left > 0 ? refusal("ThrottlingException") : forward();
      };

      expect(await create()).toEqual(attached);
    });
  });

  describe("an input that Terraform would not send is refused with every problem", () => {
    test.each<[string, unknown, string]>([
      ["no object", "archive", "The input must be a JSON object."],
      [
        "an unreadable past",
        {
          delivery_stream_name: "archive",
          transformation_function_arn: "arn:aws:lambda:us-east-1:123456789012:function:f",
          buffer_size_megabytes: 1,
          buffer_interval_seconds: 60,
          tf: { action: "update", prev_input: { delivery_stream_name: "archive" } },
        },
        "tf.prev_input.transformation_function_arn is missing.",
      ],
      [
        "wrong hints",
        {
          delivery_stream_name: "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive",
          transformation_function_arn: "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
          buffer_size_megabytes: 0.1,
          buffer_interval_seconds: 901,
          tf: { action: "read" },
        },
        "delivery_stream_name must be the name of a Firehose stream. " +
          "transformation_function_arn must be the ARN of a function, without a version. " +
          "buffer_size_megabytes must be a number from 0.2 to 3. " +
          "buffer_interval_seconds must be a number from 0 to 900. " +
          "tf.action must be create, update or delete.",
      ],
      [
        "no lifecycle",
        {
          delivery_stream_name: "archive",
          transformation_function_arn: "arn:aws:lambda:us-east-1:123456789012:function:f",
          buffer_interval_seconds: 60,
        },
        "buffer_size_megabytes is missing. " +
          'tf is missing; aws_lambda_invocation adds it with lifecycle_scope = "CRUD".',
      ],
    ])("%s", async (_what, event, problems) => {
      await expect(handler(event as Event)).rejects.toThrow(
        `The transformation cannot be attached or detached; correct the input of the aws_lambda_invocation: ${problems}`,
      );
      expect(proxy.operations).toEqual([]);
    });
  });

  test("moto refuses an update under an old version, or the tests above would prove nothing", async () => {
    await account.createS3Stream("archive");
    await account.update("archive", { Prefix: "moved/" });

    await expect(
      account.firehose.send(
        new UpdateDestinationCommand({
          DeliveryStreamName: "archive",
          CurrentDeliveryStreamVersionId: "1",
          DestinationId: "destinationId-000000000001",
          ExtendedS3DestinationUpdate: { Prefix: "moved-again/" },
        }),
      ),
    ).rejects.toThrow(/version/);
  });
});
