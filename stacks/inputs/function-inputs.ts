/** The inputs about how Lambda runs the functions: network, tracing, concurrency, signatures. */
import { environmentNames } from "../../functions/contract/environment.ts";
import type { Construct } from "../cdktf.ts";
import { Input } from "./input.ts";

const functionNames = Object.keys(environmentNames).map((name) => JSON.stringify(name));

/** Declares them. */
export function functionInputs(scope: Construct) {
  return { ...networkInputs(scope), ...runInputs(scope) };
}

function networkInputs(scope: Construct) {
  return {
    vpc: new Input(scope, "vpc", {
      type: "object({ subnet_ids = list(string), security_group_ids = list(string) })",
      description:
        "Subnets and security groups of your VPC in which the functions run. From there they must reach DynamoDB, SQS, " +
        "EventBridge Scheduler, S3, Firehose and the SMS service, by VPC endpoints or NAT. null runs them outside. " +
        "null, or an object with at least one of each.",
      default: null,
      validation: {
        condition:
          'var.vpc == null || try(alltrue([for id in var.vpc.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))]) && ' +
          'alltrue([for id in var.vpc.security_group_ids : can(regex("^sg-[0-9a-f]+$", id))]) && ' +
          "length(var.vpc.subnet_ids) >= 1 && length(var.vpc.security_group_ids) >= 1, false)",
        message:
          "The input vpc must be null, or an object with at least one id in subnet_ids (subnet-…) and in security_group_ids (sg-…).",
      },
    }),
  };
}

function runInputs(scope: Construct) {
  return {
    tracing: new Input(scope, "tracing", {
      type: "bool",
      description:
        "Whether AWS X-Ray records traces of the functions' invocations: times and errors, no numbers and no texts. " +
        "true or false.",
      default: false,
    }),
    reservedConcurrency: new Input(scope, "reserved_concurrency", {
      type: "map(number)",
      description:
        "Reserved concurrency by function: the most invocations of it at the same time, and kept free for it. One " +
        "that is not named has none. Give resend no less than three for each hundred message parts a second (and at least " +
        `two), or the queue's pollers are throttled. Names are ${functionNames.join(", ")}; each a whole number from 1 to 10000.`,
      default: {},
      validation: {
        condition:
          "try(alltrue([for name, count in var.reserved_concurrency : " +
          `contains([${functionNames.join(", ")}], name) && count >= 1 && count <= 10000 && floor(count) == count]), false)`,
        message: `The input reserved_concurrency must be a map from ${functionNames.join(", ")} to whole numbers from 1 to 10000.`,
      },
    }),
    codeSigningConfigArn: new Input(scope, "code_signing_config_arn", {
      type: "string",
      description:
        "ARN of the code signing configuration of every function. The zips come unsigned: under a policy Enforce have AWS " +
        "Signer sign them before, and put what it wrote in their place. null asks for no signature.",
      default: null,
      validation: {
        condition:
          "var.code_signing_config_arn == null || can(regex(" +
          '"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}$", var.code_signing_config_arn))',
        message:
          "The input code_signing_config_arn must be null or the ARN of a code signing configuration of Lambda.",
      },
    }),
  };
}
