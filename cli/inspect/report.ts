/** An inspection for people, and as a file for Terraform. */
import type { Inspection } from "./inspection.ts";

/** What is printed without `--json`. */
export function reportText(inspection: Inspection): string {
  const { region, event_stream: stream, pinpoint_application_id: application } = inspection;
  const { stack, stack_reason: reason, transformation, notes } = inspection;
  const kinds = { firehose: "Firehose stream", kinesis: "Kinesis stream" };
  const lines: [string, string][] = [
    ["Region", region],
    ...(application === null ? [] : [["Pinpoint project", application] as [string, string]]),
    ["Delivery events go to", stream === null ? "nowhere" : `${kinds[stream.kind]} ${stream.name}`],
    ["Stack that fits", stack],
    ["", reason],
  ];
  if (transformation !== null) {
    lines.push(
      ["Transformation", transformation.would_attach ? "yes" : "no"],
      ["", `${transformation.text} (${transformation.reason})`],
    );
  }
  for (const note of notes) lines.push(["Note", note]);
  const width = Math.max(...lines.map(([head]) => head.length));
  const table = lines.map(([head, text]) => `${head.padEnd(width)}  ${text}`);
  return [...table, "", tfvarsText(inspection)].join("\n");
}

/** The tfvars file of the stack. */
export function tfvarsText({ stack, region, tfvars, missing }: Inspection): string {
  const names = [...Object.keys(tfvars), ...missing];
  const width = Math.max(...names.map((name) => name.length));
  return [
    `# Inputs of the stack ${stack} in ${region}, as sms-retry inspect found them.`,
    ...Object.entries(tfvars).map(([name, value]) => `${name.padEnd(width)} = ${hclText(value)}`),
    ...missing.map((name) => `# ${name} = "..." is required and was not found: fill it in.`),
    "",
  ].join("\n");
}

/** HCL reads `${` and `%{` inside quotes. */
function hclText(value: string): string {
  return JSON.stringify(value).replaceAll(/[$%](?=\{)/g, "$&$&");
}
