// All vectors at the package's simulated gateway, in Node.

import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { equalRecords } from "./lib/records.mjs";
import { digest, schemaCheck, vectorFiles } from "./lib/vectors-node.mjs";
import * as presence from "./lib/presence-node.mjs";
import { readSuite } from "./vectors/suite.mjs";
import { runVectors, summary } from "./vectors/run.mjs";

// VECTOR=name runs the vectors whose name contains it; VECTOR_RECORD=path saves the text that the digest hashes;
// VECTOR_NATIVE=path is such a record of the native core, which must be equal byte for byte.
const { VECTOR = "", VECTOR_RECORD, VECTOR_NATIVE } = process.env;

test("the package passes the vectors", async () => {
  const suite = await readSuite(vectorFiles(), schemaCheck());
  const outcome = await runVectors(presence, suite, digest, VECTOR);
  if (VECTOR_RECORD) writeFileSync(VECTOR_RECORD, outcome.record);
  console.log(summary(outcome));
  assert.equal(outcome.failures.length, 0, `${outcome.failures.length} vectors failed\n  ${outcome.failures.join("\n  ")}`);
  assert.ok(VECTOR !== "" || outcome.tables + outcome.scripts >= 90, "enough vectors ran");
  if (VECTOR_NATIVE) equalRecords(outcome.record, readFileSync(VECTOR_NATIVE, "utf8"));
});

test("the runner refuses unknown steps and values", async () => {
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
  const change = (text) => text.replace('"count": 3', '"count": 4');
  const files = vectorFiles().map(([name, text]) => [name, name === "clock.json" ? change(text) : text]);
  const outcome = await runVectors(presence, await readSuite(files), digest, "wall-clock-back-one-hour");
  assert.match(outcome.failures.join(), /3 rows instead of 4/);
});
