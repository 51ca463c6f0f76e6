import { environmentNames, type FunctionName } from "../../functions/contract/environment.ts";
import { readSettings } from "../../functions/settings.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { functionsOf, resource, resourcesOf, type SynthesisedStack, synthesiseAll } from "./synthesised.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

const addressOf = (name: string): string => `aws_lambda_function.${name.replaceAll("-", "_")}`;

function environmentOf(stack: SynthesisedStack, name: FunctionName): Record<string, string> {
  const { environment } = resource(stack, addressOf(name)) as {
    environment: { variables: Record<string, string> };
  };
  return environment.variables;
}

/** What Lambda hands over when the user sets only what is required; unknown references become texts. */
function environmentWithDefaults(stack: SynthesisedStack, name: FunctionName): Record<string, string> {
  const defaultOf = (input: string): unknown => {
    const variable = stack.variable[input];
    if (variable === undefined) throw new Error(`The stack has no input ${input}.`);
    // A precondition asks for it where the service is Pinpoint, as it is by default.
    const isGiven = input === "pinpoint_application_id";
    return "default" in variable && !isGiven ? variable.default : "0123456789abcdef0123456789abcdef";
  };
  const evaluate = (text: string): string =>
    text
      .replace(/^\$\{jsonencode\(var\.(\w+)\)\}$/, (_, input) => JSON.stringify(defaultOf(input)))
      .replace(/^\$\{var\.(\w+) == null \? "" : var\.\1\}$/, (_, input) => String(defaultOf(input) ?? ""))
      .replace(/^\$\{var\.(\w+)\}$/, (_, input) => String(defaultOf(input)))
      .replace(/^\$\{var\.(\w+) == null \? one\((aws_[\w.]+)\[\*\]\.name\) : var\.\1\}$/, (_, input, own) =>
        String(defaultOf(input) ?? own),
      )
      .replace(/^\$\{((?:aws_|local\.)[\w.]+)\}$/, "$1")
      // An ARN and a URL are made of the names of what they are about, and the ARN of a role of a path.
      .replace(/^(?:arn|https):.*$/, (made) =>
        made
          .replaceAll(/\$\{((?:data\.)?aws_[\w.]+)\}/g, "$1")
          .replaceAll(/\$\{var\.(\w+)\}/g, (_, input) => String(defaultOf(input))),
      );
  const evaluated = Object.entries(environmentOf(stack, name)).map(([key, text]) => [key, evaluate(text)]);
  expect(evaluated.filter(([, text]) => text?.includes("${"))).toEqual([]);
  return Object.fromEntries(evaluated);
}

test("every function of the contract is a function of some stack", () => {
  expect([...new Set(Object.values(functionsOf).flat())].sort()).toEqual(
    Object.keys(environmentNames).sort(),
  );
});

describe.each(stackNames)("functions of %s", (stackName) => {
  const functionNames = functionsOf[stackName];

  test.each(functionNames)("%s gets exactly the variables of its contract", (name) => {
    expect(Object.keys(environmentOf(stacks[stackName], name)).sort()).toEqual(
      [...environmentNames[name]].sort(),
    );
  });

  test.each(functionNames)(
    "%s is told its own name, the version and the namespace of its metrics",
    (name) => {
      expect(environmentOf(stacks[stackName], name)).toMatchObject({
        SMS_RETRY_VERSION: "1.2.3",
        POWERTOOLS_SERVICE_NAME: name,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is HCL
        POWERTOOLS_METRICS_NAMESPACE: "${var.name_prefix}",
        POWERTOOLS_LOG_LEVEL: "INFO",
      });
    },
  );

  test.each(functionNames)("%s accepts at its cold start what the stack sets by default", (name) => {
    const settings = readSettings(name, environmentWithDefaults(stacks[stackName], name));
    expect(Object.keys(settings)).toHaveLength(environmentNames[name].length);
    expect(settings).toMatchObject({ SMS_RETRY_VERSION: "1.2.3" });
  });

  test("the stack has these functions, and no other", () => {
    expect(resourcesOf(stacks[stackName], "aws_lambda_function").map(([name]) => name)).toEqual(
      functionNames.map((name) => name.replaceAll("-", "_")),
    );
  });

  test("lists and maps are JSON, and a null becomes the empty string", () => {
    expect(environmentOf(stacks[stackName], "resend")).toMatchObject({
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is HCL
      RETRY_DELAYS_SECONDS: "${jsonencode(var.retry_delays_seconds)}",
      RETRYABLE_STATUSES: "${jsonencode(var.retryable_statuses)}",
      SEND_RATES: "${jsonencode(var.send_rates)}",
      ORIGINATION_NUMBER: '${var.origination_number == null ? "" : var.origination_number}',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is HCL
    });
  });

  test("resend and produce share the gates, and what is said of their rates", () => {
    const [resend, produce] = [
      environmentOf(stacks[stackName], "resend"),
      environmentOf(stacks[stackName], "produce"),
    ];
    const shared = [
      "GATE_TABLE_NAME",
      "MAX_SENDS_PER_SECOND",
      "SEND_RATES",
      "APPLICATION_SENDS_PER_SECOND",
      "SENDING_ENABLED",
    ];
    for (const name of shared) expect([name, produce[name]]).toEqual([name, resend[name]]);
    expect(shared.map((name) => resend[name])).not.toContain(undefined);
  });

  test("the queue hides a retry message for six times resend's time-out and the batching window", () => {
    const { timeout } = resource(stacks[stackName], addressOf("resend"));
    const { visibility_timeout_seconds } = resource(stacks[stackName], "aws_sqs_queue.retry");
    const { maximum_batching_window_in_seconds } = resource(
      stacks[stackName],
      "aws_lambda_event_source_mapping.resend",
    );
    const longestWindow = Number(/ \? (\d+) : 0\)\}$/.exec(String(maximum_batching_window_in_seconds))?.[1]);
    expect(visibility_timeout_seconds).toBe(6 * Number(timeout) + longestWindow);
  });
});
