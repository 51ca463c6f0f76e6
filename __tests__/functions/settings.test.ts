/** Fault 55: a bad setting is refused at cold start, all problems in one message, and no value in it. */
import { environmentNames, type FunctionName } from "../../functions/contract/environment.ts";
import { allowedRetryableStatuses, eventStatuses } from "../../functions/contract/statuses.ts";
import {
  readSettings,
  retryPolicyOf,
  s3AccessOf,
  smsServicesOf,
  telemetrySettings,
} from "../../functions/settings.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { type SynthesisedStack, synthesiseAll } from "../stacks/synthesised.ts";
import { environmentOf } from "../support/deployment.ts";

type Environment = Record<string, string>;

const functionNames = Object.keys(environmentNames) as FunctionName[];

function resendWith(changes: Record<string, string | undefined>) {
  return readSettings("resend", { ...environmentOf("resend", "https://sqs.example/q"), ...changes });
}

/** The problems that a cold start with these variables names; none where it would start. */
function problemsWith(
  name: FunctionName,
  environment: Record<string, string | undefined>,
): readonly string[] {
  try {
    readSettings(name, environment);
    return [];
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
}

const retryableFailures = `must be a JSON list, not empty, of failures that may be retried: ${allowedRetryableStatuses.join(", ")}.`;

describe("fault 55: wrong settings", () => {
  test.each(functionNames)(
    "%s with nothing set names every variable of its contract, in one error",
    (name) => {
      const problems = problemsWith(name, {});

      expect(problems.map((problem) => problem.split(" ")[0])).toEqual([...environmentNames[name]]);
      expect(() => readSettings(name, {})).toThrow(
        expect.objectContaining({
          name: "InvalidSettingsError",
          message: `The function cannot start because of ${problems.length} wrong setting(s); correct the Terraform inputs and deploy again: ${problems.join(" ")}`,
        }),
      );
    },
  );

  test.each<[string, string, string]>([
    ["MESSAGE_TABLE_NAME", "", "is empty."],
    ["POWERTOOLS_LOG_LEVEL", "debug", "must be one of DEBUG, INFO, WARN, ERROR."],
    ["MAX_RETRIES", "-1", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", "1.5", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", "", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", " ", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", "three", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", "Infinity", "must be a whole number from 0 to 10."],
    ["MAX_RETRIES", "11", "must be a whole number from 0 to 10."],
    ["MESSAGE_VALIDITY_SECONDS", "0", "must be a whole number of seconds, 1 or more."],
    ["MAX_SENDS_PER_SECOND", "0", "must be a number above 0."],
    ["MAX_SENDS_PER_SECOND", "-0.5", "must be a number above 0."],
    ["MAX_SENDS_PER_SECOND", "NaN", "must be a number above 0."],
    ["SEND_RATES", '{"SHOP":0}', "must be a JSON object of numbers above 0."],
    ["SEND_RATES", "{SHOP:1}", "must be a JSON object of numbers above 0."],
    ["APPLICATION_SENDS_PER_SECOND", "-1", "must be a number, 0 or more."],
    ["SENDING_ENABLED", "yes", "must be true or false."],
    [
      "RETRY_DELAYS_SECONDS",
      "60,300",
      "must be a JSON list, not empty, of whole numbers of seconds, 0 or more.",
    ],
    ["RETRY_DELAYS_SECONDS", "[]", "must be a JSON list, not empty, of whole numbers of seconds, 0 or more."],
    [
      "RETRY_DELAYS_SECONDS",
      "[60,-1]",
      "must be a JSON list, not empty, of whole numbers of seconds, 0 or more.",
    ],
    [
      "RETRY_DELAYS_SECONDS",
      '["60"]',
      "must be a JSON list, not empty, of whole numbers of seconds, 0 or more.",
    ],
    ["RETRY_DELAYS_SECONDS", "60", "must be a JSON list, not empty, of whole numbers of seconds, 0 or more."],
    ["RETRYABLE_STATUSES", "UNREACHABLE", retryableFailures],
    ["RETRYABLE_STATUSES", "[]", retryableFailures],
    ["RETRYABLE_STATUSES", '["unreachable"]', retryableFailures],
    ["RETRYABLE_STATUSES", '["UNREACHABEL"]', retryableFailures],
    ["RETRYABLE_STATUSES", '["UNREACHABLE","TEXT_UNREACHABLE"]', retryableFailures],
    ["RETRYABLE_STATUSES", '[["UNREACHABLE"]]', retryableFailures],
    ["TRACK_DELIVERIES", "some", "must be one of all, retried, none."],
    ["DELIVERY_GUARANTEE", "exactly-once", "must be at-least-once or at-most-once."],
    ["SMS_SERVICE", "sns", "must be pinpoint or end-user-messaging."],
    ["PINPOINT_APPLICATION_ID", "", "must be set where SMS_SERVICE is pinpoint."],
    ["ORIGINATION_IDENTITIES", "", "must be a JSON list of identities and null."],
    ["ORIGINATION_IDENTITIES", "null", "must be a JSON list of identities and null."],
    ["ORIGINATION_IDENTITIES", '["SHOP",""]', "must be a JSON list of identities and null."],
    ["ORIGINATION_IDENTITIES", "[1]", "must be a JSON list of identities and null."],
    ["ATTEMPT_VALIDITY_SECONDS", "4", "must be a whole number of seconds from 5 to 259200."],
    ["ATTEMPT_VALIDITY_SECONDS", "259201", "must be a whole number of seconds from 5 to 259200."],
    ["ATTEMPT_VALIDITY_SECONDS", "5.5", "must be a whole number of seconds from 5 to 259200."],
    ["MAX_PRICE", "5", "must be empty or US dollars with a point, like 0.05."],
    ["MAX_PRICE", "0,05", "must be empty or US dollars with a point, like 0.05."],
    ["MESSAGE_FEEDBACK_ENABLED", "", "must be true or false."],
    ["SHADOW_MODE", "1", "must be true or false."],
  ])("%s = %j: %s", (key, value, problem) => {
    const environment = { ...environmentOf("resend", "https://sqs.example/q"), [key]: value };

    expect(problemsWith("resend", environment)).toEqual([`${key} ${problem}`]);
  });

  const notAllowed = Object.keys(eventStatuses).filter(
    (status) => !allowedRetryableStatuses.includes(status),
  );

  test.each(notAllowed)("the status %s is never retried, as the plan says", (status) => {
    const environment = {
      ...environmentOf("resend", "https://sqs.example/q"),
      RETRYABLE_STATUSES: JSON.stringify(["UNREACHABLE", status]),
    };

    expect(problemsWith("resend", environment)).toEqual([`RETRYABLE_STATUSES ${retryableFailures}`]);
  });

  test("no problem quotes a value", () => {
    const secret = "493817";
    const environment = Object.fromEntries(environmentNames.produce.map((key) => [key, `!${secret}`]));
    const problems = [
      ...problemsWith("produce", environment),
      ...problemsWith(
        "resend",
        Object.fromEntries(environmentNames.resend.map((key) => [key, `["${secret}"]`])),
      ),
    ];

    expect(problems.length).toBeGreaterThan(5);
    expect(problems.join(" ")).not.toContain(secret);
  });
});

describe("what is read", () => {
  test("numbers, lists and statuses", () => {
    const settings = resendWith({
      MAX_RETRIES: "0",
      RETRY_DELAYS_SECONDS: "[0,300]",
      RETRYABLE_STATUSES: '["EXPIRED","BLOCKED"]',
      MAX_SENDS_PER_SECOND: "0.5",
    });

    expect(settings.MAX_SENDS_PER_SECOND).toBe(0.5);
    expect(retryPolicyOf(settings)).toEqual({
      maxRetries: 0,
      retryDelaysSeconds: [0, 300],
      // EXPIRED is an alias.
      retryableStatuses: new Set(["TTL_EXPIRED", "BLOCKED"]),
      messageValiditySeconds: 86_400,
      receiptTimeoutSeconds: 0,
      keptSeconds: 4 * 86_400,
    });
  });

  test("a receipt time-out needs deliveries to be looked at", () => {
    const timeout = { RECEIPT_TIMEOUT_SECONDS: "600" };
    expect(resendWith(timeout).RECEIPT_TIMEOUT_SECONDS).toBe(600);
    expect(() => resendWith({ ...timeout, TRACK_DELIVERIES: "none" })).toThrow(
      'RECEIPT_TIMEOUT_SECONDS must be 0 where TRACK_DELIVERIES is "none".',
    );
  });

  test("Terraform's null, the empty string, is undefined", () => {
    expect(resendWith({ ORIGINATION_NUMBER: "" }).ORIGINATION_NUMBER).toBeUndefined();
    expect(resendWith({ ORIGINATION_NUMBER: "SHOP" }).ORIGINATION_NUMBER).toBe("SHOP");
    expect(() => resendWith({ ORIGINATION_NUMBER: undefined })).toThrow("ORIGINATION_NUMBER is not set.");
  });

  test("identities with null for the first send's, and what only End User Messaging knows", () => {
    expect(
      resendWith({
        ORIGINATION_IDENTITIES: '[null,"+12065550100","pool-1"]',
        MAX_PRICE: "0.05",
        ATTEMPT_VALIDITY_SECONDS: "600",
      }),
    ).toMatchObject({
      ORIGINATION_IDENTITIES: [null, "+12065550100", "pool-1"],
      MAX_PRICE: "0.05",
      ATTEMPT_VALIDITY_SECONDS: 600,
      CONFIGURATION_SET_NAME: undefined,
      PROTECT_CONFIGURATION_ID: undefined,
      MESSAGE_FEEDBACK_ENABLED: false,
    });
  });

  test.each([
    ["pinpoint", "project", ["pinpoint"]],
    ["end-user-messaging", "project", ["end-user-messaging", "pinpoint"]],
    ["end-user-messaging", "", ["end-user-messaging"]],
  ])(
    "with SMS_SERVICE %s and the project %j it sends by %j",
    (SMS_SERVICE, PINPOINT_APPLICATION_ID, services) => {
      expect([...smsServicesOf(resendWith({ SMS_SERVICE, PINPOINT_APPLICATION_ID }))]).toEqual(services);
    },
  );

  test.each<[Environment, string | undefined]>([
    [{}, undefined],
    [
      { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1", AWS_ENDPOINT_URL: "http://127.0.0.1:2" },
      "http://127.0.0.1:1",
    ],
    [{ AWS_ENDPOINT_URL: "http://127.0.0.1:2" }, "http://127.0.0.1:2"],
  ])("with %j S3 is at %s", (environment, endpoint) => {
    expect(s3AccessOf(environment).endpoint).toBe(endpoint);
  });

  test("S3 is asked with the credentials and in the Region that Lambda names", () => {
    const lambda = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

    expect(s3AccessOf(lambda).region).toBe("eu-west-1");
    expect(s3AccessOf(lambda).credentials()).toEqual({ accessKeyId: "id", secretAccessKey: "secret" });
    expect(s3AccessOf({ ...lambda, AWS_SESSION_TOKEN: "token" }).credentials().sessionToken).toBe("token");
  });
});

describe("the telemetry of a function", () => {
  test.each<[string | undefined, string[]]>([
    [undefined, ["INFO", "WARN", "ERROR"]],
    ["loud", ["INFO", "WARN", "ERROR"]],
    ["DEBUG", ["DEBUG", "INFO", "WARN", "ERROR"]],
    ["WARN", ["WARN", "ERROR"]],
    ["ERROR", ["ERROR"]],
  ])("with the log level %s writes lines of %j", (level, levels) => {
    const environment = level === undefined ? {} : { POWERTOOLS_LOG_LEVEL: level };
    expect([...telemetrySettings(environment).levels]).toEqual(levels);
  });

  test("knows the trace of the invocation that runs", () => {
    const environment: Environment = {};
    const { traceId } = telemetrySettings(environment);
    expect(traceId()).toBeUndefined();
    environment._X_AMZN_TRACE_ID =
      "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1";
    expect(traceId()).toBe("1-5759e988-bd862e3fe1be46a994272793");
  });
});

/** A value of a Terraform expression that the stacks write into an environment. */
function evaluate(text: string, inputs: Record<string, unknown>): string {
  return text.replaceAll(/\$\{([^{}]+)\}/g, (_whole, expression: string) => {
    const json = /^jsonencode\(var\.(\w+)\)$/.exec(expression)?.[1];
    if (json !== undefined) return JSON.stringify(inputs[json]);
    const orEmpty = /^var\.(\w+) == null \? "" : var\.\1$/.exec(expression)?.[1];
    if (orEmpty !== undefined) return String(inputs[orEmpty] ?? "");
    const plain = /^var\.(\w+)$/.exec(expression)?.[1];
    if (plain !== undefined) return String(inputs[plain]);
    const [, input, own] =
      /^var\.(\w+) == null \? one\((aws_[\w.]+)\[\*\]\.name\) : var\.\1$/.exec(expression) ?? [];
    if (input !== undefined) return String(inputs[input] ?? own);
    // An attribute of a resource is known only after apply; it is never empty.
    if (/^(aws|data\.aws)_\w+\.[\w.-]+$/.test(expression)) return "known-after-apply";
    // A name that Terraform makes of inputs.
    if (/^local\.\w+$/.test(expression)) return "made-by-terraform";
    throw new Error(`This test cannot evaluate ${expression}.`);
  });
}

describe("the settings accept what the stacks emit", () => {
  let stacks: Record<StackName, SynthesisedStack>;
  beforeAll(() => {
    stacks = synthesiseAll();
  });

  /** The environment of every function of a stack, as Lambda would get it. */
  function environmentsOf(
    stack: SynthesisedStack,
    given: Record<string, unknown>,
  ): [FunctionName, Environment][] {
    const defaults = Object.fromEntries(
      Object.entries(stack.variable).map(([name, { default: value }]) => [name, value ?? null]),
    );
    const inputs = { ...defaults, pinpoint_application_id: "0123456789abcdef0123456789abcdef", ...given };
    const functions = Object.entries(stack.resource.aws_lambda_function ?? {});
    return functions.map(([address, attributes]) => {
      const { variables } = attributes.environment as { variables: Environment };
      return [
        address.replaceAll("_", "-") as FunctionName,
        Object.fromEntries(Object.entries(variables).map(([key, text]) => [key, evaluate(text, inputs)])),
      ];
    });
  }

  // The values at the edges of each input's validation in stacks/inputs/inputs.ts.
  test.each<[string, unknown[]]>([
    ["max_retries", [0, 10]],
    ["retry_delays_seconds", [[0], [86_400], Array(10).fill(60)]],
    ["retryable_statuses", [["UNREACHABLE"], allowedRetryableStatuses]],
    ["message_validity_seconds", [1, 604_800]],
    ["track_deliveries", ["all", "retried", "none"]],
    ["delivery_guarantee", ["at-least-once", "at-most-once"]],
    ["max_sends_per_second", [0.2, 0.25, 4_000]],
    ["send_rates", [{}, { "+12065550100": 0.2, SHOP: 4_000 }]],
    ["application_sends_per_second", [0, 0.5, 3_999]],
    ["sending_enabled", [true, false]],
    ["send_gate_table_name", [null, "sms-retry-send-gates"]],
    ["origination_number", [null, "+12065550100", "12345", "SHOP"]],
    ["origination_identities", [[], [null], [null, "+12065550100", "pool-0123456789abcdef"]]],
    ["shadow_mode", [true, false]],
    ["attempt_validity_seconds", [5, 259_200]],
    ["max_price", [null, "0.05", ".00001", "99.99999"]],
    ["protect_configuration_id", [null, "protect-0123456789abcdef"]],
    ["message_feedback_enabled", [true, false]],
    ["default_destination_number", [null, "+14254147755"]],
    ["default_message_body", [null, "Hello {name} 📦\n"]],
  ])("%s, at the edges of what the plan lets through", (input, values) => {
    let started = 0;
    for (const name of stackNames) {
      for (const value of values) {
        for (const [functionName, environment] of environmentsOf(stacks[name], { [input]: value })) {
          expect([functionName, value, problemsWith(functionName, environment)]).toEqual([
            functionName,
            value,
            [],
          ]);
          started += 1;
        }
      }
    }
    expect(started).toBeGreaterThanOrEqual(values.length * stackNames.length);
  });
});
