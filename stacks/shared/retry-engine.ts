/** What every event source shares: the state, the queue, and the functions behind it. */
import { type FunctionName, timeoutSecondsOf } from "../../functions/contract/environment.ts";
import {
  Construct,
  IamRolePolicy,
  type ITerraformDependable,
  LambdaEventSourceMapping,
  Token,
} from "../cdktf.ts";
import {
  applicationLeavesRoom,
  guaranteeSetting,
  paceSettings,
  producerDefaults,
  retrySettings,
  senderScalingHcl,
} from "../inputs/settings.ts";
import { type Access, allOf, policyDocument, type Statement } from "./access.ts";
import { GateTable } from "./gate-table.ts";
import { MessageTable } from "./message-table.ts";
import { RetryQueue } from "./retry-queue.ts";
import { type EngineProps, SmsFunction } from "./sms-function.ts";

/** What is told to whatever sends: through what, and from which identities. */
export type SendingVariable =
  | "SMS_SERVICE"
  | "PINPOINT_APPLICATION_ID"
  | "ORIGINATION_NUMBER"
  | "ORIGINATION_IDENTITIES"
  | "CONFIGURATION_SET_NAME"
  | "ATTEMPT_VALIDITY_SECONDS"
  | "MAX_PRICE"
  | "PROTECT_CONFIGURATION_ID"
  | "MESSAGE_FEEDBACK_ENABLED";

/** How a function sends. */
export interface Sending extends Access<SendingVariable> {
  /**
   * A right that only some inputs give: a policy of its own, `aws_iam_role_policy.<function>_<name>`.
   * @default - none
   */
  readonly onCondition?: {
    readonly name: string;
    /** HCL of whether it is given. */
    readonly hcl: string;
    readonly statement: Statement;
  };
}

/** What the engine needs to know of its stack. */
export interface RetryEngineProps extends EngineProps {
  /** The right to send through what the stack's messages are sent through. */
  readonly sending: Sending;
}

/** The message-state table, the send gates, the retry queue, and the functions `resend` and `produce`. */
export class RetryEngine extends Construct {
  readonly table: MessageTable;
  readonly gates: GateTable;
  readonly queue: RetryQueue;
  readonly resend: SmsFunction<"resend">;
  readonly produce: SmsFunction<"produce">;
  /** What must exist before a retry message leads to a retry. */
  readonly ready: ITerraformDependable[];

  constructor(scope: Construct, props: RetryEngineProps) {
    super(scope, "retry-engine");
    this.table = new MessageTable(this, props);
    this.gates = new GateTable(this, props);
    this.queue = new RetryQueue(this, props);
    this.resend = this.#resend(props);
    this.#sendsOnCondition("resend", this.resend, props.sending);
    this.ready = [...this.queue.permissions, this.#retryMessages(props)];
    this.produce = this.#produce(props);
    this.#sendsOnCondition("produce", this.produce, props.sending);
  }

  #resend(props: RetryEngineProps): SmsFunction<"resend"> {
    const { sending, ...shared } = props;
    const { inputs } = shared;
    return new SmsFunction(this, "resend", {
      ...shared,
      memoryMegabytes: Token.asNumber(`\${${senderScalingHcl(inputs).memoryMegabytes}}`),
      timeoutSeconds: timeoutSecondsOf.resend,
      access: allOf(
        this.table.access("BatchGetItem", "GetItem", "UpdateItem"),
        this.gates.access,
        this.queue.sending,
        sending,
        retrySettings(inputs),
        guaranteeSetting(inputs),
        paceSettings(inputs),
      ),
      statements: [this.queue.receiving],
      preconditions: [
        {
          condition: `\${${inputs.receiptTimeoutSeconds.hcl} == 0 || ${inputs.trackDeliveries.hcl} != "none"}`,
          errorMessage:
            'With track_deliveries "none" every message would seem to have no receipt; set it to "retried" or "all", or receipt_timeout_seconds to 0.',
        },
        {
          condition: `\${${inputs.originationNumber.hcl} == null || length(${inputs.originationIdentities.hcl}) == 0}`,
          errorMessage:
            "The origination_number is the short form of origination_identities; give one of them, and leave out the other.",
        },
        {
          condition: `\${${applicationLeavesRoom(inputs)}}`,
          errorMessage:
            "The application_sends_per_second would leave nothing for retries; set it lower than max_sends_per_second and every rate of send_rates.",
        },
      ],
    });
  }

  #sendsOnCondition(
    name: string,
    { roleId, permissions }: Pick<SmsFunction<FunctionName>, "roleId" | "permissions">,
    { onCondition }: Sending,
  ): void {
    if (onCondition === undefined) return;
    const { name: right, hcl, statement } = onCondition;
    permissions.push(
      new IamRolePolicy(this, `aws_iam_role_policy.${name}_${right}`, {
        count: Token.asNumber(`\${${hcl} ? 1 : 0}`),
        name: `${name}-${right.replaceAll("_", "-")}`,
        role: roleId,
        policy: policyDocument(statement),
      }),
    );
  }

  #retryMessages({ inputs }: EngineProps): LambdaEventSourceMapping {
    const { batchSize, batchingWindowSeconds, maximumConcurrency } = senderScalingHcl(inputs);
    return new LambdaEventSourceMapping(this, "aws_lambda_event_source_mapping.resend", {
      eventSourceArn: this.queue.arn,
      functionName: this.resend.arn,
      batchSize: Token.asNumber(`\${${batchSize}}`),
      maximumBatchingWindowInSeconds: Token.asNumber(`\${${batchingWindowSeconds}}`),
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: Token.asNumber(`\${${maximumConcurrency}}`) },
      dependsOn: this.resend.permissions,
    });
  }

  #produce(props: RetryEngineProps): SmsFunction<"produce"> {
    const { sending, ...shared } = props;
    const { inputs } = shared;
    return new SmsFunction(this, "produce", {
      ...shared,
      memoryMegabytes: 256,
      timeoutSeconds: timeoutSecondsOf.produce,
      access: allOf(
        this.table.access("GetItem", "PutItem", "UpdateItem"),
        this.gates.access,
        this.queue.sending,
        sending,
        retrySettings(inputs),
        guaranteeSetting(inputs),
        paceSettings(inputs),
        producerDefaults(inputs),
      ),
    });
  }
}
