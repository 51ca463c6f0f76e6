/**
 * Event filter patterns as Lambda's event source mappings apply them: the part of EventBridge's language that
 * lists of values, `prefix`, `anything-but` and `exists` make up.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */

/** Decides whether an event matches a pattern. */
export type EventMatcher = (event: unknown) => boolean;

/** A pattern that is no JSON, or uses what this implementation does not know. */
export class InvalidFilterPatternError extends Error {
  override readonly name = "InvalidFilterPatternError";
}

/**
 * A matcher for any of the patterns; with none of them, everything matches.
 *
 * @param patterns JSON texts, as in `FilterCriteria.Filters[].Pattern`
 * @throws InvalidFilterPatternError
 */
export function eventMatcher(patterns: readonly string[]): EventMatcher {
  const matchers = patterns.map((pattern) => matcherOf(parsePattern(pattern)));
  return (event) => matchers.length === 0 || matchers.some((matches) => matches(event));
}

function parsePattern(pattern: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(pattern);
  } catch (cause) {
    throw new InvalidFilterPatternError("A filter pattern is not JSON; correct its text.", { cause });
  }
  if (!isObject(value))
    throw new InvalidFilterPatternError("A filter pattern is no JSON object; correct its text.");
  return value;
}

/** Every key of a pattern must match; keys that the pattern does not name are free. */
function matcherOf(pattern: Record<string, unknown>): EventMatcher {
  const matches = holdersMatcher(pattern);
  return (event) => matches([event]);
}

/** Decides by all the values that an event has at one place: several where a list is on the way there. */
type ValuesMatcher = (values: readonly unknown[]) => boolean;

function holdersMatcher(pattern: Record<string, unknown>): ValuesMatcher {
  const fields = Object.entries(pattern).map(([key, rule]) => ({ key, matches: fieldMatcher(key, rule) }));
  return (holders) => {
    const objects = holders.flatMap((holder) => withinLists(holder)).filter(isObject);
    return fields.every(({ key, matches }) =>
      matches(objects.flatMap((object) => (Object.hasOwn(object, key) ? withinLists(object[key]) : []))),
    );
  };
}

/** A value, or what a list holds at any depth: for a pattern a list is transparent, and an empty one is nothing. */
function withinLists(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flatMap((each) => withinLists(each)) : [value];
}

/** Stands for a leaf that an event does not have; `null` is a leaf. */
const absent = Symbol("absent");

function fieldMatcher(key: string, rule: unknown): ValuesMatcher {
  if (Array.isArray(rule)) {
    const rules = rule.map((each) => valueMatcher(key, each));
    // Rules look at leaves alone: where an object stands, or nothing along the way, there is none.
    return (values) => {
      const leaves = values.filter((value) => !isObject(value));
      return (leaves.length > 0 ? leaves : [absent]).some((leaf) => rules.some((matches) => matches(leaf)));
    };
  }
  if (isObject(rule)) return holdersMatcher(rule);
  throw new InvalidFilterPatternError(`The rule for "${key}" is neither a list nor an object; make it one.`);
}

function valueMatcher(key: string, rule: unknown): (leaf: unknown) => boolean {
  if (!isObject(rule)) return (value) => value === rule;
  const [[operator, operand] = []] = Object.entries(rule);
  switch (operator) {
    case "exists":
      return (value) => (value !== absent) === operand;
    case "prefix":
      return (value) => typeof value === "string" && value.startsWith(String(operand));
    case "anything-but": {
      const others = new Set<unknown>(Array.isArray(operand) ? operand : [operand]);
      // EventBridge's buses also know prefixes and suffixes here; event source mappings do not.
      if ([...others].some((other) => typeof other !== "string" && typeof other !== "number")) {
        throw new InvalidFilterPatternError(
          `"anything-but" for "${key}" has neither texts nor numbers; give it some.`,
        );
      }
      return (value) => value !== absent && !others.has(value);
    }
    default:
      throw new InvalidFilterPatternError(
        `The rule for "${key}" uses an unknown operator; use prefix, anything-but or exists.`,
      );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
