/** What shadow mode means for the functions that send, or leave something out, besides the resend worker. */
import {
  defaultEnvironment,
  environmentNames,
  type FunctionName,
} from "../../functions/contract/environment.ts";
import { produceFunction } from "../../functions/produce/produce-function.ts";
import { readSettings } from "../../functions/settings.ts";
import { transformFirehoseFunction } from "../../functions/transform-firehose/transform-firehose-function.ts";
import { pinpointRecord, sentMessage, startOfTest } from "../support/messages.ts";
import { openGate } from "../support/open-gate.ts";
import { recordedTelemetry } from "../support/recorded-telemetry.ts";
import { routingBy, scriptedSender } from "../support/scripted-sender.ts";
import { storeOnModel } from "../support/store-on-model.ts";
import { virtualTime } from "../support/virtual-time.ts";

const project = "0123456789abcdef0123456789abcdef";

function settingsOf<Name extends FunctionName>(name: Name, SHADOW_MODE: string) {
  const named = Object.fromEntries(environmentNames[name].map((variable) => [variable, "x"]));
  return readSettings(name, {
    ...named,
    POWERTOOLS_LOG_LEVEL: "INFO",
    ...defaultEnvironment,
    PINPOINT_APPLICATION_ID: project,
    SHADOW_MODE,
  });
}

function portsWith(...ids: readonly string[]) {
  const sender = scriptedSender();
  return {
    sends: sender.sends,
    clock: virtualTime(startOfTest + 10),
    random: { next: () => 0.5, id: () => "id" },
    telemetry: { ...recordedTelemetry(), publish: () => {} },
    store: storeOnModel(...ids.map((id) => sentMessage({ application_message_id: id }))),
    queue: { put: async (entries: readonly unknown[]) => entries.map(() => true) },
    routing: routingBy(sender),
    gateUntil: () => openGate,
  };
}

describe("produce in shadow mode", () => {
  const event = {
    application_message_id: "order-4711",
    destination_number: "+447700900123",
    message_body: "Your code is 493817.",
  };

  test("sends nothing and writes nothing, and says so, so that the application sends otherwise", async () => {
    const ports = portsWith();
    const produce = produceFunction(settingsOf("produce", "true"), ports);

    await expect(produce(event)).rejects.toThrow(
      expect.objectContaining({
        name: "ShadowModeError",
        message:
          "The message was not sent because the deployment is in shadow mode; send it without the function produce, or set shadow_mode to false and apply.",
      }),
    );
    expect([ports.sends, [...ports.store.items.keys()]]).toEqual([[], []]);
  });

  test("still cancels, and without shadow mode it sends", async () => {
    const ports = portsWith("order-4711");
    const cancel = { action: "cancel", application_message_id: "order-4711" } as const;
    expect(await produceFunction(settingsOf("produce", "true"), ports)(cancel)).toMatchObject({
      status: "CANCELLED",
    });

    const others = portsWith();
    await produceFunction(settingsOf("produce", "false"), others)(event);
    expect(others.sends).toHaveLength(1);
  });
});

test.each([
  ["true", "Ok"],
  ["false", "Dropped"],
])(
  "with shadow mode %s the archive's answer to a failure with retries left is %s",
  async (shadow, result) => {
    const transform = transformFirehoseFunction(
      settingsOf("transform-firehose", shadow),
      portsWith("order-4711"),
    );
    const data = Buffer.from(JSON.stringify(pinpointRecord())).toString("base64");

    const { records } = await transform(
      {
        invocationId: "i",
        deliveryStreamArn: "d",
        region: "us-east-1",
        records: [{ recordId: "r", data, approximateArrivalTimestamp: 0 }],
      },
      { getRemainingTimeInMillis: () => 60_000 },
    );

    expect(records).toEqual([{ recordId: "r", data, result }]);
  },
);
