/**
 * The part of CloudFormation's schema of a configuration set that the stack uses. Terraform checks the set against it, and
 * learns from it that another name is another set.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-smsvoice-configurationset.html
 */

/** The type of a configuration set in CloudFormation. */
export const configurationSetType = "AWS::SMSVOICE::ConfigurationSet";

const arn = { type: "string", pattern: "^arn:\\S+$" };
const name = { type: "string", pattern: "^[A-Za-z0-9_-]+$", minLength: 1, maxLength: 64 };

const sink = (...arns: readonly string[]) => ({
  type: "object",
  properties: Object.fromEntries(arns.map((key) => [key, arn])),
  required: arns,
  additionalProperties: false,
});

/** See above; JSON Schema with CloudFormation's additions. */
export const configurationSetSchema = {
  typeName: configurationSetType,
  properties: {
    Arn: { type: "string" },
    ConfigurationSetName: name,
    EventDestinations: {
      type: "array",
      maxItems: 5,
      items: {
        type: "object",
        properties: {
          EventDestinationName: name,
          Enabled: { type: "boolean" },
          MatchingEventTypes: { type: "array", uniqueItems: true, items: { type: "string" } },
          SnsDestination: sink("TopicArn"),
          KinesisFirehoseDestination: sink("DeliveryStreamArn", "IamRoleArn"),
        },
        required: ["EventDestinationName", "Enabled", "MatchingEventTypes"],
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
  primaryIdentifier: ["/properties/ConfigurationSetName"],
  readOnlyProperties: ["/properties/Arn"],
  createOnlyProperties: ["/properties/ConfigurationSetName"],
};
