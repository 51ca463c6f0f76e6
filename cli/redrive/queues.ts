/** Finds the queues of a redrive, with the sentences for a user where that fails. */
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  paginateListDeadLetterSourceQueues,
  QueueDoesNotExist,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { calling, screenPatience } from "../aws-call.ts";
import { UserError } from "../user-error.ts";

/** A client that gives up while somebody still watches. */
export function sqsClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 3,
    requestHandler: screenPatience,
  });
}

/**
 * The URL of a queue by its name.
 *
 * @throws UserError if there is none
 */
export function urlOf(sqs: SQSClient, name: string): Promise<string> {
  return calling(sqs, "sqs:GetQueueUrl", async () => {
    try {
      const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      return QueueUrl;
    } catch (error) {
      if (!(error instanceof QueueDoesNotExist)) throw error;
      throw new UserError(
        `There is no queue ${name} in the region ${await sqs.config.region()}; check the name and AWS_REGION.`,
        { cause: error },
      );
    }
  });
}

/**
 * The URL of the one queue that a dead-letter queue belongs to.
 *
 * @throws UserError if there is none or more than one
 */
export function sourceOf(sqs: SQSClient, name: string, url: string): Promise<string> {
  return calling(sqs, "sqs:ListDeadLetterSourceQueues", async () => {
    const sources: string[] = [];
    for await (const { queueUrls = [] } of paginateListDeadLetterSourceQueues(
      { client: sqs },
      { QueueUrl: url },
    )) {
      sources.push(...queueUrls);
    }
    const [source] = sources;
    if (source === undefined) {
      throw new UserError(
        `${name} is the dead-letter queue of no queue; name one that is, or say with --to where its messages belong.`,
      );
    }
    if (sources.length > 1) {
      throw new UserError(
        `${name} is the dead-letter queue of ${sources.map(nameOf).join(" and ")}; say with --to where its messages belong.`,
      );
    }
    return source;
  });
}

/** About how many messages a queue holds, those that somebody is looking at included. */
export function countOf(sqs: SQSClient, url: string): Promise<number> {
  return calling(sqs, "sqs:GetQueueAttributes", async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
      }),
    );
    return (
      Number(Attributes.ApproximateNumberOfMessages ?? 0) +
      Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0)
    );
  });
}

/** The name at the end of a queue's URL. */
export function nameOf(url: string): string {
  return url.split("/").at(-1) ?? url;
}
