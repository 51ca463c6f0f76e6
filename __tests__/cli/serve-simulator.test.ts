/** `sms-retry run --port`: the SMS simulator alone, as the tests of another application use it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PinpointSMSVoiceV2Client, SendTextMessageCommand } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { localCredentials, region } from "../../local/aws-clients.ts";
import { failureNumbers } from "../../local/sms-service/simulator-numbers.ts";
import { scriptRunner, signedOut } from "../support/script-run.ts";

const run = scriptRunner("sms-retry.ts", "run");
let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const firstLine = async (stream: Readable | null) =>
  (await once(createInterface({ input: stream as Readable }), "line"))[0] as string;

test("it answers the SDK, writes delivery events to stdout and ends at Ctrl-C with 130", async () => {
  const port = await freePort();
  const simulator = spawn(
    process.execPath,
    [join(__dirname, "../../cli/sms-retry.ts"), "run", "--port", String(port)],
    { env: signedOut },
  );
  child = simulator;
  const announced = await firstLine(simulator.stderr);
  const event = firstLine(simulator.stdout);
  const client = new PinpointSMSVoiceV2Client({
    region,
    credentials: localCredentials,
    endpoint: `http://127.0.0.1:${port}`,
  });
  const { MessageId } = await client.send(
    new SendTextMessageCommand({
      DestinationPhoneNumber: failureNumbers.US,
      MessageBody: "Hello",
      ConfigurationSetName: "any",
      Context: { application_message_id: "m-1" },
    }),
  );
  client.destroy();

  expect(announced).toContain(`http://127.0.0.1:${port}`);
  expect(JSON.parse(await event)).toMatchObject({
    messageId: MessageId,
    context: { application_message_id: "m-1" },
  });
  const occupied = await run(signedOut, "--port", String(port));
  expect([occupied.code, occupied.stderr]).toEqual([
    1,
    `The port ${port} is in use; end what uses it, or give another one with --port.\n`,
  ]);
  simulator.kill("SIGINT");
  expect(await once(simulator, "exit")).toEqual([130, null]);
});
