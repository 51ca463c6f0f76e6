/**
 * Bundles every Lambda function alone and zips it deterministically:
 * `dist/functions/<name>/index.mjs` (+ source map) and `dist/functions/<name>.zip`.
 *
 * Run by `npm run bundle`. Same sources and lock file → byte-identical zips, on every machine: entries have
 * a fixed time and mode and no machine path reaches the bundle, so `terraform plan` is empty after a rebuild.
 */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { build } from "esbuild";
import { ZipFile } from "yazl";
import { lambdaRuntimes } from "../functions/contract/lambda-runtimes.ts";
import { leanSdk } from "./lean-sdk.ts";
import { zipEntryOptions } from "./zip-entry-options.ts";

const root = join(import.meta.dirname, "..");

/** The oldest runtime that `lambda_runtime` accepts, in esbuild's spelling: `node22`. */
const oldestNode = lambdaRuntimes[0].replace(/^nodejs(\d+)\.x$/, "node$1");
const outputFolder = join(root, "dist/functions");

/** Names of the folders in `functions/` that hold a `handler.ts`: one Lambda function each. */
async function functionNames(): Promise<string[]> {
  const entries = await readdir(join(root, "functions"), { recursive: true });
  return entries
    .filter((entry) => /^[^/]+\/handler\.ts$/.test(entry))
    .map((entry) => entry.slice(0, -"/handler.ts".length))
    .sort();
}

/** A function as it was bundled. */
export interface BundledFunction {
  readonly name: string;
  /** Folders of the packages of which its bundle holds code: absolute, sorted, each once. */
  readonly packageFolders: readonly string[];
}

/** Bundles a function; the folders of the packages that are in it. */
async function bundle(name: string, folder: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`functions/${name}/handler.ts`],
    outfile: join(folder, name, "index.mjs"),
    bundle: true,
    // Without keepNames: whatever is called by its name in a log or an error sets it as a text.
    minify: true,
    platform: "node",
    target: oldestNode,
    format: "esm",
    mainFields: ["module", "main"],
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    plugins: [...leanSdk],
    // CommonJS packages inside an ES module bundle still call require() for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
    metafile: true,
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs
    // What tree shaking left nothing of is not in the bundle.
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].map((path) => resolve(root, path)).sort();
}

async function zip(name: string, folder: string): Promise<void> {
  const archive = new ZipFile();
  archive.addFile(join(folder, name, "index.mjs"), "index.mjs", zipEntryOptions);
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(join(folder, `${name}.zip`)));
}

/**
 * Bundles and zips every function into `folder` (default `dist/functions`), replacing what is there when all is done.
 *
 * @returns the functions, sorted by name
 */
export async function bundleFunctions(folder = outputFolder): Promise<BundledFunction[]> {
  const names = await functionNames();
  // Beside it, so that neither an interruption nor another run meanwhile sees half of the bundles.
  const fresh = `${folder}.${process.pid}`;
  try {
    await mkdir(fresh, { recursive: true });
    const bundled = await Promise.all(
      names.map(async (name) => {
        const packageFolders = await bundle(name, fresh);
        await zip(name, fresh);
        return { name, packageFolders };
      }),
    );
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return bundled;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

if (import.meta.main) await bundleFunctions();
