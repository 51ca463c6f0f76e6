/**
 * The contents of the repository that a Terraform registry reads: `terraform-aws-sms-retry`, every stack as a submodule
 * and the examples on them.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackNames } from "../../stacks/stack-names.ts";
import { modulePurposes } from "../build-modules.ts";

/** The repository's name: a registry demands `terraform-<provider>-<name>`. */
export const moduleRepositoryName = "terraform-aws-sms-retry";

/** What the repository is made of. */
export interface ModuleRepositorySources {
  readonly version: string;
  /** Folder of the built modules. */
  readonly modules: string;
  /** Root of this project. */
  readonly project: string;
}

/** Writes it into a folder that is there or not, and removes nothing. */
export function writeModuleRepository(
  folder: string,
  { version, modules, project }: ModuleRepositorySources,
): void {
  mkdirSync(folder, { recursive: true });
  for (const file of ["LICENSE", "CHANGELOG.md"]) cpSync(join(project, file), join(folder, file));
  cpSync(modules, join(folder, "modules"), { recursive: true });
  cpSync(join(modules, stackNames[0], versionsFile), join(folder, versionsFile));
  writeFileSync(join(folder, "README.md"), readme(version));
  const examples = readdirSync(join(project, "examples"), { withFileTypes: true });
  for (const { name } of examples.filter((entry) => entry.isDirectory()))
    copyExample(join(project, "examples", name), join(folder, "examples", name));
}

/** The file of a module that says which Terraform and providers it needs; a registry wants one in the root. */
const versionsFile = "versions.tf";

/** The sentence of an example that is true in this project alone. */
const buildSentence = / Once, in the root of a clone: `npm ci && npm run modules`\./;

function copyExample(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from).filter(isCommitted)) {
    const text = readFileSync(join(from, file), "utf8");
    writeFileSync(join(to, file), file === "README.md" ? withoutBuild(text, file) : calling(text));
  }
}

/** Whether a file of an example is part of it, and not what running it has left there. */
function isCommitted(file: string): boolean {
  return /^[\w-]+\.(tf|md)$|\.tfvars\.example$/.test(file);
}

const calling = (text: string) => text.replaceAll('"../../dist/modules/', '"../../modules/');

/** The page without the sentence on the build, and without links out of the repository. */
function withoutBuild(text: string, file: string): string {
  if (!buildSentence.test(text))
    throw new Error(`${file} of an example does not say how its module is built.`);
  return text.replace(buildSentence, "").replaceAll(/\[([^\]]+)\]\(\.\.\/\.\.\/docs\/[^)]+\)/g, "$1");
}

function readme(version: string): string {
  const rows = stackNames.map((name) => `| [${name}](modules/${name}) | ${modulePurposes[name]} |`);
  return `# sms-retry ${version}

Gives failed transactional SMS a second chance on AWS. This repository is generated from a release of sms-retry, whose
code and documentation are elsewhere; changes belong there. The root holds no resources: call one of the modules.

| module | for |
|---|---|
${rows.join("\n")}

\`\`\`hcl
module "sms_retry" {
  source  = "OWNER/sms-retry/aws//modules/${stackNames[0]}"
  version = "${version}"

  # …
}
\`\`\`

OWNER is who publishes this repository in your registry. Each module's page has its inputs and outputs,
[examples](examples) a configuration for each situation. The functions' code lies in the modules, with its bill of
materials and the licences of what it holds: nothing is downloaded at plan or apply.
`;
}
