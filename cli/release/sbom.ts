/** The bill of materials of a release in CycloneDX's JSON form, version 1.6. */
import { createHash } from "node:crypto";
import { type BundledPackage, idOf } from "./bundled-packages.ts";

/** What a bill of materials is of. */
export interface Product {
  readonly name: string;
  readonly version: string;
}

/**
 * The document as text. It names every package that the product's bundles hold code of, and nothing else. The same
 * packages give the same bytes: it has no time, and its serial number is a digest of the rest.
 */
export function sbomOf(product: Product, packages: readonly BundledPackage[]): string {
  const ref = `pkg:generic/${idOf(product)}`;
  const content = {
    metadata: {
      component: {
        type: "application",
        "bom-ref": ref,
        ...product,
        purl: ref,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: packages.map(componentOf),
    dependencies: [
      { ref, dependsOn: packages.map((bundled) => purlOf(idOf(bundled))) },
      ...packages.map((bundled) => ({ ref: purlOf(idOf(bundled)), dependsOn: bundled.needs.map(purlOf) })),
    ],
  };
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function componentOf(bundled: BundledPackage) {
  const { name, version, licence, sha512 } = bundled;
  const purl = purlOf(idOf(bundled));
  const [group, local] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type: "library",
    "bom-ref": purl,
    ...(group !== undefined && { group }),
    name: local,
    version,
    ...(sha512 !== undefined && { hashes: [{ alg: "SHA-512", content: sha512 }] }),
    // An expression is none of the identifiers that a licence may have.
    licenses: [/[ ()]/.test(licence) ? { expression: licence } : { license: { id: licence } }],
    purl,
  };
}

/** The package's URL, as package managers and scanners know it. */
function purlOf(id: string): string {
  return `pkg:npm/${id.replace(/^@/, "%40")}`;
}

/** A UUID of version 8, whose bits are the producer's choice: here a digest. */
function uuidOf(text: string): string {
  const digest = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(digest.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join("-");
}
