/** Fields that are absent must really be absent. */

/**
 * Throws where an object holds a key whose value is `undefined`, as the DynamoDB document client does; a comparison
 * with `toEqual` would not see it.
 */
export function refuseUndefinedFields(value: unknown, path = "value"): void {
  if (value === undefined) throw new Error(`Pass options.removeUndefinedValues: ${path} is undefined.`);
  if (typeof value !== "object" || value === null) return;
  for (const [key, field] of Object.entries(value)) refuseUndefinedFields(field, `${path}.${key}`);
}
