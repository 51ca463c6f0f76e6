import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../../cli/inspect/account.ts";
import { failureComment, marker, reviewComment } from "../../cli/plan-review/comment.ts";
import type { Plan } from "../../cli/plan-review/plan.ts";
import { verdictOn } from "../../cli/plan-review/verdict.ts";
import { UserError } from "../../cli/user-error.ts";

const folder = join(__dirname, "recorded");
const recorded = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Plan;
const review = (plan: Plan, planText = "Plan: as recorded.") =>
  reviewComment({ subject: "sms-retry-kinesis", plan, planText });

const otherStream = "arn:aws:kinesis:eu-west-1:123456789012:stream/of-marketing";
const account: Account = {
  region: "eu-west-1",
  deliveryStream: async () => undefined,
  eventStreamArn: async () => otherStream,
  kinesisKey: async () => "none",
  configurationSets: async () => [],
  originationIdentities: async () => [],
};

describe("comment", () => {
  test("the first line is the mark by which the next run finds it", () => {
    expect(review(recorded("kinesis-nothing")).split("\n")[0]).toBe(marker("sms-retry-kinesis"));
    expect(marker("a --> b")).toBe("<!-- sms-retry plan of a_--__b -->");
  });

  test("resources are counted by what becomes of them", () => {
    expect(review(recorded("kinesis-nothing"))).toContain("## Plan of `sms-retry-kinesis`: nothing to do\n");
    expect(review(recorded("kinesis-max-retries"))).toContain(": 2 to change in place\n");
    expect(review(recorded("kinesis-max-retries"))).toContain("| `aws_lambda_function` | 2 |");
    expect(review(recorded("kinesis-first"))).toMatch(/: \d+ to create\n/);
  });

  test("what is destroyed or replaced comes first, what holds data before the rest", () => {
    const comment = review(recorded("kinesis-renamed"));
    const places = [
      "**Data is lost.**",
      "aws_dynamodb_table.message_state",
      "aws_cloudwatch_metric_alarm.",
      "### Your",
    ];

    expect(places.map((text) => comment.indexOf(text))).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => comment.indexOf(a) - comment.indexOf(b)));
    expect(comment).toContain("**replaced** for another `bucket`: `aws_s3_bucket.events`");
    expect(comment).toMatch(/- and \d+ more that hold no data/);
  });

  test("replacing what holds no data says so", () => {
    expect(review(recorded("firehose-other-stream"))).toContain("> No data is lost. 3 resources are");
  });

  test("a plan that destroys nothing has no caution", () => {
    expect(review(recorded("kinesis-first"))).not.toContain("> [!");
  });

  test("the whole plan is folded, and no text of it ends the fold or the fence", () => {
    const comment = review(recorded("kinesis-nothing"), "a\n````\n</details>\nb");

    expect(comment).toMatch(
      /<details><summary>Full plan<\/summary>\n\n`````\na\n````\n<\/details>\nb\n`````\n\n<\/details>\n$/,
    );
  });

  test("however long the plan, the comment fits, keeps whole lines and says that it was shortened", () => {
    const line = "  + resource with a long name and 🙂 in it";
    const comment = review(recorded("kinesis-renamed"), Array(20_000).fill(line).join("\n"));

    expect(comment.length).toBeLessThanOrEqual(65_536);
    expect(comment.length).toBeGreaterThan(60_000);
    expect(comment).toContain("Shortened: the beginning");
    const lines = comment.split("```\n")[1]?.trimEnd().split("\n") ?? [];
    expect(new Set(lines.slice(1))).toEqual(new Set([line]));
  });

  test("a plan gives up blanks before it gives up a line", () => {
    const line = `${" ".repeat(24)}+ Action${" ".repeat(10)}= "sqs:SendMessage"`;
    const fits = review(recorded("kinesis-nothing"), ["# plan", ...Array(100).fill(line)].join("\n"));
    const narrow = review(recorded("kinesis-nothing"), ["# plan", ...Array(1_500).fill(line)].join("\n"));

    expect(fits.split(line)).toHaveLength(101);
    expect(narrow).toContain("<details><summary>Full plan</summary>");
    expect(narrow.split(`${" ".repeat(6)}+ Action = "sqs:SendMessage"\n`)).toHaveLength(1_501);
  });

  test("then what nobody knows before the apply, and nothing that says more", () => {
    const unknown = `      + arn${" ".repeat(30)}= (known after apply)`;
    const replaced = '      ~ id = "a" -> (known after apply)';
    const lines = Array.from({ length: 1_600 }, () => [unknown, replaced]).flat();
    const comment = review(recorded("kinesis-nothing"), lines.join("\n"));

    expect(comment).toContain(
      "<details><summary>Full plan, without what is known only after apply</summary>",
    );
    expect(comment.split('~ id = "a" -> (known after apply)')).toHaveLength(1_601);
    expect(comment).not.toContain("+ arn");
  });

  test("one line that is too long for a comment is left out", () => {
    expect(review(recorded("kinesis-nothing"), "x".repeat(70_000)).length).toBeLessThan(2_000);
  });

  test("a step that failed is a comment with the end of what it wrote", () => {
    const comment = failureComment(
      "sms-retry-kinesis",
      "terraform plan",
      `${"noise\n".repeat(20_000)}Error: no`,
    );

    expect(comment.split("\n")[0]).toBe(marker("sms-retry-kinesis"));
    expect(comment).toContain("## No plan of `sms-retry-kinesis`: `terraform plan` failed");
    expect(comment).toContain("Error: no");
    expect(comment.length).toBeLessThanOrEqual(65_536);
  });

  test("values of a plan, which may be secrets, do not get into the comment", () => {
    const secret = "+14254147755";
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
      const { resource_changes = [], ...plan } = recorded(file.replace(".json", ""));
      const comment = review({
        ...plan,
        variables: {
          ...plan.variables,
          default_destination_number: { value: secret },
        },
        resource_changes: resource_changes.map((resource) => {
          const { before, after } = resource.change;
          const environment = [{ variables: { DEFAULT_DESTINATION_NUMBER: secret } }];
          return {
            ...resource,
            change: {
              ...resource.change,
              before: before ? { ...before, environment, policy: secret, input: secret } : null,
              after: after ? { ...after, environment, policy: secret, input: secret } : null,
            },
          };
        }),
      });
      expect(comment).toContain("## Plan of");
      expect(comment).not.toContain(secret);
    }
  });
});

