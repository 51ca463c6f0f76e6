/** What `sms-retry inspect` reads of an AWS account; it changes nothing. */
import { DescribeStreamSummaryCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import {
  GetAppCommand,
  GetEventStreamCommand,
  NotFoundException,
  PinpointClient,
} from "@aws-sdk/client-pinpoint";
import {
  type ConfigurationSetInformation,
  type EventDestination as DestinationOfService,
  type PhoneNumberInformation,
  PinpointSMSVoiceV2Client,
  type PoolInformation,
  paginateDescribeConfigurationSets,
  paginateDescribePhoneNumbers,
  paginateDescribePools,
  paginateDescribeSenderIds,
  type SenderIdInformation,
} from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { firehoseClient } from "../../functions/firehose-attachment/adapters/control-plane-clients.ts";
import { firehoseDeliveryStreams } from "../../functions/firehose-attachment/adapters/firehose-delivery-stream.ts";
import type { DeliveryStream } from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { calling, screenPatience } from "../aws-call.ts";

/** Where a configuration set sends events. */
export interface EventDestination {
  readonly name: string;
  readonly enabled: boolean;
  readonly kind: "sns" | "firehose" | "cloudwatch-logs";
  /** ARN of the topic, the stream or the log group. */
  readonly arn: string;
  readonly matching_event_types: readonly string[];
}

/** A configuration set of End User Messaging. */
export interface ConfigurationSet {
  readonly name: string;
  readonly arn: string;
  readonly event_destinations: readonly EventDestination[];
}

/** What End User Messaging can send from. */
export interface OriginationIdentity {
  readonly kind: "phone-number" | "pool" | "sender-id";
  /** As a send names it: number, pool id or sender id. */
  readonly identity: string;
  readonly arn: string;
  /** The service's word; of a sender id, which has none, whether it is registered. */
  readonly status: string;
  readonly message_types: readonly string[];
  /** What kind of number it is, and of which country; absent for what is none. */
  readonly number_type?: string;
  readonly country?: string;
  /** Whether it can send SMS now. */
  readonly usable: boolean;
}

/** An account and region. */
export interface Account {
  readonly region: string;
  /** @returns `undefined` if there is no such stream */
  deliveryStream(name: string): Promise<DeliveryStream | undefined>;
  /** @returns `none` if the project sends its events nowhere, `unknown` if there is no such project */
  eventStreamArn(applicationId: string): Promise<string | "none" | "unknown">;
  /** The key of a Kinesis stream as it is told, or `none`. */
  kinesisKey(streamArn: string): Promise<string | "none">;
  configurationSets(): Promise<ConfigurationSet[]>;
  /** Phone numbers, pools and sender ids, in this order. */
  originationIdentities(): Promise<OriginationIdentity[]>;
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
    ...endUserMessaging(inRegion),
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

/** Calls AWS in the region of the account. */
type InRegion = <T>(action: string, call: () => Promise<T>) => Promise<T>;

/** Reads what is of End User Messaging, page by page: its control plane takes a call a second. */
function endUserMessaging(inRegion: InRegion): Pick<Account, "configurationSets" | "originationIdentities"> {
  const client = new PinpointSMSVoiceV2Client({ ...patience, maxAttempts: 6 });
  return {
    configurationSets: () =>
      inRegion("sms-voice:DescribeConfigurationSets", async () => {
        const sets: ConfigurationSet[] = [];
        for await (const { ConfigurationSets = [] } of paginateDescribeConfigurationSets({ client }, {}))
          sets.push(...ConfigurationSets.map(configurationSetOf));
        return sets;
      }),

    async originationIdentities() {
      const identities: OriginationIdentity[] = [];
      await inRegion("sms-voice:DescribePhoneNumbers", async () => {
        for await (const { PhoneNumbers = [] } of paginateDescribePhoneNumbers({ client }, {}))
          identities.push(...PhoneNumbers.map(phoneNumberOf));
      });
      await inRegion("sms-voice:DescribePools", async () => {
        for await (const { Pools = [] } of paginateDescribePools({ client }, {}))
          identities.push(...Pools.map(poolOf));
      });
      await inRegion("sms-voice:DescribeSenderIds", async () => {
        for await (const { SenderIds = [] } of paginateDescribeSenderIds({ client }, {}))
          identities.push(...SenderIds.map(senderIdOf));
      });
      return identities;
    },
  };
}

function configurationSetOf(set: ConfigurationSetInformation): ConfigurationSet {
  return {
    name: set.ConfigurationSetName ?? "",
    arn: set.ConfigurationSetArn ?? "",
    event_destinations: (set.EventDestinations ?? []).map((destination) => ({
      name: destination.EventDestinationName ?? "",
      enabled: destination.Enabled === true,
      ...sinkOf(destination),
      matching_event_types: destination.MatchingEventTypes ?? [],
    })),
  };
}

/** A destination has exactly one sink. */
function sinkOf(destination: DestinationOfService): Pick<EventDestination, "kind" | "arn"> {
  const { SnsDestination, KinesisFirehoseDestination, CloudWatchLogsDestination } = destination;
  if (SnsDestination !== undefined) return { kind: "sns", arn: SnsDestination.TopicArn ?? "" };
  if (KinesisFirehoseDestination !== undefined)
    return { kind: "firehose", arn: KinesisFirehoseDestination.DeliveryStreamArn ?? "" };
  return { kind: "cloudwatch-logs", arn: CloudWatchLogsDestination?.LogGroupArn ?? "" };
}

function phoneNumberOf(number: PhoneNumberInformation): OriginationIdentity {
  const { PhoneNumber = "", PhoneNumberArn = "", Status = "", NumberCapabilities = [] } = number;
  return {
    kind: "phone-number",
    identity: PhoneNumber,
    arn: PhoneNumberArn,
    status: Status,
    message_types: texts(number.MessageType),
    ...(number.NumberType !== undefined && { number_type: number.NumberType }),
    ...(number.IsoCountryCode !== undefined && { country: number.IsoCountryCode }),
    usable: Status === "ACTIVE" && NumberCapabilities.includes("SMS"),
  };
}

function poolOf({ PoolId = "", PoolArn = "", Status, MessageType }: PoolInformation): OriginationIdentity {
  return {
    kind: "pool",
    identity: PoolId,
    arn: PoolArn,
    status: Status ?? "",
    message_types: texts(MessageType),
    usable: Status === "ACTIVE",
  };
}

function senderIdOf(id: SenderIdInformation): OriginationIdentity {
  return {
    kind: "sender-id",
    identity: id.SenderId ?? "",
    arn: id.SenderIdArn ?? "",
    status: id.Registered === true ? "registered" : "not registered",
    message_types: id.MessageTypes ?? [],
    ...(id.IsoCountryCode !== undefined && { country: id.IsoCountryCode }),
    // Many countries take a sender id without a registration.
    usable: true,
  };
}

function texts(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

async function unlessNotFound<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof NotFoundException) return undefined;
    throw error;
  }
}
