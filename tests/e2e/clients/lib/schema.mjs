// Checks the gateway's frames with the JSON schemas that OpenClaw ships in @openclaw/gateway-protocol.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import Ajv from "ajv";

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve("@openclaw/gateway-protocol")), "..");
const schema = JSON.parse(readFileSync(join(folder, "protocol.schema.json"), "utf8"));

// The schema file uses keywords beyond JSON Schema.
const ajv = new Ajv({ strict: false, allErrors: true });
const compiled = new Map();

/** Returns the violations of the schema definition `name` in `value`; none if it is valid. */
export function problems(name, value) {
  return problemsOf(name, schema.definitions[name], value);
}

/** Returns the violations in a health object, which the schema defines only inside the snapshot. */
export function healthProblems(value) {
  return problemsOf("health", schema.definitions.Snapshot.properties.health, value);
}

function problemsOf(name, definition, value) {
  if (!definition) throw new Error(`the shipped schema has no ${name}`);
  if (!compiled.has(name)) compiled.set(name, ajv.compile(definition));
  const validate = compiled.get(name);
  if (validate(value)) return [];
  return validate.errors.map((error) => {
    const extra = error.params.additionalProperty ? ` (${error.params.additionalProperty})` : "";
    return `${name}${error.instancePath}: ${error.message}${extra}`;
  });
}
