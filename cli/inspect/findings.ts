/** What an inspection finds. */
import type { StackName } from "../../stacks/stack-names.ts";
import type { ConfigurationSet, OriginationIdentity } from "./account.ts";

/**
 * A Firehose stream; a Pinpoint project, whose events are followed to their stream; or what the account has of End User
 * Messaging, with the configuration set that is meant: one that is named, or null for one that the stack makes. Without
 * either, the only set that there is.
 */
export type Subject =
  | { readonly kind: "stream"; readonly name: string }
  | { readonly kind: "application"; readonly id: string }
  | { readonly kind: "end-user-messaging"; readonly configurationSetName?: string | null };

/** The input `name_prefix` where nothing else is set. */
export const defaultNamePrefix = "sms-retry";

/** The answer, as `--json` prints it. Fields are added, never changed or taken away, under one version. */
export interface Inspection {
  readonly schema_version: 1;
  readonly region: string;
  readonly pinpoint_application_id: string | null;
  /** Where the delivery events of Pinpoint, or of a stream, go now; null if nowhere, and for End User Messaging. */
  readonly event_stream: {
    readonly kind: "firehose" | "kinesis";
    readonly name: string;
    readonly arn: string;
  } | null;
  /** The account's configuration sets; null where they were not looked at. */
  readonly configuration_sets: readonly ConfigurationSet[] | null;
  /** What End User Messaging can send from; null where it was not looked at, or may not be read. */
  readonly origination_identities: readonly OriginationIdentity[] | null;
  readonly stack: StackName;
  /** Why that stack; one sentence. */
  readonly stack_reason: string;
  /** What would become of the transformation; null where there is no Firehose stream. */
  readonly transformation: {
    readonly would_attach: boolean;
    /** A word of `functions/firehose-attachment/core/firehose-eligibility.ts`. */
    readonly reason: string;
    /** One sentence. */
    readonly text: string;
  } | null;
  /** Inputs of the stack that are known. */
  readonly tfvars: Readonly<Record<string, string | readonly string[]>>;
  /** Required inputs that are not. */
  readonly missing: readonly string[];
  /** What may keep it from working, with the way out; one sentence each. */
  readonly warnings: readonly string[];
  /** What else to know; one sentence each. */
  readonly notes: readonly string[];
}

/** Of an inspection that is not about End User Messaging. */
export const notLookedAt = { configuration_sets: null, origination_identities: null } as const;
