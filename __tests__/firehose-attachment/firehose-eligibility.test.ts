import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DeliveryStream,
  invokesFunction,
  streamOfDescription,
  streamOfReadModel,
} from "../../functions/firehose-attachment/core/delivery-stream.ts";
import { eligibilityOf } from "../../functions/firehose-attachment/core/firehose-eligibility.ts";
import {
  delimiter,
  describedStream,
  extendedS3,
  functionArn,
  lambdaProcessor,
  s3Destination,
  someoneElses,
} from "../support/delivery-streams.ts";

interface Facts {
  readonly status: "ACTIVE" | "untold" | "other";
  readonly destinations: "none" | "one" | "several";
  readonly kind: "ExtendedS3" | "S3" | "other";
  readonly processing: "on" | "off";
  readonly ours: "yes" | "no";
  readonly others: "some" | "none";
}

const values: { readonly [Key in keyof Facts]: readonly Facts[Key][] } = {
  status: ["ACTIVE", "untold", "other"],
  destinations: ["none", "one", "several"],
  kind: ["ExtendedS3", "S3", "other"],
  processing: ["on", "off"],
  ours: ["yes", "no"],
  others: ["some", "none"],
};

const everyCombination = Object.entries(values).reduce<Partial<Facts>[]>(
  (combinations, [key, each]) =>
    combinations.flatMap((facts) => each.map((value) => ({ ...facts, [key]: value }))),
  [{}],
) as Facts[];

/** The configuration of the first destination. */
function configuration({ processing, ours, others }: Facts) {
  return {
    ...s3Destination,
    ProcessingConfiguration: {
      Enabled: processing === "on",
      Processors: [
        ...(others === "some" ? [someoneElses] : []),
        ...(ours === "yes" ? [lambdaProcessor(functionArn)] : []),
      ],
    },
  };
}

/** Destinations under Firehose's names with either ending. An extended one is told twice. */
function destinations(facts: Facts, ending: string): object {
  if (facts.destinations === "none") return {};
  const first = configuration(facts);
  return {
    ...(facts.kind === "ExtendedS3" && {
      [`S3${ending}`]: s3Destination,
      [`ExtendedS3${ending}`]: first,
    }),
    ...(facts.kind === "S3" && { [`S3${ending}`]: first }),
    ...(facts.kind === "other" && { [`Redshift${ending}`]: first }),
    ...(facts.destinations === "several" && { [`Splunk${ending}`]: s3Destination }),
  };
}

function described(facts: Facts): DeliveryStream {
  return streamOfDescription(
    describedStream(destinations(facts, "DestinationDescription"), {
      DeliveryStreamStatus: facts.status === "ACTIVE" ? "ACTIVE" : "CREATING",
    }),
  );
}

function readModel(facts: Facts): DeliveryStream {
  return streamOfReadModel({
    Arn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/archive",
    DeliveryStreamName: "archive",
    DeliveryStreamType: "DirectPut",
    ...destinations(facts, "DestinationConfiguration"),
  });
}

