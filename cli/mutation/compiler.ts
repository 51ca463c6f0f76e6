/** Asks the TypeScript compiler about changes of the code: what does not compile cannot get into the project. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/**
 * A function that tells whether a file of the project would compile with another text. It looks at that file
 * alone; a change that only breaks those who import it counts as compiling.
 *
 * Asking here, for what no test noticed, takes seconds; Stryker's own checker asks for every change, which took two
 * seconds each.
 *
 * @param root folder of `tsconfig.json`
 * @param paths the files that will be asked about, relative to `root`
 */
export function compilerOf(root: string, paths: readonly string[]): (path: string, text: string) => boolean {
  const { config, error } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [...paths] },
    ts.sys,
    root,
  );
  const changed = new Map<string, { readonly version: number; readonly text: string }>();
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => paths.map((path) => join(root, path)),
    getScriptVersion: (file) => String(changed.get(relative(root, file))?.version ?? 0),
    getScriptSnapshot: (file) => {
      const text = changed.get(relative(root, file))?.text ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  let version = 0;
  const compiles = (path: string, text: string): boolean => {
    version += 1;
    changed.set(path, { version, text });
    const file = join(root, path);
    return (
      service.getSyntacticDiagnostics(file).length === 0 && service.getSemanticDiagnostics(file).length === 0
    );
  };
  return (path, text) => {
    try {
      return compiles(path, text);
    } finally {
      version += 1;
      changed.set(path, { version, text: readFileSync(join(root, path), "utf8") });
    }
  };
}
