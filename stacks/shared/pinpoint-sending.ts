/** The right to send SMS through the Pinpoint project, and from which identity. */
import type { PinpointInputs } from "../inputs/inputs.ts";
import { noEndUserMessaging, originationSettings, projectSetting } from "../inputs/settings.ts";
import type { Access, Statement } from "./access.ts";
import type { SendingVariable } from "./retry-engine.ts";
import type { Place } from "./sms-retry-stack.ts";

/** Lets a function send through the user's Pinpoint project, and through no other. */
export function pinpointSending({
  inputs,
  place,
}: {
  readonly inputs: PinpointInputs;
  readonly place: Place;
}): Access<SendingVariable> {
  return {
    statements: [maySendByPinpoint(place, inputs.pinpointApplicationId.text)],
    environment: {
      ...projectSetting(inputs).environment,
      ...originationSettings(inputs).environment,
      ...noEndUserMessaging().environment,
    },
  };
}

/** The statement that lets a role send through one Pinpoint project. */
export function maySendByPinpoint(place: Place, projectId: string): Statement {
  const project = place.arn("mobiletargeting", `apps/${projectId}`);
  return {
    Sid: "SendSms",
    Action: "mobiletargeting:SendMessages",
    // AWS's documents name the project in one place and its messages in another as what the action needs.
    Resource: [project, `${project}/messages`],
  };
}
