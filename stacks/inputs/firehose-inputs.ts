/** The inputs that only the stack on a Firehose stream has. */
import { settingDefaults } from "../../functions/contract/environment.ts";
import type { Construct } from "../cdktf.ts";
import { Input } from "./input.ts";

/** The readings of these inputs, by their TypeScript names; see {@link firehoseInputs}. */
export type FirehoseInputs = ReturnType<typeof firehoseInputs>;

/** Declares the inputs. */
export function firehoseInputs(scope: Construct) {
  return { ...streamInputs(scope), ...attachmentInputs(scope) };
}

function streamInputs(scope: Construct) {
  return {
    deliveryStreamName: new Input(scope, "firehose_delivery_stream_name", {
      type: "string",
      description:
        "Name of the existing Firehose stream to which the delivery events go, in the region and account of the " +
        "deployment. It gets the transformation if its one destination is S3 (extended) and it has no other " +
        "processor; else nothing about it is changed, and the output firehose_attachment_reason says why. " +
        "1 to 64 letters, digits, underscores, hyphens and dots.",
      validation: {
        condition: 'can(regex("^[a-zA-Z0-9_.-]{1,64}$", var.firehose_delivery_stream_name))',
        message:
          "The input firehose_delivery_stream_name must be 1 to 64 letters, digits, underscores, hyphens and dots.",
      },
    }),
    planCheck: new Input(scope, "firehose_plan_check", {
      type: "bool",
      description:
        "Whether every plan looks at the stream: it fails where there is none, and warns of a stream that would be left " +
        "alone and of a transformation that somebody took off. Who plans needs cloudformation:GetResource and " +
        "firehose:DescribeDeliveryStream. false where they may not have them, or where the same configuration makes the " +
        "stream. true or false.",
      default: true,
    }),
    roleName: new Input(scope, "firehose_role_name", {
      type: "string",
      description:
        "Name (not ARN) of the role with which the stream delivers, to allow that role itself to invoke the " +
        "transformation, and the attaching function to pass it on. null changes no role: a policy on the function alone allows it. Set it where that is " +
        "not enough: the alarm firehose-processing fires after the transformation was attached, or Firehose " +
        "reports Lambda.InvokeAccessDenied. A permissions boundary or a service control policy " +
        "of your organization has to allow the two actions besides.",
      default: null,
      validation: {
        condition:
          'var.firehose_role_name == null || can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.firehose_role_name))',
        message:
          "The input firehose_role_name must be null or the name of an IAM role, without its path: 1 to 64 letters, digits and any of _+=,.@-.",
      },
    }),
  };
}

function attachmentInputs(scope: Construct) {
  return {
    dropRetriedEvents: new Input(scope, "firehose_drop_retried_events", {
      type: "bool",
      description:
        "Whether the event of a message that will be sent again is kept out of what the stream delivers, which " +
        "then shows final outcomes; false delivers every event. true or false.",
      default: settingDefaults.FIREHOSE_DROP_RETRIED_EVENTS,
    }),
    bufferSizeMegabytes: new Input(scope, "firehose_buffer_size_megabytes", {
      type: "number",
      description:
        "Megabytes of records after which Firehose hands a batch to the transformation. From 0.2 to 3; " +
        "fractions are allowed.",
      default: 1,
      validation: {
        condition: "var.firehose_buffer_size_megabytes >= 0.2 && var.firehose_buffer_size_megabytes <= 3",
        message: "The input firehose_buffer_size_megabytes must be a number from 0.2 to 3.",
      },
    }),
    bufferIntervalSeconds: new Input(scope, "firehose_buffer_interval_seconds", {
      type: "number",
      description:
        "Seconds after which Firehose hands a batch to the transformation even if it is small; a retry is late " +
        "by as much. A whole number from 0 to 900.",
      default: 60,
      validation: {
        condition:
          "var.firehose_buffer_interval_seconds >= 0 && var.firehose_buffer_interval_seconds <= 900 && " +
          "floor(var.firehose_buffer_interval_seconds) == var.firehose_buffer_interval_seconds",
        message: "The input firehose_buffer_interval_seconds must be a whole number from 0 to 900.",
      },
    }),
    detachWaitSeconds: new Input(scope, "firehose_detach_wait_seconds", {
      type: "number",
      description:
        "Seconds that a destroy waits after it took the transformation off the stream, before the function goes: " +
        "Firehose needs some minutes to act on the change, and what it hands to a function that is gone ends " +
        "in processing-failed/. A whole number from 0 to 600.",
      default: 180,
      validation: {
        condition:
          "var.firehose_detach_wait_seconds >= 0 && var.firehose_detach_wait_seconds <= 600 && " +
          "floor(var.firehose_detach_wait_seconds) == var.firehose_detach_wait_seconds",
        message: "The input firehose_detach_wait_seconds must be a whole number from 0 to 600.",
      },
    }),
  };
}
