// All vectors against the package's simulated gateway, in Node.

import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { equalRecords } from "./lib/records.mjs";
import { digest, schemaCheck, vectorFiles } from "./lib/vectors-node.mjs";
import * as presence from "./lib/presence-node.mjs";
import { readSuite } from "./vectors/suite.mjs";
import { runVectors, summary } from "./vectors/run.mjs";

// VECTOR=name runs those whose name contains it; VECTOR_RECORD=path keeps what the digest is made of;
// VECTOR_NATIVE=path names such a record of the native core, which this must equal byte for byte.
const { VECTOR = "", VECTOR_RECORD, VECTOR_NATIVE } = process.env;

test("the package does what the vectors say", async () => {
  const suite = await readSuite(vectorFiles(), schemaCheck());
  const outcome = await runVectors(presence, suite, digest, VECTOR);
  if (VECTOR_RECORD) writeFileSync(VECTOR_RECORD, outcome.record);
  console.log(summary(outcome));
  assert.equal(outcome.failures.length, 0, `${outcome.failures.length} vectors failed\n  ${outcome.failures.join("\n  ")}`);
  assert.ok(VECTOR !== "" || outcome.tables + outcome.scripts >= 90, "whatever else changes, the rules stay covered");
  if (VECTOR_NATIVE) equalRecords(outcome.record, readFileSync(VECTOR_NATIVE, "utf8"));
});

test("the runner refuses what it does not know", async () => {
  const files = vectorFiles();
  const broken = (name, change) => files.map(([own, text]) => [own, own === name ? change(text) : text]);
  const unknownStep = broken("clock.json", (text) => text.replace('"do": "wallStep"', '"do": "wallJump"'));
  const suite = await readSuite(unknownStep);
  const outcome = await runVectors(presence, suite, digest, "wall-clock-back");
  assert.match(outcome.failures.join(), /no step wallJump/);
  await assert.failsWith(undefined, () => readSuite(unknownStep, schemaCheck()), "the schema");
  await assert.failsWith(undefined, () => readSuite([]), "no vectors");
});

test("a wrong expectation fails", async () => {
  const files = vectorFiles().map(([name, text]) => [name, name === "clock.json" ? text.replace('"count": 3', '"count": 4') : text]);
  const outcome = await runVectors(presence, await readSuite(files), digest, "wall-clock-back-one-hour");
  assert.match(outcome.failures.join(), /3 rows instead of 4/);
});
