/** The tables of inputs and outputs; `npm run docs:check` compares docs/inputs.md with the stacks. */
import { inputsPage } from "../../cli/generate-docs.ts";
import { inputsTable, outputsTable } from "../../cli/inputs-and-outputs.ts";

const terraform = {
  required_version: ">= 1.5.0",
  required_providers: { aws: { version: ">= 5.100.0" } },
};
const kinesis = {
  terraform,
  variable: {
    max_retries: { type: "number", description: "How often. 0 | 1.", default: 3 },
    origination_number: { type: "string", description: "From where.", default: null },
    pinpoint_application_id: { type: "string", description: "Which project." },
    kinesis_stream_arn: { type: "string", description: "Which stream." },
    buffer_seconds: { type: "number", description: "How long.", default: 60 },
  },
  output: { queue_url: { description: "URL of the queue." }, bucket: { description: "Name of the bucket." } },
};
const firehose = {
  terraform,
  variable: {
    max_retries: kinesis.variable.max_retries,
    origination_number: kinesis.variable.origination_number,
    pinpoint_application_id: kinesis.variable.pinpoint_application_id,
    buffer_seconds: { type: "number", description: "How long.", default: 30 },
  },
  output: { queue_url: kinesis.output.queue_url },
};

const rowsWith = (text: string, page: string) => page.split("\n").filter((line) => line.includes(text));

describe("the tables of one stack, for the README of its module", () => {
  test("required inputs come first, defaults are JSON, and a bar does not break the table", () => {
    expect(inputsTable(kinesis).split("\n")).toEqual([
      "| Input | Description | Type | Default | Required |",
      "|---|---|---|---|---|",
      '| <a id="input_kinesis_stream_arn"></a>`kinesis_stream_arn` | Which stream. | `string` |  | yes |',
      '| <a id="input_pinpoint_application_id"></a>`pinpoint_application_id` | Which project. | `string` |  | yes |',
      '| <a id="input_buffer_seconds"></a>`buffer_seconds` | How long. | `number` | `60` | no |',
      '| <a id="input_max_retries"></a>`max_retries` | How often. 0 \\| 1. | `number` | `3` | no |',
      '| <a id="input_origination_number"></a>`origination_number` | From where. | `string` | `null` | no |',
    ]);
  });

  test("outputs are sorted by name", () => {
    expect(outputsTable(kinesis).split("\n").slice(2)).toEqual([
      "| `bucket` | Name of the bucket. |",
      "| `queue_url` | URL of the queue. |",
    ]);
  });
});

describe("the page of all stacks", () => {
  const page = inputsPage(
    new Map([
      ["on-kinesis", kinesis],
      ["on-firehose", firehose],
    ]),
  );
  const [, common = "", differing = "", outputs = ""] = page.split("\n## ");

  test("an input that all stacks define alike stands once, in the table of common inputs", () => {
    expect(rowsWith("`max_retries`", page)).toEqual(rowsWith("`max_retries`", common));
    expect(rowsWith("`max_retries`", page)).toHaveLength(1);
    expect(rowsWith("|", common)).toHaveLength(2 + 3);
  });

  test("an input of one stack, or one that a stack defines in its own way, names its stacks", () => {
    expect(rowsWith("|", differing).slice(2)).toEqual([
      '| <a id="input_kinesis_stream_arn"></a>`kinesis_stream_arn` | Which stream. | `string` |  | yes | `on-kinesis` |',
      '| <a id="input_buffer_seconds"></a>`buffer_seconds` | How long. | `number` | `60` | no | `on-kinesis` |',
      "| `buffer_seconds` | How long. | `number` | `30` | no | `on-firehose` |",
    ]);
  });

  test("every input has its anchor, once", () => {
    const anchors = [...page.matchAll(/<a id="(\w+)">/g)].map(([, anchor]) => anchor);

    expect(anchors.sort()).toEqual(
      Object.keys(kinesis.variable)
        .map((name) => `input_${name}`)
        .sort(),
    );
  });

  test("an output of all stacks says so, and the others name their stacks", () => {
    expect(rowsWith("|", outputs).slice(2)).toEqual([
      "| `bucket` | Name of the bucket. | `on-kinesis` |",
      "| `queue_url` | URL of the queue. | all |",
    ]);
  });

  test("stacks that need different versions are refused: the page has one sentence for all", () => {
    const newer = { ...firehose, terraform: { ...terraform, required_version: ">= 1.9.0" } };

    expect(() =>
      inputsPage(
        new Map([
          ["on-kinesis", kinesis],
          ["on-firehose", newer],
        ]),
      ),
    ).toThrow("different versions");
  });
});