describe("what becomes of the stream", () => {
  const effects = (name: string) =>
    review(recorded(name)).split("### Your stream of delivery events\n\n")[1]?.split("\n\n")[0];

  test("a new stream becomes the project's event stream, which Terraform cannot see", () => {
    expect(effects("new-stream-first")).toMatchInlineSnapshot(`
      "- The Kinesis stream \`sms-retry-events\` is created for the delivery events.
      - The Pinpoint project \`0123456789abcdef0123456789abcdef\` gets it as its event stream. Terraform cannot see whether the project has one already, which would be overwritten.
      - ⚠️ Amazon Pinpoint ended on 2026-10-30, and its event streams are said to have ended with it, so this stack may never see an event; send with AWS End User Messaging and use the stack sms-retry-end-user-messaging, or set manage\\_event\\_stream to false.
      - The Kinesis stream \`arn:aws:kinesis:eu-west-1:123456789012:stream/sms-retry-events\` is read from now on, without the events before that."
    `);
  });

  test("a new stream goes with what is in it", () => {
    expect(effects("new-stream-destroy")).toMatchInlineSnapshot(`
      "- ⚠️ The Kinesis stream \`sms-retry-events\` is destroyed, with the events in it that nobody has read yet.
      - ⚠️ The Pinpoint project \`0123456789abcdef0123456789abcdef\` loses its event stream: its delivery events go nowhere.
      - ⚠️ The Kinesis stream \`arn:aws:kinesis:eu-west-1:123456789012:stream/sms-retry-events\` is no longer read: failed messages are not sent again."
    `);
  });

  test("an existing Kinesis stream is read", () => {
    expect(effects("kinesis-first")).toMatchInlineSnapshot(
      `"- The Kinesis stream \`arn:aws:kinesis:eu-west-1:123456789012:stream/sms-events\` is read from now on, without the events before that. Nothing about the stream is changed. Its other consumers share their read throughput with the new ones."`,
    );
  });

  describe("a new event source mapping", () => {
    const reading = (before: object, after: object) =>
      review({
        resource_changes: [
          {
            address: "aws_lambda_event_source_mapping.consume_kinesis",
            mode: "managed",
            type: "aws_lambda_event_source_mapping",
            name: "consume_kinesis",
            change: {
              actions: ["delete", "create"],
              before: { event_source_arn: "arn:one", ...before },
              after: { event_source_arn: "arn:one", ...after },
            },
          },
        ],
      });
    const time = { starting_position_timestamp: "2026-11-24T22:49:58Z" };

    test("that begins where the old one began skips nothing", () => {
      expect(reading(time, time)).toContain(
        "- The Kinesis stream `arn:one` is read by a new event source mapping, once more from `2026-11-24T22:49:58Z` on,",
      );
      expect(reading(time, time)).not.toContain("⚠️");
    });

    test.each([
      ["was made before there was a time", {}, time],
      ["gets a time that only the apply will tell", time, {}],
      ["gets a later time", time, { starting_position_timestamp: "2027-01-01T00:00:00Z" }],
    ])("that %s may skip what was not read yet", (_what, before, after) => {
      expect(reading(before, after)).toContain(
        "- ⚠️ The Kinesis stream `arn:one` is read by a new event source mapping, which begins shortly before this plan:",
      );
    });
  });

  test("a Firehose stream that may be attached to", () => {
    expect(effects("firehose-first")).toMatchInlineSnapshot(`
      "- The transformation is attached to the Firehose stream \`sms-events\`, if it may be when the apply looks.
      - The plan looked at the stream and found nothing against it."
    `);
  });

  test("a Firehose stream that the plan's check refuses", () => {
    expect(effects("firehose-refused")).toMatchInlineSnapshot(`
      "- ⚠️ The transformation is created, but not attached to the Firehose stream \`sms-events-masked\`.
      - ⚠️ The Firehose stream sms-events-masked is left as it is, without the transformation: it has a processor already (Lambda)."
    `);
  });

  test("another Firehose stream: off the former one, and on the other if it may be", () => {
    expect(effects("firehose-other-stream")).toMatchInlineSnapshot(`
      "- ⚠️ The transformation is taken off the Firehose stream \`sms-events\`, and not attached to the Firehose stream \`sms-events-masked\`.
      - ⚠️ The Firehose stream sms-events-masked is left as it is, without the transformation: it has a processor already (Lambda)."
    `);
  });

  test("a Firehose stream that is let go", () => {
    expect(effects("firehose-destroy")).toMatchInlineSnapshot(
      `"- The transformation is taken off the Firehose stream \`sms-events\` first; events are delivered on, and failed messages are not sent again."`,
    );
  });

  test("the stacks are found inside a module too", () => {
    const inModule = JSON.parse(
      readFileSync(join(folder, "kinesis-first.json"), "utf8").replaceAll(
        '"address": "aws_',
        '"address": "module.sms_retry.aws_',
      ),
    ) as Plan;
    expect(review(inModule)).toContain("### Your stream of delivery events");
  });
});

