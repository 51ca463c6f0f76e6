/** What a user of a command can do something about: one sentence on stderr, what failed and then what to do. */

/** A command cannot do what was asked; exit status 1. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** The command line, or a file that it names, cannot be understood; exit status 2. */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}
