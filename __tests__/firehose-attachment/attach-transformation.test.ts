import {
  type AttachmentPorts,
  attachTransformation,
} from "../../functions/firehose-attachment/core/attach-transformation.ts";
import {
  ControlPlaneBusyError,
  type StreamDescription,
} from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { detachTransformation } from "../../functions/firehose-attachment/core/detach-transformation.ts";
import {
  StreamContentionError,
  StreamNotFoundError,
  UnreadableStreamError,
} from "../../functions/firehose-attachment/errors.ts";
import {
  delimiter,
  describedStream,
  extendedS3,
  functionArn,
  lambdaProcessor,
  s3Destination,
  someoneElses,
  streamRoleArn,
} from "../support/delivery-streams.ts";
import {
  type CallMoment,
  type InMemoryControlPlane,
  inMemoryControlPlane,
} from "../support/in-memory-control-plane.ts";

const request = {
  deliveryStreamName: "archive",
  functionArn,
  bufferSizeMegabytes: 1,
  bufferIntervalSeconds: 60,
};

interface World {
  readonly account: InMemoryControlPlane;
  readonly waits: number[];
  readonly stream: () => StreamDescription | undefined;
  attach(changes?: Partial<typeof request>): ReturnType<typeof attachTransformation>;
  detach(settleSeconds?: number): ReturnType<typeof detachTransformation>;
}

function worldWith(stream: StreamDescription | undefined): World {
  const account = inMemoryControlPlane(stream === undefined ? {} : { archive: stream }, [functionArn]);
  const waits: number[] = [];
  const ports: AttachmentPorts = {
    streams: account.streams,
    policies: account.policies,
    clock: {
      sleep: async (seconds) => {
        waits.push(seconds);
      },
    },
  };
  return {
    account,
    waits,
    stream: () => account.descriptions.get("archive"),
    attach: (changes = {}) => attachTransformation({ ...request, ...changes }, ports),
    detach: (settleSeconds = 0) => detachTransformation(request, settleSeconds, ports),
  };
}

const plain = (): StreamDescription => describedStream(extendedS3());

/** The processing block of the stream's destination. */
function processing(stream: StreamDescription | undefined): unknown {
  const [destination] = (stream?.Destinations ?? []) as {
    ExtendedS3DestinationDescription?: { ProcessingConfiguration?: unknown };
  }[];
  return destination?.ExtendedS3DestinationDescription?.ProcessingConfiguration;
}

const statements = ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"].map((action) =>
  expect.objectContaining({ action, principal: streamRoleArn }),
);

