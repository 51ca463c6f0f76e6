/**
 * The one endpoint of the emulated AWS: moto's, with what moto lacks answered here.
 *
 * - `Invoke` runs the uploaded zip.
 * - Pinpoint and End User Messaging are the project's SMS service simulator; configuration sets are here.
 * - Cloud Control makes configuration sets, and reads a delivery stream as CloudFormation describes it.
 * - A call that a function makes is checked against the policies of its role.
 */
import { type ClientRequest, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AwsAnswer,
  type AwsCall,
  errorAnswer,
  jsonAnswer,
  jsonOf,
  readCall,
  unsigned,
} from "./aws-call.ts";
import { deliveryStreamModel } from "./cloud-control.ts";
import { ConfigurationSets, configurationSetType } from "./configuration-sets.ts";
import { corrections, type Memory } from "./corrections.ts";
import { DeployedFunctions, type FunctionConfiguration } from "./deployed-functions.ts";
import { isAllowed, type Need, needsOf, type PolicyStatement, statementsOf } from "./permissions.ts";

/** What the gateway stands in front of. */
export interface GatewayOptions {
  readonly motoEndpoint: string;
  readonly smsServiceEndpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** Folder for the code of uploaded functions. */
  readonly folder: string;
}

/** A running gateway. */
export interface Gateway {
  /** e.g. `http://127.0.0.1:41234` */
  readonly endpoint: string;
  readonly functions: DeployedFunctions;
  /** Every call so far, in the order in which they came. */
  readonly calls: readonly AwsCall[];
  /** Names of the corrections that changed an answer. */
  readonly usedCorrections: ReadonlySet<string>;
  readonly configurationSets: ConfigurationSets;
  /** What a role may do: all its inline policies. */
  statementsOfRole(role: string): Promise<PolicyStatement[]>;
  /** Ends the server and the functions. */
  close(): Promise<void>;
}

/** Actions without which Lambda refuses an event source mapping, by the source's service. */
const actionsOfSources: Readonly<Record<string, readonly string[]>> = {
  sqs: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  kinesis: [
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
  ],
};

