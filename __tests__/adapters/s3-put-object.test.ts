/** The one request to S3 that is not made by the SDK's client is the one that it would make. */
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type S3Object, s3PutObject, signedRequest } from "../../functions/adapters/s3/s3-put-object.ts";

const object: S3Object = {
  Bucket: "sms-retry-events",
  Key: "malformed/shardId-000000000000:4957",
  Body: Buffer.from([0, 1, 255]),
  ContentType: "application/octet-stream",
  Metadata: { problem: "no JSON" },
};
const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const now = Date.UTC(2026, 10, 25) / 1000;

interface SdkRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request that the SDK's client makes. */
async function requestOfTheClient(region: string, given: S3Object): Promise<SdkRequest> {
  let made: SdkRequest | undefined;
  const requestHandler = {
    handle: async (request: SdkRequest) => {
      made = request;
      throw new Error("seen");
    },
  };
  const client = new S3Client({
    region,
    credentials: keys,
    requestHandler: requestHandler as never,
    maxAttempts: 1,
  });
  await client.send(new PutObjectCommand({ ...given })).catch(() => {});
  if (made === undefined) throw new Error("The client made no request.");
  return made;
}

/** The signature of a request by the rules of Signature Version 4, read anew. */
function signatureOf(request: SdkRequest, body: Uint8Array, region: string): string {
  const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const digest = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
  const date = request.headers["x-amz-date"] ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const headers = names.split(";").map((name) => `${name}:${request.headers[name]}\n`);
  const canonical = [request.method, request.path, "", headers.join(""), names, digest(body)].join("\n");
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = scope.split("/").reduce<string | Buffer>(mac, `AWS4${keys.secretAccessKey}`);
  return mac(key as Buffer, ["AWS4-HMAC-SHA256", date, scope, digest(canonical)].join("\n")).toString("hex");
}

describe("the request that stores an object", () => {
  test.each([
    "us-east-1",
    "eu-west-1",
    "us-gov-west-1",
    "cn-north-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eusc-de-east-1",
  ])("goes where the SDK's client would send it in %s", async (region) => {
    const ours = await signedRequest(object, { region, credentials: () => keys }, now);
    const theirs = await requestOfTheClient(region, object);

    expect([ours.method, ours.protocol, ours.hostname]).toEqual(["PUT", "https:", theirs.hostname]);
  });

  test.each(["malformed/a", "malformed/shardId-0:1", "malformed/49 (1)!*'.é/~x"])(
    "names the key %s and says what the SDK's client would say",
    async (Key) => {
      const ours = await signedRequest(
        { ...object, Key },
        { region: "eu-west-1", credentials: () => keys },
        now,
      );
      const theirs = await requestOfTheClient("eu-west-1", { ...object, Key });

      // The client names its operation in a query, which S3 ignores.
      expect(ours.path).toBe(theirs.path);
      for (const name of ["host", "content-type", "content-length", "x-amz-meta-problem"]) {
        expect([name, ours.headers[name]]).toEqual([name, theirs.headers[name]]);
      }
    },
  );

  test("is signed by the rules, with the digest of what it carries", async () => {
    const request = await signedRequest(object, { region: "eu-west-1", credentials: () => keys }, now);

    expect(request.headers["x-amz-content-sha256"]).toBe(
      createHash("sha256").update(object.Body).digest("hex"),
    );
    expect(request.headers.authorization).toContain(
      `Signature=${signatureOf(request as SdkRequest, object.Body, "eu-west-1")}`,
    );
  });

  test("carries the session token of Lambda's role", async () => {
    const credentials = () => ({ ...keys, sessionToken: "token" });
    const request = await signedRequest(object, { region: "eu-west-1", credentials }, now);

    expect(request.headers["x-amz-security-token"]).toBe("token");
  });
});

/** An answer of S3: the status, and the code in its body. */
type Answer = readonly [number, string];

/** Stores the object at an S3 that answers so, one after the other; gives what was asked and waited. */
async function store(answers: readonly Answer[]) {
  const asked: string[] = [];
  const waits: number[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const [status, code] = answers[asked.length] ?? [200, ""];
    asked.push(`${request.method} ${request.url} ${Buffer.concat(pieces).toString("hex")}`);
    response.writeHead(status).end(code === "" ? "" : `<Error><Code>${code}</Code></Error>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = { now: () => now, sleep: async (seconds: number) => void waits.push(seconds) };
  try {
    const result = s3PutObject({ region: "eu-west-1", credentials: () => keys, endpoint }, clock)(object);
    const error = await result.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    return { asked, waits, error };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe("storing an object", () => {
  const asked = "PUT /sms-retry-events/malformed/shardId-000000000000%3A4957 0001ff";

  test("asks once where S3 takes it", async () => {
    expect(await store([])).toEqual({ asked: [asked], waits: [], error: undefined });
  });

  test("asks again, later each time, where S3 is slow or ill", async () => {
    const {
      asked: all,
      waits,
      error,
    } = await store([
      [503, "SlowDown"],
      [500, "InternalError"],
      [400, "RequestTimeout"],
    ]);

    expect([all.length, waits, error]).toEqual([4, [0.2, 0.4, 0.8], undefined]);
  });

  test("gives up after four tries, by S3's own word for it", async () => {
    const { asked: all, error } = await store(Array(9).fill([503, "SlowDown"]));

    expect([all.length, error?.name]).toEqual([4, "SlowDown"]);
  });

  test("asks no second time where it is refused, and says what to look at", async () => {
    const { asked: all, error } = await store([[403, "AccessDenied"]]);

    expect(all).toHaveLength(1);
    expect(error?.name).toBe("AccessDenied");
    expect(error?.message).toBe(
      "S3 did not take an object (AccessDenied, HTTP 403); look at the bucket, its key and the function's rights.",
    );
  });

  test("names the status where S3 says nothing else", async () => {
    expect((await store([[404, ""]])).error?.name).toBe("http-404");
  });
});
