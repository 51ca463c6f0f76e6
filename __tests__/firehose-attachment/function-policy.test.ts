import { grantRole, revokeRole } from "../../functions/firehose-attachment/core/function-policy.ts";
import { functionArn, streamRoleArn } from "../support/delivery-streams.ts";
import { inMemoryControlPlane } from "../support/in-memory-control-plane.ts";

describe("the right to use the function", () => {
  test("is granted once: a second time nothing is written, and it is granted all the same", async () => {
    const { policies, operations } = inMemoryControlPlane({}, [functionArn]);

    expect(await grantRole(policies, functionArn, streamRoleArn)).toBe("granted");
    expect(await grantRole(policies, functionArn, streamRoleArn)).toBe("granted");

    expect(operations).toEqual(["GetPolicy", "AddPermission", "AddPermission", "GetPolicy"]);
  });

  test("is to invoke it and to read its configuration, and nothing else", async () => {
    const { policies } = inMemoryControlPlane({}, [functionArn]);

    await grantRole(policies, functionArn, streamRoleArn);

    expect(await policies.statements(functionArn)).toEqual([
      {
        id: "sms-retry-firehose-invoke",
        action: "lambda:InvokeFunction",
        principal: streamRoleArn,
      },
      {
        id: "sms-retry-firehose-read-configuration",
        action: "lambda:GetFunctionConfiguration",
        principal: streamRoleArn,
      },
    ]);
  });

  test("is given anew where somebody changed what a statement allows", async () => {
    const { policies, statements } = inMemoryControlPlane({}, [functionArn]);
    await grantRole(policies, functionArn, streamRoleArn);
    const wanted = await policies.statements(functionArn);
    statements.set(
      functionArn,
      wanted.map((statement) => ({ ...statement, action: "lambda:GetFunction" })),
    );

    await grantRole(policies, functionArn, streamRoleArn);

    expect(await policies.statements(functionArn)).toEqual(wanted);
  });

  test("is taken back as far as it is there: what is gone is not removed again", async () => {
    const { policies, operations } = inMemoryControlPlane({}, [functionArn]);
    await grantRole(policies, functionArn, streamRoleArn);
    await policies.remove(functionArn, "sms-retry-firehose-invoke");
    operations.length = 0;

    await revokeRole(policies, functionArn);

    expect(operations).toEqual(["GetPolicy", "RemovePermission"]);
    expect(await policies.statements(functionArn)).toEqual([]);
  });
});
