/** The queue of retry messages, and the schedules that carry the retry messages it cannot hold long enough. */
import { receivesBeforeDeadLetter, visibilityTimeoutSeconds } from "../../functions/contract/redelivery.ts";
import { Construct, IamRolePolicy, type ITerraformDependable, SchedulerScheduleGroup } from "../cdktf.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import {
  type Access,
  deploymentKey,
  grantKeyUse,
  policyDocument,
  type Statement,
  trustPolicy,
} from "./access.ts";
import { prefixIsKept } from "./deployment.ts";
import { daySeconds, EncryptedQueue, mayReceive } from "./encrypted-queue.ts";
import { serviceRole } from "./service-role.ts";
import type { Place } from "./sms-retry-stack.ts";

/** What a function is told to make schedules. */
type SchedulingVariable = "SCHEDULE_GROUP_NAME" | "SCHEDULER_ROLE_ARN" | "RETRY_DEAD_LETTER_QUEUE_ARN";

/**
 * The retry queue with its dead-letter queue (50 receives, then kept for 14 days), both encrypted and reachable
 * over TLS only; and the EventBridge Scheduler group and role for delays beyond the queue's 900 seconds. What
 * Scheduler cannot put on the queue goes to the same dead-letter queue.
 */
export class RetryQueue extends Construct {
  readonly url: string;
  readonly arn: string;
  readonly queueName: string;
  readonly deadLetterUrl: string;
  readonly deadLetterArn: string;
  readonly deadLetterName: string;
  /** What Lambda needs to read the queue for a function. */
  readonly receiving: Statement;
  /** What must exist before a schedule can reach the queue. */
  readonly permissions: ITerraformDependable[];
  readonly #knownUrl: string;
  readonly #inputs: SharedInputs;
  readonly #place: Place;
  /** Name of the group of all schedules, by which Scheduler counts what it could not deliver. */
  readonly scheduleGroupName: string;
  readonly #scheduling: Access<SchedulingVariable>;

  constructor(scope: Construct, { inputs, place }: { readonly inputs: SharedInputs; readonly place: Place }) {
    super(scope, "retry-queue");
    this.#inputs = inputs;
    this.#place = place;
    const deadLetters = new EncryptedQueue(this, "retry_dead_letters", {
      inputs,
      place,
      messageRetentionSeconds: 14 * daySeconds,
    });
    const queue = new EncryptedQueue(this, "retry", {
      inputs,
      place,
      // As long as message_validity_seconds can be: what the queue forgets is of no use any more. A moved message
      // keeps its age, so the dead-letter queue must keep longer.
      messageRetentionSeconds: 7 * daySeconds,
      visibilityTimeoutSeconds,
      redrive: { deadLetters, maxReceiveCount: receivesBeforeDeadLetter },
    });
    this.url = queue.url;
    this.#knownUrl = queue.knownUrl;
    this.arn = queue.arn;
    this.queueName = queue.queueName;
    this.deadLetterUrl = deadLetters.url;
    this.deadLetterArn = deadLetters.arn;
    this.deadLetterName = deadLetters.queueName;
    this.receiving = mayReceive("ReceiveRetryMessage", queue);
    const schedules = this.#schedules();
    this.scheduleGroupName = schedules.groupName;
    this.#scheduling = schedules.access;
    this.permissions = schedules.permissions;
  }

  /** The right to put retry messages on the queue, directly or by a schedule. */
  get sending(): Access<"RETRY_QUEUE_URL" | "RETRY_QUEUE_ARN" | SchedulingVariable> {
    return {
      statements: [
        { Sid: "SendRetryMessage", Action: "sqs:SendMessage", Resource: this.arn },
        ...this.#scheduling.statements,
      ],
      environment: {
        RETRY_QUEUE_URL: this.#knownUrl,
        RETRY_QUEUE_ARN: this.arn,
        ...this.#scheduling.environment,
      },
    };
  }

  #schedules() {
    const { namePrefix } = this.#inputs;
    const group = new SchedulerScheduleGroup(this, "aws_scheduler_schedule_group.retries", {
      name: `${namePrefix.text}-retries`,
      lifecycle: prefixIsKept(this, this.#inputs),
    });
    const role = serviceRole(this, "aws_iam_role.retry_scheduler", {
      inputs: this.#inputs,
      place: this.#place,
      name: "retry-scheduler",
      trust: trustPolicy("scheduler.amazonaws.com", {
        StringEquals: {
          "aws:SourceAccount": this.#place.accountId,
          "aws:SourceArn": this.#place.arn("scheduler", `schedule-group/${group.name}`),
        },
      }),
    });
    const policy = new IamRolePolicy(this, "aws_iam_role_policy.retry_scheduler", {
      name: "retry-scheduler",
      role: role.name,
      // Scheduler writes to the dead-letter queue with the role of the schedule too.
      policy: policyDocument({
        Sid: "SendRetryMessage",
        Action: "sqs:SendMessage",
        Resource: [this.arn, this.deadLetterArn],
      }),
    });
    const key = grantKeyUse(this, "retry_scheduler_key", {
      role: role.name,
      key: deploymentKey(this.#inputs),
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    });
    const access: Access<SchedulingVariable> = {
      statements: [
        {
          Sid: "ScheduleRetryMessage",
          Action: "scheduler:CreateSchedule",
          // The names of schedules are made at run time; the group is ours alone.
          Resource: this.#place.arn("scheduler", `schedule/${group.name}/*`),
        },
        {
          Sid: "PassSchedulerRole",
          Action: "iam:PassRole",
          Resource: role.arn,
          Condition: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } },
        },
      ],
      environment: {
        SCHEDULE_GROUP_NAME: group.name,
        SCHEDULER_ROLE_ARN: role.arn,
        RETRY_DEAD_LETTER_QUEUE_ARN: this.deadLetterArn,
      },
    };
    return { access, groupName: group.name, permissions: [policy, key] };
  }
}
