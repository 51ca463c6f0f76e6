import { attemptFields } from "../../../functions/core/message/change-parts.ts";
import { sentMessage } from "../../support/messages.ts";

const set = { outcome: "UNREACHABLE" };
const hasAttempts = { path: "attempts", is: "present" };

test.each([
  [
    "neither the map of attempts nor the record",
    undefined,
    [{ how: "map", records: { 1: set } }],
    { hasNoAttempts: { path: "attempts", is: "absent" } },
  ],
  [
    "the map and not the record: where the map has gone meanwhile, the write is refused",
    {},
    [{ number: 1, how: "record", set }],
    { hasAttempts, hasNoRecord1: { path: "attempts.1", is: "absent" } },
  ],
  [
    "the record, and with it the map",
    { "1": { message_id: "msg-1" } },
    [{ number: 1, how: "fields", set }],
    { hasRecord1: { path: "attempts.1", is: "present" } },
  ],
])("fields of an attempt are set in an item that has %s", (_what, attempts, changes, clauses) => {
  const { attempts: _, ...rest } = sentMessage();
  const message = attempts === undefined ? rest : { ...rest, attempts };

  expect(attemptFields(message, { 1: set })).toEqual({ attempts: changes, clauses });
});
