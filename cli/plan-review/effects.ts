/** What a plan does, as sentences for a reviewer. */
import { plain } from "./markdown.ts";
import type { CheckResult } from "./plan.ts";

/** One sentence or two in Markdown. */
export interface Effect {
  readonly text: string;
  /** Whether events or retries may be lost by it, or something of the user's is left out. */
  readonly isWarning: boolean;
}

/** An effect that a reviewer should know. */
export const harmless = (text: string): Effect => ({ text, isWarning: false });

/** An effect that a reviewer should think about. */
export const warning = (text: string): Effect => ({ text, isWarning: true });

/**
 * What a check of the plan found; nothing where the plan has no such check.
 *
 * @param passed what is said where it held; nothing without it
 */
export function checkEffects(checks: readonly CheckResult[] = [], name: string, passed?: string): Effect[] {
  const check = checks.find(({ address }) => address.kind === "check" && address.name === name);
  if (check === undefined) return [];
  if (check.status === "pass") return passed === undefined ? [] : [harmless(passed)];
  const problems = (check.instances ?? []).flatMap((instance) => instance.problems ?? []);
  if (check.status === "fail" && problems.length > 0)
    return problems.map(({ message }) => warning(plain(message)));
  return [harmless("The plan could not look; the warning in the full plan says why.")];
}
