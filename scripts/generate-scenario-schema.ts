/**
 * Writes `docs/scenario.schema.json`, the JSON schema of scenario files, from the schema that reads them.
 *
 * `--check` changes nothing and exits 1 if the file is not what would be written.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { toJsonSchema } from "@valibot/to-json-schema";
import { scenarioSchema } from "../local/sms-simulator/scenario.ts";

const path = join(import.meta.dirname, "../docs/scenario.schema.json");

/** The JSON schema of scenario files, as an object. */
export function scenarioJsonSchema(): object {
  // JSON schema cannot say that the shares add up to 1; the run checks it.
  const schema = toJsonSchema(scenarioSchema, { typeMode: "input", ignoreActions: ["check"] });
  return { title: "Scenario of a local run of sms-retry", ...schema };
}

if (import.meta.main) {
  if (!process.argv.includes("--check")) {
    await writeFile(path, `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  } else if (!isDeepStrictEqual(JSON.parse(await readFile(path, "utf8")), scenarioJsonSchema())) {
    process.stderr.write(
      "docs/scenario.schema.json is not up to date; run node scripts/generate-scenario-schema.ts.\n",
    );
    process.exitCode = 1;
  }
}
