/**
 * The part of CycloneDX 1.6's JSON schema that a bill of materials of ours uses. Narrower than the original: a field
 * that is not named here is refused, so that nothing gets in which nobody compared with the original.
 */
const text = { type: "string", minLength: 1 };

const licences = {
  type: "array",
  minItems: 1,
  items: {
    oneOf: [
      {
        type: "object",
        required: ["license"],
        additionalProperties: false,
        properties: {
          license: {
            type: "object",
            required: ["id"],
            additionalProperties: false,
            properties: { id: { type: "string", pattern: "^[A-Za-z0-9.+-]+$" } },
          },
        },
      },
      {
        type: "object",
        required: ["expression"],
        additionalProperties: false,
        properties: { expression: text },
      },
    ],
  },
};

const component = {
  type: "object",
  required: ["type", "name", "version", "bom-ref", "purl", "licenses"],
  additionalProperties: false,
  properties: {
    type: { enum: ["application", "library"] },
    "bom-ref": text,
    group: text,
    name: text,
    version: text,
    hashes: {
      type: "array",
      items: {
        type: "object",
        required: ["alg", "content"],
        additionalProperties: false,
        properties: { alg: { const: "SHA-512" }, content: { type: "string", pattern: "^[a-f0-9]{128}$" } },
      },
    },
    licenses: licences,
    purl: { type: "string", pattern: "^pkg:(npm|generic)/[^@]+@[^@]+$" },
  },
};

/** The schema, for ajv. */
export const bomShape = {
  type: "object",
  required: ["bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"],
  additionalProperties: false,
  properties: {
    $schema: { const: "http://cyclonedx.org/schema/bom-1.6.schema.json" },
    bomFormat: { const: "CycloneDX" },
    specVersion: { const: "1.6" },
    serialNumber: {
      type: "string",
      pattern: "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    },
    version: { type: "integer", minimum: 1 },
    metadata: {
      type: "object",
      required: ["component"],
      additionalProperties: false,
      properties: { component },
    },
    components: { type: "array", uniqueItems: true, items: component },
    dependencies: {
      type: "array",
      uniqueItems: true,
      items: {
        type: "object",
        required: ["ref", "dependsOn"],
        additionalProperties: false,
        properties: { ref: text, dependsOn: { type: "array", uniqueItems: true, items: text } },
      },
    },
  },
};
