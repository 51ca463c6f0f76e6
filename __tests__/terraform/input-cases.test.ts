import { type StackName, stackNames } from "../../stacks/app.ts";
import { type SynthesisedStack, synthesiseAll } from "../stacks/synthesised.ts";
import { acceptingTest, inputCases, refusingTest, validatedInputs } from "./input-cases.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

test("every input with a validation has cases, and every case is of such an input", () => {
  const validated = new Set(stackNames.flatMap((name) => validatedInputs(stacks[name].variable)));
  expect(Object.keys(inputCases).sort()).toEqual([...validated].sort());
});

test.each(stackNames)("the files for Terraform use every case of the inputs of %s", (name) => {
  const { variable } = stacks[name];
  const accepting = acceptingTest(variable);
  const refusing = refusingTest(variable);
  for (const input of validatedInputs(variable)) {
    const { accepted = [], acceptedForNewerProviders = [], refused = [] } = inputCases[input] ?? {};
    for (const value of accepted) expect(accepting).toContain(`    ${input} = ${JSON.stringify(value)}\n`);
    for (const [index, value] of acceptedForNewerProviders.entries()) {
      expect(refusing).toContain(`run "accepts_${input}_${index}"`);
      expect(refusing).toContain(`    ${input} = ${JSON.stringify(value)}\n`);
    }
    for (const [index, value] of refused.entries()) {
      expect(refusing).toContain(`run "refuses_${input}_${index}"`);
      expect(refusing).toContain(`    ${input} = ${JSON.stringify(value)}\n`);
    }
    expect(refusing).toContain(`expect_failures = [var.${input}]`);
  }
});
