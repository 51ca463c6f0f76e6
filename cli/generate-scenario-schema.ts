/**
 * Writes `docs/scenario.schema.json`, the JSON schema of scenario files, from the schema that reads them.
 *
 * `--check` changes nothing and exits 1 if the file is not what would be written.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import { scenarioSchema } from "../local/sms-service/scenario.ts";

const root = join(import.meta.dirname, "..");
const path = "docs/scenario.schema.json";

/** The text of `docs/scenario.schema.json`, formatted as everything else in the repository. */
export function scenarioSchemaText(): string {
  // JSON schema cannot say that the shares add up to 1; the run checks it.
  const schema = toJsonSchema(scenarioSchema, { typeMode: "input", ignoreActions: ["check"] });
  return execFileSync(join(root, "node_modules/.bin/biome"), ["format", `--stdin-file-path=${path}`], {
    cwd: root,
    encoding: "utf8",
    input: JSON.stringify({ title: "Scenario of a local run of sms-retry", ...schema }),
  });
}

if (import.meta.main) {
  const text = scenarioSchemaText();
  if (!process.argv.includes("--check")) {
    writeFileSync(join(root, path), text);
  } else if (readFileSync(join(root, path), "utf8") !== text) {
    process.stderr.write(`${path} is not up to date; run node cli/generate-scenario-schema.ts.\n`);
    process.exitCode = 1;
  }
}
