/** The table of gates: how fast each origination identity may send now, and whether it may at all. */
import { Construct, DynamodbTable, Token } from "../cdktf.ts";
import { expression } from "../inputs/input.ts";
import { hasKmsKey, type SharedInputs } from "../inputs/inputs.ts";
import type { Access } from "./access.ts";
import type { Place } from "./sms-retry-stack.ts";

/**
 * Table `<prefix>-send-gates`: key `gate`, items leave at `expires_at`, paid per request; none where
 * `send_gate_table_name` names the table of another deployment, which is then used.
 *
 * What it holds is worth nothing a minute later, but for an operator's pause. So there is no point-in-time recovery: a
 * gate restored to its state of yesterday would be a wrong one. Nor is a destroy refused: while there is no table
 * nothing is sent, a pause cannot be lost unnoticed, and a deployment may give up its own table for a shared one
 * without giving up the protection of the message states.
 */
export class GateTable extends Construct {
  readonly tableName: string;
  readonly #arn: string;

  constructor(scope: Construct, { inputs, place }: { readonly inputs: SharedInputs; readonly place: Place }) {
    super(scope, "gate-table");
    const { sendGateTableName, kmsKeyArn } = inputs;
    new DynamodbTable(this, "aws_dynamodb_table.send_gates", {
      count: Token.asNumber(sendGateTableName.ifNull("1", "0")),
      name: `${inputs.namePrefix.text}-send-gates`,
      hashKey: "gate",
      attribute: [{ name: "gate", type: "S" }],
      ttl: { attributeName: "expires_at", enabled: true },
      billingMode: "PAY_PER_REQUEST",
      pointInTimeRecovery: { enabled: false },
      // DynamoDB always encrypts; "enabled" here only means "with a key that is not DynamoDB's own".
      serverSideEncryption: {
        enabled: expression(hasKmsKey),
        kmsKeyArn: kmsKeyArn.text,
      },
      deletionProtectionEnabled: false,
    });
    this.tableName = sendGateTableName.ifNull(
      "one(aws_dynamodb_table.send_gates[*].name)",
      sendGateTableName.hcl,
    );
    this.#arn = place.arn("dynamodb", `table/${this.tableName}`);
  }

  /** The right to reserve send times, and to read who has paused. */
  get access(): Access<"GATE_TABLE_NAME"> {
    return {
      statements: [
        {
          Sid: "SendGates",
          Action: ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"],
          Resource: this.#arn,
        },
      ],
      environment: { GATE_TABLE_NAME: this.tableName },
    };
  }
}