describe("attach", () => {
  test("lets the stream's role in before the stream is changed", async () => {
    const { account, attach, stream } = worldWith(plain());

    const attachment = await attach({ bufferSizeMegabytes: 0.2, bufferIntervalSeconds: 0 });

    expect(attachment).toEqual({
      attached: true,
      reason: "attached",
      text: "The transformation is attached.",
    });
    expect(account.statements.get(functionArn)).toEqual(statements);
    expect(processing(stream())).toEqual({
      Enabled: true,
      Processors: [
        {
          Type: "Lambda",
          Parameters: [
            { ParameterName: "LambdaArn", ParameterValue: functionArn },
            { ParameterName: "NumberOfRetries", ParameterValue: "3" },
            { ParameterName: "BufferSizeInMBs", ParameterValue: "0.2" },
            { ParameterName: "BufferIntervalInSeconds", ParameterValue: "0" },
          ],
        },
      ],
    });
    expect(account.operations).toEqual([
      "DescribeDeliveryStream",
      "GetPolicy",
      "AddPermission",
      "AddPermission",
      "UpdateDestination",
    ]);
  });

  test("writes nothing where all is as wanted, also if Firehose writes numbers its own way", async () => {
    const { account, attach } = worldWith(plain());
    await attach();
    const text = JSON.stringify(account.descriptions.get("archive")).replace('"1"}', '"1.0"}');
    account.descriptions.set("archive", JSON.parse(text));
    account.operations.length = 0;

    await attach();

    expect(account.operations).toEqual(["DescribeDeliveryStream", "GetPolicy"]);
  });

  test("brings buffer hints up to date", async () => {
    const { attach, stream } = worldWith(plain());
    await attach();

    await attach({ bufferIntervalSeconds: 900 });

    expect(JSON.stringify(processing(stream()))).toContain('"900"');
  });

  test("writes a buffer hint of 0 where Firehose tells it empty: that is not 0", async () => {
    const { account, attach, stream } = worldWith(plain());
    await attach({ bufferIntervalSeconds: 0 });
    const wanted = processing(stream());
    const text = JSON.stringify(stream()).replace('"ParameterValue":"0"', '"ParameterValue":""');
    account.descriptions.set("archive", JSON.parse(text));

    await attach({ bufferIntervalSeconds: 0 });

    expect(processing(stream())).toEqual(wanted);
  });

  test("follows the owner to another role, also in what Firehose filled in for our processor", async () => {
    const ours = lambdaProcessor(functionArn);
    const withRole = {
      ...ours,
      Parameters: [
        ...(ours.Parameters ?? []),
        { ParameterName: "BufferSizeInMBs", ParameterValue: "1" },
        { ParameterName: "BufferIntervalInSeconds", ParameterValue: "60" },
        { ParameterName: "RoleArn", ParameterValue: streamRoleArn },
      ],
    };
    const { account, attach, stream } = worldWith(
      describedStream(extendedS3({ Enabled: true, Processors: [withRole] })),
    );
    await attach();
    expect(stream()?.VersionId).toBe("1");
    const otherRole = "arn:aws:iam::123456789012:role/archive-delivery-2";
    const text = JSON.stringify(stream()).replaceAll(
      `"RoleARN":"${streamRoleArn}"`,
      `"RoleARN":"${otherRole}"`,
    );
    account.descriptions.set("archive", JSON.parse(text));

    await attach();

    expect(account.statements.get(functionArn)?.map(({ principal }) => principal)).toEqual([
      otherRole,
      otherRole,
    ]);
    expect(JSON.stringify(stream())).not.toContain(`"${streamRoleArn}"`);
  });

  test("replaces the opaque principal that is left of a role that was deleted and made anew", async () => {
    const { account, attach } = worldWith(plain());
    await attach();
    account.statements.set(
      functionArn,
      (account.statements.get(functionArn) ?? []).map((each) => ({ ...each, principal: "AROAEXAMPLE" })),
    );

    await attach();

    expect(account.statements.get(functionArn)).toEqual(statements);
  });

  test("keeps a processor that the owner has put beside ours, and its place", async () => {
    const { attach, stream } = worldWith(
      describedStream(
        extendedS3({ Enabled: true, Processors: [lambdaProcessor(`${functionArn}:$LATEST`), delimiter] }),
      ),
    );

    const { attached } = await attach();

    expect(attached).toBe(true);
    expect(processing(stream())).toMatchObject({
      Enabled: true,
      Processors: [{ Type: "Lambda" }, delimiter],
    });
  });

  test("takes its place in a processing block that is on and empty", async () => {
    const { attach, stream } = worldWith(describedStream(extendedS3({ Enabled: true, Processors: [] })));

    expect(await attach()).toMatchObject({ attached: true });

    expect(processing(stream())).toMatchObject({ Enabled: true, Processors: [{ Type: "Lambda" }] });
  });

  test("switches on again what it attached and somebody switched off", async () => {
    const { account, attach, stream } = worldWith(plain());
    await attach();
    const wanted = processing(stream());
    const text = JSON.stringify(stream()).replace(
      '"ProcessingConfiguration":{"Enabled":true',
      '"ProcessingConfiguration":{"Enabled":false',
    );
    account.descriptions.set("archive", JSON.parse(text));

    await attach();

    expect(processing(stream())).toEqual(wanted);
  });

  test("switches its own processor on again", async () => {
    const { attach, stream } = worldWith(
      describedStream(extendedS3({ Enabled: false, Processors: [lambdaProcessor(functionArn)] })),
    );

    await attach();

    expect(processing(stream())).toMatchObject({ Enabled: true, Processors: [{ Type: "Lambda" }] });
  });

  test("fails where there is no such stream", async () => {
    const { attach, account } = worldWith(undefined);

    await expect(attach()).rejects.toThrow(StreamNotFoundError);
    expect(account.statements.get(functionArn)).toEqual([]);
  });
});

