/** Expressions and templates of Terraform's JSON form, as they stand in HCL. */

/** A text of the JSON form, which is a template: an expression alone stands bare, everything else in quotes. */
export function textExpression(text: string): string {
  const parts = templateParts(text);
  const [only] = parts;
  if (parts.length === 1 && only?.isExpression) return spaced(only.text.slice(2, -1).trim());
  return `"${parts.map((part) => (part.isExpression ? spaced(part.text, 2) : quoted(part.text))).join("")}"`;
}

/**
 * An expression with the spaces that `terraform fmt` sets after commas, inside braces and around the colons of objects.
 *
 * @param from where to begin: behind the `${` of an interpolation, whose braces have no spaces
 */
function spaced(text: string, from = 0): string {
  let result = text.slice(0, from);
  const end = from === 0 ? text.length : text.length - 1;
  for (let at = from; at < end; at += 1) {
    const character = text[at] ?? "";
    const next = text[at + 1] ?? "";
    if (character === '"') {
      const close = endOfQuotes(text, at);
      result += spacedQuotes(text.slice(at, close + 1));
      at = close;
    } else if (character === ":" && text[at - 1] === '"') result += " : ";
    else if (character === "," && next !== " ") result += ", ";
    else if (character === "{" && next !== " " && next !== "}") result += "{ ";
    else if (character === "}" && !/[ {]$/.test(result)) result += " }";
    else result += character;
  }
  return result + text.slice(end);
}

/** A text inside an expression, with {@link spaced} interpolations. */
function spacedQuotes(text: string): string {
  let result = "";
  for (let at = 0; at < text.length; at += 1) {
    if (text.startsWith("${", at) && text[at - 1] !== "$") {
      const end = endOfInterpolation(text, at);
      result += spaced(text.slice(at, end), 2);
      at = end - 1;
    } else result += text[at];
  }
  return result;
}

/** The literal part of a template inside quotes. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A part of a template: text, or an interpolation with its braces. */
export interface TemplatePart {
  readonly text: string;
  readonly isExpression: boolean;
}

/**
 * The parts of a template in their order.
 *
 * @throws Error for a directive (`%{`), and for an interpolation that does not end
 */
export function templateParts(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = "";
  let at = 0;
  while (at < text.length) {
    if (text.startsWith("%{", at) && text[at - 1] !== "%")
      throw new Error(`A template directive cannot be written as HCL yet: ${text.slice(at, at + 40)}`);
    const isEscaped = text.startsWith("$${", at);
    if (!isEscaped && text.startsWith("${", at)) {
      if (literal !== "") parts.push({ text: literal, isExpression: false });
      literal = "";
      const end = endOfInterpolation(text, at);
      parts.push({ text: text.slice(at, end), isExpression: true });
      at = end;
    } else {
      const length = isEscaped ? 3 : 1;
      literal += text.slice(at, at + length);
      at += length;
    }
  }
  return literal === "" && parts.length > 0 ? parts : [...parts, { text: literal, isExpression: false }];
}

/** Where the interpolation that begins at a place ends: behind its closing brace, outside of quotes. */
function endOfInterpolation(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfQuotes(text, at);
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new Error(`An interpolation does not end: ${text.slice(start, start + 40)}`);
}

/** The closing quote of a text inside an expression, which may hold interpolations itself. */
function endOfQuotes(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
    else if (text.startsWith("$${", at)) at += 2;
    else if (text.startsWith("${", at)) at = endOfInterpolation(text, at) - 1;
  }
  throw new Error(`A text in an expression does not end: ${text.slice(start, start + 40)}`);
}

/** How many characters an expression may have on one line, if it can be broken. */
export const lineWidth = 100;

/**
 * An expression over several lines where it is too long for one: its longest group of brackets is broken, a member on
 * each line.
 */
export function brokenExpression(text: string): string[] {
  if (text.length <= lineWidth) return [text];
  const group = longestGroup(text);
  // A line that begins with a closing bracket and holds an assignment would be aligned with its neighbours.
  if (group === undefined || / = /.test(text.slice(group.end))) return [text];
  const before = text.slice(0, group.start + 1);
  const after = text.slice(group.end);
  const members = membersOf(text.slice(group.start + 1, group.end).trim());
  const [only = ""] = members;
  if (members.length === 1 && /^[[{]/.test(only) && closingOf(only, 0) === only.length - 1) {
    const lines = brokenExpression(only);
    if (lines.length === 1) return [text];
    return [`${before}${lines[0]}`, ...lines.slice(1, -1), `${lines.at(-1)}${after}`];
  }
  return [before, ...memberLines(members, text[group.start] ?? "").map((line) => `  ${line}`), after];
}

/** The members of a group, each on lines of its own, with what separates them. */
function memberLines(members: readonly string[], bracket: string): string[] {
  if (bracket === "{" && members.every((member) => /^[\w-]+ = /.test(member)))
    return aligned(
      members.map((member) => {
        const [key = ""] = member.split(" = ", 1);
        return { key, lines: brokenExpression(member.slice(key.length + 3)) };
      }),
    );
  return members.flatMap((member, index) => {
    const lines = brokenExpression(member);
    const isLast = index === members.length - 1;
    const comma = bracket === "{" || (isLast && (bracket === "(" || /^for /.test(member))) ? "" : ",";
    return [...lines.slice(0, -1), `${lines.at(-1)}${comma}`];
  });
}

/** The longest group outside of quotes and of other groups that holds more than an index. */
function longestGroup(text: string): { readonly start: number; readonly end: number } | undefined {
  let longest: { start: number; end: number } | undefined;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfQuotes(text, at);
    else if (/[([{]/.test(text[at] ?? "")) {
      const end = closingOf(text, at);
      const isIndex = text[at] === "[" && /[\w\])]/.test(text[at - 1] ?? "");
      if (!isIndex && end - at > 2 && end - at > (longest?.end ?? 0) - (longest?.start ?? 0))
        longest = { start: at, end };
      at = end;
    }
  }
  return longest;
}

/** The bracket that closes the one at a place. */
function closingOf(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfQuotes(text, at);
    else if (/[([{]/.test(text[at] ?? "")) depth += 1;
    else if (/[)\]}]/.test(text[at] ?? "")) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  throw new Error(`A bracket is not closed: ${text.slice(start, start + 40)}`);
}

/** What commas separate inside a group; all of it where it is a `for`. */
function membersOf(text: string): string[] {
  if (/^for /.test(text)) return [text];
  const members: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfQuotes(text, at);
    else if (/[([{]/.test(text[at] ?? "")) at = closingOf(text, at);
    else if (text[at] === ",") {
      members.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...members, text.slice(start).trim()].filter((member) => member !== "");
}

/** An item of a body or a map: its lines, of which the first is complete if it is the only one. */
export interface Item {
  readonly key: string;
  readonly lines: readonly string[];
}

/** Items with their equals signs in one column, as far as items of one line follow each other. */
export function aligned(items: readonly Item[]): string[] {
  return items.flatMap(({ key, lines: [first = "", ...others] }, index) => {
    const width = others.length > 0 ? 0 : widthAround(items, index);
    return [`${key.padEnd(width)} = ${first}`, ...others];
  });
}

function widthAround(items: readonly Item[], index: number): number {
  const isLine = (item: Item | undefined) => item?.lines.length === 1;
  let first = index;
  while (isLine(items[first - 1])) first -= 1;
  let end = index;
  while (isLine(items[end])) end += 1;
  return Math.max(...items.slice(first, end).map(({ key }) => [...key].length));
}
