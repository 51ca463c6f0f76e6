/**
 * AWS's SMS simulator numbers: messages to them never reach a carrier, are delivered or fail by the number.
 *
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/test-phone-numbers.html
 */

import type { SimulatorNumbers } from "./carrier.ts";

/** Numbers whose messages are delivered, by ISO country code. */
export const successNumbers = {
  US: "+14254147755",
  GB: "+447860019066",
  AU: "+61455944038",
  AT: "+43676800442031",
  BE: "+32460213922",
  CL: "+56229140630",
  CZ: "+420790542286",
  DK: "+4525919410",
  EE: "+37282720792",
  FI: "+3584573979110",
  FR: "+33755512501",
  HK: "+85257048426",
  HU: "+36707178770",
  IT: "+394390009172",
  JE: "+447937404990",
  LU: "+352691385880",
  NL: "+3197008100148",
  NO: "+4759449384",
  PL: "+48732141440",
  PT: "+351927946948",
  RO: "+40783900330",
  ES: "+34683783440",
  SE: "+46790645100",
  CH: "+41798075872",
  TW: "+886903444630",
} as const;

/** Numbers whose messages fail, by ISO country code. */
export const failureNumbers = {
  US: "+14254147167",
  GB: "+447860019067",
  AU: "+61455944039",
  AT: "+43676800442032",
  BE: "+32460213923",
  CL: "+56229140631",
  CZ: "+420790542287",
  DK: "+4525919215",
  EE: "+37282720793",
  FI: "+3584573979111",
  FR: "+33755512502",
  HK: "+85257048854",
  HU: "+36707178772",
  IT: "+394390009174",
  JE: "+447937404992",
  LU: "+352691385882",
  NL: "+3197008100150",
  NO: "+4759449387",
  PL: "+48732141442",
  PT: "+351927946950",
  RO: "+40783900332",
  ES: "+34683783442",
  SE: "+46790645102",
  CH: "+41798075874",
  TW: "+886903444632",
} as const;

/** What they do here. AWS does not say with which status its failure numbers fail: they are retried. */
export const awsSimulatorNumbers: SimulatorNumbers = {
  success: new Set(Object.values(successNumbers)),
  failure: new Set(Object.values(failureNumbers)),
  failureStatus: "UNREACHABLE",
};
