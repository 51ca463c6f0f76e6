/**
 * Streams and function policies in memory, for what moto cannot do: break off before or after any call, answer
 * as AWS does to a statement that is there, keep several destinations.
 */
import {
  type DeliveryStream,
  type DeliveryStreams,
  type StreamDescription,
  streamOfDescription,
} from "../../functions/firehose-attachment/core/delivery-stream.ts";
import type {
  FunctionPolicies,
  PolicyStatement,
} from "../../functions/firehose-attachment/core/function-policy.ts";

/** Where a call is, for {@link InMemoryControlPlane.beforeAndAfter}. */
export interface CallMoment {
  /** From 1, over all calls of both ports. */
  readonly number: number;
  readonly operation: string;
  readonly when: "before" | "after";
}

/** One account. */
export interface InMemoryControlPlane {
  readonly streams: DeliveryStreams;
  readonly policies: FunctionPolicies;
  /** By name; each as `DescribeDeliveryStream` gives it. */
  readonly descriptions: Map<string, StreamDescription>;
  /** By function ARN; a function without an entry is gone. */
  readonly statements: Map<string, PolicyStatement[]>;
  /** Names of the operations so far. */
  readonly operations: string[];
  /** May throw, or change the account as somebody else would. */
  beforeAndAfter: (moment: CallMoment) => void;
}

/** An account with these streams and functions. */
export function inMemoryControlPlane(
  descriptions: Readonly<Record<string, StreamDescription>>,
  functionArns: readonly string[],
): InMemoryControlPlane {
  async function call<T>(operation: string, act: () => T): Promise<T> {
    account.operations.push(operation);
    const number = account.operations.length;
    account.beforeAndAfter({ number, operation, when: "before" });
    const result = act();
    account.beforeAndAfter({ number, operation, when: "after" });
    return result;
  }

  const account: InMemoryControlPlane = {
    descriptions: new Map(Object.entries(descriptions)),
    statements: new Map(functionArns.map((arn) => [arn, []])),
    operations: [],
    beforeAndAfter: () => {},
    streams: {
      describe: (name) =>
        call("DescribeDeliveryStream", (): DeliveryStream | undefined => {
          const description = account.descriptions.get(name);
          return description && streamOfDescription(description);
        }),
      setProcessing: (name, { versionId }, { kind, id }, { enabled, processors }) =>
        call("UpdateDestination", () => {
          const description = account.descriptions.get(name);
          if (description === undefined || description.VersionId !== versionId) return "changed-meanwhile";
          account.descriptions.set(name, {
            ...description,
            VersionId: String(Number(versionId) + 1),
            Destinations: (description.Destinations ?? []).map((destination) =>
              destination.DestinationId === id
                ? withProcessing(destination, kind, { Enabled: enabled, Processors: processors })
                : destination,
            ),
          });
          return "updated";
        }),
    },
    policies: {
      statements: (arn) => call("GetPolicy", () => [...(account.statements.get(arn) ?? [])]),
      add: (arn, statement) =>
        call("AddPermission", () => {
          const present = account.statements.get(arn);
          if (present === undefined) throw new Error("ResourceNotFoundException");
          if (present.some(({ id }) => id === statement.id)) return "taken";
          present.push(statement);
          return "added";
        }),
      remove: (arn, id) =>
        call("RemovePermission", () => {
          const present = account.statements.get(arn);
          if (present !== undefined) {
            account.statements.set(
              arn,
              present.filter((statement) => statement.id !== id),
            );
          }
        }),
    },
  };
  return account;
}

function withProcessing(destination: object, kind: string, processing: object): object {
  const key = `${kind}DestinationDescription`;
  const before = (destination as Record<string, object>)[key];
  return { ...destination, [key]: { ...before, ProcessingConfiguration: processing } };
}
