// Reads the project's vectors and checks them against their schema.

import { readdirSync, readFileSync } from "node:fs";

import Ajv2020 from "ajv/dist/2020.js";
import { xxhash3 } from "hash-wasm";

export const FOLDER = new URL("../../../tests/vectors/", import.meta.url);

/** Name and text of every file. */
export function vectorFiles() {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]);
}

/** Returns a function that returns the schema errors of a parsed file. */
export function schemaCheck() {
  const ajv = new Ajv2020({ strictTypes: false, allowUnionTypes: true });
  const validate = ajv.compile(JSON.parse(readFileSync(new URL("schema.json", FOLDER), "utf8")));
  return (file) => (validate(file) ? undefined : ajv.errorsText(validate.errors).slice(0, 500));
}

/** XXH3-64 with seed 0, in hex. */
export const digest = (text) => xxhash3(text);
