/**
 * Puts an object into S3 by the one request that it takes. A client of S3 is as large as all else that a consumer
 * loads, and is needed for the rare record that nobody can read; signature and connection are the SDK's own.
 */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Clock } from "../../core/clock.ts";

/** Where S3 is, and who asks. */
export interface S3Access {
  readonly region: string;
  /** Read for each request; absent parts make it fail as one without credentials. */
  readonly credentials: () => S3Credentials;
  /** Base URL of an emulator, which answers under one host name; absent = AWS, with a host name a bucket. */
  readonly endpoint?: string | undefined;
}

/** Credentials as Lambda has them in the environment. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** An object to be stored; an object of the same key is replaced. */
export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Uint8Array;
  readonly ContentType: string;
  /** Texts of ASCII, by names in lower case. */
  readonly Metadata: Readonly<Record<string, string>>;
}

/**
 * Stores one object; tries up to four times.
 *
 * @throws ObjectNotStoredError where S3 says so at last; the error of the last connection where it says nothing
 */
export type PutObject = (object: S3Object) => Promise<unknown>;

/** S3 has not taken an object. Its name is S3's code for it, e.g. `AccessDenied`, else `http-503`. */
export class ObjectNotStoredError extends Error {
  override readonly name: string;
  readonly httpStatus: number;

  constructor(code: string, httpStatus: number) {
    super(
      `S3 did not take an object (${code}, HTTP ${httpStatus}); look at the bucket, its key and the function's rights.`,
    );
    this.name = code;
    this.httpStatus = httpStatus;
  }
}

/** The last part of the host names of a partition whose Regions begin like this; all others have `amazonaws.com`. */
const domains = {
  "cn-": "amazonaws.com.cn",
  "us-iso-": "c2s.ic.gov",
  "us-isob-": "sc2s.sgov.gov",
  "us-isof-": "csp.hci.ic.gov",
  "eu-isoe-": "cloud.adc-e.uk",
  "eusc-": "amazonaws.eu",
};

const mostTries = 4;
const timeLimits = { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/** SHA-256 as the signature takes it: a digest, or with a key a MAC. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** Stores objects with this access. */
export function s3PutObject(access: S3Access, { sleep, now }: Pick<Clock, "sleep" | "now">): PutObject {
  const http = new NodeHttpHandler(timeLimits);
  return async (object) => {
    for (let tries = 1; ; tries += 1) {
      try {
        // Signed anew each time: a signature holds for minutes.
        return await put(await signedRequest(object, access, now()), http);
      } catch (error) {
        if (tries >= mostTries || !maySucceed(error)) throw error;
        await sleep(0.1 * 2 ** tries);
      }
    }
  };
}

type S3Request = Awaited<ReturnType<typeof signedRequest>>;

/**
 * The request that stores an object. Exported for its test, which compares it with that of the SDK's client.
 *
 * @param now epoch seconds
 */
export async function signedRequest(object: S3Object, access: S3Access, now: number) {
  const { region, credentials, endpoint } = access;
  const domain = Object.entries(domains).find(([begin]) => region.startsWith(begin))?.[1] ?? "amazonaws.com";
  const base = new URL(endpoint ?? `https://${object.Bucket}.s3.${region}.${domain}`);
  const key = object.Key.split("/").map(encoded).join("/");
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials: credentials(),
    sha256: Sha256,
    // S3 takes the path as it is.
    uriEscapePath: false,
  });
  return signer.sign(
    {
      method: "PUT",
      protocol: base.protocol,
      hostname: base.hostname,
      ...(base.port !== "" && { port: Number(base.port) }),
      path: endpoint === undefined ? `/${key}` : `/${object.Bucket}/${key}`,
      query: {},
      headers: {
        host: base.host,
        "content-type": object.ContentType,
        "content-length": String(object.Body.length),
        ...Object.fromEntries(
          Object.entries(object.Metadata).map(([name, text]) => [`x-amz-meta-${name}`, text]),
        ),
      },
      body: object.Body,
    },
    { signingDate: new Date(now * 1000) },
  );
}

/** As S3 counts it for the signature: all but letters, digits and `-._~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function put(request: S3Request, http: NodeHttpHandler): Promise<void> {
  const { response } = await http.handle(request as Parameters<typeof http.handle>[0]);
  const { statusCode, body } = response;
  const pieces: Buffer[] = [];
  // Read to its end, so that the connection can be used again.
  for await (const piece of body as AsyncIterable<Buffer>) pieces.push(piece);
  if (statusCode < 300) return;
  const [, code = `http-${statusCode}`] =
    /<Code>(\w{1,64})<\/Code>/.exec(Buffer.concat(pieces).toString()) ?? [];
  throw new ObjectNotStoredError(code, statusCode);
}

/** Whether another try may end otherwise: S3 was slow or ill, or no answer came. */
function maySucceed(error: unknown): boolean {
  if (!(error instanceof ObjectNotStoredError)) return true;
  return error.httpStatus >= 500 || error.httpStatus === 429 || error.name === "RequestTimeout";
}
