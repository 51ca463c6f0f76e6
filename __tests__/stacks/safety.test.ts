import { runInNewContext } from "node:vm";
import { eventFilterPatterns } from "../../functions/contract/event-filter.ts";
import { lambdaRuntimes } from "../../functions/contract/lambda-runtimes.ts";
import { senderMappingFor } from "../../functions/contract/sender-scaling.ts";
import { type StackName, stackNames } from "../../stacks/app.ts";
import {
  addressesOf,
  dependenciesOf,
  kinesisStackNames,
  resource,
  resourcesOf,
  type SynthesisedStack,
  synthesiseAll,
} from "./synthesised.ts";

let stacks: Record<StackName, SynthesisedStack>;
beforeAll(() => {
  stacks = synthesiseAll();
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL expressions
const key = "${var.kms_key_arn}";
const protection = "${var.deletion_protection}";

describe.each(stackNames)("what %s keeps", (name) => {
  test("every log group has a retention and takes the user's key", () => {
    for (const [id, group] of resourcesOf(stacks[name], "aws_cloudwatch_log_group"))
      expect({ id, ...group }).toMatchObject({
        id,
        retention_in_days: "${var.log_retention_days}",
        kms_key_id: key,
      });
  });

  test("every function logs to a group of ours", () => {
    for (const [id, lambda] of resourcesOf(stacks[name], "aws_lambda_function"))
      expect(lambda.logging_config).toMatchObject({ log_group: `\${aws_cloudwatch_log_group.${id}.name}` });
  });

  test("the table is encrypted, recoverable and protected, and its items leave at expires_at", () => {
    expect(resource(stacks[name], "aws_dynamodb_table.message_state")).toMatchObject({
      hash_key: "application_message_id",
      attribute: [{ name: "application_message_id", type: "S" }],
      ttl: { attribute_name: "expires_at", enabled: true },
      point_in_time_recovery: {
        enabled: "${var.point_in_time_recovery_days > 0}",
        recovery_period_in_days:
          "${var.point_in_time_recovery_days > 0 ? var.point_in_time_recovery_days : null}",
      },
      server_side_encryption: { enabled: "${local.has_kms_key}", kms_key_arn: key },
      deletion_protection_enabled: protection,
      billing_mode: '${var.table_capacity == null ? "PAY_PER_REQUEST" : "PROVISIONED"}',
    });
  });

  test("a destroy begins with a table that AWS refuses to delete, before anything else", () => {
    const guard = "aws_dynamodb_table.deletion_guard";
    expect(resource(stacks[name], guard)).toMatchObject({
      name: "${var.name_prefix}-deletion-guard",
      billing_mode: "PAY_PER_REQUEST",
      deletion_protection_enabled: protection,
      server_side_encryption: { enabled: "${local.has_kms_key}", kms_key_arn: key },
    });
    const others = addressesOf(stacks[name]).filter((address) => address !== guard);
    expect([...dependenciesOf(stacks[name], guard)].sort()).toEqual(others);
  });

  test("everything waits for what takes the name, and for the look at the name of before", () => {
    const claim = "aws_scheduler_schedule_group.retries";
    const first = [claim, "terraform_data.name_prefix"];
    const waiting = addressesOf(stacks[name]).filter((address) =>
      dependenciesOf(stacks[name], address).includes(claim),
    );
    expect(waiting).toEqual(addressesOf(stacks[name]).filter((address) => !first.includes(address)));
    for (const address of first) expect(dependenciesOf(stacks[name], address)).toEqual([]);
    expect(resource(stacks[name], claim).lifecycle).toMatchObject({
      precondition: [
        {
          condition: "${!var.deletion_protection || terraform_data.name_prefix.output == var.name_prefix}",
        },
      ],
    });
  });

  test("whether there is a key is asked of an input that a plan knows, where that is set", () => {
    expect(stacks[name].locals?.has_kms_key).toBe(
      "${var.encrypt_with_kms_key == null ? var.kms_key_arn != null : var.encrypt_with_kms_key}",
    );
    expect(stacks[name].variable.encrypt_with_kms_key).toMatchObject({ nullable: true, default: null });
  });

  test("every role is on the path and within the boundary that the account asks for", () => {
    for (const [id, role] of resourcesOf(stacks[name], "aws_iam_role"))
      expect({ id, ...role }).toMatchObject({
        id,
        path: "${var.iam_path}",
        permissions_boundary: "${var.permissions_boundary_arn}",
        tags: "${var.tags}",
      });
  });

  test("the table of gates is encrypted, paid per request, and there unless another's is used", () => {
    expect(resource(stacks[name], "aws_dynamodb_table.send_gates")).toMatchObject({
      count: "${var.send_gate_table_name == null ? 1 : 0}",
      name: "${var.name_prefix}-send-gates",
      hash_key: "gate",
      attribute: [{ name: "gate", type: "S" }],
      ttl: { attribute_name: "expires_at", enabled: true },
      server_side_encryption: { enabled: "${local.has_kms_key}", kms_key_arn: key },
      billing_mode: "PAY_PER_REQUEST",
      point_in_time_recovery: { enabled: false },
      deletion_protection_enabled: false,
    });
    expect(stacks[name].output.send_gate_table_name?.value).toBe(
      "${var.send_gate_table_name == null ? one(aws_dynamodb_table.send_gates[*].name) : var.send_gate_table_name}",
    );
  });

  test("every queue is encrypted and reached over TLS only", () => {
    const policies = resourcesOf(stacks[name], "aws_sqs_queue_policy").map(([, { queue_url }]) => queue_url);
    for (const [id, queue] of resourcesOf(stacks[name], "aws_sqs_queue")) {
      expect(queue).toMatchObject({
        kms_master_key_id: key,
        sqs_managed_sse_enabled: "${local.has_kms_key ? null : true}",
      });
      expect(policies).toContain(`\${aws_sqs_queue.${id}.url}`);
    }
  });

  test("two hours in which every worker fails leave nothing in the dead-letter queue", () => {
    const retry = resource(stacks[name], "aws_sqs_queue.retry");
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(String(retry.redrive_policy));
    expect(deadLetterTargetArn).toMatch(/:sqs:.*:\$\{aws_sqs_queue\.retry_dead_letters\.name\}$/);
    // A failed message is hidden until its visibility timeout is over, and moved when it would be received once more.
    expect(Number(retry.visibility_timeout_seconds) * maxReceiveCount).toBeGreaterThan(2 * 3600);
    // What can never be handled shall not stay among the good ones for days either.
    expect(Number(retry.visibility_timeout_seconds) * maxReceiveCount).toBeLessThan(6 * 3600);
  });

  test("a queue keeps a retry message while it is of use, and the dead-letter queue longer", () => {
    const retry = resource(stacks[name], "aws_sqs_queue.retry");
    const deadLetters = resource(stacks[name], "aws_sqs_queue.retry_dead_letters");
    const longestValidity = /<= (\d+)/.exec(
      stacks[name].variable.message_validity_seconds?.validation?.[0]?.condition ?? "",
    )?.[1];
    expect(retry.message_retention_seconds).toBe(Number(longestValidity));
    // A moved message keeps its age.
    expect(deadLetters.message_retention_seconds).toBe(14 * 86_400);
    expect(Number(deadLetters.message_retention_seconds)).toBeGreaterThan(
      Number(retry.message_retention_seconds),
    );
  });
});

describe.each([...kinesisStackNames, "sms-retry-end-user-messaging"] as const)(
  "the archive of %s",
  (name) => {
    test("the access log of the bucket goes to a bucket of the user's, where one is named", () => {
      expect(resource(stacks[name], "aws_s3_bucket_logging.events")).toMatchObject({
        count: "${var.access_log_bucket_name == null ? 0 : 1}",
        bucket: "${aws_s3_bucket.events.id}",
        target_bucket: "${var.access_log_bucket_name}",
        target_prefix: "${aws_s3_bucket.events.bucket}/",
      });
    });

    test("the bucket is private, encrypted, owned by the account, and protected", () => {
      expect(resource(stacks[name], "aws_s3_bucket.events").force_destroy).toBe(
        "${!var.deletion_protection}",
      );
      expect(resource(stacks[name], "aws_s3_bucket_public_access_block.events")).toMatchObject({
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
      });
      expect(resource(stacks[name], "aws_s3_bucket_ownership_controls.events").rule).toEqual({
        object_ownership: "BucketOwnerEnforced",
      });
      expect(
        resource(stacks[name], "aws_s3_bucket_server_side_encryption_configuration.events").rule,
      ).toEqual([
        {
          apply_server_side_encryption_by_default: {
            kms_master_key_id: key,
            sse_algorithm: '${local.has_kms_key ? "aws:kms" : "AES256"}',
          },
          bucket_key_enabled: true,
        },
      ]);
    });

    test("phone numbers in the bucket leave after the time that the user chose", () => {
      expect(resource(stacks[name], "aws_s3_bucket_lifecycle_configuration.events").rule).toEqual([
        {
          id: "expire",
          status: '${var.archive_retention_days == null ? "Disabled" : "Enabled"}',
          filter: [{ prefix: "" }],
          expiration: [{ days: "${coalesce(var.archive_retention_days, 365)}" }],
        },
        expect.objectContaining({ id: "abort-unfinished-uploads", status: "Enabled" }),
      ]);
    });

    test("the archive keeps every event, whatever the functions do", () => {
      const archive = resource(stacks[name], "aws_kinesis_firehose_delivery_stream.event_archive");
      expect(archive).toMatchObject({
        destination: "extended_s3",
        extended_s3_configuration: {
          bucket_arn: "arn:${data.aws_partition.current.partition}:s3:::${aws_s3_bucket.events.bucket}",
          prefix: "archive/!{timestamp:yyyy/MM/dd/HH}/",
          compression_format: "GZIP",
          kms_key_arn: key,
        },
      });
      expect(JSON.stringify(archive)).not.toContain("aws_lambda_function");
    });
  },
);

describe.each(kinesisStackNames)("what reaches the functions of %s", (name) => {
  const mapping = () =>
    resource(stacks[name], "aws_lambda_event_source_mapping.consume_kinesis") as Record<string, unknown> & {
      filter_criteria: { filter: { pattern: string }[] };
    };

  test("fault 33: an alarm tells that a shard is not kept up with, and the input that helps", () => {
    expect(resource(stacks[name], "aws_cloudwatch_metric_alarm.consume_kinesis_iterator_age")).toMatchObject({
      namespace: "AWS/Lambda",
      metric_name: "IteratorAge",
      dimensions: { FunctionName: "${aws_lambda_function.consume_kinesis.function_name}" },
      statistic: "Maximum",
      comparison_operator: "GreaterThanThreshold",
      threshold: expect.stringContaining(", 300000)"),
      alarm_description: expect.stringContaining("consumer_concurrency"),
    });
    expect(mapping().parallelization_factor).toBe("${var.consumer_concurrency}");
  });

  test("the stream is read from shortly before the first apply, however often the mapping is made", () => {
    expect(mapping()).toMatchObject({
      starting_position: "AT_TIMESTAMP",
      starting_position_timestamp: "${terraform_data.stream_read_from.output}",
    });
    const { depends_on: _order, ...readFrom } = resource(stacks[name], "terraform_data.stream_read_from");
    expect(readFrom).toEqual({
      "//": expect.anything(),
      // The time of the plan, so nothing older is read at first; Lambda takes no time in the future.
      input: '${timeadd(plantimestamp(), "-5m")}',
      lifecycle: { ignore_changes: ["input"] },
    });
  });

  test("a batch is tried until its age ends it, and kept before the stream forgets it", () => {
    expect(mapping()).toMatchObject({
      function_response_types: ["ReportBatchItemFailures"],
      bisect_batch_on_function_error: true,
      maximum_retry_attempts: -1,
      destination_config: {
        on_failure: {
          destination_arn: "arn:${data.aws_partition.current.partition}:s3:::${aws_s3_bucket.events.bucket}",
        },
      },
    });
    const shortestRetentionSeconds = 24 * 3600;
    expect(Number(mapping().maximum_record_age_in_seconds)).toBeLessThan(shortestRetentionSeconds);
    expect(Number(mapping().maximum_record_age_in_seconds)).toBeGreaterThan(12 * 3600);
    expect(Number(mapping().batch_size)).toBeGreaterThanOrEqual(100);
  });

  test("Terraform filters by the patterns that the functions know, by event format and project", () => {
    const project = "${var.pinpoint_application_id}";
    const [none, all] = [eventFilterPatterns("none", project), eventFilterPatterns("retried", project)];
    expect(all[0]).toContain(`"application":{"app_id":["${project}"]}`);
    expect(all[1]).toContain('"application":{"app_id":[{"exists":false}]}');
    expect(mapping().filter_criteria.filter).toEqual(
      all.map((pattern, index) => ({
        pattern: `\${var.track_deliveries == "none" ? ${JSON.stringify(none[index])} : ${JSON.stringify(pattern)}}`,
      })),
    );
  });

  test("recording all deliveries needs no other filter than recording those of retried messages", () => {
    expect(eventFilterPatterns("all", "a")).toEqual(eventFilterPatterns("retried", "a"));
  });
});

/** Ceilings as the inputs give them. */
interface Rates {
  readonly max_sends_per_second: number;
  readonly send_rates?: Readonly<Record<string, number>>;
  readonly application_sends_per_second?: number;
}

/** The value of an HCL expression of numbers over ceilings, in what HCL and JavaScript have in common. */
function computed(hcl: string, rates: Rates): unknown {
  const expression = /^\$\{(.+)\}$/.exec(hcl)?.[1] ?? "";
  const { ceil, floor, max, min } = Math;
  const functions = {
    ceil,
    floor,
    max,
    min,
    sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
    concat: (...lists: readonly (readonly number[])[]) => lists.flat(),
    values: (map: Readonly<Record<string, number>>) => Object.values(map),
  };
  // HCL expands the last argument by dots behind it, JavaScript by dots before it.
  const script = expression.replaceAll(/([\w.]+\([\w.]+\))\.\.\./g, "...$1");
  const inputs = { send_rates: {}, application_sends_per_second: 0, ...rates };
  return runInNewContext(script.replaceAll("var.", "inputs."), { ...functions, inputs });
}

describe.each(stackNames)("what runs in %s", (name) => {
  test("by default it runs on what provider 5.100 knows, and on what the bundles are made for", () => {
    const { default: runtime, validation } = stacks[name].variable.lambda_runtime ?? {};
    // The list of runtimes of provider 5.100 ends with nodejs22.x; it refuses every other at plan.
    expect(runtime).toBe("nodejs22.x");
    expect(validation?.[0]?.condition).toContain('["nodejs22.x", "nodejs24.x", "nodejs26.x"]');
    // cli/bundle.ts bundles for the first.
    expect(lambdaRuntimes[0]).toBe(runtime);
    for (const [, lambda] of resourcesOf(stacks[name], "aws_lambda_function"))
      expect(lambda.runtime).toBe("${var.lambda_runtime}");
  });

  test("every source is connected only after the function has its permissions", () => {
    for (const [id, { depends_on }] of resourcesOf(stacks[name], "aws_lambda_event_source_mapping"))
      expect(depends_on).toEqual(
        expect.arrayContaining([`aws_iam_role_policy.${id}`, `aws_iam_role_policy.${id}_key`]),
      );
  });

  test("one failed retry message does not bring back its neighbours", () => {
    expect(resource(stacks[name], "aws_lambda_event_source_mapping.resend")).toMatchObject({
      function_response_types: ["ReportBatchItemFailures"],
    });
  });

  const scalingAt = (rates: Rates) => {
    const mapping = resource(stacks[name], "aws_lambda_event_source_mapping.resend") as {
      batch_size: string;
      maximum_batching_window_in_seconds: string;
      scaling_config: { maximum_concurrency: string };
    };
    const { memory_size } = resource(stacks[name], "aws_lambda_function.resend");
    return {
      batchSize: computed(mapping.batch_size, rates),
      window: computed(mapping.maximum_batching_window_in_seconds, rates),
      workers: computed(mapping.scaling_config.maximum_concurrency, rates),
      memory: computed(String(memory_size), rates),
    };
  };

  test.each<[number, ReturnType<typeof scalingAt>]>([
    [0.2, { batchSize: 10, window: 0, workers: 5, memory: 256 }],
    [10, { batchSize: 10, window: 0, workers: 5, memory: 256 }],
    [11, { batchSize: 10, window: 0, workers: 5, memory: 512 }],
    [30, { batchSize: 10, window: 0, workers: 5, memory: 512 }],
    [31, { batchSize: 10, window: 0, workers: 5, memory: 1024 }],
    [100, { batchSize: 10, window: 0, workers: 13, memory: 1024 }],
    [101, { batchSize: 100, window: 1, workers: 6, memory: 1024 }],
    [4_000, { batchSize: 100, window: 1, workers: 200, memory: 1024 }],
  ])("at %s parts a second resend is called as was measured", (rate, scaling) => {
    expect(scalingAt({ max_sends_per_second: rate })).toEqual(scaling);
  });

  test("the simulation calls resend as the stacks do", () => {
    for (const rate of [0.2, 7, 40, 41, 99.5, 100, 100.5, 333, 4_000, 90_000]) {
      const { memory: _, ...scaling } = scalingAt({ max_sends_per_second: rate });
      const { batchSize, batchingWindowSeconds, concurrency } = senderMappingFor(rate);
      expect(scaling).toEqual({ batchSize, window: batchingWindowSeconds, workers: concurrency });
    }
  });

  test("the workers follow the sum of all ceilings that the inputs name", () => {
    expect(scalingAt({ max_sends_per_second: 10, send_rates: { "12345": 100, SHOP: 0.5 } })).toEqual(
      scalingAt({ max_sends_per_second: 110.5 }),
    );
  });

  test("whatever the ceilings, Lambda takes what the mapping asks for", () => {
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`id-${index}`, 4_000]));
    for (const send_rates of [{}, { SHOP: 0.2 }, { SHOP: 3 }, many]) {
      for (const max_sends_per_second of [0.2, 0.5, 1, 7, 8, 9, 10, 11, 99, 333, 4_000]) {
        const { batchSize, window, workers } = scalingAt({ max_sends_per_second, send_rates });
        expect(workers).toBeGreaterThanOrEqual(2);
        expect(workers).toBeLessThanOrEqual(1_000);
        expect(Number.isInteger(batchSize)).toBe(true);
        // Lambda takes a batch of more than ten only with a window of a second or more.
        if (Number(batchSize) > 10) expect(window).toBeGreaterThanOrEqual(1);
      }
    }
  });

  test("a plan is refused where the application leaves nothing of some ceiling", () => {
    const { lifecycle } = resource(stacks[name], "aws_lambda_function.resend") as {
      lifecycle: { precondition: { condition: string; error_message: string }[] };
    };
    const [condition, ...others] = lifecycle.precondition.filter(({ condition: hcl }) =>
      hcl.includes("var.application_sends_per_second"),
    );
    expect(others).toEqual([]);
    expect(condition?.error_message).toContain("application_sends_per_second");
    const isAllowed = (rates: Rates) => computed(String(condition?.condition), rates);
    expect(isAllowed({ max_sends_per_second: 10 })).toBe(true);
    expect(isAllowed({ max_sends_per_second: 10, application_sends_per_second: 9.5 })).toBe(true);
    expect(isAllowed({ max_sends_per_second: 10, application_sends_per_second: 10 })).toBe(false);
    const send_rates = { SHOP: 5, "12345": 100 };
    expect(isAllowed({ max_sends_per_second: 10, send_rates, application_sends_per_second: 4 })).toBe(true);
    expect(isAllowed({ max_sends_per_second: 10, send_rates, application_sends_per_second: 5 })).toBe(false);
  });

  test("an alarm tells that a gate is closed, and one a day that sends are paused without an end", () => {
    for (const [alarm, metric] of [
      ["send_breaker_closed", "SendBreakerClosed"],
      ["send_paused_without_end", "SendPausedWithoutEnd"],
    ])
      expect(resource(stacks[name], `aws_cloudwatch_metric_alarm.${alarm}`)).toMatchObject({
        namespace: "${var.name_prefix}",
        metric_name: metric,
        dimensions: { service: "resend" },
        statistic: "Sum",
        period: 300,
        comparison_operator: "GreaterThanThreshold",
        threshold: expect.stringContaining(", 0)"),
      });
  });
});

