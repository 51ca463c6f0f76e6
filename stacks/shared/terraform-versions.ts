/** What the stacks run on; apart from CDKTF, which takes a second to load. */

/** The providers that the stacks are written for: nothing is used that one end of the range lacks. */
export const providerVersions = ">= 5.100.0, < 7.0.0";

/** The oldest Terraform that reads what the stacks write. */
export const terraformVersions = ">= 1.5.0";
