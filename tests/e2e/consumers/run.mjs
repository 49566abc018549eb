// Installs the packed tarball of the package and uses it in every supported environment; `name` selects the cases whose
// name contains it: `node tests/e2e/consumers/run.mjs [name]`.
import { test } from "node:test";

import { budgets } from "./cases/budgets.mjs";
import { bundlers } from "./cases/bundlers.mjs";
import { lint } from "./cases/lint.mjs";
import { next } from "./cases/next.mjs";
import { node } from "./cases/node.mjs";
import { pages } from "./cases/pages.mjs";
import { types } from "./cases/types.mjs";
import { closeBrowser } from "./lib/browser.mjs";
import { install } from "./lib/install.mjs";

const LIMIT_MS = 240_000;
const only = process.argv[2] ?? "";

const installed = install();
const cases = [...budgets, ...lint, ...types, ...node, ...pages, ...bundlers, ...next];
for (const { name, run } of cases.filter(({ name }) => name.includes(only))) {
  // One after the other: bundlers use every core they find.
  await test(name, { timeout: LIMIT_MS }, () => run(installed));
}
await closeBrowser();
