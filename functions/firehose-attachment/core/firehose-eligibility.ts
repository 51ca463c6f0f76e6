/**
 * Whether our transformation may be attached to a Firehose delivery stream: the one answer behind the
 * attaching function, `sms-retry inspect` and the plan.
 *
 * The first row that fits wins; `*` fits everything. A test reads this table and compares it with the code for
 * every combination, in both forms in which a stream is read.
 *
 * | status | destinations | kind | processing | ours | others | verdict | reason |
 * |---|---|---|---|---|---|---|---|
 * | other | * | * | * | * | * | refused | not-active |
 * | * | none | * | * | * | * | refused | no-destination |
 * | * | several | * | * | * | * | refused | several-destinations |
 * | * | one | S3 | * | * | * | refused | legacy-s3 |
 * | * | one | other | * | * | * | refused | not-s3 |
 * | * | one | ExtendedS3 | on | yes | * | eligible | already-attached |
 * | * | one | ExtendedS3 | on | no | some | refused | other-processor |
 * | * | one | ExtendedS3 | off | * | some | refused | disabled-processor |
 * | * | one | ExtendedS3 | * | * | none | eligible | free |
 *
 * Columns: **status** is `ACTIVE`, `untold` (the read model of CloudFormation has none) or `other`. **kind** is
 * that of the one destination: `S3` is the legacy form, told alone. **processing** is the `Enabled` of its
 * processing block. **ours** and **others** say which processors the block lists.
 *
 * Why `already-attached` comes before the others: whoever put a processor beside ours did so knowingly, and
 * taking ours away from a stream that transforms through it is not this function's to decide. Why
 * `disabled-processor`: there is one switch for the whole list, so attaching would switch on what the owner has
 * switched off, and a list without theirs could not be restored on detach.
 */
import { type DeliveryStream, invokesFunction } from "./delivery-stream.ts";

/** Why a stream is refused. */
export type RefusalReason =
  | "not-active"
  | "no-destination"
  | "several-destinations"
  | "legacy-s3"
  | "not-s3"
  | "other-processor"
  | "disabled-processor";

/** The verdict on a stream; a refusal's text is one sentence for its owner. */
export type Eligibility =
  | { readonly eligible: true; readonly reason: "already-attached" | "free" }
  | { readonly eligible: false; readonly reason: RefusalReason; readonly text: string };

/** What people call the destinations; Firehose's own name stands for one that is missing here. */
const destinationNames: Readonly<Record<string, string>> = {
  Redshift: "Amazon Redshift",
  Elasticsearch: "Amazon Elasticsearch Service",
  Amazonopensearchservice: "Amazon OpenSearch Service",
  AmazonOpenSearchServerless: "Amazon OpenSearch Serverless",
  Splunk: "Splunk",
  HttpEndpoint: "an HTTP endpoint",
  Snowflake: "Snowflake",
  Iceberg: "Apache Iceberg tables",
};

/**
 * Decides by the table above. Pure: the same stream gives the same verdict and text.
 *
 * @param functionArn of our transformation, unqualified
 */
export function eligibilityOf(stream: DeliveryStream, functionArn: string): Eligibility {
  const { status, destinations, hasMoreDestinations } = stream;
  if (status !== undefined && status !== "ACTIVE") {
    return refusal("not-active", `The stream is ${status}, not ACTIVE; apply again when it is.`);
  }
  const [destination] = destinations;
  if (destination === undefined) return refusal("no-destination", "The stream has no destination.");
  if (destinations.length > 1 || hasMoreDestinations) {
    return refusal(
      "several-destinations",
      "The stream has several destinations; the transformation is attached only where there is one.",
    );
  }
  if (destination.kind === "S3") {
    return refusal(
      "legacy-s3",
      "The stream has a legacy S3 destination, which takes no transformation; update it to an extended S3 destination and apply again.",
    );
  }
  if (destination.kind !== "ExtendedS3") {
    return refusal(
      "not-s3",
      `The stream delivers to ${destinationNames[destination.kind] ?? destination.kind}; the transformation is attached only where the destination is Amazon S3.`,
    );
  }
  const { enabled, processors } = destination.processing;
  const others = processors.filter((processor) => !invokesFunction(processor, functionArn));
  if (enabled && others.length < processors.length) return { eligible: true, reason: "already-attached" };
  if (others.length === 0) return { eligible: true, reason: "free" };
  const types = others.map(({ Type }) => Type ?? "unknown").join(", ");
  return enabled
    ? refusal(
        "other-processor",
        `The stream has a processor already (${types}); the transformation is attached only where there is none.`,
      )
    : refusal(
        "disabled-processor",
        `The stream has a processor that is switched off (${types}), and attaching would switch it on; remove it and apply again.`,
      );
}

function refusal(reason: RefusalReason, text: string): Eligibility {
  return { eligible: false, reason, text };
}
