/**
 * Synthesises every stack into `cdktf.out`; run by `npx cdktf synth` and `npx cdktf deploy` through
 * `npm run app`, which bundles the functions first.
 */
import { builtArtefacts } from "./cli/artefacts.ts";
import { backendConfigFile } from "./cli/remote-state.ts";
import { synthesise } from "./stacks/app.ts";

synthesise(builtArtefacts(), undefined, backendConfigFile(process.env) !== undefined);
