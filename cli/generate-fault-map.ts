/**
 * Keeps the third column of `docs/faults.md` true: which tests prove that a fault is survived.
 *
 * A test proves a fault by naming it, `fault 4: …`, `fault 13 and 15: …` or `… (fault 51)`, in its own name or in
 * that of a `describe` around it. `--check` changes nothing and exits 1 where the map is not what would be written, or where a
 * fault has no test.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const mapPath = join(root, "docs/faults.md");

/** A test, or a group of them, that names a fault. */
export interface FaultTest {
  readonly fault: number;
  /** From the repository's root, with `/`. */
  readonly file: string;
  readonly name: string;
}

/** The names of tests and groups in a file's text that begin with `fault N`. */
export function faultTestsOf(file: string, text: string): FaultTest[] {
  const named = /\b(?:describe|test|it|step)(?:\.each\([^;]*?\))?\(\s*(["'`])(.*?)\1/gs;
  return [...text.matchAll(named)].flatMap(([, , name = ""]) => {
    const said = /^faults? ([\d, and]+)|\(faults? ([\d, and]+)\)/.exec(name);
    const numbers = (said?.[1] ?? said?.[2])?.match(/\d+/g) ?? [];
    return numbers.map((number) => ({ fault: Number(number), file, name: name.replaceAll(/\s+/g, " ") }));
  });
}

/** Every test of the repository that names a fault, in the order of files and of lines. */
export async function readFaultTests(): Promise<FaultTest[]> {
  const entries = await readdir(join(root, "__tests__"), { recursive: true });
  const files = entries.filter((entry) => entry.endsWith(".ts")).sort();
  const tests = await Promise.all(
    files.map(async (entry) => {
      const path = join(root, "__tests__", entry);
      return faultTestsOf(relative(root, path).replaceAll("\\", "/"), await readFile(path, "utf8"));
    }),
  );
  return tests.flat();
}

/** The map with its third column written anew. Rows look like `| 4 | what must happen | tests |`. */
export function withTests(map: string, tests: readonly FaultTest[]): string {
  return map.replaceAll(/^\| (\d+) \| ([^|]*) \|.*$/gm, (_, fault: string, title: string) => {
    const own = tests.filter((test) => test.fault === Number(fault));
    const cells = own.map(
      ({ file, name }) => `[${file.replace("__tests__/", "")}](../${file}): ${escaped(name)}`,
    );
    return `| ${fault} | ${title} | ${cells.join("<br>")} |`;
  });
}

/** Faults of the map that no test names. */
export function withoutTests(map: string): number[] {
  return [...map.matchAll(/^\| (\d+) \| [^|]* \| {1,2}\|$/gm)].map(([, fault]) => Number(fault));
}

function escaped(name: string): string {
  return name.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

async function main(isCheck: boolean): Promise<number> {
  const map = await readFile(mapPath, "utf8");
  const written = withTests(map, await readFaultTests());
  if (!isCheck) await writeFile(mapPath, written);
  const missing = withoutTests(written);
  if (missing.length > 0) {
    process.stderr.write(
      `No test names the fault(s) ${missing.join(", ")}; write one whose name begins so.\n`,
    );
  }
  if (isCheck && written !== map) {
    process.stderr.write("docs/faults.md is not up to date; run npm run docs.\n");
  }
  return missing.length > 0 || (isCheck && written !== map) ? 1 : 0;
}

if (import.meta.main) {
  void main(process.argv.includes("--check")).then((code) => {
    process.exitCode = code;
  });
}
