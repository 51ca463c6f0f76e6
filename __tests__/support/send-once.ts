/**
 * Sends one SMS with the functions' own client and prints the result: `node send-once.ts PROJECT REQUEST`, the
 * request as JSON. For tests of errors that only a process without jest gets as they are.
 */
import { pinpointClient } from "../../functions/adapters/aws-clients.ts";
import { pinpointSender } from "../../functions/adapters/senders/pinpoint-sender.ts";
import type { SendRequest } from "../../functions/core/sending/sms-sender.ts";

const [, , applicationId = "", request = ""] = process.argv;
const sender = pinpointSender(await pinpointClient(), applicationId);
const result = await sender.send(JSON.parse(request) as SendRequest);
process.stdout.write(JSON.stringify(result));
