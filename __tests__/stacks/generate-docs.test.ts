import { renderTables, replaceBetweenMarkers } from "../../scripts/generate-docs.ts";

const stack = {
  terraform: { required_version: ">= 1.5.0", required_providers: { aws: { version: ">= 5.100.0" } } },
  variable: {
    max_retries: { type: "number", description: "How often. 0 | 1.", default: 3 },
    origination_number: { type: "string", description: "From where.", default: null },
    pinpoint_application_id: { type: "string", description: "Which project." },
  },
  output: { retry_queue_url: { description: "URL of the queue." } },
};

test("required inputs come first, defaults are JSON, and a bar does not break the table", () => {
  expect(renderTables("some-stack", stack, new Set()).split("\n")).toEqual(
    expect.arrayContaining([
      '| <a id="input_pinpoint_application_id"></a>`pinpoint_application_id` | Which project. | `string` |  | yes |',
      '| <a id="input_max_retries"></a>`max_retries` | How often. 0 \\| 1. | `number` | `3` | no |',
      '| <a id="input_origination_number"></a>`origination_number` | From where. | `string` | `null` | no |',
      "| `retry_queue_url` | URL of the queue. |",
    ]),
  );
  const names = [...renderTables("some-stack", stack, new Set()).matchAll(/id="input_(\w+)"/g)].map(
    ([, n]) => n,
  );
  expect(names).toEqual(["pinpoint_application_id", "max_retries", "origination_number"]);
});

test("an anchor that two stacks share stands once", () => {
  const anchored = new Set<string>();
  const document = renderTables("one", stack, anchored) + renderTables("two", stack, anchored);
  expect(document.match(/id="input_max_retries"/g)).toHaveLength(1);
});

test("only what is between the markers of a stack is replaced", () => {
  const document =
    "before\n<!-- BEGIN_TF_DOCS one -->\nold\n<!-- END_TF_DOCS one -->\n<!-- BEGIN_TF_DOCS two -->\n<!-- END_TF_DOCS two -->\n";
  const once = replaceBetweenMarkers(document, "one", "new");
  expect(once).toBe(document.replace("old", "new"));
  expect(replaceBetweenMarkers(once, "one", "new")).toBe(once);
});

test("a missing marker is named", () => {
  expect(() => replaceBetweenMarkers("nothing", "one", "new")).toThrow("<!-- BEGIN_TF_DOCS one -->");
});
