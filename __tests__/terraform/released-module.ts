/** A release as a user installs it: an empty folder, an address of a zip, and a machine that has Terraform and no Node. */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, delimiter, join } from "node:path";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { buildRelease } from "../../cli/release/build-release.ts";
import { moduleRepositoryName } from "../../cli/release/module-repository.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import { clientsOf } from "./clients.ts";
import { accountId, administrator, applicationId, type EmulatedAws, region } from "./emulated-aws.ts";
import { prepareStreams } from "./examples.ts";
import { check, same } from "./expectations.ts";
import { inventoryOf } from "./inventory.ts";
import type { PlanWithChanges } from "./plan-changes.ts";
import type { Report } from "./report.ts";
import { Terraform } from "./terraform.ts";

/** What the run needs. */
export interface ReleaseOptions {
  /** A new folder of this run. */
  readonly folder: string;
  /** Terraform's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly report: Report;
  readonly aws: EmulatedAws;
}

/** What a configuration is made of: the run's, and where programs are. */
type CallerOptions = Omit<ReleaseOptions, "report"> & { readonly path: string };

const body = "Your parcel arrives today.";

/**
 * Builds the release, lets Terraform load each module's archive by its address into a folder with nothing but a call,
 * and plans it; applies that of End User Messaging, sends a message with it and destroys it.
 */
export async function runReleasedModules(options: ReleaseOptions): Promise<void> {
  const { folder, report } = options;
  const release = join(folder, "release");
  await report.step("release", "build", () => buildRelease(release));
  const path = await report.step("release", "a machine without Node", async () => pathWithoutNode(folder));
  await report.step("release", "module repository: examples", () =>
    validateRepository(join(release, moduleRepositoryName), { ...options, path }),
  );
  await prepareStreams(options.aws.endpoint);
  const server = await serve(release);
  try {
    const { port } = server.address() as AddressInfo;
    for (const name of stackNames) {
      const [tar, zip] = archivesIn(release, name);
      const caller = (archive: string) =>
        callerOf(name, `http://127.0.0.1:${port}/${archive}`, {
          ...options,
          path,
          folder: join(folder, archive),
        });
      await report.step("release", `${tar}: init`, () => init(caller(tar)));
      const terraform = caller(zip);
      await report.step("release", `${zip}: init, plan`, () => plan(terraform));
      if (name === applied)
        await report.step("release", `${zip}: apply, send, destroy`, () => live(terraform, options.aws));
    }
  } finally {
    server.close();
  }
}

/** The module that is applied: that of the stack which every account can use. */
const applied: StackName = "sms-retry-end-user-messaging";

/** The names of a module's tar and zip. */
function archivesIn(release: string, name: StackName): [tar: string, zip: string] {
  const pattern = new RegExp(`^${name}-\\d[\\w.-]*\\.(tar\\.gz|zip)$`);
  const [tar, zip, ...others] = readdirSync(release)
    .filter((file) => pattern.test(file))
    .sort();
  check(tar !== undefined && zip !== undefined && others.length === 0, `${name} has not two archives.`);
  return [tar, zip];
}

/** A path with Terraform alone. */
function pathWithoutNode(folder: string): string {
  const path = join(folder, "bin");
  mkdirSync(path);
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .map((part) => join(part, "terraform"))
    .find(isExecutable);
  check(found !== undefined, "terraform is not on the PATH.");
  symlinkSync(found, join(path, "terraform"));
  same("the programs on the path", readdirSync(path), ["terraform"]);
  return path;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Serves the files of a folder, as the page of a release does. */
async function serve(folder: string): Promise<Server> {
  const server = createServer(({ url = "/", method }, response) => {
    const file = basename(new URL(url, "http://localhost").pathname);
    if (!readdirSync(folder).includes(file)) {
      response.writeHead(404).end();
      return;
    }
    const content = readFileSync(join(folder, file));
    response.writeHead(200, { "content-length": content.length });
    response.end(method === "HEAD" ? undefined : content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** The root of the module repository, which a registry reads, and every example, which calls a module of it. */
async function validateRepository(
  folder: string,
  { environment, path }: Pick<CallerOptions, "environment" | "path">,
): Promise<void> {
  const examples = readdirSync(join(folder, "examples")).map((name) => join(folder, "examples", name));
  check(examples.length >= stackNames.length, "There are fewer examples than stacks.");
  for (const configuration of [folder, ...examples])
    await init(new Terraform(configuration, { ...environment, PATH: path, AWS_REGION: region }));
}

/** Inputs of each module without which it does not plan. */
const inputs: Readonly<Record<StackName, object>> = {
  "sms-retry-end-user-messaging": {
    origination_number: "+15550100000",
    origination_identity_arns: [`arn:aws:sms-voice:${region}:${accountId}:phone-number/phone-of-15550100000`],
  },
  "sms-retry-new-stream": { pinpoint_application_id: applicationId },
  "sms-retry-kinesis": {
    pinpoint_application_id: applicationId,
    kinesis_stream_arn: `arn:aws:kinesis:${region}:${accountId}:stream/sms-events`,
  },
  "sms-retry-firehose": {
    pinpoint_application_id: applicationId,
    firehose_delivery_stream_name: "sms-events",
  },
};

/** A folder with one file, which calls the module. */
function callerOf(
  name: StackName,
  source: string,
  { aws, environment, folder, path }: CallerOptions,
): Terraform {
  mkdirSync(folder);
  const configuration = {
    provider: { aws: { region, s3_use_path_style: true, skip_requesting_account_id: true } },
    variable: { deletion_protection: { type: "bool", default: true } },
    module: { sms_retry: { source, ...inputs[name], deletion_protection: `\${var.deletion_protection}` } },
    output: { produce_function_name: { value: `\${module.sms_retry.produce_function_name}` } },
  };
  writeFileSync(join(folder, "main.tf.json"), JSON.stringify(configuration));
  return new Terraform(folder, {
    ...environment,
    PATH: path,
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: administrator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
  });
}

async function init(terraform: Terraform): Promise<void> {
  await terraform.run(["init"]);
  await terraform.run(["validate"]);
}

async function plan(terraform: Terraform): Promise<void> {
  await init(terraform);
  await terraform.run(["plan", "-out=first.plan"]);
  const { resource_changes } = await terraform.show<PlanWithChanges>("first.plan");
  const actions = new Set(resource_changes.flatMap(({ change }) => change.actions));
  same(
    "the actions of a first plan",
    [...actions].filter((action) => action !== "read"),
    ["create"],
  );
}

async function live(terraform: Terraform, aws: EmulatedAws): Promise<void> {
  const before = await inventoryOf(aws);
  await terraform.run(["apply", "first.plan"]);
  await terraform.run(["plan", "-detailed-exitcode"]);
  const { output } = await terraform.run(["output", "-raw", "produce_function_name"]);
  const event = {
    application_message_id: "released",
    destination_number: "+14254147755",
    message_body: body,
  };
  const sent = () => aws.sentSms().map((sms) => sms.body);
  // A machine that is too slow for a send's time defers it.
  for (let tries = 1; sent().length === 0 && tries <= 5; tries += 1)
    await clientsOf(aws.endpoint).lambda.send(
      new InvokeCommand({ FunctionName: output.trim(), Payload: JSON.stringify(event) }),
    );
  same("the messages that were sent", sent(), [body]);
  const unprotected = "-var=deletion_protection=false";
  await terraform.run(["apply", "-auto-approve", unprotected]);
  await terraform.run(["destroy", "-auto-approve", unprotected]);
  same("what exists", await inventoryOf(aws), before);
}
