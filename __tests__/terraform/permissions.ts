/**
 * What a role may do, and what a call needs: so that a function runs on the emulated AWS with exactly the rights
 * that its stack gives it, and a forgotten one makes the run fail as it would on AWS.
 */
import type { AwsCall } from "./aws-call.ts";

/** A statement of a policy document. */
export interface PolicyStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Something that a caller wants to do. */
export interface Need {
  readonly action: string;
  /** ARNs of which one must be allowed: AWS's documents are not always of one mind. */
  readonly resources: readonly string[];
  /** Condition keys of the request. */
  readonly context?: Readonly<Record<string, string>>;
}

/** Where a call is made. */
export interface CallPlace {
  readonly region: string;
  readonly accountId: string;
}

/** Whether the statements of a role allow it; a denial wins over everything. */
export function isAllowed(statements: readonly PolicyStatement[], need: Need): boolean {
  const matching = statements.filter((statement) => applies(statement, need));
  return (
    matching.some(({ Effect }) => Effect === "Allow") && !matching.some(({ Effect }) => Effect === "Deny")
  );
}

/** The statements of a policy document. */
export function statementsOf(document: string): PolicyStatement[] {
  const { Statement } = JSON.parse(document) as { Statement: PolicyStatement | PolicyStatement[] };
  return [Statement].flat();
}

function applies({ Action, Resource, Condition }: PolicyStatement, need: Need): boolean {
  const actions = [Action ?? []].flat();
  const resources = [Resource ?? []].flat();
  return (
    actions.some((pattern) => matches(pattern, need.action)) &&
    resources.some((pattern) => need.resources.some((resource) => matches(pattern, resource))) &&
    Object.entries(Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(
        // What this evaluator does not know it takes for not met.
        ([key, values]) =>
          ["StringEquals", "ArnEquals"].includes(operator) &&
          [values].flat().includes(need.context?.[key] ?? ""),
      ),
    )
  );
}

/** Whether a text matches an IAM pattern with `*` and `?`. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

/** What a function's call needs; `undefined` for a call that is not known here, which is then refused. */
export function needsOf(call: AwsCall, place: CallPlace): Need[] | undefined {
  const body = (): Record<string, unknown> => JSON.parse(call.body.toString() || "{}");
  const arn = (service: string, resource: string): string =>
    `arn:aws:${service}:${place.region}:${place.accountId}:${resource}`;
  const one = (action: string, ...resources: string[]): Need[] => [{ action, resources }];
  switch (call.service) {
    case "dynamodb": {
      const { TableName, RequestItems } = body();
      const tables = typeof TableName === "string" ? [TableName] : Object.keys(Object(RequestItems));
      return tables.flatMap((table) => one(`dynamodb:${call.operation}`, arn("dynamodb", `table/${table}`)));
    }
    case "sqs": {
      const action = call.operation.replace(/^(Send|Delete)MessageBatch$/, "$1Message");
      return one(`sqs:${action}`, arn("sqs", String(body().QueueUrl).split("/").at(-1) ?? ""));
    }
    case "mobiletargeting": {
      const project = arn("mobiletargeting", `apps/${call.path[2]}`);
      return call.method === "POST" && call.path[3] === "messages"
        ? one("mobiletargeting:SendMessages", project, `${project}/messages`)
        : undefined;
    }
    case "sms-voice": {
      if (call.operation !== "SendTextMessage") return undefined;
      const { OriginationIdentity: identity, ConfigurationSetName: set } = body();
      return [
        ...(identity === undefined
          ? []
          : one("sms-voice:SendTextMessage", identityArn(String(identity), arn))),
        ...(set === undefined
          ? []
          : one("sms-voice:SendTextMessage", arn("sms-voice", `configuration-set/${set}`))),
      ];
    }
    case "scheduler": {
      if (call.method !== "POST" || call.path[0] !== "schedules") return undefined;
      const { GroupName, Target } = body() as { GroupName?: string; Target?: { RoleArn?: string } };
      return [
        ...one(
          "scheduler:CreateSchedule",
          arn("scheduler", `schedule/${GroupName ?? "default"}/${call.path[1]}`),
        ),
        {
          action: "iam:PassRole",
          resources: [Target?.RoleArn ?? ""],
          context: { "iam:PassedToService": "scheduler.amazonaws.com" },
        },
      ];
    }
    case "s3":
      return call.method === "PUT" ? one("s3:PutObject", `arn:aws:s3:::${call.path.join("/")}`) : undefined;
    case "firehose":
      return one(
        `firehose:${call.operation}`,
        arn("firehose", `deliverystream/${String(body().DeliveryStreamName)}`),
      );
    case "lambda": {
      const action = { GET: "GetPolicy", POST: "AddPermission", DELETE: "RemovePermission" }[call.method];
      if (call.path[1] !== "functions" || call.path[3] !== "policy" || action === undefined) return undefined;
      const name = String(call.path[2]);
      return one(`lambda:${action}`, name.startsWith("arn:") ? name : arn("lambda", `function:${name}`));
    }
    default:
      return undefined;
  }
}

/** The ARN of what a message is sent from: that of a number holds an id, that of a sender id also a country. */
function identityArn(identity: string, arn: (service: string, resource: string) => string): string {
  if (identity.startsWith("arn:")) return identity;
  if (identity.startsWith("pool-")) return arn("sms-voice", `pool/${identity}`);
  if (identity.startsWith("phone-")) return arn("sms-voice", `phone-number/${identity}`);
  if (/^\+?\d+$/.test(identity))
    return arn("sms-voice", `phone-number/phone-of-${identity.replace("+", "")}`);
  return arn("sms-voice", `sender-id/${identity}/GB`);
}
