/** Delivery streams by Firehose's control plane. */
import {
  ConcurrentModificationException,
  DescribeDeliveryStreamCommand,
  type FirehoseClient,
  type Processor,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateDestinationCommand,
  type UpdateDestinationCommandInput,
} from "@aws-sdk/client-firehose";
import { type DeliveryStreams, streamOfDescription } from "../core/delivery-stream.ts";
import { UnreadableStreamError } from "../errors.ts";
import { controlPlaneError } from "./control-plane-error.ts";

/** The delivery streams of the client's account and region; see {@link DeliveryStreams}. */
export function firehoseDeliveryStreams(client: FirehoseClient): DeliveryStreams {
  return {
    async describe(name) {
      try {
        const { DeliveryStreamDescription } = await client.send(
          new DescribeDeliveryStreamCommand({ DeliveryStreamName: name }),
        );
        return DeliveryStreamDescription && streamOfDescription(DeliveryStreamDescription);
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw controlPlaneError("firehose:DescribeDeliveryStream", name, error);
      }
    },

    async setProcessing(name, { versionId }, { kind, id }, { enabled, processors }) {
      if (versionId === undefined || id === undefined) throw new UnreadableStreamError(name);
      const input: UpdateDestinationCommandInput = {
        DeliveryStreamName: name,
        CurrentDeliveryStreamVersionId: versionId,
        DestinationId: id,
        // An update of the same kind is merged into the destination; the list of processors is replaced.
        [`${kind}DestinationUpdate`]: {
          // The core keeps Firehose's own words; only the SDK's types of them are narrower.
          ProcessingConfiguration: { Enabled: enabled, Processors: processors as Processor[] },
        },
      };
      try {
        await client.send(new UpdateDestinationCommand(input));
        return "updated";
      } catch (error) {
        // In use: not active, e.g. because its encryption is being changed. Not found: deleted just now.
        if (
          error instanceof ConcurrentModificationException ||
          error instanceof ResourceInUseException ||
          error instanceof ResourceNotFoundException
        ) {
          return "changed-meanwhile";
        }
        throw controlPlaneError("firehose:UpdateDestination", name, error);
      }
    },
  };
}
