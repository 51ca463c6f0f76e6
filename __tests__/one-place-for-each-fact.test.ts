/** Lists of AWS's words, and the values of inputs, stand in one file each: adding one changes that file alone. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EventType } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import ts from "typescript";
import { logLevels } from "../functions/contract/environment.ts";
import { deliveryGuarantees, trackDeliveriesValues } from "../functions/contract/guarantees.ts";
import { lambdaRuntimes } from "../functions/contract/lambda-runtimes.ts";
import { messageTypes } from "../functions/core/events/delivery-event.ts";
import {
  eventFormats,
  eventStatuses,
  otherEventTypes,
  smsEventTypes,
} from "../functions/core/events/statuses.ts";
import { messageStatuses } from "../functions/core/message/message.ts";

const root = join(__dirname, "..");

const trees = ["functions", "stacks", "local"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => {
      const path = `${folder}/${file}`;
      const text = readFileSync(join(root, path), "utf8");
      return { path, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
    }),
);

/** What each file has of something, for the files that have any. */
function inFiles<Found>(find: (node: ts.Node) => readonly Found[]): Record<string, Found[]> {
  const findBelow = (node: ts.Node): Found[] => {
    const found = [...find(node)];
    ts.forEachChild(node, (child) => {
      found.push(...findBelow(child));
    });
    return found;
  };
  const all = trees.map(({ path, tree }) => [path, [...new Set(findBelow(tree))].sort()] as const);
  return Object.fromEntries(all.filter(([, found]) => found.length > 0));
}

test("the event types of End User Messaging are those of its SDK", () => {
  const wildcards = ["ALL", "TEXT_ALL", "MEDIA_ALL", "RCS_ALL", "VOICE_ALL"];
  const ofTheSdk = Object.values<string>(EventType).filter((type) => !wildcards.includes(type));
  const { kinds } = smsEventTypes["end-user-messaging"];

  expect([...kinds.keys(), ...otherEventTypes["end-user-messaging"]].sort()).toEqual(ofTheSdk.sort());
});

test("statuses and types of events are listed in one file, so adding one takes that file", () => {
  // An item's own statuses have words in common with them.
  const names = [...Object.keys(eventStatuses), "EXPIRED"].filter(
    (name) => !(messageStatuses as readonly string[]).includes(name),
  );
  const types = Object.values(smsEventTypes).flatMap(({ kinds }) => [...kinds.keys()]);
  const words = new RegExp(
    `(?<!\\w)(?:${[...names, ...types].join("|").replaceAll(".", "\\.")})(?!\\w)`,
    "g",
  );
  // In the code; comments may name them.
  const found = inFiles((node) => {
    const isKey = ts.isIdentifier(node) && ts.isPropertyAssignment(node.parent) && node.parent.name === node;
    const isText =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    return isKey || isText ? (node.text.match(words) ?? []) : [];
  });

  expect(found).toEqual({
    "functions/core/events/statuses.ts": expect.arrayContaining(["UNREACHABLE", "_SMS.FAILURE"]),
    // The others mean one status and not a list of them: a new one changes nothing, and of one that is removed the
    // compiler tells. What a scenario says where its file says nothing, and what AWS's simulator numbers do here:
    "local/sms-service/scenario.ts": ["CARRIER_UNREACHABLE"],
    "local/sms-service/simulator-numbers.ts": ["UNREACHABLE"],
    // With which statuses a message is buffered:
    "local/sms-service/carrier.ts": ["PENDING", "SUCCESSFUL"],
    // What End User Messaging says at the call and by no event, and what a time to live ends with:
    "local/sms-service/sms-service.ts": ["MAX_PRICE_EXCEEDED", "OPTOUT", "TTL_EXPIRED"],
    // Answers of `SendMessages`, which have a word in common with the events:
    "functions/adapters/senders/pinpoint-sender.ts": ["SUCCESSFUL"],
    "local/sms-service/pinpoint-api.ts": ["SUCCESSFUL"],
  });
});

test.each<[string, readonly string[], string]>([
  ["delivery guarantees", deliveryGuarantees, "functions/core/message/message.ts"],
  ["values of track_deliveries", trackDeliveriesValues, "functions/contract/guarantees.ts"],
  ["Lambda runtimes", lambdaRuntimes, "functions/contract/lambda-runtimes.ts"],
  ["log levels", logLevels, "functions/contract/environment.ts"],
  ["message types", messageTypes, "functions/core/events/delivery-event.ts"],
  ["event formats", eventFormats, "functions/core/events/statuses.ts"],
  ["statuses of an item", messageStatuses, "functions/core/message/message.ts"],
])("the %s are listed in one file, for their type, validation and docs", (_what, values, place) => {
  // A list of all of them; some functions are about a part.
  const lists = inFiles((node) => {
    const members = ts.isArrayLiteralExpression(node)
      ? node.elements
      : ts.isUnionTypeNode(node)
        ? node.types
        : [];
    const texts = members.map((member) => member.getText());
    return values.every((value) => texts.includes(JSON.stringify(value))) ? ["list"] : [];
  });

  expect(lists).toEqual({ [place]: ["list"] });
});
