/** The life of one stack on an emulated AWS of its own, from `init` to nothing being left. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import type { StackName } from "../../stacks/app.ts";
import { isChange, jsonOf } from "./aws-call.ts";
import { type Clients, clientsOf } from "./clients.ts";
import { accountId, administrator, applicationId, type EmulatedAws, region } from "./emulated-aws.ts";
import { check, same } from "./expectations.ts";
import { type FailedMessage, pinpointFailure } from "./failure-event.ts";
import { acceptingTest, everyInput, refusingTest, type Variables } from "./input-cases.ts";
import { inventoryOf, isListed, settingsOfBucket, unseenTypes } from "./inventory.ts";
import { actionsOf, changesOf, type PlanWithChanges, readableOf } from "./plan-changes.ts";
import { reviewPlan } from "./plan-review.ts";
import type { Report } from "./report.ts";
import { errorsIn, Terraform, unwrapped } from "./terraform.ts";

/** A user's situation: what is there before the stack, and what is particular to it. */
export interface Situation {
  readonly stack: StackName;
  /** The inputs that have to be given, and those without which a test would wait. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Creates what the user has already. */
  prepare(run: StackRun): Promise<void>;
  /** Outputs besides the shared ones. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /**
   * Outputs that are URLs of queues, and the names of the queues behind the prefix.
   * @default - none but the shared ones
   */
  readonly queueOutputs?: Readonly<Record<string, string>>;
  /** Functions that are told how often to retry: the addresses of the resources. */
  readonly functionsWithMaxRetries: readonly string[];
  /**
   * What Terraform writes when the first destroy is interrupted.
   * @default - that the first resource is gone
   */
  readonly stopDestroyAt?: string;
  /**
   * The event of a failed message, as the service writes it.
   * @default - Pinpoint's
   */
  failureOf?(failed: FailedMessage): object;
  /** Hands the event of a failed message to the stack's function, as AWS would. */
  deliver(run: StackRun, event: Buffer): Promise<void>;
  /** Steps that only this stack has, after the first apply. */
  more?(run: StackRun): Promise<void>;
  /** What must be true of the user's own resources in the end. */
  afterDestroy?(run: StackRun): Promise<void>;
}

/** What all runs share. */
export interface RunOptions {
  /** Folder of the synthesised stacks. */
  readonly stacksFolder: string;
  /** A new folder of this run. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly report: Report;
  readonly aws: EmulatedAws;
}

interface Synthesised {
  readonly variable: Variables;
  readonly resource: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

interface Vpc {
  readonly subnet_ids: readonly string[];
  readonly security_group_ids: readonly string[];
}

/** Of every input those that are looked for in a plan. */
interface EveryInput {
  readonly code_signing_config_arn: string;
  readonly reserved_concurrency: Readonly<Record<string, number>>;
  readonly vpc: Vpc;
}

const destination = "+14254147755";
const body = "Your code is 493817 – valid for 10 minutes.";

/** The run of one stack; its steps are public so that a situation adds its own. */
export class StackRun {
  readonly aws: EmulatedAws;
  readonly clients: Clients;
  readonly terraform: Terraform;
  readonly situation: Situation;
  outputs: Readonly<Record<string, unknown>> = {};
  readonly #report: Report;
  readonly #synthesised: Synthesised;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #inputs: Readonly<Record<string, unknown>>;

