/** An error with a name, as the SDK throws it. */
export function named(name: string): Error {
  return Object.assign(new Error("simulated"), { name });
}
