/**
 * Synthesises every stack into `cdktf.out`; run by `npx cdktf synth` and `npx cdktf deploy` through
 * `npm run app`, which bundles the functions first.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { synthesise } from "./stacks/app.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as {
  version: string;
};

synthesise({ version, functionsFolder: join(import.meta.dirname, "dist/functions") });
