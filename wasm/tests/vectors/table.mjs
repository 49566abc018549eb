// Runs the vectors of pure functions.

import { at, fail } from "./failure.mjs";
import { compare, Context } from "./values.mjs";

/** Runs every case of a table. `core` contains the functions. */
export function runTable(suite, table, core) {
  const context = new Context(suite, undefined, {});
  const apply = core[table.function] ?? fail(`no function ${table.function}`);
  for (const [index, { in: input, out }] of table.cases.entries()) {
    // An undefined result in JavaScript is null in JSON.
    at(`case ${index}`, () => compare(context.sent(out), apply(...context.sent(input)) ?? null));
  }
}
