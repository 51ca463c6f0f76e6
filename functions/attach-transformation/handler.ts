/**
 * Attaches the Firehose transformation on apply and takes it off on destroy. Terraform invokes it by
 * `aws_lambda_invocation` with `lifecycle_scope = "CRUD"`, which adds `tf` to the input.
 *
 * A stream that may not be attached to is a normal outcome with its reason. Whatever fails is thrown, so that
 * Terraform records no success and the next apply tries again.
 */
import * as v from "valibot";
import { logTelemetry } from "../adapters/log-telemetry.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { errorName } from "../core/observability/telemetry.ts";
import { firehoseClient, lambdaClient } from "../firehose-attachment/adapters/control-plane-clients.ts";
import { firehoseDeliveryStreams } from "../firehose-attachment/adapters/firehose-delivery-stream.ts";
import { lambdaFunctionPolicies } from "../firehose-attachment/adapters/lambda-function-policy.ts";
import {
  type Attachment,
  attachTransformation,
  type TransformationPlace,
} from "../firehose-attachment/core/attach-transformation.ts";
import { detachTransformation } from "../firehose-attachment/core/detach-transformation.ts";
import { InvalidInvocationError } from "../firehose-attachment/errors.ts";
import { readSettings } from "../settings.ts";

const settings = readSettings("attach-transformation");
const telemetry = logTelemetry(settings.SMS_RETRY_VERSION);
const ports = {
  streams: firehoseDeliveryStreams(firehoseClient()),
  policies: lambdaFunctionPolicies(lambdaClient()),
  clock: systemClock,
};

function numberBetween(least: number, most: number) {
  const text = `must be a number from ${least} to ${most}`;
  return v.pipe(v.number(text), v.minValue(least, text), v.maxValue(most, text));
}

const place = {
  delivery_stream_name: v.pipe(
    v.string("must be a text"),
    v.regex(/^[\w.-]{1,64}$/, "must be the name of a Firehose stream"),
  ),
  transformation_function_arn: v.pipe(
    v.string("must be a text"),
    v.regex(
      /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}$/,
      "must be the ARN of a function, without a version",
    ),
  ),
};

/** Text for a field that is not there, and for a value that is no object. */
function objectText(noObject: string) {
  return ({ path: [first] = [] }: { readonly path?: readonly { readonly key: unknown }[] | undefined }) => {
    if (first === undefined) return noObject;
    return first.key === "tf"
      ? 'is missing; aws_lambda_invocation adds it with lifecycle_scope = "CRUD"'
      : "is missing";
  };
}

/** Limits of the hints: those of Firehose. */
const invocation = v.object(
  {
    ...place,
    buffer_size_megabytes: numberBetween(0.2, 3),
    buffer_interval_seconds: v.pipe(numberBetween(0, 900), v.integer("must be whole")),
    settle_seconds: v.optional(numberBetween(0, 600), 0),
    tf: v.object(
      {
        action: v.picklist(["create", "update", "delete"], "must be create, update or delete"),
        // Null on create. Only the place matters: what is attached there by us is to go.
        prev_input: v.nullish(v.object(place, objectText("must be the input of the invocation before"))),
      },
      objectText("must be a JSON object"),
    ),
  },
  objectText("must be a JSON object"),
);

/** The input of an invocation, `tf` included. */
export type AttachTransformationEvent = v.InferInput<typeof invocation>;

/** The result of an invocation, which the stack's outputs `firehose_attached` and `…_reason` read. */
export interface AttachTransformationResult {
  readonly attached: boolean;
  /** One sentence. */
  readonly reason: string;
}

/**
 * Attaches, re-checks or detaches, as `tf.action` says. An update that moves to another stream or function
 * detaches from the former place first.
 *
 * @throws InvalidInvocationError listing every problem of the input
 * @throws StreamNotFoundError, StreamContentionError, ControlPlaneError: nothing is recorded; the next apply
 *   converges from wherever this one stopped
 */
export async function handler(event: AttachTransformationEvent): Promise<AttachTransformationResult> {
  try {
    const { attached, reason, text } = await carryOut(event);
    telemetry.info("The transformation was looked after.", {
      outcome: attached ? "attached" : "not-attached",
      reason,
    });
    return { attached, reason: text };
  } catch (error) {
    telemetry.error(
      "The transformation could not be attached or detached; the error of the invocation says what to do.",
      { error: errorName(error) },
    );
    throw error;
  }
}

async function carryOut(event: unknown): Promise<Attachment> {
  const input = read(event);
  const here = placeOf(input);
  if (input.tf.action === "delete") return detachTransformation(here, input.settle_seconds, ports);
  if (input.tf.action === "update" && input.tf.prev_input != null) {
    const before = placeOf(input.tf.prev_input);
    const hasMoved =
      before.deliveryStreamName !== here.deliveryStreamName || before.functionArn !== here.functionArn;
    if (hasMoved) await detachTransformation(before, input.settle_seconds, ports);
  }
  return attachTransformation(
    {
      ...here,
      bufferSizeMegabytes: input.buffer_size_megabytes,
      bufferIntervalSeconds: input.buffer_interval_seconds,
    },
    ports,
  );
}

function read(event: unknown) {
  const parsed = v.safeParse(invocation, event);
  if (parsed.success) return parsed.output;
  throw new InvalidInvocationError(
    parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "The input"} ${issue.message}.`),
  );
}

function placeOf(
  input: Readonly<Record<"delivery_stream_name" | "transformation_function_arn", string>>,
): TransformationPlace {
  return {
    deliveryStreamName: input.delivery_stream_name,
    functionArn: input.transformation_function_arn,
  };
}
