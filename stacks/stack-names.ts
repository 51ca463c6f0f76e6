/** The names of all stacks, in the order in which a user chooses among them; apart from CDKTF, which takes a second to load. */
export const stackNames = [
  "sms-retry-end-user-messaging",
  "sms-retry-new-stream",
  "sms-retry-kinesis",
  "sms-retry-firehose",
] as const;

/** Name of a stack: of its folder in `<output folder>/stacks`. */
export type StackName = (typeof stackNames)[number];
