/** The way of the events that can change something: topic, subscription, queue. */
import { timeoutSecondsOf } from "../../functions/contract/environment.ts";
import { receivesBeforeDeadLetter } from "../../functions/contract/redelivery.ts";
import {
  Construct,
  type ITerraformDependable,
  SnsTopic,
  SnsTopicPolicy,
  SnsTopicSubscription,
} from "../cdktf.ts";
import { onlyOverTls, policyDocument, type Statement } from "../shared/access.ts";
import { daySeconds, EncryptedQueue } from "../shared/encrypted-queue.ts";
import { KeptValue } from "../shared/kept-value.ts";
import { type Place, reference } from "../shared/sms-retry-stack.ts";
import type { ConfigurationSetName } from "./configuration-set-name.ts";
import type { EndUserMessagingStackInputs } from "./end-user-messaging-inputs.ts";

/** How long Lambda collects events before it calls the function, in seconds; batches of more than ten need one. */
export const batchingWindowSeconds = 1;

/** Whose events the topic takes. */
export interface EventQueueProps {
  readonly inputs: EndUserMessagingStackInputs;
  readonly place: Place;
  readonly configurationSet: ConfigurationSetName;
}

/**
 * Topic `<prefix>-sms-events`, which takes the events of one configuration set of this account and nobody else's; and the
 * queue of the same name, which takes what the topic hands over, as it came. What SNS cannot put on the queue, and what the
 * function could not handle for hours, goes to the dead-letter queue and is kept for 14 days.
 *
 * A topic without a key is not encrypted at rest, as it keeps nothing: the service cannot use the key that AWS manages
 * for SNS. Queues always are.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-sns-creating-role.html
 */
export class EventQueue extends Construct {
  readonly topicName: string;
  /** Made of the name. */
  readonly topicArn: string;
  readonly queue: EncryptedQueue;
  readonly deadLetters: EncryptedQueue;
  /** What must exist before the first event is published. */
  readonly ready: ITerraformDependable[];
  readonly #topic: SnsTopic;

  constructor(scope: Construct, props: EventQueueProps) {
    super(scope, "event-queue");
    const { inputs, place } = props;
    this.#topic = this.#makeTopic(props);
    this.topicName = this.#topic.name;
    this.topicArn = place.arn("sns", reference("aws_sns_topic.sms_events.name"));
    const statements = (arn: string) => [this.#topicMayFill(arn)];
    this.deadLetters = new EncryptedQueue(this, "sms_events_dead_letters", {
      inputs,
      place,
      messageRetentionSeconds: 14 * daySeconds,
      statements,
    });
    this.queue = new EncryptedQueue(this, "sms_events", {
      inputs,
      place,
      // As long as message_validity_seconds can be. A moved event keeps its age, so the dead-letter queue keeps longer.
      messageRetentionSeconds: 7 * daySeconds,
      visibilityTimeoutSeconds: 6 * timeoutSecondsOf["consume-sns"] + batchingWindowSeconds,
      redrive: { deadLetters: this.deadLetters, maxReceiveCount: receivesBeforeDeadLetter },
      statements,
    });
    this.ready = [this.#mayPublish(props), this.#subscription()];
  }

  #makeTopic({ inputs, configurationSet }: EventQueueProps): SnsTopic {
    const { configurationSetName: given, deletionProtection, kmsKeyArn, namePrefix } = inputs;
    const value = `format("%s %s", ${given.hcl} == null ? "created" : "existing", ${configurationSet.hcl})`;
    const first = new KeptValue(this, "terraform_data.configuration_set", {
      hcl: value,
      takenAnewWith: `${deletionProtection.hcl} ? "protected" : ${value}`,
    });
    return new SnsTopic(this, "aws_sns_topic.sms_events", {
      name: `${namePrefix.text}-sms-events`,
      kmsMasterKeyId: kmsKeyArn.text,
      lifecycle: {
        precondition: [
          {
            condition: `\${!${deletionProtection.hcl} || ${first.kept} == ${value}}`,
            errorMessage:
              `The configuration set would become another one (\${${value}} instead of \${${first.kept}}): every send that ` +
              "names the former would be refused or have no events. Keep name_prefix and configuration_set_name, or " +
              "apply once with deletion_protection = false if it is meant.",
          },
        ],
      },
    });
  }

  #mayPublish({ configurationSet, place }: EventQueueProps): SnsTopicPolicy {
    return new SnsTopicPolicy(this, "aws_sns_topic_policy.sms_events", {
      arn: this.#topic.arn,
      policy: policyDocument(
        {
          Sid: "EventsOfConfigurationSet",
          Principal: { Service: "sms-voice.amazonaws.com" },
          Action: "sns:Publish",
          Resource: this.topicArn,
          Condition: {
            StringEquals: { "aws:SourceAccount": place.accountId },
            ArnEquals: { "aws:SourceArn": configurationSet.arn },
          },
        },
        // A topic's policy takes only actions on a topic, so "sns:*" would be refused; nothing else is allowed here.
        onlyOverTls("sns:Publish", [this.topicArn]),
      ),
    });
  }

  #topicMayFill(queueArn: string): Statement {
    return {
      Sid: "EventsOfTopic",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: { ArnEquals: { "aws:SourceArn": this.topicArn } },
    };
  }

  #subscription(): SnsTopicSubscription {
    return new SnsTopicSubscription(this, "aws_sns_topic_subscription.sms_events", {
      topicArn: this.#topic.arn,
      protocol: "sqs",
      endpoint: this.queue.arn,
      rawMessageDelivery: true,
      redrivePolicy: JSON.stringify({ deadLetterTargetArn: this.deadLetters.arn }),
      dependsOn: [this.queue.policy, this.deadLetters.policy],
    });
  }
}
