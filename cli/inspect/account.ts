/** What `sms-retry inspect` reads of an AWS account; it changes nothing. */
import { DescribeStreamSummaryCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import {
  GetAppCommand,
  GetEventStreamCommand,
  NotFoundException,
  PinpointClient,
} from "@aws-sdk/client-pinpoint";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { firehoseClient } from "../../functions/firehose-attachment/adapters/control-plane-clients.ts";
import { firehoseDeliveryStreams } from "../../functions/firehose-attachment/adapters/firehose-delivery-stream.ts";
import type { DeliveryStream } from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { calling, screenPatience } from "../aws-call.ts";

/** An account and region. */
export interface Account {
  readonly region: string;
  /** @returns `undefined` if there is no such stream */
  deliveryStream(name: string): Promise<DeliveryStream | undefined>;
  /** @returns `none` if the project sends its events nowhere, `unknown` if there is no such project */
  eventStreamArn(applicationId: string): Promise<string | "none" | "unknown">;
  /** The key of a Kinesis stream as it is told, or `none`. */
  kinesisKey(streamArn: string): Promise<string | "none">;
}

/** Of the clients that read an account. */
const patience = {
  maxAttempts: 3,
  requestHandler: screenPatience,
};

/**
 * The account of the caller's credentials. Its calls reject with UserError.
 *
 * @throws UserError if no region is set
 */
export async function callersAccount(): Promise<Account> {
  const firehose = firehoseClient();
  const streams = firehoseDeliveryStreams(firehose);
  const region = await calling(firehose, "", () => firehose.config.region());
  const inRegion = <T>(action: string, call: () => Promise<T>) => calling(firehose, action, call);

  return {
    region,
    deliveryStream: (name) => inRegion("firehose:DescribeDeliveryStream", () => streams.describe(name)),

    async eventStreamArn(applicationId) {
      const client = new PinpointClient(patience);
      const input = { ApplicationId: applicationId };
      const found = await inRegion("mobiletargeting:GetEventStream", () =>
        unlessNotFound(() => client.send(new GetEventStreamCommand(input))),
      );
      if (found?.EventStream?.DestinationStreamArn !== undefined) {
        return found.EventStream.DestinationStreamArn;
      }
      // A project without an event stream and no project are the same answer.
      const application = await inRegion("mobiletargeting:GetApp", () =>
        unlessNotFound(() => client.send(new GetAppCommand(input))),
      );
      return application === undefined ? "unknown" : "none";
    },

    async kinesisKey(streamArn) {
      // By itself this client speaks HTTP/2, which no emulator does.
      const client = new KinesisClient({
        ...patience,
        requestHandler: new NodeHttpHandler(patience.requestHandler),
      });
      const { StreamDescriptionSummary: summary } = await inRegion("kinesis:DescribeStreamSummary", () =>
        client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn })),
      );
      return summary?.EncryptionType === "KMS" ? (summary.KeyId ?? "none") : "none";
    },
  };
}

async function unlessNotFound<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof NotFoundException) return undefined;
    throw error;
  }
}