describe("what becomes of the configuration set and its events", () => {
  const effects = (plan: Plan) =>
    review(plan).split("### The configuration set and its events\n\n")[1]?.split("\n\n")[0];
  const first = recorded("end-user-messaging-first");

  /** The first plan with other values of one resource. */
  const changed = (type: string, values: object, actions = ["create"]): Plan => ({
    ...first,
    resource_changes: (first.resource_changes ?? []).map((resource) =>
      resource.type === type ? { ...resource, change: { ...resource.change, actions, ...values } } : resource,
    ),
  });

  test("a set is created with its destinations, and only the service may publish for it", () => {
    expect(effects(first)).toMatchInlineSnapshot(`
      "- The configuration set \`sms-retry-sms\` is created. Every send of your application must name it: one without it has no events.
      - Its destination \`sms-retry-events\` sends \`TEXT_DELIVERED\`, \`TEXT_SUCCESSFUL\`, \`TEXT_UNREACHABLE\`, \`TEXT_UNKNOWN\`, \`TEXT_CARRIER_UNREACHABLE\`, \`TEXT_TTL_EXPIRED\`, \`TEXT_INVALID\`, \`TEXT_INVALID_MESSAGE\`, \`TEXT_BLOCKED\`, \`TEXT_CARRIER_BLOCKED\`, \`TEXT_SPAM\`, \`TEXT_PROTECT_BLOCKED\`, \`RCS_DELIVERED\`, \`RCS_READ\`, \`RCS_FAILED\`, \`RCS_TTL_EXPIRED\` to \`arn:aws:sns:eu-west-1:123456789012:sms-retry-sms-events\`.
      - Its destination \`sms-retry-archive\` sends \`TEXT_ALL\`, \`RCS_ALL\` to \`arn:aws:firehose:eu-west-1:123456789012:deliverystream/sms-retry-event-archive\`.
      - The topic of delivery events will be open to \`sms-voice.amazonaws.com\` for \`arn:aws:sms-voice:eu-west-1:123456789012:configuration-set/sms-retry-sms\` of the account \`123456789012\`, and to nobody else by this statement.
      - The queue \`arn:aws:sqs:eu-west-1:123456789012:sms-retry-sms-events\` is read from now on."
    `);
  });

  test("events that nobody hears of any more are warned of", () => {
    expect(effects(recorded("end-user-messaging-fewer-events"))).toMatchInlineSnapshot(`
      "- The configuration set \`sms-retry-sms\` is changed in place.
      - ⚠️ Its destination \`sms-retry-events\` gets \`TEXT_DELIVERED\`, \`TEXT_SUCCESSFUL\`, \`RCS_DELIVERED\`, \`RCS_READ\` no longer; nobody hears of these events.
      - The topic of delivery events is open to \`sms-voice.amazonaws.com\` for \`arn:aws:sms-voice:eu-west-1:123456789012:configuration-set/sms-retry-sms\` of the account \`123456789012\`, and to nobody else by this statement.
      - The queue \`arn:aws:sqs:eu-west-1:123456789012:sms-retry-sms-events\` is read as before."
    `);
  });

  test("a set that is given in place of the stack's own", () => {
    expect(effects(recorded("end-user-messaging-other-set"))).toMatchInlineSnapshot(`
      "- ⚠️ The configuration set \`sms-retry-sms\` is destroyed: sends that name it are refused, those of your application too, and nobody hears of those under way.
      - ⚠️ The configuration set notices sends no events to this stack, so no failure is seen; add the destination that the output event\\_destination\\_hcl or event\\_destination\\_commands shows.
      - The topic of delivery events will be open to \`sms-voice.amazonaws.com\` for \`arn:aws:sms-voice:eu-west-1:123456789012:configuration-set/notices\` of the account \`123456789012\`, and to nobody else by this statement.
      - The queue \`arn:aws:sqs:eu-west-1:123456789012:sms-retry-sms-events\` is read as before."
    `);
  });

  test("a set that is destroyed", () => {
    expect(effects(recorded("end-user-messaging-destroy"))).toMatchInlineSnapshot(`
      "- ⚠️ The configuration set \`sms-retry-sms\` is destroyed: sends that name it are refused, those of your application too, and nobody hears of those under way.
      - ⚠️ The queue is taken off the topic: failed messages are not sent again.
      - ⚠️ The queue \`arn:aws:sqs:eu-west-1:123456789012:sms-retry-sms-events\` is no longer read: failed messages are not sent again."
    `);
  });

  test("a plan of a stack on a stream has none of it", () => {
    expect(effects(recorded("kinesis-first"))).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    [
      "everybody",
      { Effect: "Allow", Principal: "*", Action: "sns:Publish" },
      "is open to `*`, and not for one",
    ],
    [
      "another account",
      { Effect: "Allow", Principal: { AWS: ["arn:aws:iam::999999999999:root"] }, Action: "sns:Publish" },
      "is open to `arn:aws:iam::999999999999:root`, and not for one",
    ],
    [
      "the service for every account",
      {
        Effect: "Allow",
        Principal: { Service: "sms-voice.amazonaws.com" },
        Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:sms-voice:eu-west-1:1:configuration-set/a" } },
      },
      "is open to `sms-voice.amazonaws.com`, and not for one",
    ],
    [
      "the service for every set",
      {
        Effect: "Allow",
        Principal: { Service: "sms-voice.amazonaws.com" },
        Condition: {
          StringEquals: { "aws:SourceAccount": "123456789012" },
          ArnLike: { "aws:SourceArn": "arn:aws:sms-voice:*:123456789012:configuration-set/*" },
        },
      },
      "is open to `sms-voice.amazonaws.com`, and not for one",
    ],
  ])("a topic that %s may publish to is warned of", (_who, statement, text) => {
    const policy = JSON.stringify({ Statement: statement });
    const plan = changed("aws_sns_topic_policy", { before: { policy }, after: { policy } }, ["no-op"]);

    expect(effects(plan)).toContain(`- ⚠️ The topic of delivery events ${text} configuration set`);
  });

  test("a policy or a set that only the apply will tell is said to be unknown", () => {
    expect(effects(changed("aws_sns_topic_policy", { after: {} }))).toContain(
      "- ⚠️ Who may publish to the topic of delivery events is known after the apply only.",
    );
    expect(effects(changed("aws_cloudcontrolapi_resource", { after: {} }))).toContain(
      "- The configuration set `(known after apply)` is created.",
    );
  });

  test("destinations that go, move, are switched off or come are told one by one", () => {
    const destination = (name: string, topic: string, Enabled: boolean, ...types: string[]) => ({
      EventDestinationName: name,
      Enabled,
      MatchingEventTypes: types,
      SnsDestination: { TopicArn: topic },
    });
    const set = (...EventDestinations: object[]) => ({
      desired_state: JSON.stringify({ ConfigurationSetName: "shop", EventDestinations }),
    });
    const plan = changed(
      "aws_cloudcontrolapi_resource",
      {
        before: set(
          destination("gone", "arn:gone", true, "ALL"),
          destination("moved", "arn:one", true, "TEXT_SPAM"),
          destination("off", "arn:off", true, "TEXT_SPAM"),
        ),
        after: set(
          destination("moved", "arn:two", true, "TEXT_SPAM", "TEXT_BLOCKED"),
          destination("off", "arn:off", false, "TEXT_SPAM"),
          destination("new", "arn:new", false, "TEXT_ALL"),
        ),
      },
      ["update"],
    );

    expect(effects(plan)?.split("\n").slice(0, 6)).toEqual([
      "- The configuration set `shop` is changed in place.",
      "- ⚠️ Its destination `gone` goes, and `arn:gone` gets no event any more.",
      "- ⚠️ Its destination `moved` leads to `arn:two` instead of `arn:one`.",
      "- Its destination `moved` gets `TEXT_BLOCKED` as well.",
      "- ⚠️ Its destination `off` is switched off.",
      "- ⚠️ Its destination `new` sends `TEXT_ALL` to `arn:new`. It is switched off.",
    ]);
  });

  describe("what the functions may send from", () => {
    const arn = (resource: string) => `arn:aws:sms-voice:eu-west-1:123456789012:${resource}`;
    const sending = (name: string, ...Resource: string[]): Plan => {
      const policy = JSON.stringify({
        Statement: [
          { Effect: "Allow", Action: ["sqs:SendMessage"], Resource: "arn:aws:sqs:eu-west-1:1:a/*" },
          { Effect: "Allow", Action: "sms-voice:SendTextMessage", Resource },
        ],
      });
      const change = { actions: ["create"], before: null, after: { policy } };
      return {
        resource_changes: [{ address: "a", mode: "managed", type: "aws_iam_role_policy", name, change }],
      };
    };

    test.each(["resend", "resend_sms_voice"])("is told by the policy %s", (name) => {
      const plan = sending(name, arn("configuration-set/shop"), arn("pool/pool-1"));

      expect(effects(plan)).toBe(`- The functions may send from \`${arn("pool/pool-1")}\`.`);
    });

    test("is warned of where it is everything, or every country of a sender id", () => {
      for (const open of ["phone-number/*", "sender-id/SHOP/*"])
        expect(effects(sending("resend", arn("pool/pool-1"), arn(open)))).toBe(
          `- ⚠️ The functions may send from \`${arn("pool/pool-1")}\`, \`${arn(open)}\`. Name the ones that you use in \`origination_identity_arns\`.`,
        );
    });

    test("is not told where nothing is sent by End User Messaging", () => {
      expect(effects(sending("resend"))).toBeUndefined();
    });
  });

  test("a queue that is taken off the topic, or put on it anew, may miss failures", () => {
    const subscription = (...actions: string[]) =>
      effects(changed("aws_sns_topic_subscription", {}, actions)) ?? "";

    expect(subscription("create")).not.toContain("⚠️");
    expect(subscription("delete")).toContain("- ⚠️ The queue is taken off the topic");
    expect(subscription("delete", "create")).toContain("- ⚠️ The subscription of the queue");
  });
});