describe("a description that lacks what an update needs", () => {
  const { RoleARN, ...withoutRole } = s3Destination;

  test.each<[string, StreamDescription]>([
    ["the id of the destination", describedStream({ ...extendedS3(), DestinationId: undefined })],
    ["the role of the destination", describedStream({ ExtendedS3DestinationDescription: withoutRole })],
  ])("%s: it is named, and nobody gets a right", async (_what, description) => {
    const { account, attach, stream } = worldWith(description);

    await expect(attach()).rejects.toThrow(UnreadableStreamError);

    expect(stream()).toEqual(description);
    expect(account.statements.get(functionArn)).toEqual([]);
  });
});

describe("a refused stream", () => {
  const several = describedStream({
    ...extendedS3(),
    SplunkDestinationDescription: {},
  });

  test.each<[string, StreamDescription]>([
    ["not-active", describedStream(extendedS3(), { DeliveryStreamStatus: "CREATING" })],
    ["no-destination", describedStream({})],
    ["several-destinations", several],
    ["legacy-s3", describedStream({ S3DestinationDescription: { RoleARN: streamRoleArn } })],
    ["not-s3", describedStream({ RedshiftDestinationDescription: { RoleARN: streamRoleArn } })],
    ["other-processor", describedStream(extendedS3({ Enabled: true, Processors: [someoneElses] }))],
    ["disabled-processor", describedStream(extendedS3({ Enabled: false, Processors: [delimiter] }))],
  ])("%s: nothing is changed", async (reason, description) => {
    const { account, attach, detach, stream } = worldWith(description);
    const before = structuredClone(description);

    expect(await attach()).toMatchObject({ attached: false, reason });
    await detach();

    expect(stream()).toEqual(before);
    expect(account.statements.get(functionArn)).toEqual([]);
    expect(account.operations.filter((each) => !/^(Describe|Get)/.test(each))).toEqual([]);
  });

  test("no right is left behind where the owner has put another processor in our place", async () => {
    const { account, attach } = worldWith(plain());
    await attach();
    const theirs = describedStream(extendedS3({ Enabled: true, Processors: [someoneElses] }));
    account.descriptions.set("archive", theirs);

    expect(await attach()).toMatchObject({ attached: false, reason: "other-processor" });
    expect(account.statements.get(functionArn)).toEqual([]);
    expect(account.descriptions.get("archive")).toEqual(theirs);
  });

  test("the right stays where our processor rests beside another: the owner may switch both on", async () => {
    const { account, attach } = worldWith(plain());
    await attach();
    account.descriptions.set(
      "archive",
      describedStream(extendedS3({ Enabled: false, Processors: [lambdaProcessor(functionArn), delimiter] })),
    );

    expect(await attach()).toMatchObject({ attached: false, reason: "disabled-processor" });
    expect(account.statements.get(functionArn)).toEqual(statements);
  });

  test("the right stays where the stream, which we transform, has got a second destination", async () => {
    const { account, attach } = worldWith(plain());
    await attach();
    const [first] = account.descriptions.get("archive")?.Destinations ?? [];
    account.descriptions.set("archive", describedStream({ ...first, SplunkDestinationDescription: {} }));

    expect(await attach()).toMatchObject({ attached: false, reason: "several-destinations" });
    expect(account.statements.get(functionArn)).toEqual(statements);
  });
});

