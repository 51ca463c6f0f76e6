import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resource, resourcesOf, type SynthesisedStack, synthesiseAll } from "./synthesised.ts";

let stack: SynthesisedStack;
beforeAll(() => {
  stack = synthesiseAll()["sms-retry-firehose"];
});

const attachment = "aws_lambda_invocation.attach_transformation";
const recheck = "aws_lambda_invocation.recheck_transformation";

/** Everything that must exist before a resource, as Terraform reads it: what it names, and what that names. */
function neededBy(address: string, found = new Set<string>()): Set<string> {
  const text = JSON.stringify({ ...resource(stack, address), "//": undefined, lifecycle: undefined });
  for (const [named] of text.matchAll(/\baws_[a-z0-9_]+\.[a-z0-9_]+/g)) {
    const [type = "", name = ""] = named.split(".");
    if (found.has(named) || stack.resource[type]?.[name] === undefined) continue;
    found.add(named);
    neededBy(named, found);
  }
  return found;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are HCL expressions
test("a Pinpoint project is asked for only where the service is Pinpoint", () => {
  expect(stack.variable.pinpoint_application_id).toMatchObject({ default: null });
  expect(resource(stack, "aws_lambda_function.transform_firehose").lifecycle).toMatchObject({
    precondition: expect.arrayContaining([
      {
        condition: '${var.sms_service != "pinpoint" || var.pinpoint_application_id != null}',
        error_message: expect.stringContaining("give pinpoint_application_id, or set sms_service"),
      },
    ]),
  });
  expect(stack.locals?.pinpoint_project).toBe('${coalesce(var.pinpoint_application_id, "none")}');
  for (const name of ["transform_firehose", "resend", "produce"])
    expect(JSON.stringify(resource(stack, `aws_lambda_function.${name}`).environment)).toContain(
      '"PINPOINT_APPLICATION_ID":"${var.pinpoint_application_id == null ? \\"\\" : var.pinpoint_application_id}"',
    );
});

test("where End User Messaging sends, an hour of sends without an event raises an alarm", () => {
  const alarm = resource(stack, "aws_cloudwatch_metric_alarm.sends_without_events") as {
    count: string;
    metric_query: { id: string; expression?: string; metric?: { metric_name: string; dimensions: object } }[];
  };
  const [verdict, ...sums] = alarm.metric_query;

  expect(alarm.count).toBe('${var.sms_service == "end-user-messaging" ? 1 : 0}');
  expect(sums.map(({ id, metric }) => [id, metric?.metric_name, metric?.dimensions])).toEqual([
    ["produced", "EndUserMessagingSent", { service: "produce" }],
    ["resent", "EndUserMessagingSent", { service: "resend" }],
    ["events", "EndUserMessagingEvent", { service: "transform-firehose" }],
  ]);
  expect(verdict?.expression).toBe(
    "IF(FILL(produced, 0) + FILL(resent, 0) > 0 AND FILL(events, 0) == 0, 1, 0)",
  );
});

describe("the attachment", () => {
  test("it is made by create and update, and undone by delete", () => {
    expect(resource(stack, attachment)).toMatchObject({
      function_name: "${aws_lambda_function.attach_transformation.function_name}",
      lifecycle_scope: "CRUD",
      input:
        "${jsonencode({ delivery_stream_name = var.firehose_delivery_stream_name, " +
        "transformation_function_arn = aws_lambda_function.transform_firehose.arn, " +
        "buffer_size_megabytes = var.firehose_buffer_size_megabytes, " +
        "buffer_interval_seconds = var.firehose_buffer_interval_seconds, " +
        "settle_seconds = var.firehose_detach_wait_seconds })}",
    });
  });

  test("fault 49: it is destroyed before anything that the transformation or the detaching needs", () => {
    const needed = neededBy(attachment);
    for (const type of [
      "aws_lambda_function",
      "aws_iam_role",
      "aws_iam_role_policy",
      "aws_cloudwatch_log_group",
      "aws_dynamodb_table",
      "aws_scheduler_schedule_group",
      "aws_lambda_event_source_mapping",
    ])
      for (const [name] of resourcesOf(stack, type).filter(([id]) => !/^(produce|deletion_guard)/.test(id)))
        expect(needed).toContain(`${type}.${name}`);
    expect(needed).toContain("aws_sqs_queue.retry");
  });

  test("another stream is another attachment; the right to the former one stays until it is off", () => {
    expect(resource(stack, attachment).triggers).toEqual({
      delivery_stream_name: "${var.firehose_delivery_stream_name}",
    });
    expect(resource(stack, "aws_iam_role_policy.attach_transformation_stream").name).toBe(
      "change-${var.firehose_delivery_stream_name}",
    );
  });

  test("a function that is replaced is off the stream meanwhile; one with new code is not", () => {
    expect(resource(stack, attachment).lifecycle).toEqual({
      replace_triggered_by: ["aws_lambda_function.transform_firehose.arn"],
    });
    expect(JSON.stringify(resource(stack, attachment))).not.toContain("source_code_hash");
  });

  test("it is looked at again after every change of it and of the code, and never undone by that", () => {
    const { lifecycle, lifecycle_scope, triggers, input, depends_on } = resource(stack, recheck);
    expect({ lifecycle, lifecycle_scope, depends_on }).toEqual({
      lifecycle: { replace_triggered_by: [attachment] },
      lifecycle_scope: "CREATE_ONLY",
      depends_on: [attachment, "aws_scheduler_schedule_group.retries"],
    });
    expect(triggers).toEqual({
      attaching_code: "${aws_lambda_function.attach_transformation.source_code_hash}",
      transforming_code: "${aws_lambda_function.transform_firehose.source_code_hash}",
    });
    const attaching = String(resource(stack, attachment).input);
    expect(input).toBe(attaching.replace(" })}", ', tf = { action = "update" } })}'));
  });

  test("the outputs are what was found last", () => {
    // cdktf's own display of outputs shows nothing of a boolean.
    expect(stack.output.firehose_attached?.value).toBe(
      `\${tostring(jsondecode(${recheck}.result).attached)}`,
    );
    expect(stack.output.firehose_attachment_reason?.value).toBe(`\${jsondecode(${recheck}.result).reason}`);
  });

  test("the detaching function has time to wait as long as a user may ask for", () => {
    const condition = stack.variable.firehose_detach_wait_seconds?.validation?.[0]?.condition;
    expect(condition).toContain("var.firehose_detach_wait_seconds <= 600");
    expect(resource(stack, "aws_lambda_function.attach_transformation").timeout).toBe(720);
  });

  test("the transformation answers well within the time that Firehose gives", () => {
    expect(Number(resource(stack, "aws_lambda_function.transform_firehose").timeout)).toBeLessThan(300);
  });
});

describe("the stream", () => {
  test("it is the user's: nothing of it is created, and no bucket beside it", () => {
    expect(stack.resource).not.toHaveProperty("aws_kinesis_firehose_delivery_stream");
    expect(stack.resource).not.toHaveProperty("aws_s3_bucket");
  });

  test("an alarm tells when Firehose cannot have it transformed", () => {
    expect(resource(stack, "aws_cloudwatch_metric_alarm.firehose_processing")).toMatchObject({
      namespace: "AWS/Firehose",
      metric_name: "ExecuteProcessing.Success",
      dimensions: { DeliveryStreamName: "${var.firehose_delivery_stream_name}" },
      comparison_operator: "LessThanThreshold",
      threshold: expect.stringContaining(", 1)"),
    });
  });

  test("an alarm tells when records come by and the transformation is not called for half an hour", () => {
    const alarm = resource(stack, "aws_cloudwatch_metric_alarm.transform_firehose_not_called");
    expect(alarm).toMatchObject({
      // What comes at the end of one period may be handed over in the next: one alone says nothing.
      evaluation_periods: 2,
      comparison_operator: "GreaterThanThreshold",
      threshold: 0,
    });
    const [verdict, ...sums] = alarm.metric_query as { id: string; expression?: string; metric?: object }[];
    expect(verdict?.expression).toBe("IF(FILL(put, 0) + FILL(read, 0) > 0 AND FILL(called, 0) == 0, 1, 0)");
    const seconds = Number(
      stack.variable.firehose_buffer_interval_seconds?.validation?.[0]?.condition.match(/<= (\d+)/)?.[1],
    );
    const ofStream = (metric_name: string) => ({
      namespace: "AWS/Firehose",
      metric_name,
      dimensions: { DeliveryStreamName: "${var.firehose_delivery_stream_name}" },
      stat: "Sum",
      period: seconds,
    });
    expect(sums).toEqual([
      { id: "put", metric: ofStream("IncomingRecords") },
      { id: "read", metric: ofStream("DataReadFromKinesisStream.Records") },
      {
        id: "called",
        metric: {
          namespace: "AWS/Lambda",
          metric_name: "Invocations",
          dimensions: { FunctionName: "${aws_lambda_function.transform_firehose.function_name}" },
          stat: "Sum",
          period: seconds,
        },
      },
    ]);
  });

  test("an alarm tells of events that went on unhandled, since the answer never does", () => {
    expect(resource(stack, "aws_cloudwatch_metric_alarm.transform_firehose_event_failed")).toMatchObject({
      namespace: "${var.name_prefix}",
      metric_name: "EventFailed",
      dimensions: { service: "transform-firehose" },
      comparison_operator: "GreaterThanThreshold",
      threshold: expect.stringContaining(", 0)"),
    });
  });

  test("an alarm tells before the transformation runs out of time", () => {
    const { timeout } = resource(stack, "aws_lambda_function.transform_firehose");
    expect(resource(stack, "aws_cloudwatch_metric_alarm.transform_firehose_duration")).toMatchObject({
      metric_name: "Duration",
      statistic: "Maximum",
      threshold: expect.stringContaining(`, ${Number(timeout) * 750})`),
    });
  });
});

describe("the look at the stream at plan", () => {
  const check = (name: string) => {
    const [found, ...others] = stack.check?.[name]?.assert ?? [];
    if (found === undefined || others.length > 0)
      throw new Error(`The check ${name} has not one expectation.`);
    return found;
  };
  const refusals = () => String(stack.locals?.firehose_refusals);
  const hasTransformation = () => String(stack.locals?.firehose_has_transformation);

  test("it reads the stream outside the checks, where an empty plan counts no change", () => {
    const reading = {
      count: "${var.firehose_plan_check ? 1 : 0}",
      type_name: "AWS::KinesisFirehose::DeliveryStream",
      identifier: "${var.firehose_delivery_stream_name}",
    };
    expect(stack.data.aws_cloudcontrolapi_resource).toMatchObject({
      delivery_stream: reading,
      // An apply that attaches changes the stream: it is looked at again after that.
      attached_delivery_stream: { ...reading, depends_on: [recheck] },
    });
    expect(stack.data.aws_cloudcontrolapi_resource?.delivery_stream).not.toHaveProperty("depends_on");
    for (const each of Object.values(stack.check ?? {})) expect(each).not.toHaveProperty("data");
  });

  test("its conditions name verdicts alone, since Terraform prints what a condition names", () => {
    expect(check("firehose_attachment").condition).toBe("${length(local.firehose_refusals) == 0}");
    expect(check("firehose_attached").condition).toBe(
      "${!var.firehose_plan_check || length(local.firehose_refusals) > 0 || local.firehose_had_transformation ? true : " +
        `!jsondecode(${recheck}.result).attached || local.firehose_has_transformation}`,
    );
  });

  test("it has a sentence for each refusal of the table that a plan can foresee", () => {
    const table = readFileSync(
      join(process.cwd(), "functions/firehose-attachment/core/firehose-eligibility.ts"),
      "utf8",
    );
    const refused = [...table.matchAll(/\| refused \| ([a-z0-9-]+) \|$/gm)].map(([, reason]) => reason);
    expect(refused).toEqual([
      "not-active",
      "no-destination",
      "several-destinations",
      "legacy-s3",
      "not-s3",
      "other-processor",
      "disabled-processor",
    ]);
    // A plan does not see whether the stream is active.
    const foreseen = [...refusals().matchAll(/"([a-z0-9-]+)" = \{ applies = /g)].map(([, reason]) => reason);
    expect(foreseen).toEqual(refused.slice(1));
  });

  test("it can neither fail nor stay unknown: all is wrapped, and it names only what exists", () => {
    const wrapped = refusals().match(
      /\{ applies = try\(!\(.+?\), false\), text = try\(.+?, "it is not eligible\."\) \}/g,
    );
    expect(wrapped).toHaveLength(6);
    expect(hasTransformation()).toMatch(/^\$\{try\(.+, false\)\}$/);
    expect(refusals() + hasTransformation()).not.toMatch(/(?<!data\.)\baws_[a-z_]+\./);
  });

  test("it knows the name that the function will have", () => {
    expect(resource(stack, "aws_lambda_function.transform_firehose").function_name).toBe(
      "${var.name_prefix}-transform-firehose",
    );
    for (const text of [refusals(), hasTransformation()])
      expect(text).toContain('function:%s-transform-firehose", data.aws_partition.current.partition,');
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL expressions
