/** Terraform's JSON form as HCL; that whole modules stay what they were is in modules.test.ts and `test:terraform`. */
import fc from "fast-check";
import { parseHcl } from "../../stacks/cdktf.ts";
import { hclBlock } from "../../stacks/shared/hcl.ts";

/** A template, whose interpolations are written `#{…}` here: `${` in a text looks like a mistake in TypeScript. */
const template = (text: string) => text.replaceAll("#{", "$" + "{");
const lines = (...text: string[]) => text.join("\n");

test("lines stand aligned, then what takes several, then blocks, and depends_on last", () => {
  const body = {
    depends_on: ["aws_sqs_queue.retry"],
    environment: { variables: { A: "1", LONGER: template("#{var.b}") } },
    function_name: "retry",
    layers: [],
    tags: { team: "sms" },
    timeout: 30,
  };

  expect(hclBlock('resource "aws_lambda_function" "retry"', body)).toBe(
    lines(
      'resource "aws_lambda_function" "retry" {',
      '  function_name = "retry"',
      "  layers        = []",
      "  timeout       = 30",
      "  tags = {",
      '    team = "sms"',
      "  }",
      "",
      "  environment {",
      "    variables = {",
      '      A      = "1"',
      "      LONGER = var.b",
      "    }",
      "  }",
      "",
      "  depends_on = [aws_sqs_queue.retry]",
      "}",
    ),
  );
});

test("a list of objects is a block for each, and a dynamic block has its label", () => {
  const body = {
    attribute: [{ name: "a" }, { name: "b" }],
    dynamic: {
      vpc_config: { for_each: template("#{var.vpc}"), content: { ids: template("#{vpc_config.value}") } },
    },
    metrics_config: {},
  };

  expect(hclBlock("resource", body)).toBe(
    lines(
      "resource {",
      "  attribute {",
      '    name = "a"',
      "  }",
      "",
      "  attribute {",
      '    name = "b"',
      "  }",
      "",
      '  dynamic "vpc_config" {',
      "    for_each = var.vpc",
      "",
      "    content {",
      "      ids = vpc_config.value",
      "    }",
      "  }",
      "",
      "  metrics_config {}",
      "}",
    ),
  );
});

test.each([
  ["an expression alone stands bare", '#{a == "}" ? 1 : 2}', 'a == "}" ? 1 : 2'],
  ["one beside text stays a template", "x-#{a}", '"x-#{a}"'],
  ["two expressions are a template", "#{a}#{b}", '"#{a}#{b}"'],
  [
    "quotes in a text inside an expression are its own",
    '#{f("a\\"}", { b = "c#{d}" })}',
    'f("a\\"}", { b = "c#{d}" })',
  ],
  ["backslashes, quotes and line ends of the text are escaped", 'a\\b"c\nd', '"a\\\\b\\"c\\nd"'],
  ["an escaped interpolation stays one", "$#{a}", '"$#{a}"'],
  ["spaces stand where terraform fmt sets them", '#{[{"a":1},{"b":[]}]}', '[{ "a" : 1 }, { "b" : [] }]'],
  ["no text is two quotes", "", '""'],
])("%s", (_, text, expected) => {
  expect(hclBlock("locals", { a: template(text) })).toBe(template(`locals {\n  a = ${expected}\n}`));
});

test("a type of an input stands bare, and every other type is a text", () => {
  expect(hclBlock('variable "a"', { type: "list(string)", default: {} })).toBe(
    lines('variable "a" {', "  type    = list(string)", "  default = {}", "}"),
  );
  expect(hclBlock("resource", { attribute: { type: "S" } })).toContain('type = "S"');
});

test("in a policy a list that is encoded as JSON stands bare, and quotes in a reference stay", () => {
  const policy = template('{"A":#{jsonencode(local.arns)},"B":"x-#{f("y")}","C":"\\"#{g}"}');

  expect(hclBlock("resource", { policy })).toBe(
    template(
      lines(
        "resource {",
        "  policy = jsonencode({",
        "    A = local.arns",
        '    B = "x-#{f("y")}"',
        '    C = "\\"#{g}"',
        "  })",
        "}",
      ),
    ),
  );
});

test("an expression too long for a line is broken at its brackets, calls without a last comma", () => {
  const [long, list] = [`"${"a".repeat(60)}"`, `["${"b".repeat(60)}", "${"c".repeat(60)}"]`];
  const text = `#{jsonencode({ one = ${long}, twelve = var.b[0], three = f(${long}, ${list}) })}`;

  expect(hclBlock("locals", { a: template(text), b: 1 })).toBe(
    lines(
      "locals {",
      "  b = 1",
      "  a = jsonencode({",
      `    one    = ${long}`,
      "    twelve = var.b[0]",
      "    three = f(",
      `      ${long},`,
      "      [",
      `        "${"b".repeat(60)}",`,
      `        "${"c".repeat(60)}",`,
      "      ]",
      "    )",
      "  })",
      "}",
    ),
  );
});

test("JSON in a policy is written out, with its references; what is no JSON stays a text", () => {
  const policy = template('{"Statement":[{"Resource":"#{aws_sqs_queue.retry.arn}","a:b":true}]}');

  expect(hclBlock("resource", { policy })).toBe(
    lines(
      "resource {",
      "  policy = jsonencode({",
      "    Statement = [",
      "      {",
      "        Resource = aws_sqs_queue.retry.arn",
      '        "a:b"    = true',
      "      },",
      "    ]",
      "  })",
      "}",
    ),
  );
  expect(hclBlock("resource", { policy: template('{"Count":#{var.count}}') })).toBe(
    template('resource {\n  policy = "{\\"Count\\":#{var.count}}"\n}'),
  );
});

test("a directive is refused, and an interpolation or a text without end", () => {
  for (const [value = "", sentence] of [
    ["%{ if a }b%{ endif }", "template directive"],
    ["#{a", "interpolation does not end"],
    ['#{"a}', "text in an expression does not end"],
  ])
    expect(() => hclBlock("locals", { value: template(value) })).toThrow(sentence);
});

test("any text without a template is read back as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .string({ unit: fc.constantFrom(..."abc \"\\'{}$%#/=\n\t,:é…") })
        .filter((text) => !/[$%]\{/.test(text)),
      async (text) => {
        const { output } = await parseHcl("text.tf", hclBlock('output "a"', { value: text }));

        expect(output.a[0].value).toBe(text);
      },
    ),
    { numRuns: 200 },
  );
});
