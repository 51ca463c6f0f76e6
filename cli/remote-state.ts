/** Where Terraform's state lies when a stack is deployed or planned from a clone: one file says it, for both. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "./user-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The file with the settings of the S3 backend that holds the state, which `SMS_RETRY_BACKEND_CONFIG` names; absolute.
 *
 * @returns `undefined` where the variable is not set, or empty: the state lies beside `cdktf.json`
 * @throws UserError where there is no such file
 */
export function backendConfigFile({ SMS_RETRY_BACKEND_CONFIG: file = "" }: Environment): string | undefined {
  if (file === "") return undefined;
  const path = resolve(file);
  if (!existsSync(path))
    throw new UserError(
      `There is no file ${path}, which SMS_RETRY_BACKEND_CONFIG names; write it, or unset the variable to keep the state in a local file.`,
    );
  return path;
}

/**
 * The environment in which `terraform init` uses that file, whoever calls it: CDKTF has no option for it.
 *
 * @see https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
 */
export function withBackendConfig(environment: Environment): Environment {
  const file = backendConfigFile(environment);
  if (file === undefined) return environment;
  const { TF_CLI_ARGS_init: given } = environment;
  const backend = `-backend-config='${file.replaceAll("'", String.raw`'\''`)}'`;
  return { ...environment, TF_CLI_ARGS_init: given === undefined ? backend : `${given} ${backend}` };
}
