/** Resource policies by Lambda's control plane. */
import {
  AddPermissionCommand,
  GetPolicyCommand,
  type LambdaClient,
  RemovePermissionCommand,
  ResourceConflictException,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import type { FunctionPolicies, PolicyStatement } from "../core/function-policy.ts";
import { controlPlaneError } from "./control-plane-error.ts";

/** The policies of functions of the client's account and region; see {@link FunctionPolicies}. */
export function lambdaFunctionPolicies(client: LambdaClient): FunctionPolicies {
  return {
    async statements(functionArn) {
      try {
        const { Policy } = await client.send(new GetPolicyCommand({ FunctionName: functionArn }));
        return statementsOf(Policy);
      } catch (error) {
        // A function without a policy, or no function.
        if (error instanceof ResourceNotFoundException) return [];
        throw controlPlaneError("lambda:GetPolicy", functionArn, error);
      }
    },

    async add(functionArn, { id, action, principal }) {
      try {
        await client.send(
          new AddPermissionCommand({
            FunctionName: functionArn,
            StatementId: id,
            Action: action,
            Principal: principal,
          }),
        );
        return "added";
      } catch (error) {
        // A statement of that id is there, or another change of the function is under way.
        if (error instanceof ResourceConflictException) return "taken";
        throw controlPlaneError("lambda:AddPermission", functionArn, error);
      }
    },

    async remove(functionArn, id) {
      try {
        await client.send(new RemovePermissionCommand({ FunctionName: functionArn, StatementId: id }));
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return;
        throw controlPlaneError("lambda:RemovePermission", functionArn, error);
      }
    },
  };
}

function statementsOf(policy = "{}"): PolicyStatement[] {
  const { Statement = [] } = JSON.parse(policy) as {
    Statement?: { Sid?: string; Action?: unknown; Principal?: unknown }[];
  };
  return Statement.map(({ Sid = "", Action, Principal }) => ({
    id: Sid,
    action: textOf(Action),
    principal: textOf((Principal as { AWS?: unknown } | undefined)?.AWS ?? Principal),
  }));
}

/** What is no text (a list, a service principal) is none that we wrote, and differs from any that we want. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
