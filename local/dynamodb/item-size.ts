/** How large an item is, by the rules that DynamoDB charges and refuses by. */
import type { Item } from "./expressions.ts";

const { byteLength } = Buffer;

/** Most bytes of an item. */
export const largestItemBytes = 400 * 1024;

/**
 * The bytes of an item: its names, its values, and an overhead for lists and maps.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name in item) bytes += byteLength(name) + valueBytes(item[name]);
  return bytes;
}

function valueBytes(value: unknown): number {
  switch (typeof value) {
    case "string":
      return byteLength(value);
    case "number":
    case "bigint":
      // A byte for two digits, and one more.
      return Math.ceil(String(value).length / 2) + 1;
    case "object":
      break;
    default:
      return 1;
  }
  if (value === null) return 1;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value))
    return value.reduce((bytes: number, element) => bytes + 1 + valueBytes(element), 3);
  return 3 + Object.keys(value).length + itemBytes(value as Item);
}