describe("detach", () => {
  test("leaves the stream as it was before, save the version and an empty block that is off", async () => {
    const { account, attach, detach, stream } = worldWith(plain());
    await attach();

    expect(await detach()).toEqual({
      attached: false,
      reason: "detached",
      text: "The transformation is detached.",
    });

    expect(stream()).toEqual({
      ...describedStream(extendedS3({ Enabled: false, Processors: [] })),
      VersionId: "3",
    });
    expect(account.statements.get(functionArn)).toEqual([]);
  });

  test.each([true, false])("keeps the other processors as they were (enabled: %s)", async (Enabled) => {
    const { detach, stream } = worldWith(
      describedStream(extendedS3({ Enabled, Processors: [lambdaProcessor(functionArn), delimiter] })),
    );

    await detach();

    expect(processing(stream())).toEqual({ Enabled, Processors: [delimiter] });
  });

  test("finds our processor also where the stream has got another kind of destination", async () => {
    const { detach, stream } = worldWith(
      describedStream({
        HttpEndpointDestinationDescription: {
          ProcessingConfiguration: { Enabled: true, Processors: [lambdaProcessor(functionArn)] },
        },
      }),
    );

    await detach();

    expect(JSON.stringify(stream())).not.toContain(functionArn);
  });

  test("leaves somebody else's processor, and what others wrote into the policy", async () => {
    const theirs = describedStream(extendedS3({ Enabled: true, Processors: [someoneElses] }));
    const { account, detach, stream } = worldWith(theirs);
    const others = { id: "debugging", action: "lambda:InvokeFunction", principal: streamRoleArn };
    account.statements.set(functionArn, [others]);

    await detach();

    expect(stream()).toEqual(theirs);
    expect(account.statements.get(functionArn)).toEqual([others]);
  });

  test("succeeds where the stream, and the function, are gone", async () => {
    const { account, detach } = worldWith(undefined);
    account.statements.clear();

    expect(await detach()).toMatchObject({ attached: false, reason: "detached" });
  });

  test.each([
    ["is being deleted", "DELETING"],
    ["could not be deleted yet", "DELETING_FAILED"],
  ])("leaves a stream alone that %s (%s)", async (_what, status) => {
    const { account, attach, detach, stream } = worldWith(plain());
    await attach();
    account.descriptions.set("archive", { ...stream(), DeliveryStreamStatus: status });
    account.operations.length = 0;

    await detach();

    expect(account.operations).not.toContain("UpdateDestination");
    expect(account.statements.get(functionArn)).toEqual([]);
  });

  test("keeps the right until the update is in effect, and waits for nothing when there was none", async () => {
    const { account, attach, detach, waits } = worldWith(plain());
    await attach();
    let grantsWhileWaiting: number | undefined;
    waits.push = (seconds) => {
      grantsWhileWaiting = account.statements.get(functionArn)?.length;
      return seconds;
    };

    await detach(180);
    expect(grantsWhileWaiting).toBe(2);

    grantsWhileWaiting = undefined;
    await detach(180);
    expect(grantsWhileWaiting).toBeUndefined();
  });
});

describe("when others change the stream at the same time", () => {
  const owners = (account: InMemoryControlPlane, times: number) => {
    let left = times;
    account.beforeAndAfter = ({ operation, when }) => {
      if (operation !== "UpdateDestination" || when === "after" || left === 0) return;
      left -= 1;
      const stream = account.descriptions.get("archive");
      account.descriptions.set("archive", { ...stream, VersionId: String(Number(stream?.VersionId) + 1) });
    };
  };

  test.each([1, 4])("reads and decides again: %i changes", async (times) => {
    const { account, attach, detach, waits } = worldWith(plain());
    owners(account, times);
    await attach();
    owners(account, times);

    expect(await detach()).toMatchObject({ reason: "detached" });
    expect(waits).toEqual([1, 2, 4, 8].slice(0, times).concat([1, 2, 4, 8].slice(0, times)).concat(0));
  });

  test("gives up after five tries, in one sentence", async () => {
    const { account, attach, waits } = worldWith(plain());
    owners(account, 5);

    await expect(attach()).rejects.toThrow(StreamContentionError);
    expect(waits).toEqual([1, 2, 4, 8]);
    expect(account.operations.filter((each) => each === "UpdateDestination")).toHaveLength(5);
  });

  test("decides anew: who was first with a processor keeps it, and no right is left behind", async () => {
    const { account, attach } = worldWith(plain());
    const theirs = describedStream(extendedS3({ Enabled: true, Processors: [someoneElses] }), {
      VersionId: "2",
    });
    account.beforeAndAfter = ({ operation, when }) => {
      if (operation === "UpdateDestination" && when === "before") account.descriptions.set("archive", theirs);
    };

    expect(await attach()).toMatchObject({ attached: false, reason: "other-processor" });
    expect(account.descriptions.get("archive")).toEqual(theirs);
    expect(account.statements.get(functionArn)).toEqual([]);
  });

  test("a statement that somebody adds in the same moment is read again", async () => {
    const { account, attach } = worldWith(plain());
    let isFirst = true;
    account.beforeAndAfter = ({ operation, when }) => {
      if (operation !== "AddPermission" || when === "after" || !isFirst) return;
      isFirst = false;
      account.statements.get(functionArn)?.push({
        id: "sms-retry-firehose-invoke",
        action: "lambda:InvokeFunction",
        principal: "arn:aws:iam::123456789012:role/another",
      });
    };

    await attach();

    expect(account.statements.get(functionArn)).toEqual(expect.arrayContaining(statements));
    expect(account.statements.get(functionArn)).toHaveLength(2);
  });

  test("throttling is waited out", async () => {
    const { account, attach, waits } = worldWith(plain());
    account.beforeAndAfter = ({ number }) => {
      if (number <= 3) throw new ControlPlaneBusyError("busy");
    };

    expect(await attach()).toMatchObject({ attached: true });
    expect(waits).toEqual([1, 2, 4]);
  });

  test("throttling without end is a failure that names its cause", async () => {
    const { account, detach } = worldWith(plain());
    const busy = new ControlPlaneBusyError("busy");
    account.beforeAndAfter = () => {
      throw busy;
    };

    await expect(detach()).rejects.toMatchObject({ name: "StreamContentionError", cause: busy });
  });
});

