/**
 * The connections of the clients that send: one for each request, and watched, so that a send that failed
 * before anything left is known for certain. ADR 6 has the reasons and the price.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type AgentOptions as TlsOptions } from "node:https";
import type { PinpointClient } from "@aws-sdk/client-pinpoint";
import type { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";

/** How far a call got before it failed; further than this it may have reached the service. */
export type UnsentStage =
  /** It was never handed to a connection: no credentials, no region. */
  | "preparing"
  /** Every connection failed before it could carry data: DNS, TCP or TLS. */
  | "connecting";

/** A call of a sending client that certainly never reached the service. `cause` is the SDK's own error. */
export class RequestNotSentError extends Error {
  override readonly name = "RequestNotSentError";
  readonly stage: UnsentStage;

  constructor(stage: UnsentStage, cause: unknown) {
    super(`The request was not sent because it failed while ${stage}; it may be sent again.`, { cause });
    this.stage = stage;
  }
}

/** What has been seen of one call. */
interface Call {
  isHandedOver: boolean;
  /** Connections that were begun and have carried nothing. */
  begun: number;
  /** A connection was ready for data, or one was made that cannot be watched. */
  mayHaveSent: boolean;
}

const calls = new AsyncLocalStorage<Call>();

/**
 * Watches a new connection for the call that asked for it. Node writes nothing of a request before it emits
 * `connect`, or with TLS `secureConnect`: what fails earlier is certain not to have left. After it nobody can
 * know: a write that has not been reported may have left all the same.
 */
function watched<Connection extends NodeJS.EventEmitter>(
  connection: Connection | null | undefined,
  ready: "connect" | "secureConnect",
): Connection | null | undefined {
  const call = calls.getStore();
  if (call === undefined) return connection;
  if (connection === null || connection === undefined) {
    call.mayHaveSent = true;
    return connection;
  }
  call.begun += 1;
  connection.once(ready, () => {
    call.mayHaveSent = true;
  });
  return connection;
}

type Created<Agent extends HttpAgent> = Parameters<Agent["createConnection"]>;

class WatchedHttpAgent extends HttpAgent {
  override createConnection(...created: Created<HttpAgent>) {
    return watched(super.createConnection(...created), "connect");
  }
}

class WatchedHttpsAgent extends HttpsAgent {
  override createConnection(...created: Created<HttpsAgent>) {
    return watched(super.createConnection(...created), "secureConnect");
  }
}

/**
 * Agents that make a connection for each request and close it after the answer. A connection that is kept may
 * have been closed by the service while it lay idle, for minutes where Lambda froze the process, and a request
 * that is written to it is lost without anybody knowing whether it was taken. TLS sessions are resumed, so that
 * a new connection costs a round trip and no check of certificates.
 *
 * @param tls options of TLS, for a service whose certificate the machine does not know
 */
export function connectionPerRequest(tls: Pick<TlsOptions, "ca"> = {}): {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
} {
  return {
    httpAgent: new WatchedHttpAgent({ keepAlive: false }),
    httpsAgent: new WatchedHttpsAgent({ ...tls, keepAlive: false }),
  };
}

/**
 * Lets a client whose handler has the agents of {@link connectionPerRequest} reject with a
 * {@link RequestNotSentError} where nothing can have been sent. Every other error stays as it is; so does one
 * of a call whose connection was not seen.
 *
 * @returns the client
 */
export function tellingUnsent<Client extends PinpointClient | PinpointSMSVoiceV2Client>(
  client: Client,
): Client {
  // The stacks of the clients differ in the types of inputs and outputs, which nothing here looks at.
  const { middlewareStack } = client as PinpointClient;
  middlewareStack.add(
    (next) => async (args) => {
      const call: Call = { isHandedOver: false, begun: 0, mayHaveSent: false };
      try {
        return await calls.run(call, () => next(args));
      } catch (error) {
        if (!call.isHandedOver) throw new RequestNotSentError("preparing", error);
        if (call.begun > 0 && !call.mayHaveSent) throw new RequestNotSentError("connecting", error);
        throw error;
      }
    },
    { step: "initialize", priority: "high", name: "tellUnsent" },
  );
  middlewareStack.add(
    (next) => (args) => {
      const call = calls.getStore();
      if (call !== undefined) call.isHandedOver = true;
      return next(args);
    },
    { step: "deserialize", priority: "low", name: "markHandedOver" },
  );
  return client;
}
