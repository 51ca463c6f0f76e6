/** The inputs by which a platform team holds a deployment to the rules of its account. */
import type { Construct } from "../cdktf.ts";
import { Input } from "./input.ts";

/** Declares them. */
export function governanceInputs(scope: Construct) {
  return {
    permissionsBoundaryArn: new Input(scope, "permissions_boundary_arn", {
      type: "string",
      description:
        "ARN of the managed policy that bounds what every role of the deployment may do, whatever its own policy says. " +
        "null sets none.",
      default: null,
      validation: {
        condition:
          "var.permissions_boundary_arn == null || can(regex(" +
          '"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$", var.permissions_boundary_arn))',
        message:
          "The input permissions_boundary_arn must be null or the ARN of a managed policy (arn:…:iam::…:policy/…).",
      },
    }),
    iamPath: new Input(scope, "iam_path", {
      type: "string",
      description:
        "Path of every role of the deployment. Another path makes the roles anew. Begins and ends with a slash, " +
        'at most 128 letters, digits and any of _+=,.@/-; "/" is none.',
      default: "/",
      validation: {
        condition: 'can(regex("^/([A-Za-z0-9_+=,.@-]+/)*$", var.iam_path)) && length(var.iam_path) <= 128',
        message:
          "The input iam_path must begin and end with a slash and hold at most 128 letters, digits and any of _+=,.@/- between single slashes.",
      },
    }),
    tags: new Input(scope, "tags", {
      type: "map(string)",
      description:
        "Tags of everything that takes tags, beside those that the provider has by default; but for the configuration " +
        "set, whose tags AWS manages elsewhere. At most 40; keys of 1 to 128 and values of up to 256 characters, no key " +
        "that begins with aws:.",
      default: {},
      validation: {
        condition:
          "try(alltrue([for key, value in var.tags : length(key) >= 1 && length(key) <= 128 && " +
          'length(value) <= 256 && !startswith(lower(key), "aws:")]), false) && length(var.tags) <= 40',
        message:
          "The input tags must be a map of at most 40 tags: keys of 1 to 128 characters, none of which begins with aws:, to values of up to 256.",
      },
    }),
  };
}
