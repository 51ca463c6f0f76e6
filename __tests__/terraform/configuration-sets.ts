/**
 * The configuration sets of the emulated End User Messaging: made by Cloud Control, as a stack makes its own, or by the
 * service's API, as a user does; and the way of an event to their topics.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets.html
 */
import { EventType } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { type AwsAnswer, type AwsCall, errorAnswer, jsonAnswer, jsonOf } from "./aws-call.ts";

/** The type of a set in Cloud Control. */
export const configurationSetType = "AWS::SMSVOICE::ConfigurationSet";

/** A destination as CloudFormation's model and the API both have it. */
export interface EventDestination {
  readonly EventDestinationName: string;
  readonly Enabled: boolean;
  readonly MatchingEventTypes: readonly string[];
  readonly SnsDestination?: { readonly TopicArn: string };
  readonly KinesisFirehoseDestination?: { readonly DeliveryStreamArn: string; readonly IamRoleArn: string };
}

interface Model {
  readonly ConfigurationSetName: string;
  readonly EventDestinations?: readonly EventDestination[];
}

/** All sets of one account and region. */
export class ConfigurationSets {
  readonly #sets = new Map<string, Model>();
  readonly #requests = new Map<string, object>();

  /** Names of the sets. */
  get names(): string[] {
    return [...this.#sets.keys()].sort();
  }

  /** Where the events of a type go, if the set is there. */
  destinationsOf(name: string, eventType: string): EventDestination[] {
    return (this.#sets.get(name)?.EventDestinations ?? []).filter(
      ({ Enabled, MatchingEventTypes: types }) =>
        Enabled && [eventType, `${eventType.split("_")[0]}_ALL`, "ALL"].some((type) => types.includes(type)),
    );
  }

  /** Answers a call of Cloud Control that is about a set. */
  answerCloudControl(call: AwsCall): AwsAnswer {
    const { Identifier, DesiredState, PatchDocument, RequestToken } = jsonOf(call) as Record<string, string>;
    switch (call.operation) {
      case "CreateResource":
        return this.#create(JSON.parse(String(DesiredState)));
      case "GetResource": {
        const found = this.#sets.get(String(Identifier));
        if (found === undefined) return notFound(String(Identifier));
        return jsonAnswer({
          TypeName: configurationSetType,
          ResourceDescription: { Identifier, Properties: JSON.stringify(found) },
        });
      }
      case "UpdateResource": {
        const found = this.#sets.get(String(Identifier));
        if (found === undefined) return notFound(String(Identifier));
        return this.#done("UPDATE", patched(found, JSON.parse(String(PatchDocument))));
      }
      case "DeleteResource": {
        const found = this.#sets.get(String(Identifier));
        if (found === undefined) return notFound(String(Identifier));
        this.#sets.delete(String(Identifier));
        return this.#progress("DELETE", String(Identifier));
      }
      case "GetResourceRequestStatus":
        return jsonAnswer({ ProgressEvent: this.#requests.get(String(RequestToken)) });
      default:
        return errorAnswer(400, "UnsupportedActionException", `${call.operation} of ${configurationSetType}`);
    }
  }

  /** Answers a call of the service's control plane. */
  answerControlPlane(call: AwsCall): AwsAnswer {
    const input = jsonOf(call);
    const name = String(input.ConfigurationSetName);
    const found = this.#sets.get(name);
    switch (call.operation) {
      case "CreateConfigurationSet":
        if (found !== undefined)
          return errorAnswer(400, "ConflictException", `The configuration set ${name} exists.`);
        this.#sets.set(name, { ConfigurationSetName: name });
        return jsonAnswer({ ConfigurationSetName: name });
      case "CreateEventDestination": {
        if (found === undefined) return notFound(name);
        const { ConfigurationSetName: _name, ...destination } = input;
        const model = {
          ...found,
          EventDestinations: [
            ...(found.EventDestinations ?? []),
            { Enabled: true, ...destination } as EventDestination,
          ],
        };
        const problem = problemOf(model);
        if (problem !== undefined) return errorAnswer(400, "ValidationException", problem);
        this.#sets.set(name, model);
        return jsonAnswer({ ConfigurationSetName: name });
      }
      case "DescribeConfigurationSets":
        return jsonAnswer({
          ConfigurationSets: [...this.#sets.values()].map(({ EventDestinations = [], ...set }) => ({
            ...set,
            EventDestinations,
          })),
        });
      default:
        return errorAnswer(400, "UnknownOperationException", `There is no ${call.operation} here.`);
    }
  }

  #create(model: Model): AwsAnswer {
    if (this.#sets.has(model.ConfigurationSetName))
      return this.#progress("CREATE", model.ConfigurationSetName, "AlreadyExists");
    return this.#done("CREATE", model);
  }

  #done(operation: string, model: Model): AwsAnswer {
    const problem = problemOf(model);
    if (problem !== undefined)
      return this.#progress(operation, model.ConfigurationSetName, "InvalidRequest", problem);
    this.#sets.set(model.ConfigurationSetName, model);
    return this.#progress(operation, model.ConfigurationSetName);
  }

  #progress(operation: string, identifier: string, errorCode?: string, message?: string): AwsAnswer {
    const token = `request-${this.#requests.size + 1}`;
    const progress = {
      TypeName: configurationSetType,
      Identifier: identifier,
      RequestToken: token,
      Operation: operation,
      OperationStatus: errorCode === undefined ? "SUCCESS" : "FAILED",
      EventTime: Date.now() / 1000,
      ...(errorCode !== undefined && { ErrorCode: errorCode, StatusMessage: message ?? errorCode }),
    };
    this.#requests.set(token, progress);
    return jsonAnswer({ ProgressEvent: progress });
  }
}

function notFound(name: string): AwsAnswer {
  return errorAnswer(400, "ResourceNotFoundException", `The configuration set ${name} does not exist.`);
}

/** What the service refuses of a set's destinations. */
function problemOf({ EventDestinations = [] }: Model): string | undefined {
  if (EventDestinations.length > 5) return "A configuration set has at most 5 event destinations.";
  const known = new Set<string>(Object.values(EventType));
  for (const { EventDestinationName: name, MatchingEventTypes: types, ...sinks } of EventDestinations) {
    const unknown = types.filter((type) => !known.has(type) || type === "TEXT_SENT");
    if (types.length === 0 || types.length > 43 || unknown.length > 0)
      return `The destination ${name} matches what is no event type to match: ${unknown.join(", ")}.`;
    if (Object.keys(sinks).filter((key) => key.endsWith("Destination")).length !== 1)
      return `The destination ${name} needs exactly one sink.`;
  }
  return undefined;
}

interface PatchOperation {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

/** A model after the operations of a JSON Patch that replace, add or remove (RFC 6902). */
function patched(model: Model, operations: readonly PatchOperation[]): Model {
  const result = structuredClone(model);
  for (const { op, path, value } of operations) {
    const keys = path.split("/").slice(1);
    const last = String(keys.pop());
    const parent = keys.reduce<unknown>((part, key) => Object(part)[key], result) as Record<string, unknown>;
    if (Array.isArray(parent)) {
      const index = last === "-" ? parent.length : Number(last);
      parent.splice(index, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
    } else if (op === "remove") delete parent[last];
    else parent[last] = value;
  }
  return result;
}
