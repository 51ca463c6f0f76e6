/** The inputs about configuration set, events and identities of a stack that sends by End User Messaging. */
import { settingDefaults, smsServices } from "../../functions/contract/environment.ts";
import type { Construct } from "../cdktf.ts";
import { Input } from "./input.ts";

/** The readings of the inputs about the configuration set; see {@link configurationSetInputs}. */
export type ConfigurationSetInputs = ReturnType<typeof configurationSetInputs>;

/** The readings of what may be sent from; see {@link identityInputs}. */
export type IdentityInputs = ReturnType<typeof identityInputs>;

/** Declares from which origination identities may be sent. */
export function identityInputs(scope: Construct) {
  return {
    originationIdentityArns: new Input(scope, "origination_identity_arns", {
      type: "list(string)",
      description:
        "ARNs of the phone numbers, pools and sender ids from which the functions may send, for their IAM policies. " +
        "Name all that your messages and origination_identities use, and a pool's numbers beside the pool. An empty " +
        "list takes them from origination_identities and origination_number: exactly those that are given as an ARN " +
        "or an id; for a number all numbers of the account in this region, because its ARN does not hold it; for " +
        "null, or where none is given, all numbers, pools and sender ids.",
      default: [],
      validation: {
        condition:
          "alltrue([for arn in var.origination_identity_arns : can(regex(" +
          '"^arn:aws[a-z-]*:sms-voice:[a-z0-9-]+:[0-9]{12}:(phone-number|pool|sender-id)/[A-Za-z0-9_/-]+$", arn))])',
        message:
          "The input origination_identity_arns must be a list of ARNs of phone numbers, pools or sender ids of End User Messaging.",
      },
    }),
  };
}

const configurationSetNameValidation = {
  condition:
    'var.configuration_set_name == null || can(regex("^[A-Za-z0-9_-]{1,64}$", var.configuration_set_name))',
  message:
    "The input configuration_set_name must be null or the name of a configuration set: 1 to 64 letters, digits, hyphens and underscores.",
};

/** Declares which configuration set the events come from. */
export function configurationSetInputs(scope: Construct) {
  return {
    configurationSetName: new Input(scope, "configuration_set_name", {
      type: "string",
      description:
        "Name of a configuration set that you have, to whose event destinations you add the topic yourself: the " +
        "outputs event_destination_hcl and event_destination_commands say how. null creates the set " +
        "<name_prefix>-sms with its destinations. Every send must name the set, or nobody hears of its events. " +
        "null or 1 to 64 letters, digits, hyphens and underscores.",
      default: null,
      validation: configurationSetNameValidation,
    }),
  };
}

/** The readings of what sends where messages of both services come by; see {@link serviceInputs}. */
export type ServiceInputs = ReturnType<typeof serviceInputs>;

/** Declares which service sends a message that names none, and the configuration set that its sends name. */
export function serviceInputs(scope: Construct) {
  return {
    smsService: new Input(scope, "sms_service", {
      type: "string",
      description:
        "What sends a message whose item names no sms_service and of which no event has come yet, and whether the " +
        'functions may send by End User Messaging at all: "pinpoint" (SendMessages) sends everything by Pinpoint, ' +
        '"end-user-messaging" (SendTextMessage) also retries by Pinpoint what was sent by it first, and needs ' +
        "configuration_set_name.",
      default: settingDefaults.SMS_SERVICE,
      validation: {
        condition: `contains(${JSON.stringify(smsServices)}, var.sms_service)`,
        message: `The input sms_service must be one of ${smsServices.map((each) => `"${each}"`).join(", ")}.`,
      },
    }),
    configurationSetName: new Input(scope, "configuration_set_name", {
      type: "string",
      description:
        "Name of the configuration set that sends by End User Messaging name: one with this Firehose stream among its " +
        'event destinations, or nobody hears of a retry. Needed with sms_service "end-user-messaging"; null otherwise. ' +
        "1 to 64 letters, digits, hyphens and underscores.",
      default: settingDefaults.CONFIGURATION_SET_NAME,
      validation: configurationSetNameValidation,
    }),
  };
}
