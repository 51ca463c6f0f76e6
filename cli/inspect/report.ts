/** An inspection for people, and as a file for Terraform. */
import type { ConfigurationSet, OriginationIdentity } from "./account.ts";
import type { Inspection } from "./findings.ts";

/** What is printed without `--json`. */
export function reportText(inspection: Inspection): string {
  const { region, event_stream: stream, pinpoint_application_id: application } = inspection;
  const { stack, stack_reason: reason, transformation, warnings, notes } = inspection;
  const { configuration_sets: sets, origination_identities: identities } = inspection;
  const kinds = { firehose: "Firehose stream", kinesis: "Kinesis stream" };
  const lines: [string, string][] = [
    ["Region", region],
    ...(application === null ? [] : [["Pinpoint project", application] as [string, string]]),
    ...(sets === null
      ? [
          ["Delivery events go to", stream === null ? "nowhere" : `${kinds[stream.kind]} ${stream.name}`] as [
            string,
            string,
          ],
        ]
      : headed("Configuration sets", sets.flatMap(setLines))),
    ...(identities === null ? [] : headed("Origination identities", identities.map(identityLine))),
    ["Stack that fits", stack],
    ["", reason],
  ];
  if (transformation !== null) {
    lines.push(
      ["Transformation", transformation.would_attach ? "yes" : "no"],
      ["", `${transformation.text} (${transformation.reason})`],
    );
  }
  for (const warning of warnings) lines.push(["Warning", warning]);
  for (const note of notes) lines.push(["Note", note]);
  const width = Math.max(...lines.map(([head]) => head.length));
  const table = lines.map(([head, text]) => `${head.padEnd(width)}  ${text}`);
  return [...table, "", tfvarsText(inspection)].join("\n");
}

/** Lines under one head. */
function headed(head: string, texts: readonly string[]): [string, string][] {
  return texts.length === 0
    ? [[head, "none"]]
    : texts.map((text, index): [string, string] => [index === 0 ? head : "", text]);
}

const sinks = { sns: "topic", firehose: "Firehose stream", "cloudwatch-logs": "log group" };

function setLines({ name, event_destinations: all }: ConfigurationSet): string[] {
  const destinations = all.map((destination) => {
    const sink = `${sinks[destination.kind]} ${destination.arn.replace(/:\*$/, "").split(/[:/]/).at(-1)}`;
    const isOff = destination.enabled ? "" : ", switched off";
    return `  ${destination.name}: ${sink}${isOff} (${destination.matching_event_types.length} event types)`;
  });
  return [name, ...(destinations.length === 0 ? ["  without event destinations"] : destinations)];
}

function identityLine({ kind, identity, status, number_type, country }: OriginationIdentity): string {
  const facts = [kind.replace("-", " "), number_type, country, status].filter((fact) => fact !== undefined);
  return `${identity} (${facts.join(", ")})`;
}

/** The tfvars file of the stack. */
export function tfvarsText({ stack, region, tfvars, missing }: Inspection): string {
  const names = [...Object.keys(tfvars), ...missing];
  const width = Math.max(...names.map((name) => name.length));
  return [
    `# Inputs of the stack ${stack} in ${region}, as sms-retry inspect found them.`,
    ...Object.entries(tfvars).map(([name, value]) => `${name.padEnd(width)} = ${hclValue(value)}`),
    ...(names.length === 0 ? ["# The defaults fit: nothing has to be set."] : []),
    ...missing.map(
      (name) => `# ${name} = "..." is required and was not found: fill it in${otherwise(stack)}.`,
    ),
    "",
  ].join("\n");
}

/** A Firehose stream may get the events of End User Messaging alone, which needs no project. */
function otherwise(stack: Inspection["stack"]): string {
  return stack === "sms-retry-firehose"
    ? ', or set sms_service = "end-user-messaging" and configuration_set_name'
    : "";
}

function hclValue(value: string | readonly string[]): string {
  return typeof value === "string" ? hclText(value) : `[${value.map(hclText).join(", ")}]`;
}

/** HCL reads `${` and `%{` inside quotes. */
function hclText(value: string): string {
  return JSON.stringify(value).replaceAll(/[$%](?=\{)/g, "$&$&");
}