/** Starts the gateway on a free port of 127.0.0.1. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const calls: AwsCall[] = [];
  const usedCorrections = new Set<string>();
  const memory: Memory = new Map();
  const configurationSets = new ConfigurationSets();
  let endpoint = "";
  const functions = new DeployedFunctions({
    folder: options.folder,
    region: options.region,
    endpoint: () => endpoint,
  });
  const toMoto = (call: Pick<AwsCall, "method" | "target" | "headers" | "body">) =>
    forward(options.motoEndpoint, call);

  async function answer(call: AwsCall): Promise<AwsAnswer> {
    const refusal = await refusalOf(call);
    if (refusal !== undefined) return refusal;
    switch (call.service) {
      case "mobiletargeting":
        return forward(options.smsServiceEndpoint, call);
      case "sms-voice":
        return answerSmsVoice(call);
      case "cloudcontrolapi":
        return answerCloudControl(call);
      case "lambda":
        return answerLambda(call);
      default:
        return insteadOfMoto(call) ?? toMoto(call);
    }
  }

  /** What AWS would say to a function whose role lacks a right. */
  async function refusalOf(call: AwsCall): Promise<AwsAnswer | undefined> {
    const role = functions.roleOf(call.accessKeyId);
    if (role === undefined) return undefined;
    const needs = needsOf(call, options);
    const missing =
      needs === undefined
        ? `The gateway does not know what ${call.service} ${call.operation} needs`
        : await missingOf(role, needs);
    if (missing === undefined) return undefined;
    functions.lines.push(`Refused: ${missing}.`);
    return errorAnswer(400, "AccessDeniedException", `${missing}.`);
  }

  async function missingOf(role: string, needs: readonly Need[]): Promise<string | undefined> {
    const statements = await statementsOfRole(role);
    const missing = needs.find((need) => !isAllowed(statements, need));
    return missing === undefined
      ? undefined
      : `The role ${role} may not do ${missing.action} on ${missing.resources.join(" or ")}`;
  }

  async function answerLambda(call: AwsCall): Promise<AwsAnswer> {
    const [, resource, reference, part] = call.path;
    if (resource === "event-source-mappings" && call.method === "POST") return createMapping(call);
    if (resource !== "functions") return toMoto(call);
    const name = functionNameOf(reference ?? "");
    if (part === "invocations") return invoke(name, call);
    const result = await toMoto(call);
    if (result.status >= 300) return result;
    if (call.method === "POST" && reference === undefined) {
      const { FunctionName, Code } = jsonOf(call) as { FunctionName: string; Code: { ZipFile: string } };
      functions.upload(functionNameOf(FunctionName), Code.ZipFile);
    }
    if (call.method === "PUT" && part === "code") functions.upload(name, String(jsonOf(call).ZipFile));
    return result;
  }

  async function invoke(name: string, call: AwsCall): Promise<AwsAnswer> {
    const configuration = await configurationOf(name, call);
    if (configuration === undefined)
      return errorAnswer(404, "ResourceNotFoundException", `Function not found: ${name}`);
    const result = await functions.invoke(configuration, jsonOf(call));
    if (result.ok) return jsonAnswer(result.payload, 200, { "X-Amz-Executed-Version": "$LATEST" });
    return jsonAnswer(result.error, 200, { "X-Amz-Function-Error": "Unhandled" });
  }

  async function configurationOf(
    name: string,
    call: Pick<AwsCall, "headers">,
  ): Promise<FunctionConfiguration | undefined> {
    const { "content-length": _length, ...headers } = call.headers;
    const target = `/2015-03-31/functions/${encodeURIComponent(name)}/configuration`;
    const { status, body } = await toMoto({ method: "GET", target, headers, body: Buffer.alloc(0) });
    return status === 200 ? (JSON.parse(body.toString()) as FunctionConfiguration) : undefined;
  }

  async function createMapping(call: AwsCall): Promise<AwsAnswer> {
    const { FunctionName, EventSourceArn, StartingPosition, StartingPositionTimestamp } = jsonOf(call) as {
      FunctionName: string;
      EventSourceArn: string;
      StartingPosition?: string;
      StartingPositionTimestamp?: number;
    };
    // What AWS refuses of a starting position; moto takes anything.
    if ((StartingPosition === "AT_TIMESTAMP") !== (StartingPositionTimestamp !== undefined))
      return errorAnswer(400, "InvalidParameterValueException", "AT_TIMESTAMP and a timestamp go together.");
    if (StartingPositionTimestamp !== undefined && StartingPositionTimestamp > Date.now() / 1_000)
      return errorAnswer(400, "InvalidParameterValueException", "The timestamp must not be in the future.");
    const configuration = await configurationOf(functionNameOf(FunctionName), call);
    const service = EventSourceArn.split(":")[2] ?? "";
    const role = configuration?.Role.split("/").at(-1);
    const needs = (actionsOfSources[service] ?? []).map((action) => ({
      action,
      resources: [EventSourceArn],
    }));
    const missing = role === undefined ? undefined : await missingOf(role, needs);
    // Not in AWS's words: those the provider waits out for minutes, because policies need time to arrive.
    if (missing !== undefined)
      return errorAnswer(
        400,
        "InvalidParameterValueException",
        `The execution role is not enough: ${missing}`,
      );
    return toMoto(call);
  }

  function answerSmsVoice(call: AwsCall): AwsAnswer | Promise<AwsAnswer> {
    if (call.operation !== "SendTextMessage") return configurationSets.answerControlPlane(call);
    const { ConfigurationSetName: name } = jsonOf(call);
    return name === undefined || configurationSets.names.includes(String(name))
      ? forward(options.smsServiceEndpoint, call)
      : errorAnswer(400, "ResourceNotFoundException", `The configuration set ${name} does not exist.`);
  }

  function answerCloudControl(call: AwsCall): AwsAnswer | Promise<AwsAnswer> {
    const { TypeName } = jsonOf(call);
    return TypeName === configurationSetType || call.operation === "GetResourceRequestStatus"
      ? configurationSets.answerCloudControl(call)
      : getDeliveryStream(call);
  }

  async function getDeliveryStream(call: AwsCall): Promise<AwsAnswer> {
    const { TypeName, Identifier } = jsonOf(call) as { TypeName: string; Identifier: string };
    if (call.operation !== "GetResource" || TypeName !== "AWS::KinesisFirehose::DeliveryStream")
      return errorAnswer(400, "UnsupportedActionException", `${call.operation} of ${TypeName}`);
    const { status, body } = await toMoto(
      motoCall("firehose", "Firehose_20150804.DescribeDeliveryStream", { DeliveryStreamName: Identifier }),
    );
    if (status !== 200) return errorAnswer(400, "ResourceNotFoundException", `${Identifier} does not exist.`);
    const { DeliveryStreamDescription } = JSON.parse(body.toString());
    return jsonAnswer({
      TypeName,
      ResourceDescription: {
        Identifier,
        Properties: JSON.stringify(deliveryStreamModel(DeliveryStreamDescription)),
      },
    });
  }

  async function statementsOfRole(role: string): Promise<PolicyStatement[]> {
    const ask = async (parameters: Record<string, string>): Promise<string> => {
      const { body } = await toMoto({
        method: "POST",
        target: "/",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          ...unsigned("iam", options.region),
        },
        body: Buffer.from(new URLSearchParams({ Version: "2010-05-08", ...parameters }).toString()),
      });
      return body.toString();
    };
    const list = await ask({ Action: "ListRolePolicies", RoleName: role });
    const names = [...list.matchAll(/<member>([^<]+)<\/member>/g)].map(([, name]) => String(name));
    const documents = await Promise.all(
      names.map(async (PolicyName) => {
        const text = await ask({ Action: "GetRolePolicy", RoleName: role, PolicyName });
        const document = /<PolicyDocument>([\s\S]*?)<\/PolicyDocument>/.exec(text)?.[1] ?? "";
        return statementsOf(decodeDocument(document));
      }),
    );
    return documents.flat();
  }

  function motoCall(service: string, target: string, body: object) {
    return {
      method: "POST",
      target: "/",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": target,
        ...unsigned(service, options.region),
      },
      body: Buffer.from(JSON.stringify(body)),
    };
  }

  function corrected(result: AwsAnswer, call: AwsCall): AwsAnswer {
    return corrections.reduce((before, correction) => {
      const after = correction.correct?.(before, call, memory) ?? before;
      if (after !== before) usedCorrections.add(correction.name);
      return after;
    }, result);
  }

  /** The answer that moto is not asked for. */
  function insteadOfMoto(call: AwsCall): AwsAnswer | undefined {
    for (const { name, instead } of corrections) {
      const result = instead?.(call, memory);
      if (result === undefined) continue;
      usedCorrections.add(name);
      return result;
    }
    return undefined;
  }

  const server = createServer((request, response) => {
    void (async () => {
      try {
        const call = await readCall(request);
        calls.push(call);
        const { status, headers, body } = corrected(await answer(call), call);
        const { "transfer-encoding": _encoding, connection: _connection, ...kept } = headers;
        response.writeHead(status, { ...kept, "content-length": body.length });
        response.end(call.method === "HEAD" ? undefined : body);
      } catch (error) {
        const { body } = errorAnswer(500, "InternalFailure", String(error));
        response.writeHead(500, { "content-type": "application/json" }).end(body);
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    functions,
    calls,
    usedCorrections,
    configurationSets,
    statementsOfRole,
    async close() {
      await functions.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** The name in a function's name, ARN or qualified ARN. */
function functionNameOf(reference: string): string {
  return reference.startsWith("arn:") ? String(reference.split(":")[6]) : String(reference.split(":")[0]);
}

/** moto writes policy documents percent-encoded, and XML-escaped on top. */
function decodeDocument(text: string): string {
  const unescaped = text.replaceAll("&quot;", '"').replaceAll("&#34;", '"').replaceAll("&amp;", "&");
  return unescaped.trimStart().startsWith("{") ? unescaped : decodeURIComponent(unescaped);
}

function forward(
  endpoint: string,
  { method, target, headers, body }: Pick<AwsCall, "method" | "target" | "headers" | "body">,
): Promise<AwsAnswer> {
  return new Promise((resolve, reject) => {
    const request: ClientRequest = httpRequest(
      new URL(target, endpoint),
      { method, headers: { ...headers, connection: "close" } },
      (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 502,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
