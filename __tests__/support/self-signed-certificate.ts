/** A certificate for 127.0.0.1 that is made anew for each run, so that no private key lies in the repository. */
import { generateKeyPairSync, sign } from "node:crypto";

/** Key and certificate of a TLS server; the certificate is its own authority. */
export interface ServerCertificate {
  /** PEM */
  readonly key: string;
  /** PEM; also what a client takes as `ca`. */
  readonly cert: string;
}

const tags = { integer: 0x02, bitString: 0x03, octetString: 0x04, utf8String: 0x0c, utcTime: 0x17 };
const [sequence, set] = [0x30, 0x31];
/** ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName: DER of their object identifiers. */
const oids = {
  signature: "06082a8648ce3d040302",
  commonName: "0603550403",
  constraints: "0603551d13",
  names: "0603551d11",
};

function der(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const oid = (name: keyof typeof oids) => Buffer.from(oids[name], "hex");
const bits = (content: Buffer) => der(tags.bitString, Buffer.from([0]), content);

/** Makes a certificate for 127.0.0.1 that holds from 2020 to 2049. */
export function selfSignedCertificate(): ServerCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(sequence, oid("signature"));
  const name = der(
    sequence,
    der(set, der(sequence, oid("commonName"), der(tags.utf8String, "sms-retry test"))),
  );
  const extension = (id: keyof typeof oids, value: Buffer) =>
    der(sequence, oid(id), der(tags.octetString, value));
  const toBeSigned = der(
    sequence,
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.from([1])),
    algorithm,
    name,
    der(sequence, der(tags.utcTime, "200101000000Z"), der(tags.utcTime, "491231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      der(
        sequence,
        extension("constraints", der(sequence, der(0x01, Buffer.from([0xff])))),
        extension("names", der(sequence, der(0x87, Buffer.from([127, 0, 0, 1])))),
      ),
    ),
  );
  const certificate = der(sequence, toBeSigned, algorithm, bits(sign("sha256", toBeSigned, privateKey)));
  const base64 = certificate.toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}
