/** Takes our transformation off a delivery stream, and nothing else. */
import type { Attachment, AttachmentPorts, TransformationPlace } from "./attach-transformation.ts";
import { type DeliveryStream, invokesFunction, type Processing } from "./delivery-stream.ts";
import { revokeRole } from "./function-policy.ts";
import { untilSettled } from "./until-settled.ts";

const detached: Attachment = {
  attached: false,
  reason: "detached",
  text: "The transformation is detached.",
};

/**
 * Detaches the transformation, wherever in the stream it is. Safe to repeat: succeeds where the stream is gone,
 * was never attached to, or has somebody else's processor now. The right to invoke goes last, so that no record
 * meets a function that Firehose may not invoke any more.
 *
 * @param settleSeconds how long the right, and the caller's function, outlive the update of the stream, which
 *   Firehose puts into effect within some minutes
 * @throws StreamContentionError if the stream changed under every try, or AWS never had time
 * @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_UpdateDestination.html
 */
export async function detachTransformation(
  { deliveryStreamName, functionArn }: TransformationPlace,
  settleSeconds: number,
  { streams, policies, clock }: AttachmentPorts,
): Promise<Attachment> {
  return untilSettled(deliveryStreamName, clock, async () => {
    const stream = await streams.describe(deliveryStreamName);
    const found = stream === undefined ? undefined : ours(stream, functionArn);
    if (stream !== undefined && found !== undefined) {
      const processing = without(found.processing, functionArn);
      const outcome = await streams.setProcessing(deliveryStreamName, stream, found, processing);
      if (outcome !== "updated") return outcome;
      await clock.sleep(settleSeconds);
    }
    await revokeRole(policies, functionArn);
    return detached;
  });
}

function ours({ status, destinations }: DeliveryStream, functionArn: string) {
  // A stream that is being deleted takes no update and no record.
  if (status?.startsWith("DELETING")) return undefined;
  return destinations.find(({ processing }) =>
    processing.processors.some((processor) => invokesFunction(processor, functionArn)),
  );
}

/** What is left: the others as they were; with none, off and empty, because the block itself cannot be removed. */
function without({ enabled, processors }: Processing, functionArn: string): Processing {
  const others = processors.filter((processor) => !invokesFunction(processor, functionArn));
  return { enabled: enabled && others.length > 0, processors: others };
}