describe("verdict of inspect", () => {
  const warningsIn = (text: string) => text.split("\n").filter((line) => line.includes("⚠️"));
  const pinpointsEnd = expect.stringContaining("Amazon Pinpoint ended on 2026-10-30") as string;
  const verdict = async (name: string, of: Partial<Account> = {}) => {
    const plan = recorded(name);
    const found = await verdictOn(plan, async () => ({ ...account, ...of }));
    return (
      reviewComment({ subject: "s", plan, planText: "", verdict: found })
        .split("### Verdict of inspect\n\n")[1]
        ?.split("\n\n")[0] ?? ""
    );
  };

  test("a plan that overwrites the project's event stream is warned of", async () => {
    expect(await verdict("new-stream-first")).toContain(
      `- ⚠️ The project sends its delivery events to \`${otherStream}\` today. This plan overwrites that`,
    );
  });

  test("a plan on another stream than the project's is warned of", async () => {
    expect(await verdict("kinesis-first")).toContain(
      `- ⚠️ The project sends its delivery events to \`${otherStream}\`, but this plan is about`,
    );
  });

  test("a plan on the project's stream is not", async () => {
    const eventStreamArn = async () => "arn:aws:kinesis:eu-west-1:123456789012:stream/sms-events";

    expect(await verdict("kinesis-first", { eventStreamArn })).toContain(
      "Stack that fits: `sms-retry-kinesis`",
    );
    expect(warningsIn(await verdict("kinesis-first", { eventStreamArn }))).toEqual([pinpointsEnd]);
  });

  test("a deployed new stream is the project's own, and no news", async () => {
    expect(warningsIn(await verdict("new-stream-destroy"))).toEqual([pinpointsEnd]);
  });

  test("of a Firehose stack the stream itself is looked at", async () => {
    const asked: string[] = [];
    const deliveryStream = async (name: string) => {
      asked.push(name);
      return undefined;
    };

    expect(await verdict("firehose-first", { deliveryStream })).toContain(
      "Not known: There is no Firehose stream",
    );
    expect(asked).toEqual(["sms-events"]);
  });

  describe("of a stack for End User Messaging", () => {
    const set = (name: string) => ({ name, arn: `arn:${name}`, event_destinations: [] });
    const number = (usable: boolean) => ({
      kind: "phone-number" as const,
      identity: "+12065550100",
      arn: "arn:number",
      status: usable ? "ACTIVE" : "PENDING",
      message_types: [],
      usable,
    });

    test("says what there is, and not that the only set would be taken", async () => {
      const found = await verdict("end-user-messaging-first", {
        configurationSets: async () => [set("shop")],
        originationIdentities: async () => [number(true), number(false)],
      });

      expect(found.split("\n")).toEqual([
        "- Configuration sets today: `shop`.",
        "- Of 2 numbers, pools and sender ids 1 can send SMS now.",
        "- Stack that fits: `sms-retry-end-user-messaging`. The stack creates the configuration set sms-retry-sms with its event destinations; every send must name it.",
      ]);
    });

    test("a set that has the name already would be in the way of the apply", async () => {
      const configurationSets = async () => [set("sms-retry-sms")];

      expect(await verdict("end-user-messaging-first", { configurationSets })).toContain(
        "- ⚠️ There is a configuration set sms-retry-sms already",
      );
    });

    test("a set that is given, however it was, is looked at", async () => {
      expect(await verdict("end-user-messaging-other-set")).toContain(
        'Not known: There is no configuration set "notices"',
      );
      const configurationSets = async () => [set("notices"), set("shop")];
      expect(await verdict("end-user-messaging-other-set", { configurationSets })).toContain(
        "The stack takes the events of the configuration set notices",
      );
    });
  });

  test("a missing right is told, and the review goes on", async () => {
    const eventStreamArn = async () => {
      throw new UserError("The right mobiletargeting:GetEventStream is missing.");
    };

    expect(await verdict("kinesis-first", { eventStreamArn })).toBe(
      "- Not known: The right mobiletargeting:GetEventStream is missing.",
    );
  });

  test("the project is known where a module is called with it", async () => {
    const { variables: _variables, ...plan } = recorded("kinesis-first");
    const expressions = {
      pinpoint_application_id: {
        constant_value: "0123456789abcdef0123456789abcdef",
      },
    };
    const configuration = {
      root_module: { module_calls: { sms_retry: { expressions } } },
    };

    expect(await verdictOn({ ...plan, configuration }, async () => account)).toHaveProperty("inspection");
    expect(await verdictOn(plan, async () => account)).toHaveProperty("reason");
  });

  test("a plan about something else has no verdict", async () => {
    expect(await verdictOn({}, async () => account)).toEqual({
      reason: expect.stringContaining("does not say"),
    });
  });
});

