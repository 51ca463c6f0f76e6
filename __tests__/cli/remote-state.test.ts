/** One file says where the state lies, for `cdktf deploy` and for the review of a plan. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { backendConfigFile, withBackendConfig } from "../../cli/remote-state.ts";

const folder = mkdtempSync(join(tmpdir(), "sms-retry-state-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, 'bucket = "states"\n');
  return file;
}

test.each([{}, { SMS_RETRY_BACKEND_CONFIG: "" }])("with %j the state is a local file", (environment) => {
  expect(backendConfigFile(environment)).toBeUndefined();
  expect(withBackendConfig(environment)).toBe(environment);
});

test("a path from here is made absolute: Terraform runs elsewhere", () => {
  const file = written("production.s3.tfbackend");
  const given = { SMS_RETRY_BACKEND_CONFIG: relative(process.cwd(), file) };
  expect(backendConfigFile(given)).toBe(file);
});

test("a file that is not there is an error that says what to do", () => {
  expect(() => backendConfigFile({ SMS_RETRY_BACKEND_CONFIG: "/nowhere/a.tfbackend" })).toThrow(
    "There is no file /nowhere/a.tfbackend, which SMS_RETRY_BACKEND_CONFIG names; write it, or unset the variable to keep the state in a local file.",
  );
});

test("terraform init gets the file beside what it is given already, whatever its name", () => {
  const file = written("Terraform's state.tfbackend");
  const given = { SMS_RETRY_BACKEND_CONFIG: file, TF_CLI_ARGS_init: "-upgrade" };

  const { TF_CLI_ARGS_init: parameters = "" } = withBackendConfig(given);

  // Terraform splits it as a shell does.
  const words = execFileSync("sh", ["-c", `printf '%s\\n' ${parameters}`], { encoding: "utf8" });
  expect(words.trim().split("\n")).toEqual(["-upgrade", `-backend-config=${file}`]);
});
