/** The bundles that `npm run bundle` wrote, for the tests that run them. */
import { join } from "node:path";
import { areStale } from "../../cli/bundled-functions.ts";

const bundleFolder = join(__dirname, "../../dist/functions");

/**
 * The folder of the bundles.
 *
 * @throws where they are missing or older than the sources: a test of old bundles says nothing about the code
 */
export async function currentBundles(): Promise<string> {
  if (await areStale(bundleFolder)) {
    throw new Error("The bundles are missing or older than the sources; run: npm run bundle");
  }
  return bundleFolder;
}