  constructor(situation: Situation, { aws, environment, folder, report, stacksFolder }: RunOptions) {
    this.situation = situation;
    this.aws = aws;
    this.clients = clientsOf(aws.endpoint);
    this.#report = report;
    this.#environment = environment;
    cpSync(join(stacksFolder, situation.stack), folder, { recursive: true });
    this.#synthesised = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
    // Beside the stack, never in it: what points Terraform to the emulated AWS.
    writeFileSync(join(folder, override), JSON.stringify(providerOverride));
    this.#inputs = {
      ...("pinpoint_application_id" in this.#synthesised.variable && {
        pinpoint_application_id: applicationId,
      }),
      retry_delays_seconds: [0],
      // What an account may demand of a deployment.
      iam_path: "/platform/sms/",
      permissions_boundary_arn: `arn:aws:iam::${accountId}:policy/boundary`,
      tags: { team: "sms" },
      ...situation.inputs,
    };
    writeFileSync(join(folder, "terraform.tfvars.json"), JSON.stringify(this.#inputs));
    this.terraform = new Terraform(folder, { ...environment, AWS_ENDPOINT_URL: aws.endpoint });
  }

  /** Runs a step under its name. */
  step<T>(name: string, action: () => Promise<T>): Promise<T> {
    return this.#report.step(this.situation.stack, name, action);
  }

  /** The whole life. */
  async live(): Promise<void> {
    await this.situation.prepare(this);
    const before = await inventoryOf(this.aws);
    await this.step("init", () => this.terraform.run(["init"]));
    await this.step("validate", () => this.terraform.run(["validate"]));
    await this.step("inputs: refused values", () => this.#refuseInputs());
    await this.step("inputs: accepted values", () => this.#acceptInputs());
    await this.step("plan with every input", () => this.#planWithEveryInput());
    await this.step("plan", () => this.#plan("first.plan"));
    await this.step("the plan shows every policy and setting", () => this.#policiesAreKnown());
    await this.step("apply", () => this.terraform.run(["apply", "first.plan"]));
    await this.step("everything is there", () => this.#isThere(before));
    await this.step("outputs", () => this.#outputs());
    await this.step("plan again: nothing to do", () => this.#planAgain());
    await this.step("a failed message is sent again", () => this.#retry());
    await this.step("other max_retries: environment only", () => this.#changeMaxRetries());
    await this.situation.more?.(this);
    await this.step("another prefix is refused at plan", () => this.#refuseOtherPrefix());
    await this.step("the same prefix twice is refused", () => this.#refuseSamePrefix());
    await this.step("a refused destroy takes nothing", () => this.#refusedDestroy());
    await this.step("protection off", () => this.apply({ deletion_protection: false }));
    const calls = this.aws.calls.length;
    await this.step("destroy, stopped half-way", () => this.#stoppedDestroy());
    await this.step("destroy again", () => this.terraform.run(["destroy", "-auto-approve", ...unprotected]));
    await this.step("nothing is left", async () => {
      same("what exists", await inventoryOf(this.aws), before);
      same("Terraform's state", (await this.terraform.run(["state", "list"])).output.trim(), "");
    });
    this.destroyCalls = this.aws.calls.slice(calls);
    const after = this.situation.afterDestroy;
    if (after !== undefined) await this.step("the user's own is untouched", () => after(this));
  }

  /** The calls from the first attempt to destroy on. */
  destroyCalls: EmulatedAws["calls"] = [];

  /** Puts another build of the stack into the folder; state and inputs stay. */
  async use(stacksFolder: string): Promise<void> {
    rmSync(join(this.terraform.folder, "assets"), { recursive: true });
    for (const part of ["assets", "cdk.tf.json"])
      cpSync(join(stacksFolder, this.situation.stack, part), join(this.terraform.folder, part), {
        recursive: true,
      });
    await this.terraform.run(["init"]);
  }

  /** The same stack once more, as another deployment with a state of its own. */
  async another(name: string, inputs: Readonly<Record<string, unknown>>): Promise<Terraform> {
    const folder = join(this.terraform.folder, name);
    for (const part of ["assets", "cdk.tf.json", override])
      cpSync(join(this.terraform.folder, part), join(folder, part), { recursive: true });
    writeFileSync(join(folder, "terraform.tfvars.json"), JSON.stringify(inputs));
    const another = new Terraform(folder, { ...this.#environment, AWS_ENDPOINT_URL: this.aws.endpoint });
    await another.run(["init"]);
    return another;
  }

  /** A configuration of the user's own, with a state of its own. */
  async beside(name: string, configuration: string): Promise<Terraform> {
    const folder = join(this.terraform.folder, name);
    mkdirSync(folder);
    cpSync(join(this.terraform.folder, override), join(folder, override));
    writeFileSync(join(folder, "main.tf"), configuration);
    const terraform = new Terraform(folder, { ...this.#environment, AWS_ENDPOINT_URL: this.aws.endpoint });
    await terraform.run(["init"]);
    return terraform;
  }

  /** Applies with some inputs changed; what Terraform wrote. */
  async apply(changes: Readonly<Record<string, unknown>>): Promise<string> {
    const { output } = await this.terraform.run(["apply", "-auto-approve", ...variables(changes)]);
    await this.readOutputs();
    return output;
  }

  /** Reads the outputs of the state. */
  async readOutputs(): Promise<void> {
    const { output } = await this.terraform.run(["output", "-json"]);
    const told = JSON.parse(output) as Record<string, { value: unknown }>;
    this.outputs = Object.fromEntries(Object.entries(told).map(([name, { value }]) => [name, value]));
  }

  /**
   * Invokes a deployed function and gives back what it answers.
   *
   * @throws Error with the function's own error and its last lines
   */
  async invoke<T>(functionName: unknown, event: object): Promise<T> {
    const { FunctionError, Payload } = await this.clients.lambda.send(
      new InvokeCommand({ FunctionName: String(functionName), Payload: JSON.stringify(event) }),
    );
    const text = Payload?.transformToString() ?? "";
    check(FunctionError === undefined, `${functionName} failed: ${text}\n${this.lastLines()}`);
    return JSON.parse(text) as T;
  }

  /** What the functions wrote last, and what they were refused. */
  lastLines(): string {
    return this.aws.functions.lines.slice(-15).join("\n");
  }

  async #acceptInputs(): Promise<void> {
    writeFileSync(
      join(this.terraform.folder, "accepted.tftest.hcl"),
      acceptingTest(this.#synthesised.variable),
    );
    allPassed((await this.terraform.run(["test"], [0, 1])).output);
  }

  async #refuseInputs(): Promise<void> {
    const { variable } = this.#synthesised;
    const folder = join(this.terraform.folder, "inputs");
    mkdirSync(folder);
    writeFileSync(join(folder, "variables.tf.json"), JSON.stringify({ variable }));
    writeFileSync(join(folder, "refused.tftest.hcl"), refusingTest(variable));
    const alone = new Terraform(folder, this.#environment);
    await alone.run(["init"]);
    allPassed((await alone.run(["test"], [0, 1])).output);
  }

  async #planWithEveryInput(): Promise<void> {
    const inputs = { ...everyInput(this.#synthesised.variable), ...this.situation.inputs };
    const plan = await this.#plan("every-input.plan", variables(inputs));
    const planned = plan.resource_changes.filter(({ mode }) => mode !== "data");
    check(planned.length > 0, "The plan is empty.");
    const { iam_path: path, permissions_boundary_arn: permissions_boundary, tags } = inputs;
    for (const { address, change } of planned) {
      const after = Object(change.after);
      if (address.startsWith("aws_iam_role."))
        same(
          `path and boundary of ${address}`,
          { path: after.path, permissions_boundary: after.permissions_boundary },
          { path, permissions_boundary },
        );
      if (address.startsWith("aws_lambda_function.")) {
        const { code_signing_config_arn, reserved_concurrency, vpc } = inputs as unknown as EveryInput;
        same(
          `how Lambda runs ${address}`,
          {
            vpc: after.vpc_config.map(({ subnet_ids, security_group_ids }: Vpc) => ({
              subnet_ids,
              security_group_ids,
            })),
            code_signing_config_arn: after.code_signing_config_arn,
            reserved: after.reserved_concurrent_executions,
          },
          {
            vpc: [vpc],
            code_signing_config_arn,
            reserved: reserved_concurrency[address.split(".")[1]?.replaceAll("_", "-") ?? ""] ?? -1,
          },
        );
      }
      // Whatever the provider tags has the attribute, also where it is not set.
      if ("tags" in after) same(`the tags of ${address}`, after.tags, tags);
    }
  }

  /** Names are known before anything exists, so the first plan shows what may do what, with which settings. */
  async #policiesAreKnown(): Promise<void> {
    const { known, unknown } = readableOf(await this.terraform.show<PlanWithChanges>("first.plan"));
    check(known.length > 20, "The plan has hardly a policy.");
    same("what the first plan does not show", unknown, []);
  }

  async #plan(file: string, parameters: readonly string[] = []): Promise<PlanWithChanges> {
    await this.terraform.run(["plan", `-out=${file}`, ...parameters]);
    const plan = await this.terraform.show<PlanWithChanges>(file);
    same("the security review", reviewPlan(plan, exceptions), []);
    return plan;
  }

  async #isThere(before: readonly string[]): Promise<void> {
    const { resource } = this.#synthesised;
    same("resource types that the inventory does not list", unseenTypes(Object.keys(resource)), []);
    const known = new Set(before);
    const created = (await inventoryOf(this.aws)).filter((name) => !known.has(name));
    const countOf = (type: string) => created.filter((name) => name.startsWith(`${type} `)).length;
    // Some depend on an input: what the first plan was to create.
    const { resource_changes } = await this.terraform.show<PlanWithChanges>("first.plan");
    const planned = resource_changes.filter(({ change }) => change.actions.includes("create"));
    const plannedOf = (type: string) =>
      planned.filter(({ address }) => address.startsWith(`${type}.`)).length;
    const listed = Object.keys(resource).filter(isListed);
    same(
      `what exists (${created.join(", ")})`,
      Object.fromEntries(listed.map((type) => [type, countOf(type)])),
      Object.fromEntries(listed.map((type) => [type, plannedOf(type)])),
    );
  }

  async #outputs(): Promise<void> {
    await this.readOutputs();
    const arn = (service: string, resource: string) =>
      `arn:aws:${service}:${region}:123456789012:${resource}`;
    same("the outputs", this.outputs, {
      message_table_name: "sms-retry-message-state",
      message_table_arn: arn("dynamodb", "table/sms-retry-message-state"),
      send_gate_table_name: "sms-retry-send-gates",
      retry_queue_url: `${this.aws.endpoint}/123456789012/sms-retry-retry`,
      retry_queue_arn: arn("sqs", "sms-retry-retry"),
      dead_letter_queue_url: `${this.aws.endpoint}/123456789012/sms-retry-retry-dead-letters`,
      dead_letter_queue_arn: arn("sqs", "sms-retry-retry-dead-letters"),
      produce_function_name: "sms-retry-produce",
      produce_function_arn: arn("lambda", "function:sms-retry-produce"),
      resend_function_name: "sms-retry-resend",
      ...this.situation.outputs,
      ...Object.fromEntries(
        Object.entries(this.situation.queueOutputs ?? {}).map(([output, name]) => [
          output,
          `${this.aws.endpoint}/${accountId}/sms-retry-${name}`,
        ]),
      ),
    });
  }

  async #planAgain(): Promise<void> {
    const { exitCode } = await this.terraform.run(["plan", "-detailed-exitcode", "-out=second.plan"], [0, 2]);
    const plan = await this.terraform.show<PlanWithChanges>("second.plan");
    same("what the second plan would do", actionsOf(plan), []);
    same("its exit code", exitCode, 0);
    // Now that everything exists, every policy can be read.
    same("the security review", reviewPlan(plan, { isComplete: true, ...exceptions }), []);
  }

  async #retry(): Promise<void> {
    await this.retryMessage("order-4711");
  }

  /** Sends a message, lets it fail, and sees that it is sent again. */
  async retryMessage(id: string): Promise<void> {
    const before = this.aws.sentSms().length;
    await this.produceMessage(id);
    await this.failMessage(id);
    await this.resendMessage(id);

    const sent = this.aws.sentSms().slice(before);
    same(
      "the messages that were sent",
      sent.map((sms) => ({ ...sms, context: sms.context.retry_attempt ?? "0" })),
      [
        { destination, body, context: "0" },
        { destination, body, context: "1" },
      ],
    );
  }

  /** Hands the event of a sent message's failure to the stack's function: then its retry is under way. */
  async failMessage(id: string): Promise<void> {
    const event = (this.situation.failureOf ?? pinpointFailure)({
      destination,
      context: { application_message_id: id },
      messageId: String((await this.itemOf(id)).pinpoint_message_id),
    });
    await this.situation.deliver(this, Buffer.from(JSON.stringify(event)));
  }

  /** Hands over what the retry queue holds until the message is sent again. */
  async resendMessage(id: string): Promise<void> {
    await this.#resendUntilSent(id);
    const { status, retry_count } = await this.itemOf(id);
    same("the item", { status, retry_count }, { status: "SENT", retry_count: "1" });
  }

  /** Produces as an application does: again with the same id where the function asks for it. */
  async produceMessage(id: string): Promise<void> {
    const event = { application_message_id: id, destination_number: destination, message_body: body };
    for (let tries = 1; (await this.itemOf(id)).status !== "SENT" && tries <= mostTries; tries += 1) {
      try {
        await this.invoke(this.outputs.produce_function_name, event);
      } catch (error) {
        if (!String(error).includes("SendDeferredError")) throw error;
      }
    }
    same(`the status of the message (${this.lastLines()})`, (await this.itemOf(id)).status, "SENT");
  }

  /** Hands over what comes from the queue: a machine that is too slow for a send's time defers it. */
  async #resendUntilSent(id: string): Promise<void> {
    for (let tries = 1; (await this.itemOf(id)).status !== "SENT" && tries <= mostTries; tries += 1) {
      const retryMessages = await this.#retryMessages();
      const answer = await this.invoke<object>(this.outputs.resend_function_name, { Records: retryMessages });
      same(`the answer of resend (${this.lastLines()})`, answer, { batchItemFailures: [] });
      // As the event source mapping does with what was handled.
      for (const { receiptHandle: ReceiptHandle } of retryMessages)
        await this.clients.sqs.send(
          new DeleteMessageCommand({ QueueUrl: String(this.outputs.retry_queue_url), ReceiptHandle }),
        );
    }
  }

  /** The message's item in the table, each attribute as a text. */
  async itemOf(id: string): Promise<Record<string, unknown>> {
    const { Item = {} } = await this.clients.dynamodb.send(
      new GetItemCommand({
        TableName: String(this.outputs.message_table_name),
        Key: { application_message_id: { S: id } },
        ConsistentRead: true,
      }),
    );
    return Object.fromEntries(Object.entries(Item).map(([name, value]) => [name, Object.values(value)[0]]));
  }

  /** The messages of the retry queue as the event source mapping hands them over. */
  async #retryMessages(): Promise<SQSRecord[]> {
    const records = await this.queueRecords(this.outputs.retry_queue_url);
    // One of attempt 0 is there as well where the first send had to wait.
    const retries = records.filter((record) => JSON.parse(record.body).attempt === 1);
    same(`the number of messages of the first retry (${this.lastLines()})`, retries.length, 1);
    return records;
  }

  /** Takes up to ten messages off a queue, as an event source mapping hands them over; they stay hidden for a while. */
  async queueRecords(queueUrl: unknown): Promise<SQSRecord[]> {
    const QueueUrl = String(queueUrl);
    const { Messages = [] } = await this.clients.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 10,
        MessageSystemAttributeNames: ["All"],
      }),
    );
    const { Attributes } = await this.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    return Messages.map((message) => ({
      messageId: String(message.MessageId),
      receiptHandle: String(message.ReceiptHandle),
      body: String(message.Body),
      attributes: (message.Attributes ?? {}) as unknown as SQSRecord["attributes"],
      messageAttributes: {},
      md5OfBody: String(message.MD5OfBody),
      eventSource: "aws:sqs",
      eventSourceARN: String(Attributes?.QueueArn),
      awsRegion: region,
    }));
  }

  async #changeMaxRetries(): Promise<void> {
    const plan = await this.#plan("max-retries.plan", ["-var=max_retries=5"]);
    const expected = this.situation.functionsWithMaxRetries.map(
      (address) => `update ${address} environment.0.variables.MAX_RETRIES`,
    );
    same("what changes", changesOf(plan), expected.sort());
  }

  async #refuseOtherPrefix(): Promise<void> {
    const { output } = await this.terraform.run(["plan", "-var=name_prefix=sms-other"], [1]);
    check(
      unwrapped(output).includes(
        "The name_prefix would change from sms-retry to sms-other: everything would",
      ),
      `The plan does not say what would be lost:\n${output}`,
    );
    // Who has said that it is meant may plan it.
    await this.terraform.run(["plan", "-var=name_prefix=sms-other", ...unprotected]);
  }

  /** A second state with the same inputs takes nothing over, and so its destroy takes nothing away. */
  async #refuseSamePrefix(): Promise<void> {
    const before = await this.#everything();
    const second = await this.another("same-prefix", this.#inputs);
    const calls = this.aws.calls.length;
    const { output } = await second.run(["apply", "-auto-approve"], [1]);
    check(/sms-retry-retries.*already exists/s.test(output), `The apply does not say why:\n${output}`);
    await second.run(["destroy", "-auto-approve", ...unprotected]);
    same(
      "the calls that could have changed something",
      this.aws.calls
        .slice(calls)
        .filter(isChange)
        .map(({ operation }) => operation),
      ["POST /schedule-groups/sms-retry-retries"],
    );
    same("what exists", await this.#everything(), before);
    await this.terraform.run(["plan", "-detailed-exitcode"]);
  }

  async #refusedDestroy(): Promise<void> {
    const bucket = this.outputs.events_bucket_name;
    const Key = "archive/2026/11/23/00/events.gz";
    if (bucket !== undefined)
      await this.clients.s3.send(new PutObjectCommand({ Bucket: String(bucket), Key, Body: "event" }));
    const before = await this.#everything();
    const calls = this.aws.calls.length;

    await this.terraform.run(["destroy", "-auto-approve"], [1]);

    const changes = this.aws.calls.slice(calls).filter(isChange);
    same("what exists", await this.#everything(), before);
    same(
      "the calls that could have changed something",
      changes.map((call) => `${call.operation} ${jsonOf(call).TableName}`),
      ["DeleteTable sms-retry-deletion-guard"],
    );
    if (bucket !== undefined)
      await this.clients.s3.send(new GetObjectCommand({ Bucket: String(bucket), Key }));
    same("the item", (await this.itemOf("order-4711")).status, "SENT");
    // The provider reads every setting of every resource, and finds each as it was made. Of the state Terraform itself
    // has dropped the outputs.
    await this.terraform.run(["plan", "-out=refused.plan"]);
    const plan = await this.terraform.show<PlanWithChanges>("refused.plan");
    same(
      "what an apply would do",
      actionsOf(plan).filter((action) => !action.startsWith("create output.")),
      [],
    );
  }

  /** What exists, and the settings that can go without it. */
  async #everything() {
    const { events_bucket_name: bucket } = this.outputs;
    return {
      names: await inventoryOf(this.aws),
      bucket: bucket === undefined ? {} : await settingsOfBucket(this.aws, String(bucket)),
    };
  }

  async #stoppedDestroy(): Promise<void> {
    await this.terraform.runUntil(this.situation.stopDestroyAt ?? "Destruction complete", [
      "destroy",
      "-auto-approve",
      ...unprotected,
    ]);
  }
}

/** How often a send that was deferred is handed over again. */
const mostTries = 5;

/** See `stacks/shared/gate-table.ts` and `stacks/shared/deployment.ts`. */
const exceptions = {
  passingTables: ["aws_dynamodb_table.send_gates[0]"],
  emptyTables: ["aws_dynamodb_table.deletion_guard"],
};

const unprotected = ["-var=deletion_protection=false"];

/** Terraform says how many runs passed; a file without a run would pass as well. */
function allPassed(output: string): void {
  check(/Success! [1-9]\d* passed, 0 failed\./.test(output), errorsIn(output));
}

/** Inputs on Terraform's command line. */
function variables(inputs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(inputs).map(
    ([name, value]) => `-var=${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
}

/** Points Terraform to the emulated AWS, and its state into the folder. */
const override = "emulated_override.tf.json";

const providerOverride = {
  terraform: { backend: { local: { path: "terraform.tfstate" } } },
  provider: {
    aws: [
      {
        region,
        access_key: administrator.accessKeyId,
        secret_key: administrator.secretAccessKey,
        skip_credentials_validation: true,
        skip_metadata_api_check: true,
        skip_region_validation: true,
        skip_requesting_account_id: true,
        s3_use_path_style: true,
      },
    ],
  },
};
