// Reads the vectors, and refuses invalid ones.

import { checkDevice } from "./device.mjs";
import { at, fail } from "./failure.mjs";

/**
 * Returns the vectors of `files`, a list of `[name, text]`. `check` validates a parsed file against `schema.json` and
 * returns its errors, if any.
 */
export async function readSuite(files, check = () => undefined) {
  const suite = { cast: undefined, devices: undefined, tables: [], scripts: [] };
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, text] of sorted) {
    if (name === "schema.json") continue;
    const file = JSON.parse(text);
    const wrong = check(file);
    if (wrong) fail(`${name} does not match schema.json: ${wrong}`);
    if (file.kind === "cast") suite.cast = file;
    else if (file.kind === "devices") suite.devices = file;
    else if (file.kind === "table") suite.tables.push(...file.vectors);
    else if (file.kind === "script") suite.scripts.push(...file.vectors);
    else fail(`${name} is of unknown kind ${file.kind}`);
  }
  if (!suite.cast || !suite.devices) fail("cast.json or devices.json is missing");
  if (suite.tables.length === 0 || suite.scripts.length === 0) fail("no vectors: there must be tables and scripts");
  const names = [...suite.tables, ...suite.scripts].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) fail(`two vectors are called ${twice}`);
  for (const [name, device] of Object.entries(suite.devices.devices)) {
    await at("devices.json", () => checkDevice(name, device));
  }
  return suite;
}
