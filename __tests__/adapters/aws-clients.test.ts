import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateScheduleCommand } from "@aws-sdk/client-scheduler";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { documentClient, schedulerClient, sqsClient } from "../../functions/adapters/aws-clients.ts";
import { s3PutObject } from "../../functions/adapters/s3/s3-put-object.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { s3AccessOf } from "../../functions/settings.ts";

const environment = { ...process.env };
afterAll(() => {
  process.env = { ...environment };
});

describe("a service that takes a request and never answers does not use up the function's time", () => {
  test.concurrent.each<[string, number, () => Promise<unknown>]>([
    ["DYNAMODB", 4, () => documentClient().send(new GetCommand({ TableName: "t", Key: { id: "1" } }))],
    ["SQS", 6, () => sqsClient().send(new ListQueuesCommand({}))],
    [
      "SCHEDULER",
      6,
      async () =>
        (await schedulerClient()).send(
          new CreateScheduleCommand({
            Name: "n",
            ScheduleExpression: "at(2026-11-23T12:00:00)",
            FlexibleTimeWindow: { Mode: "OFF" },
            Target: { Arn: "arn", RoleArn: "arn" },
          }),
        ),
    ],
    [
      "S3",
      6,
      () =>
        s3PutObject(
          s3AccessOf(process.env),
          systemClock,
        )({ Bucket: "b", Key: "k", Body: Buffer.from("body"), ContentType: "text/plain", Metadata: {} }),
    ],
  ])("%s is asked again within %i s", async (service, seconds, call) => {
    // Prepare
    const requestsAt: number[] = [];
    const server = createServer((request: IncomingMessage) => {
      request.resume();
      requestsAt.push(performance.now());
      if (requestsAt.length === 2) server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    Object.assign(process.env, {
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      [`AWS_ENDPOINT_URL_${service}`]: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });

    // Act
    const done = call().catch(() => "failed");
    const begin = performance.now();
    while (requestsAt.length < 2 && performance.now() - begin < (seconds + 4) * 1000) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    server.close();
    server.closeAllConnections();

    // Assess
    const [first = 0, second = Number.POSITIVE_INFINITY] = requestsAt;
    expect((second - first) / 1000).toBeLessThan(seconds);
    expect(await done).toBe("failed");
  });
});