describe("the table in the docs of firehose-eligibility.ts", () => {
  const rows = readFileSync(
    join(import.meta.dirname, "../../functions/firehose-attachment/core/firehose-eligibility.ts"),
    "utf8",
  )
    .split("\n")
    .filter((line) => line.startsWith(" * |"))
    .map((line) =>
      line
        .slice(4, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
    .slice(2);
  const rowOf = (facts: Facts): string[] | undefined =>
    rows.find((cells) =>
      Object.values(facts).every((value, index) => cells[index] === "*" || cells[index] === value),
    );

  test("is equal to the code for every combination, in the form in which a stream tells it", () => {
    expect(everyCombination).toHaveLength(3 * 3 * 3 * 2 * 2 * 2);
    for (const facts of everyCombination) {
      const stream = facts.status === "untold" ? readModel(facts) : described(facts);
      const [verdict, reason] = rowOf(facts)?.slice(6) ?? [];
      expect({ facts, ...eligibilityOf(stream, functionArn) }).toMatchObject({
        facts,
        eligible: verdict === "eligible",
        reason,
      });
    }
  });

  test("gives both forms of an active stream the same verdict and text", () => {
    for (const facts of everyCombination.filter(({ status }) => status === "ACTIVE")) {
      expect(eligibilityOf(described(facts), functionArn)).toEqual(
        eligibilityOf(readModel(facts), functionArn),
      );
    }
  });

  test("has no row that no combination reaches", () => {
    const reached = new Set(everyCombination.map(rowOf));
    expect(rows.filter((row) => !reached.has(row))).toEqual([]);
  });
});

describe("a refusal tells the owner what is in the way", () => {
  const textOf = (destination: object, others = {}): unknown => {
    const stream = streamOfDescription(describedStream(destination, others));
    const verdict = eligibilityOf(stream, functionArn);
    return verdict.eligible ? undefined : verdict.text;
  };

  test.each([
    ["Redshift", "Amazon Redshift"],
    ["Elasticsearch", "Amazon Elasticsearch Service"],
    ["Amazonopensearchservice", "Amazon OpenSearch Service"],
    ["AmazonOpenSearchServerless", "Amazon OpenSearch Serverless"],
    ["Splunk", "Splunk"],
    ["HttpEndpoint", "an HTTP endpoint"],
    ["Snowflake", "Snowflake"],
    ["Iceberg", "Apache Iceberg tables"],
    ["SomethingNew", "SomethingNew"],
  ])("%s is called %s", (kind, name) => {
    expect(textOf({ [`${kind}DestinationDescription`]: {} })).toBe(
      `The stream delivers to ${name}; the transformation is attached only where the destination is Amazon S3.`,
    );
  });

  test("the status is named", () => {
    expect(textOf(extendedS3(), { DeliveryStreamStatus: "DELETING" })).toBe(
      "The stream is DELETING, not ACTIVE; apply again when it is.",
    );
  });

  test("processors are named by type", () => {
    expect(textOf(extendedS3({ Enabled: true, Processors: [someoneElses, delimiter] }))).toBe(
      "The stream has a processor already (Lambda, AppendDelimiterToRecord); the transformation is attached only where there is none.",
    );
    expect(textOf(extendedS3({ Enabled: false, Processors: [delimiter] }))).toMatch(
      /switched off \(AppendDelimiterToRecord\)/,
    );
  });

  test("a processor that tells no type is named too", () => {
    expect(textOf(extendedS3({ Enabled: true, Processors: [{}, delimiter] }))).toMatch(
      /\(unknown, AppendDelimiterToRecord\)/,
    );
  });

  test("a missing destination and a legacy one are told, with what to do", () => {
    expect(textOf({})).toBe("The stream has no destination.");
    expect(textOf({ S3DestinationDescription: s3Destination })).toBe(
      "The stream has a legacy S3 destination, which takes no transformation; update it to an extended S3 destination and apply again.",
    );
  });

  test("destinations beyond those listed count", () => {
    expect(textOf(extendedS3(), { HasMoreDestinations: true })).toMatch(/several destinations/);
  });
});

test.each([
  [functionArn, true],
  [`${functionArn}:$LATEST`, true],
  [`${functionArn}:7`, true],
  [`${functionArn}-of-another-deployment`, false],
  ["arn:aws:lambda:us-east-1:210987654321:function:sms-retry-transform-firehose", false],
])("a processor that invokes %s is ours: %s", (arn, isOurs) => {
  expect(invokesFunction(lambdaProcessor(arn), functionArn)).toBe(isOurs);
});

test("a processor without parameters is not ours", () => {
  expect(invokesFunction({ Type: "Lambda" }, functionArn)).toBe(false);
});

test("a processor of another type is not ours, whatever its parameters say", () => {
  expect(invokesFunction({ ...lambdaProcessor(functionArn), Type: "Decompression" }, functionArn)).toBe(
    false,
  );
});
