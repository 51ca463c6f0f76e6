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
      for (const [name] of resourcesOf(stack, type).filter(([id]) => !id.startsWith("produce")))
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
      depends_on: [attachment],
    });
    expect(triggers).toEqual({
      attaching_code: "${aws_lambda_function.attach_transformation.source_code_hash}",
      transforming_code: "${aws_lambda_function.transform_firehose.source_code_hash}",
    });
    const attaching = String(resource(stack, attachment).input);
    expect(input).toBe(attaching.replace(" })}", ', tf = { action = "update" } })}'));
  });

  test("the outputs are what was found last", () => {
    expect(stack.output.firehose_attached?.value).toBe(`\${jsondecode(${recheck}.result).attached}`);
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
      threshold: 1,
    });
  });

  test("an alarm tells of events that went on unhandled, since the answer never does", () => {
    expect(resource(stack, "aws_cloudwatch_metric_alarm.transform_firehose_event_failed")).toMatchObject({
      namespace: "${var.name_prefix}",
      metric_name: "EventFailed",
      dimensions: { service: "transform-firehose" },
      comparison_operator: "GreaterThanThreshold",
      threshold: 0,
    });
  });

  test("an alarm tells before the transformation runs out of time", () => {
    const { timeout } = resource(stack, "aws_lambda_function.transform_firehose");
    expect(resource(stack, "aws_cloudwatch_metric_alarm.transform_firehose_duration")).toMatchObject({
      metric_name: "Duration",
      statistic: "Maximum",
      threshold: Number(timeout) * 750,
    });
  });
});

describe("the look at the stream at plan", () => {
  const check = () => {
    const found = stack.check?.firehose_attachment;
    if (found === undefined) throw new Error("The stack has no check firehose_attachment.");
    return found;
  };

  test("it reads the stream inside the check, where a failure is a warning", () => {
    expect(check().data).toEqual({
      aws_cloudcontrolapi_resource: {
        delivery_stream: {
          type_name: "AWS::KinesisFirehose::DeliveryStream",
          identifier: "${var.firehose_delivery_stream_name}",
        },
      },
    });
    expect(stack.data).not.toHaveProperty("aws_cloudcontrolapi_resource");
  });

  test("it has one expectation for each refusal of the table that a plan can foresee", () => {
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
    expect(check().assert).toHaveLength(refused.length - 1);
  });

  test("it can neither fail nor stay unknown: all is wrapped, and it names only what exists", () => {
    for (const { condition, error_message } of check().assert) {
      expect(condition).toMatch(/^\$\{try\(.+, true\)\}$/);
      expect(error_message).toMatch(
        /^\$\{format\("[^"]+", var\.firehose_delivery_stream_name, try\(.+\)\)\}$/,
      );
      expect(condition + error_message).not.toMatch(/(?<!data\.)\baws_[a-z_]+\./);
    }
  });

  test("it knows the name that the function will have", () => {
    expect(resource(stack, "aws_lambda_function.transform_firehose").function_name).toBe(
      "${var.name_prefix}-transform-firehose",
    );
    const ofProcessors = check().assert.filter(({ condition }) => condition.includes("Processors"));
    expect(ofProcessors).toHaveLength(2);
    for (const { condition } of ofProcessors)
      expect(condition).toContain('function:%s-transform-firehose", data.aws_partition.current.partition,');
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are HCL expressions
