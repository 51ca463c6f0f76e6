import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type BreakableProxy, startBreakableProxy } from "../../local/emulators/start-breakable-proxy.ts";

let server: Server;
let proxy: BreakableProxy;
let requests: number;

beforeEach(async () => {
  requests = 0;
  server = createServer((request, response) => {
    requests += 1;
    if (request.url !== "/slow") response.end("here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await startBreakableProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = async (path = "/", signal?: AbortSignal) =>
  (await fetch(`${proxy.endpoint}${path}`, { ...(signal && { signal }) })).text();

it("lets everything through, before it breaks and after it is mended", async () => {
  expect(await ask()).toBe("here");
  proxy.break();
  await expect(ask()).rejects.toThrow();
  proxy.mend();

  expect(await ask()).toBe("here");
  expect(requests).toBe(2);
});

it("cuts what is under way when it breaks", async () => {
  const waiting = ask("/slow");
  while (requests === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  proxy.break();

  await expect(waiting).rejects.toThrow();
});

it("never answers while it is stalled, and lets nothing through", async () => {
  proxy.stall();

  await expect(ask("/", AbortSignal.timeout(100))).rejects.toMatchObject({ name: "TimeoutError" });
  expect(requests).toBe(0);
});
