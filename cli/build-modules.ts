/**
 * Writes every stack as a plain Terraform module into `dist/modules/<stack>/`: HCL, no provider, no backend, a range of
 * provider versions, the functions' zips inside, and a README with its inputs and outputs.
 *
 * Run by `npm run modules`, which bundles the functions first. The same sources give the same bytes.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type StackName, stackNames, synthesise } from "../stacks/app.ts";
import type { Artefacts } from "../stacks/shared/sms-retry-stack.ts";
import { type SynthesisedConfiguration, terraformModule } from "../stacks/shared/terraform-module.ts";
import { builtArtefacts } from "./artefacts.ts";
import {
  inputsTable,
  outputsTable,
  requiredInputs,
  type SynthesisedStack,
  versionsSentence,
} from "./inputs-and-outputs.ts";

const root = join(import.meta.dirname, "..");

/** What each module is for; whole sentences. */
export const modulePurposes: Readonly<Record<StackName, string>> = {
  "sms-retry-end-user-messaging":
    "For applications that send with AWS End User Messaging, the v2 API: creates a configuration set, or takes one that " +
    "is there, hears of its events through a topic and a queue, and sends failed SMS again.",
  "sms-retry-new-stream":
    "For a Pinpoint project whose delivery events go nowhere yet: creates a Kinesis stream, makes it the event " +
    "stream of the project, and sends failed SMS again. An event stream that the project already has is " +
    "overwritten: take one of the other modules then.",
  "sms-retry-kinesis":
    "For delivery events that already go to a Kinesis stream: reads that stream, changes nothing about it, and " +
    "sends failed SMS again.",
  "sms-retry-firehose":
    "For delivery events that already go to a Firehose stream: puts a transformation into that stream, where it may " +
    "be, and sends failed SMS again. A destroy takes the transformation out first.",
};

/** What stands in the usage block for an input, as HCL. */
const samples: Readonly<Record<string, string>> = {
  pinpoint_application_id: '"0123456789abcdef0123456789abcdef"',
  kinesis_stream_arn: '"arn:aws:kinesis:eu-west-1:123456789012:stream/sms-events"',
  firehose_delivery_stream_name: '"sms-events"',
  origination_identity_arns:
    '["arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-0123456789abcdef0123456789abcdef"]',
};

/** What stands there besides: what most users set, or what a precondition asks for by default. */
const usual: Readonly<Partial<Record<StackName, readonly string[]>>> = {
  "sms-retry-end-user-messaging": ["origination_identity_arns"],
  "sms-retry-firehose": ["pinpoint_application_id"],
};

/**
 * Writes all modules, replacing what is there.
 *
 * @param outputFolder gets one folder for each stack
 * @throws Error if a zip is missing
 */
export function buildModules(artefacts: Artefacts, outputFolder: string): void {
  const synthesised = mkdtempSync(join(tmpdir(), "sms-retry-modules-"));
  try {
    synthesise(artefacts, synthesised);
    rmSync(outputFolder, { recursive: true, force: true });
    for (const name of stackNames)
      buildModule(name, artefacts.version, join(synthesised, "stacks", name), join(outputFolder, name));
  } finally {
    rmSync(synthesised, { recursive: true });
  }
}

function buildModule(name: StackName, version: string, stackFolder: string, moduleFolder: string): void {
  const stack = JSON.parse(readFileSync(join(stackFolder, "cdk.tf.json"), "utf8"));
  mkdirSync(moduleFolder, { recursive: true });
  for (const [file, text] of terraformModule(stack as SynthesisedConfiguration))
    writeFileSync(join(moduleFolder, file), text);
  writeFileSync(join(moduleFolder, "README.md"), moduleReadme(name, version, stack as SynthesisedStack));
  cpSync(join(stackFolder, "assets"), join(moduleFolder, "assets"), { recursive: true });
  cpSync(join(root, "LICENSE"), join(moduleFolder, "LICENSE"));
}

/**
 * The README of a module.
 *
 * @throws Error if the usage block has no value for a required input
 */
export function moduleReadme(name: StackName, version: string, stack: SynthesisedStack): string {
  return `# ${name}

${modulePurposes[name]}

Terraform module of sms-retry ${version}.

## Usage

\`\`\`hcl
${usage(name, stack)}
\`\`\`

${versionsSentence(stack)}

Copy this folder as it is: the code of the functions lies in \`assets/\`, and Terraform computes its hash. The module
configures neither a provider nor a backend; account and region are those of the \`aws\` provider of the caller.
Addresses that the text below names begin with \`module.sms_retry.\` then. Before you destroy it, apply once with
\`deletion_protection = false\`.

A KMS key that the same configuration creates is not known at plan, and Terraform refuses a count that depends on it:
write \`kms_key_arn\` as \`"arn:aws:kms:<region>:<account>:key/\${aws_kms_key.<name>.key_id}"\`, with Terraform 1.6 or newer.

## Inputs

${inputsTable(stack)}

## Outputs

${outputsTable(stack)}
`;
}

function usage(name: StackName, stack: SynthesisedStack): string {
  const shown = [...requiredInputs(stack), ...(usual[name] ?? [])];
  const width = Math.max(...shown.map((input) => input.length));
  const settings = shown.map((input) => {
    const sample = samples[input];
    if (sample === undefined)
      throw new Error(
        `The usage block has no value for the input "${input}"; add one to cli/build-modules.ts.`,
      );
    return `  ${input.padEnd(width)} = ${sample}`;
  });
  return ['module "sms_retry" {', `  source = "./modules/${name}"`, "", ...settings, "}"].join("\n");
}

if (import.meta.main) {
  const folder = join(root, "dist/modules");
  buildModules(builtArtefacts(), folder);
  console.log(`Wrote ${stackNames.join(", ")} into ${relative(process.cwd(), folder) || "."}.`);
}
