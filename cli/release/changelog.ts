/** The changelog: what a release takes from it, and a draft of its next section from the commits. */

/** The page of changes in the repository's root. */
export const changelogFile = "CHANGELOG.md";

/**
 * What the changelog says of a version, without its heading.
 *
 * @throws Error if it has no section `## [<version>] - <date>`, or an empty one
 */
export function changesOf(changelog: string, version: string): string {
  const section = changelog
    .split(/^(?=## )/m)
    .find((part) => part.startsWith(`## [${version}] - `) && /^.* - \d{4}-\d{2}-\d{2}$/m.test(part));
  const text = section?.replace(/^.*\n/, "").trim() ?? "";
  if (text === "")
    throw new Error(
      `${changelogFile} has no section "## [${version}] - <date>" with what changed; write it from [Unreleased].`,
    );
  return `${text}\n`;
}

/** The sections of a draft, by the type of a commit; other types change nothing that a user sees. */
const headings: Readonly<Record<string, string>> = {
  feat: "Added",
  fix: "Fixed",
  perf: "Changed",
  revert: "Changed",
};

/**
 * A draft of the next section from the titles of commits, oldest first: conventional ones (`feat: …`, `fix(scope): …`)
 * under Keep a Changelog's headings, those with `!` under "Breaking" before all others. What changes nothing for users
 * (docs, test, refactor, style, build, ci, chore) is left out.
 */
export function draftOf(titles: readonly string[]): string {
  const changes = titles.flatMap((title) => {
    const [, type = "", breaks, text = ""] = /^(\w+)(?:\([^)]*\))?(!)?: (.+)$/.exec(title) ?? [];
    const heading = breaks === undefined ? headings[type] : "Breaking";
    return heading === undefined ? [] : [{ heading, text }];
  });
  const byHeading = Map.groupBy(changes, ({ heading }) => heading);
  return ["Breaking", "Added", "Changed", "Fixed"]
    .flatMap((heading) => {
      const lines = byHeading.get(heading)?.map(({ text }) => `* ${text}`) ?? [];
      return lines.length === 0 ? [] : [`### ${heading}\n\n${lines.join("\n")}\n`];
    })
    .join("\n");
}