describe("the documented role", () => {
  const blocks = [
    ...readFileSync(join(__dirname, "../../docs/plan-review.md"), "utf8").matchAll(/```json\n(.*?)```/gs),
  ];
  const [trust, policy] = blocks.map(([, text = ""]) => JSON.parse(text) as { Statement: Statement[] });
  interface Statement {
    readonly Sid?: string;
    readonly Action: string | string[];
    readonly Resource?: string | string[];
    readonly Condition?: unknown;
  }

  test("it may only read, no message and no body of an object but the state", () => {
    const statements = policy?.Statement ?? [];
    const actions = statements.flatMap(({ Action }) => Action);

    expect(actions.length).toBeGreaterThan(40);
    for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:(Get|List|Describe)[A-Za-z]+$/);
    for (const secret of ["dynamodb:GetItem", "kinesis:GetRecords", "logs:GetLogEvents"])
      expect(actions).not.toContain(secret);
    expect(statements.filter(({ Action }) => Action.includes("s3:GetObject")).map(({ Sid }) => Sid)).toEqual([
      "State",
    ]);
  });

  test("only what AWS names by no resource is allowed on all", () => {
    const onAll = policy?.Statement.filter(({ Resource }) => Resource === "*") ?? [];

    expect(onAll.map(({ Sid }) => Sid)).toEqual(["WhatIsNamedByNothing"]);
  });

  test("it fits into a managed policy", () => {
    expect(JSON.stringify(policy).length).toBeLessThan(6_144);
  });

  test("it trusts pull requests of one repository alone", () => {
    expect(trust?.Statement.map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": expect.stringMatching(
            /^repo:[\w-]+\/[\w-]+:pull_request$/,
          ),
        },
      },
    ]);
  });
});
