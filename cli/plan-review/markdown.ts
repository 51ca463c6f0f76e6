/** Pieces of Markdown that hold text of others. */

/** Text as inline code, whatever it holds. */
export function code(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  const fence = "`".repeat(longestRun(flat) + 1);
  return fence.length === 1 ? `\`${flat}\`` : `${fence} ${flat} ${fence}`;
}

/** Text as text: no character of it is markup. */
export function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\\`*_{}[\]<>|#~]/g, "\\$&");
}

/** Lines under a heading that is clicked to read them. */
export function folded(summary: string, lines: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(lines) + 1));
  return [`<details><summary>${summary}</summary>`, "", fence, lines, fence, "", "</details>"].join("\n");
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
