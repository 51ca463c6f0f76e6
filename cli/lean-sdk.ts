/**
 * What a bundle leaves out of the AWS SDK: what Lambda never needs of it, and what esbuild cannot see to be unused.
 * docs/decisions/0014-what-a-bundle-leaves-out.md has the reasons and the figures.
 */
import { readFile } from "node:fs/promises";
import type { OnLoadResult, Plugin } from "esbuild";

/** The plugins; each works on the SDK's own sources, so that what a function imports stays the SDK's. */
export const leanSdk: readonly Plugin[] = [
  replaced("environment-credentials", /^@aws-sdk\/credential-provider-node$/, {
    // On Lambda credentials are in the environment: no configuration files, SSO, STS, web identity or metadata service.
    contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
  }),
  replaced("no-event-streams", /^@smithy\/core\/event-streams$/, {
    // No operation that a function calls streams events.
    contents: `export const resolveEventStreamSerdeConfig = (config) => config;
      export const eventStreamSerdeProvider = () => undefined;
      export class EventStreamSerde {
        constructor() {
          throw new Error("The bundles have no event streams; take no-event-streams out of cli/lean-sdk.ts.");
        }
      }`,
  }),
  replaced("no-endpoint-cache", /^@aws-sdk\/endpoint-cache$/, {
    // DynamoDB's endpoint discovery, which is off unless AWS_ENABLE_ENDPOINT_DISCOVERY says otherwise, fills it.
    contents: "export class EndpointCache {}",
  }),
  replaced("http-without-websocket", /^(node:)?http$/, {
    // An import of node:http as an ES module reads every export of it, WebSocket among them, and that loads undici:
    // a tenth of a cold start's CPU. Asked for like this it loads what is used.
    contents: 'module.exports = process.getBuiltinModule("node:http");',
  }),
  {
    name: "pure-schemas",
    setup(build) {
      build.onLoad({ filter: /@aws-sdk[\\/]client-[^\\/]+[\\/].*schemas_0\.js$/ }, async ({ path }) =>
        javascript(pureSchemas(await readFile(path, "utf8"))),
      );
    },
  },
  {
    name: "version-of-clients",
    setup(build) {
      // A client says its version in the header User-Agent, and imports all of its package.json for that.
      build.onLoad({ filter: /@aws-sdk[\\/]client-[^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
        const { version } = JSON.parse(await readFile(path, "utf8"));
        return javascript(`export default { version: ${JSON.stringify(version)} };`);
      });
    },
  },
];

/**
 * The schemas of a client with its computed keys written out. They name constants of the same file; to esbuild such a
 * key may do anything when it is made a text, so it keeps the schemas of every operation that the service has.
 */
export function pureSchemas(source: string): string {
  const constants = new Map(
    [...source.matchAll(/^const (_\w+) = ("[^"\\]*");$/gm)].map(([, name, text]) => [name, text]),
  );
  return source.replaceAll(/\[(_\w+)\]: /g, (key, name: string) => {
    const text = constants.get(name);
    return text === undefined ? key : `${text}: `;
  });
}

function javascript(contents: string): OnLoadResult {
  return { contents, loader: "js" };
}

/** A plugin that puts another module in the place of the one that is imported by these names. */
function replaced(name: string, filter: RegExp, { contents }: { readonly contents: string }): Plugin {
  return {
    name,
    setup(build) {
      build.onResolve({ filter }, ({ path, resolveDir }) => ({
        path,
        namespace: name,
        pluginData: resolveDir,
        sideEffects: false,
      }));
      build.onLoad({ filter: /.*/, namespace: name }, ({ pluginData: resolveDir }) => ({
        contents,
        loader: "js",
        resolveDir,
      }));
    },
  };
}
