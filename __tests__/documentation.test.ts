/**
 * What can be checked of all pages: links lead somewhere, commands exist, the README stays short, what the page on the
 * architecture names is there, and the rules that comments cite are those of the protocol.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { createProgram } from "../cli/command-line.ts";
import { testFilesIn } from "../cli/mutation/test-files.ts";
import { messageStatuses } from "../functions/core/message/message.ts";

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

/** The files of the code, with their texts. */
function filesOf(...folders: readonly string[]): (readonly [path: string, text: string])[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
      .map((name) => [join(folder, name), readFileSync(join(root, folder, name), "utf8")] as const),
  );
}

/** A page's section, from its heading to the next one. */
function section(page: string, heading: string): string {
  return (
    textOf
      .get(page)
      ?.split(/^## /m)
      .find((part) => part.startsWith(`${heading}\n`)) ?? ""
  );
}

/** The rows of the tables in a text, each as its cells; the heads are rows, too. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));
}

/** What stands between backticks. */
function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

describe("the page on the architecture", () => {
  const page = join("docs", "architecture.md");
  const text = textOf.get(page) ?? "";

  test("names files that exist, in its diagrams too", () => {
    const files = filesOf("functions", "stacks", "local", "simulation", "benchmark", "cli", "__tests__").map(
      ([path]) => path,
    );
    const named = [...text.matchAll(/[\w./-]*\w\.ts\b/g)].map(([name]) => name.replace(/^(\.\.\/)+/, ""));
    const missing = named.filter(
      (name) =>
        !name.includes("NAME") &&
        !existsSync(join(root, name)) &&
        !files.some((file) => file.endsWith(`/${name}`)),
    );

    expect(missing).toEqual([]);
    expect(new Set(named).size).toBeGreaterThan(30);
  });

  test("spells its words as the code does", () => {
    const words = rowsOf(section(page, "Words")).flatMap(([, spelling = ""]) => codeIn(spelling));
    const code = filesOf("functions", "local")
      .map(([, source]) => source.replaceAll(/\/\*\*.*?\*\/|\/\/.*$/gms, ""))
      .join("\n");
    const unknown = words.filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(code));

    expect(unknown).toEqual([]);
    expect(words.length).toBeGreaterThan(20);
  });

  test("draws every status of a message, as do protocol and contract, and no other", () => {
    const statuses = [...messageStatuses].sort();
    const drawn = /^stateDiagram.*?^```/ms.exec(section(page, "States of a message"))?.[0] ?? "";
    const ways = [...drawn.matchAll(/(\S+) --> ([^:\s]+)/g)].flatMap(([, from = "", to = ""]) => [from, to]);
    const states = ways.filter((name) => name !== "[*]" && name !== "open");
    const explained = rowsOf(section(join("docs", "application-contract.md"), "Where a message stands"));
    const inTheProtocol = codeIn(section(join("docs", "protocol.md"), "States")).filter((word) =>
      /^[A-Z_]+$/.test(word),
    );

    expect([...new Set(states)].sort()).toEqual(statuses);
    expect(explained.flatMap(([status = ""]) => codeIn(status)).sort()).toEqual(statuses);
    expect([...new Set(inTheProtocol)].sort()).toEqual(statuses);
  });

  test("shows one failed SMS in the six files of CONTRIBUTING, in their order", () => {
    const linked = (part: string) =>
      [...part.matchAll(/\]\((?:\.\.\/)?(functions[^)]*)\)/g)].map(([, path]) => path);
    const listed = section(page, "One failed SMS")
      .match(/^\d\. \[.*$/gm)
      ?.flatMap(linked);
    const told =
      /^One failed SMS, in six files:.*?\n\n/ms.exec(textOf.get("CONTRIBUTING.md") ?? "")?.[0] ?? "";
    const drawn = [...text.matchAll(/Note over \w: \d ([\w.-]+\.ts)/g)].map(([, name]) => name);

    expect(listed).toHaveLength(6);
    expect(linked(told)).toEqual(listed);
    expect(drawn).toEqual(listed?.map((path) => basename(path ?? "")));
  });
});

describe("the numbered rules of the protocol", () => {
  const rules = new Map(
    [
      ...section(join("docs", "protocol.md"), "The rules").matchAll(/^(\d+)\. ((?:.+\n)+?)(?=\d+\. |\n)/gm),
    ].map(([, number, rule = ""]) => [Number(number), rule] as const),
  );
  /** The beginnings of a text's words, so that "retries" and "retry" are one. */
  const stems = (words: string) =>
    new Set(
      words
        .toLowerCase()
        .match(/[a-z]{4,}/g)
        ?.map((word) => word.slice(0, 5)),
    );

  /** What cites a rule: a comment, or a page's paragraph, with the numbers. */
  const citations = [
    ...filesOf("functions", "stacks", "local", "simulation", "benchmark", "cli", "__tests__").flatMap(
      ([path, source]) =>
        [...source.matchAll(/\/\*\*.*?\*\/|(?:^ *\/\/.*\n)+/gms)].map(
          ([comment]) => [path, comment] as const,
        ),
    ),
    ...pages.flatMap(([path, page]) => page.split(/\n\n/).map((paragraph) => [path, paragraph] as const)),
  ].flatMap(([path, comment]) =>
    [...comment.matchAll(/\brules? (\d+)(?: (?:and|to) (\d+))?/gi)].flatMap(([, ...numbers]) =>
      numbers
        .filter((number) => number !== undefined)
        .map((number) => ({ path, comment, rule: Number(number) })),
    ),
  );

  test("count up from 1", () => {
    expect([...rules.keys()]).toEqual(Array.from({ length: rules.size }, (_, index) => index + 1));
    expect(rules.size).toBeGreaterThanOrEqual(13);
  });

  test("are what comments and pages take them for: a word in common at least", () => {
    const strangers = citations.filter(({ comment, rule }) => {
      const ofTheRule = stems(rules.get(rule) ?? "");
      return ![...stems(comment)].some((stem) => stem !== "rule" && stem !== "rules" && ofTheRule.has(stem));
    });

    expect(strangers.map(({ path, rule, comment }) => `${path}: rule ${rule}: ${comment}`)).toEqual([]);
    expect(citations.length).toBeGreaterThan(30);
  });
});

describe("docs/mutation.md", () => {
  const page = textOf.get(join("docs", "mutation.md")) ?? "";

  test("names files that exist, in the table and in the reasons", () => {
    const named = [...page.matchAll(/^\| ([\w./-]+\.ts) \||^- `+ ?([\w./-]+\.ts):\d+: /gm)].map(
      ([, inTable, inReasons]) => `functions/${inTable ?? inReasons}`,
    );

    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("comes from tests that run without Jest: they use describe, test and expect alone", () => {
    const used = testFilesIn(root).filter((path) =>
      /\bjest\.|^ *(it|beforeEach|afterEach|beforeAll|afterAll)(\.each)?\(/m.test(
        readFileSync(join(root, path), "utf8"),
      ),
    );

    expect(used).toEqual([]);
  });
});
