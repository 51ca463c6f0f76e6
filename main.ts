/**
 * Synthesises every stack into `cdktf.out`; run by `npx cdktf synth` and `npx cdktf deploy` through
 * `npm run app`, which bundles the functions first.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import { KinesisStack } from "./stacks/kinesis-stack.ts";
import { NewStreamStack } from "./stacks/new-stream-stack.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as {
  version: string;
};
const artefacts = { version, functionsFolder: join(import.meta.dirname, "dist/functions") };

// Stack traces would write the paths of this machine into the output.
const app = new App({ stackTraces: false });
new NewStreamStack(app, artefacts);
new KinesisStack(app, artefacts);
app.synth();
