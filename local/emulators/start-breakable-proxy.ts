/** A proxy in front of an emulator that can be broken and mended: what is behind it keeps its state. */
import net, { type AddressInfo } from "node:net";

/** A running proxy. */
export interface BreakableProxy {
  /** e.g. `http://127.0.0.1:41234` */
  readonly endpoint: string;
  /** Cuts every connection, and each new one as soon as it is made. */
  break(): void;
  /** Cuts every connection, and takes new ones without ever answering on them. */
  stall(): void;
  /** Lets connections through again; cuts none where it lets them through already. */
  mend(): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * @param target base URL of the emulator
 */
export async function startBreakableProxy(target: string): Promise<BreakableProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<net.Socket>();
  let state: "whole" | "broken" | "stalled" = "whole";

  const server = net.createServer((caller) => {
    // The port stays ours while it is broken; a reset is what a caller of a dead server gets, too.
    if (state === "broken") {
      caller.resetAndDestroy();
      return;
    }
    if (state === "stalled") {
      sockets.add(caller);
      caller.on("error", () => {}).on("close", () => sockets.delete(caller));
      return;
    }
    join(caller, net.connect(Number(targetPort), hostname), sockets);
  });
  const cutAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    break() {
      state = "broken";
      cutAll();
    },
    stall() {
      state = "stalled";
      cutAll();
    },
    mend() {
      if (state === "whole") return;
      state = "whole";
      // What was stalled would wait for ever.
      cutAll();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}

/** Lets two connections pass on to each other what comes, and end together. */
function join(caller: net.Socket, service: net.Socket, sockets: Set<net.Socket>): void {
  for (const [socket, other] of [
    [caller, service],
    [service, caller],
  ] as const) {
    sockets.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  }
}
