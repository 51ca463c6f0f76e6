/** The role with which a service or a function acts. */
import { type Construct, IamRole } from "../cdktf.ts";
import type { SharedInputs } from "../inputs/inputs.ts";
import { type Place, reference } from "./sms-retry-stack.ts";

/** A role as whatever uses it sees it, before it exists: a plan shows what refers to it. */
export interface ServiceRole {
  readonly name: string;
  /** Made of path and name. */
  readonly arn: string;
}

/** Whose role it is. */
export interface ServiceRoleProps {
  readonly inputs: SharedInputs;
  readonly place: Place;
  /** Between prefix and region, in the name. */
  readonly name: string;
  /** Who may assume it. */
  readonly trust: string;
}

/**
 * Makes `<prefix>-<name>-<region>`, on the path and within the boundary that the inputs give.
 *
 * @param address `aws_iam_role.<name>`
 */
export function serviceRole(
  scope: Construct,
  address: string,
  { inputs, place, name, trust }: ServiceRoleProps,
): ServiceRole {
  new IamRole(scope, address, {
    // Roles are global: the region keeps deployments in two regions apart.
    name: `${inputs.namePrefix.text}-${name}-${place.region}`,
    path: inputs.iamPath.text,
    permissionsBoundary: inputs.permissionsBoundaryArn.text,
    assumeRolePolicy: trust,
  });
  const role = { name: reference(`${address}.name`) };
  return { ...role, arn: place.roleArn({ ...role, path: reference(inputs.iamPath.hcl) }) };
}
