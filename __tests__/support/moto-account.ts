/** What the account of the stream's owner holds, on moto. */
import {
  CreateDeliveryStreamCommand,
  type CreateDeliveryStreamCommandInput,
  DeleteDeliveryStreamCommand,
  type DeliveryStreamDescription,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  type ProcessingConfiguration,
  UpdateDestinationCommand,
} from "@aws-sdk/client-firehose";
import { CreateFunctionCommand, GetPolicyCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateAppCommand, PinpointClient, PutEventStreamCommand } from "@aws-sdk/client-pinpoint";
import { ZipFile } from "yazl";
import { s3Destination } from "./delivery-streams.ts";
import { emulatorAccess } from "./message-table.ts";

/** Creates and reads things past our code. */
export interface MotoAccount {
  readonly firehose: FirehoseClient;
  readonly lambda: LambdaClient;
  createStream(
    name: string,
    others: Omit<CreateDeliveryStreamCommandInput, "DeliveryStreamName">,
  ): Promise<void>;
  /** A stream that delivers to S3 in the extended form. */
  createS3Stream(name: string, processing?: ProcessingConfiguration): Promise<void>;
  deleteStream(name: string): Promise<void>;
  describe(name: string): Promise<DeliveryStreamDescription>;
  /** Changes the stream as its owner may, e.g. the prefix of its objects. */
  update(
    name: string,
    update: UpdateDestinationCommand["input"]["ExtendedS3DestinationUpdate"],
  ): Promise<void>;
  /** @returns the function's ARN */
  createFunction(name: string): Promise<string>;
  /** The statements of a function's policy, without those that nobody wrote: none. */
  policy(functionName: string): Promise<unknown[]>;
  /** @returns the application's id */
  createApplication(destinationStreamArn?: string): Promise<string>;
}

/** The account that moto gives to everybody. */
export function motoAccount(endpoint: string): MotoAccount {
  const firehose = new FirehoseClient({ ...emulatorAccess, endpoint });
  const lambda = new LambdaClient({ ...emulatorAccess, endpoint });
  const pinpoint = new PinpointClient({ ...emulatorAccess, endpoint });
  const account: MotoAccount = {
    firehose,
    lambda,
    async createStream(name, others) {
      await firehose.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: name, ...others }));
    },
    createS3Stream: (name, processing) =>
      account.createStream(name, {
        ExtendedS3DestinationConfiguration: {
          ...s3Destination,
          ...(processing !== undefined && { ProcessingConfiguration: processing }),
        },
      }),
    async deleteStream(name) {
      await firehose.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName: name }));
    },
    async describe(name) {
      const { DeliveryStreamDescription } = await firehose.send(
        new DescribeDeliveryStreamCommand({ DeliveryStreamName: name }),
      );
      if (DeliveryStreamDescription === undefined) throw new Error(`There is no stream ${name}.`);
      return DeliveryStreamDescription;
    },
    async update(name, update) {
      const { VersionId, Destinations } = await account.describe(name);
      await firehose.send(
        new UpdateDestinationCommand({
          DeliveryStreamName: name,
          CurrentDeliveryStreamVersionId: VersionId,
          DestinationId: Destinations?.[0]?.DestinationId,
          ExtendedS3DestinationUpdate: update,
        }),
      );
    },
    async createFunction(name) {
      const role = await createRole(endpoint, `${name}-role`);
      const { FunctionArn } = await lambda.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Role: role,
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Code: { ZipFile: await emptyZip() },
        }),
      );
      return FunctionArn ?? "";
    },
    async policy(functionName) {
      try {
        const { Policy = "{}" } = await lambda.send(new GetPolicyCommand({ FunctionName: functionName }));
        return (JSON.parse(Policy) as { Statement?: unknown[] }).Statement ?? [];
      } catch (error) {
        if (error instanceof Error && error.name === "ResourceNotFoundException") return [];
        throw error;
      }
    },
    async createApplication(destinationStreamArn) {
      const { ApplicationResponse } = await pinpoint.send(
        new CreateAppCommand({ CreateApplicationRequest: { Name: "one-time-passwords" } }),
      );
      const id = ApplicationResponse?.Id ?? "";
      if (destinationStreamArn !== undefined) {
        await pinpoint.send(
          new PutEventStreamCommand({
            ApplicationId: id,
            WriteEventStream: {
              DestinationStreamArn: destinationStreamArn,
              RoleArn: "arn:aws:iam::123456789012:role/pinpoint-events",
            },
          }),
        );
      }
      return id;
    },
  };
  return account;
}

/** Lambda looks its role up. IAM has no client here for the one call. */
async function createRole(endpoint: string, name: string): Promise<string> {
  await fetch(endpoint, {
    method: "POST",
    headers: {
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: new URLSearchParams({
      Action: "CreateRole",
      Version: "2010-05-08",
      RoleName: name,
      AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
    }),
  });
  return `arn:aws:iam::123456789012:role/${name}`;
}

async function emptyZip(): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from("export const handler = () => {};"), "index.mjs");
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
