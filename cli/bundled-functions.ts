/** The bundles of the functions for those who run them without `npm run bundle` before. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bundleFolder = join(root, "dist/functions");

/**
 * The folder of the bundles. They are made anew, without a word, where {@link areStale} says so.
 *
 * @throws the errors of `bundleFunctions`
 */
export async function bundledFunctions(): Promise<string> {
  if (await areStale(bundleFolder)) {
    const { bundleFunctions } = await import("./bundle.ts");
    await bundleFunctions(bundleFolder);
  }
  return bundleFolder;
}

/** Whether the bundles in a folder are missing, or older than anything that they are made of. */
export async function areStale(folder: string): Promise<boolean> {
  const files = await readdir(join(root, "functions"), { recursive: true });
  // A folder shows by its own time what was taken out of it.
  const sources = [
    "functions",
    "cli/bundle.ts",
    "cli/lean-sdk.ts",
    "package-lock.json",
    ...files.map((file) => `functions/${file}`),
  ];
  const changes = await Promise.all(sources.map((source) => writtenAt(join(root, source))));
  // The whole folder is put in its place at once.
  return (await writtenAt(folder).catch(() => 0)) < Math.max(...changes);
}

async function writtenAt(path: string): Promise<number> {
  return (await stat(path)).mtimeMs;
}
