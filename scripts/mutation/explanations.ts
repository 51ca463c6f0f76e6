/** Why a change of the code may survive; `explain-survivors.ts` puts them into `docs/mutation.md`. */
export const explanations: readonly {
  readonly title: string;
  readonly why: string;
  /** As `npm run mutate` prints those that have no reason yet. */
  readonly survivors: readonly string[];
}[] = [];
