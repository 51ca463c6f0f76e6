import { type StackName, stackNames } from "../../stacks/app.ts";
import { resourcesOf, type SynthesisedStack, synthesiseTexts } from "./synthesised.ts";

let texts: Record<StackName, string>;
beforeAll(() => {
  texts = synthesiseTexts();
});
const parse = (name: StackName): SynthesisedStack => JSON.parse(texts[name]) as SynthesisedStack;

test("a second synthesis, from another folder, writes the same bytes", () => {
  expect(synthesiseTexts()).toEqual(texts);
});

test("where the state lies in S3, nothing else of a stack is another", () => {
  const remote = synthesiseTexts(true);
  for (const name of stackNames) {
    const { terraform, ...others } = JSON.parse(remote[name]);
    const { terraform: local, ...same } = JSON.parse(texts[name]);
    expect(terraform).toEqual({ ...local, backend: { s3: {} } });
    expect(others).toEqual(same);
  }
});

describe.each(stackNames)("output of %s", (name) => {
  test("it holds no path of this machine and no stack trace", () => {
    expect(texts[name]).not.toContain(process.cwd());
    expect(texts[name]).not.toMatch(/"\/(home|root|tmp|var|Users|work)\//);
    expect(texts[name]).not.toMatch(/[A-Z]:\\\\/);
    expect(texts[name]).not.toContain("stackTrace");
    expect(texts[name]).not.toContain("node_modules");
  });

  test("every token was resolved, none was computed with", () => {
    expect(texts[name]).not.toMatch(/tftoken/i);
    // An unresolved number token is a number of this size.
    expect(texts[name]).not.toMatch(/\de\+?\d\d/);
    expect(texts[name]).not.toContain("[object Object]");
  });

  test("the state lies beside cdktf.json", () => {
    expect(parse(name).terraform.backend.local.path).toBe(`../../../terraform.${name}.tfstate`);
  });

  test("a range of provider versions is asked for, and no region is set", () => {
    const { terraform, provider } = parse(name);
    expect(terraform.required_providers.aws).toEqual({
      source: "hashicorp/aws",
      version: ">= 5.100.0, < 7.0.0",
    });
    expect(provider).toEqual({ aws: [{}] });
  });

  test("the code of every function lies in the stack's folder, and Terraform computes its hash", () => {
    for (const [id, lambda] of resourcesOf(parse(name), "aws_lambda_function")) {
      const functionName = id.replaceAll("_", "-");
      const path = `\${path.module}/assets/${functionName}/${functionName}.zip`;
      expect(lambda.filename).toBe(path);
      expect(lambda.source_code_hash).toBe(`\${filebase64sha256("${path}")}`);
    }
  });
});
