/** How many message parts a body has, remembered. */
import { partsOf } from "../functions/core/message/message-parts.ts";

const partsByBody = new Map<string, number>();

/** The parts of a body; the same few bodies come in every run, and counting takes its time. */
export function partsOfBody(body: string): number {
  const parts = partsByBody.get(body) ?? partsOf(body);
  partsByBody.set(body, parts);
  return parts;
}
