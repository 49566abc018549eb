// Runs all vectors on the package, in Node and in browsers.

import { at, Failure } from "./failure.mjs";
import { followConnection } from "./follow.mjs";
import { runScript } from "./script.mjs";
import { runTable } from "./table.mjs";
import { coreFunctions, startTarget, TARGET } from "./target.mjs";

/**
 * Runs every vector of a suite, or those whose name contains `only`. `digest` returns the XXH3-64 of a text.
 * Resolves with the outcome; `failures` are messages.
 */
export async function runVectors(presence, suite, digest, only = "") {
  const core = coreFunctions(presence);
  const outcome = { tables: 0, cases: 0, scripts: 0, followed: 0, skipped: [], failures: [], record: "", digest: "" };
  const attempt = async (vector, work) => {
    try {
      await work();
    } catch (error) {
      const words = error instanceof Failure ? error.message : (error.stack ?? String(error));
      outcome.failures.push(`${vector.name} (SPEC ${vector.spec}): ${words}`);
    }
  };
  for (const table of suite.tables.filter(({ name }) => name.includes(only))) {
    if (table.targets && !table.targets.includes(TARGET)) {
      outcome.skipped.push(table.name);
      continue;
    }
    await attempt(table, () => {
      runTable(suite, table, core);
      outcome.tables += 1;
      outcome.cases += table.cases.length;
    });
  }
  for (const script of suite.scripts.filter(({ name }) => name.includes(only))) {
    if (script.targets && !script.targets.includes(TARGET)) {
      outcome.skipped.push(script.name);
      continue;
    }
    await attempt(script, async () => {
      let target;
      const start = startTarget(presence);
      const record = await runScript(suite, script, core, (...given) => (target = start(...given)));
      for (const [conn, frames] of target.heard) {
        outcome.followed += await at(`${conn}, followed`, () => followConnection(presence, frames, suite.cast.startWallMs));
      }
      outcome.scripts += 1;
      if (!script.targets) outcome.record += record;
    });
  }
  outcome.digest = await digest(outcome.record);
  return outcome;
}

/** Returns the outcome as one line. */
export function summary({ tables, cases, scripts, followed, skipped, digest }) {
  const done = `${tables} tables of ${cases} cases, ${scripts} scripts, ${followed} lists and deltas to a client`;
  const counts = `${done}; ${skipped.length} skipped`;
  return `vectors on ${TARGET}: ${tables + scripts} passed (${counts}), digest ${digest}`;
}
