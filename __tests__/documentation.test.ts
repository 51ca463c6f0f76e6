/** What can be checked of all pages: links lead somewhere, commands exist, the README stays short. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createProgram } from "../cli/command-line.ts";

const root = join(__dirname, "..");
const pages = [
  ...readdirSync(root).map((name) => join(root, name)),
  ...["docs", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(root, folder, name),
    ),
  ),
]
  .filter((path) => path.endsWith(".md"))
  .map((path) => [relative(root, path), readFileSync(path, "utf8")] as const);
const textOf = new Map(pages);

/** The page without its blocks of code, in which `](` and `#` mean something else. */
const prose = (text: string): string => text.replaceAll(/^ *```.*?^ *```$/gms, "");

/** The anchors of a page: those that GitHub makes of its headings, and explicit ones. */
function anchorsOf(text: string): string[] {
  const headings = [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)];
}

test("there are pages to check", () => {
  expect([...textOf.keys()]).toEqual(expect.arrayContaining(["README.md", join("docs", "inputs.md")]));
});

test("the README is at most 9 KB", () => {
  expect(statSync(join(root, "README.md")).size).toBeLessThanOrEqual(9_000);
});

describe.each(pages)("%s", (page, text) => {
  test("every link to a file or a heading of this repository leads to it", () => {
    const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target));
    const broken = targets.filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(root, page) : join(root, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).includes(anchor);
    });

    expect(broken).toEqual([]);
  });

  test("every npm script that it names exists", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name = ""]) => name);

    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test("every command of sms-retry that it names exists, and every option of it", () => {
    const { commands } = createProgram(new AbortController().signal);
    const named = [...text.matchAll(/(?:npx sms-retry ([a-z][a-z-]*)|npm start --)([^`\n#]*)/g)];
    const missing = named.flatMap(([, name = "run", given = ""]) => {
      const known = commands.find((command) => command.name() === name)?.options.map(({ long }) => long);
      if (known === undefined) return [name];
      const options = given.match(/--[a-z][a-z-]*/g) ?? [];
      return options.filter((option) => !["--help", ...known].includes(option));
    });

    expect(missing).toEqual([]);
  });
});