describe("a failure half-way (faults 50, 52)", () => {
  /** Every moment of the undisturbed course of `act`. */
  async function momentsOf(
    prepare: (world: World) => Promise<unknown>,
    act: (world: World) => Promise<unknown>,
  ) {
    const moments: CallMoment[] = [];
    const world = worldWith(plain());
    await prepare(world);
    world.account.operations.length = 0;
    world.account.beforeAndAfter = (moment) => {
      moments.push(moment);
      // A record must never meet a function that Firehose may not invoke.
      if (JSON.stringify(world.stream()).includes(functionArn)) {
        expect(world.account.statements.get(functionArn)).toEqual(statements);
      }
    };
    await act(world);
    return { moments, stream: world.stream(), statements: world.account.statements.get(functionArn) };
  }

  /** Breaks off at that moment, then repeats without disturbance. */
  async function brokenOffAndRepeated(
    moment: CallMoment,
    prepare: (world: World) => Promise<unknown>,
    act: (world: World) => Promise<unknown>,
  ) {
    const world = worldWith(plain());
    await prepare(world);
    world.account.operations.length = 0;
    world.account.beforeAndAfter = ({ number, when }) => {
      if (number === moment.number && when === moment.when) throw new Error("The function was stopped.");
    };
    await expect(act(world)).rejects.toThrow("The function was stopped.");
    world.account.beforeAndAfter = () => {};
    await act(world);
    return world;
  }

  test("of attach, at any call: the next apply converges", async () => {
    const nothing = async () => {};
    const act = (world: World) => world.attach();
    const undisturbed = await momentsOf(nothing, act);
    expect(undisturbed.moments).toHaveLength(10);
    for (const moment of undisturbed.moments) {
      const world = await brokenOffAndRepeated(moment, nothing, act);
      expect({ moment, stream: world.stream() }).toEqual({ moment, stream: undisturbed.stream });
      expect(world.account.statements.get(functionArn)).toEqual(undisturbed.statements);
    }
  });

  test("of detach, at any call: run again, it converges, and no processor lacks its right", async () => {
    const attached = (world: World) => world.attach();
    const act = (world: World) => world.detach();
    const undisturbed = await momentsOf(attached, act);
    expect(undisturbed.moments).toHaveLength(10);
    for (const moment of undisturbed.moments) {
      const world = await brokenOffAndRepeated(moment, attached, act);
      expect({ moment, stream: world.stream() }).toEqual({ moment, stream: undisturbed.stream });
      expect(world.account.statements.get(functionArn)).toEqual([]);
    }
  });

  test("of attach, then destroyed instead of repeated: nothing is left", async () => {
    const { moments } = await momentsOf(
      async () => {},
      (world) => world.attach(),
    );
    for (const moment of moments) {
      const world = worldWith(plain());
      world.account.beforeAndAfter = ({ number, when }) => {
        if (number === moment.number && when === moment.when) throw new Error("The function was stopped.");
      };
      await expect(world.attach()).rejects.toThrow();
      world.account.beforeAndAfter = () => {};
      await world.detach();

      expect(JSON.stringify(world.stream())).not.toContain(functionArn);
      expect(world.account.statements.get(functionArn)).toEqual([]);
    }
  });
});
