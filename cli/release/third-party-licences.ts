/** The page with the licences of the code that the bundles hold beside ours. */
import type { BundledPackage } from "./bundled-packages.ts";

/** The page: each text once, above it the packages that it covers. */
export function thirdPartyLicences(packages: readonly BundledPackage[]): string {
  const byTexts = Map.groupBy(packages, ({ licenceTexts }) => licenceTexts.join("\n\n"));
  const parts = [...byTexts].map(([texts, covered]) => {
    const lines = covered.map(({ name, version, licence }) => `${name} ${version} (${licence})`);
    return [...lines, "", texts].join("\n");
  });
  const introduction =
    "The functions in assets/ hold code of these packages, under these licences. Our own code is under LICENSE.";
  return `${[introduction, ...parts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