describe("the new stream", () => {
  test("it is encrypted, and scales on demand unless shards are asked for", () => {
    expect(resource(stacks["sms-retry-new-stream"], "aws_kinesis_stream.events")).toMatchObject({
      encryption_type: "KMS",
      kms_key_id: '${local.has_kms_key ? var.kms_key_arn : "alias/aws/kinesis"}',
      stream_mode_details: {
        stream_mode: '${var.stream_shard_count == null ? "ON_DEMAND" : "PROVISIONED"}',
      },
    });
  });

  const eventStream = "aws_pinpoint_event_stream.events";

  test("Pinpoint writes to it only when the archive is there, which starts at the newest", () => {
    expect(resource(stacks["sms-retry-new-stream"], eventStream).depends_on).toEqual(
      expect.arrayContaining([
        "aws_iam_role_policy.pinpoint_event_stream",
        "aws_kinesis_firehose_delivery_stream.event_archive",
      ]),
    );
  });

  test("an unknown project fails before the engine and the consumer, which miss nothing by it", () => {
    const stack = stacks["sms-retry-new-stream"];
    const waiting = Object.entries(stack.resource).flatMap(([type, byName]) =>
      Object.entries(byName).flatMap(([name, { depends_on }]) =>
        [depends_on ?? []].flat().includes(eventStream) ? [`${type}.${name}`] : [],
      ),
    );
    expect(waiting).toEqual(
      expect.arrayContaining([
        "aws_dynamodb_table.message_state",
        "aws_sqs_queue.retry",
        "aws_lambda_function.resend",
        "aws_lambda_function.consume_kinesis",
      ]),
    );
    // It takes the deployment's name, so nothing at all comes before it.
    expect(waiting).not.toContain("aws_scheduler_schedule_group.retries");
    // The consumer reads from before the first plan on, so it need not be there first.
    expect(resource(stack, "aws_lambda_event_source_mapping.consume_kinesis").starting_position).toBe(
      "AT_TIMESTAMP",
    );
  });

  test("the event stream is left alone where the user says so, and else Pinpoint's end is said", () => {
    const stack = stacks["sms-retry-new-stream"];
    expect(resource(stack, eventStream).count).toBe("${var.manage_event_stream ? 1 : 0}");
    const [ended, ...others] = stack.check?.pinpoint_event_stream?.assert ?? [];
    expect(others).toEqual([]);
    expect(ended?.condition).toBe(
      '${!var.manage_event_stream || timecmp(plantimestamp(), "2026-10-30T00:00:00Z") < 0}',
    );
    expect(ended?.error_message).toContain("sms-retry-end-user-messaging");
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL expressions
