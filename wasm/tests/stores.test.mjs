// Ids and keys in files, in Node only.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import * as assert from "./lib/assert.mjs";
import { fromBase64url, idOf, isSignedBy } from "./vectors/device.mjs";
import { fileDeviceKey, fileInstanceId } from "../dist/node/files.js";

/** Ids that represent an absent value, from the vectors. */
function placeholders() {
  const { vectors } = JSON.parse(readFileSync(new URL("../../tests/vectors/table-keys.json", import.meta.url), "utf8"));
  const { cases } = vectors.find(({ name }) => name === "key-placeholders");
  return cases.filter(({ out }) => out === null).map(({ in: [id] }) => id);
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "openclaw-presence-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("clients of one process get different slots of one base id", async (t) => {
  const path = join(folder(t), "nested", "instance-id");
  const first = await fileInstanceId(path).acquire();
  const second = await fileInstanceId(path).acquire();
  assert.equal(second.id, `${first.id}.2`);
  first.release();
  first.release();
  const third = await fileInstanceId(path).acquire();
  assert.equal(third.id, first.id, "the lowest free slot");
  assert.equal(readFileSync(path, "utf8").trim(), first.id);
});

test("two processes hold different slots, and the slot of a dead process is free again", async (t) => {
  const path = join(folder(t), "instance-id");
  const script = `
    import { fileInstanceId } from ${JSON.stringify(new URL("../dist/node/files.js", import.meta.url).href)};
    console.log((await fileInstanceId(${JSON.stringify(path)}).acquire()).id);
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  const base = String(line).trim();
  const second = await fileInstanceId(path).acquire();
  assert.equal(second.id, `${base}.2`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const third = await fileInstanceId(path).acquire();
  assert.equal(third.id, base, "the dead process's lock is taken over");
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["instance-id", "instance-id.2.lock", "instance-id.lock"]);
});

test("an unreadable lock is taken over", async (t) => {
  const path = join(folder(t), "instance-id");
  writeFileSync(path, "base\n");
  writeFileSync(`${path}.lock`, "no process id");
  assert.equal((await fileInstanceId(path).acquire()).id, "base");
});

/** Starts a worker that takes an id, and keeps it until it gets a message. */
async function takingWorker(t, path) {
  const script = `
    const { fileInstanceId } = require(${JSON.stringify(fileURLToPath(new URL("../dist/node/files.cjs", import.meta.url)))});
    const { parentPort } = require("node:worker_threads");
    parentPort.postMessage(fileInstanceId(${JSON.stringify(path)}).acquire().id);
    parentPort.once("message", () => {});`;
  const worker = new Worker(script, { eval: true });
  t.after(() => worker.terminate());
  const [id] = await once(worker, "message");
  return { worker, id };
}

test("clients in worker threads and in another copy of the package get different slots of one base id", async (t) => {
  const path = join(folder(t), "instance-id");
  const first = await fileInstanceId(path).acquire();
  const copy = createRequire(import.meta.url)("../dist/node/files.cjs").fileInstanceId(path).acquire();
  const { id } = await takingWorker(t, path);
  assert.deepEqual([copy.id, id], [`${first.id}.2`, `${first.id}.3`]);
});

test("the slot of a terminated worker is free after a minute, and that of the main thread is not", async (t) => {
  const path = join(folder(t), "instance-id");
  const past = new Date(Date.now() - 61_000);
  const age = () => utimesSync(`${path}.lock`, past, past);
  const { worker, id } = await takingWorker(t, path);
  await worker.terminate();
  const early = await fileInstanceId(path).acquire();
  assert.equal(early.id, `${id}.2`, "the worker may still run");
  early.release();
  age();
  assert.equal((await fileInstanceId(path).acquire()).id, id);
  age();
  const own = await fileInstanceId(path).acquire();
  assert.equal(own.id, `${id}.2`, "this thread holds it");
  own.release();
  assert.equal((await takingWorker(t, path)).id, `${id}.2`, "the main thread lives");
});

test("a process that lost its lock during a long sleep does not remove the new holder's lock", async (t) => {
  const path = join(folder(t), "instance-id");
  const first = await fileInstanceId(path).acquire();
  const other = JSON.stringify({ ...JSON.parse(readFileSync(`${path}.lock`, "utf8")), place: "elsewhere" });
  writeFileSync(`${path}.lock`, other);
  first.release();
  assert.equal(readFileSync(`${path}.lock`, "utf8"), other);
});

test("a later process with the pid of a dead holder does not keep its lock", { skip: process.platform !== "linux" }, async (t) => {
  const path = join(folder(t), "instance-id");
  writeFileSync(path, "base\n");
  const lease = await fileInstanceId(path).acquire();
  const own = JSON.parse(readFileSync(`${path}.lock`, "utf8"));
  lease.release();
  const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
  const startTicks = stat.slice(stat.lastIndexOf(") ")).split(" ")[20];
  const lock = (holder) => writeFileSync(`${path}.lock`, JSON.stringify({ ...own, pid: process.ppid, ...holder }));
  lock({ startTicks: "1" });
  const taken = await fileInstanceId(path).acquire();
  assert.equal(taken.id, "base");
  taken.release();
  // The holder itself, and a holder whose version of the package did not write it.
  for (const holder of [{ startTicks }, { startTicks: undefined }]) {
    lock(holder);
    const other = await fileInstanceId(path).acquire();
    assert.equal(other.id, "base.2");
    other.release();
  }
});

test("a lock of another machine or container expires after a minute without a refresh", async (t) => {
  const path = join(folder(t), "instance-id");
  writeFileSync(path, "base\n");
  const lease = await fileInstanceId(path).acquire();
  const own = JSON.parse(readFileSync(`${path}.lock`, "utf8"));
  lease.release();
  const lock = (holder) => writeFileSync(`${path}.lock`, JSON.stringify(holder));
  // A process id that is not in use on this machine.
  lock({ ...own, pid: 2 ** 30, place: "elsewhere" });
  assert.equal((await fileInstanceId(path).acquire()).id, "base.2");
  const past = new Date(Date.now() - 61_000);
  utimesSync(`${path}.lock`, past, past);
  assert.equal((await fileInstanceId(path).acquire()).id, "base");
  lock({ ...own, startMs: own.startMs - 60_000 });
  assert.equal((await fileInstanceId(path).acquire()).id, "base", "an earlier process had this process's id");
});

test("empty and truncated files are replaced, and other files are left unchanged", async (t) => {
  const path = join(folder(t), "device-key.pem");
  const first = await fileDeviceKey(path).load();
  const whole = readFileSync(path, "utf8");
  for (const broken of ["", "\n", whole.slice(0, 10), whole.slice(0, -20), "\0".repeat(whole.length)]) {
    writeFileSync(path, broken);
    const healed = await fileDeviceKey(path).load();
    assert.notEqual(healed.deviceId, first.deviceId);
    assert.equal((await fileDeviceKey(path).load()).deviceId, healed.deviceId, JSON.stringify(broken));
  }
  for (const foreign of ["notes", whole.replaceAll("PRIVATE", "PUBLIC")]) {
    writeFileSync(path, foreign);
    assert.equal(await fileDeviceKey(path).load(), undefined);
    assert.equal(readFileSync(path, "utf8"), foreign);
  }
  const idPath = join(path, "..", "id");
  const cutOff = ["9b0452cd-ad", "9b0452cd-aded-476e-9f6d-a20423327ac"];
  const unusable = ["", " \n", "\0\0", "a\u001bb", "x".repeat(201), ...placeholders()];
  for (const broken of [...cutOff, ...unusable]) {
    writeFileSync(idPath, broken);
    const lease = await fileInstanceId(idPath).acquire();
    assert.match(lease.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}$/, JSON.stringify(broken));
    assert.equal(readFileSync(idPath, "utf8"), `${lease.id}\n`);
    lease.release();
  }
  for (const own of ["my-id", "deadbeef", "1", "café", "nullable", "x".repeat(200)]) {
    writeFileSync(idPath, own);
    const lease = await fileInstanceId(idPath).acquire();
    assert.equal(lease.id, own);
    lease.release();
  }
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["device-key.pem", "id"], "nothing is left behind");
});

test("processes that start together agree on one key and one base id", async (t) => {
  for (const begins of [undefined, ""]) {
    const path = join(folder(t), "id");
    if (begins !== undefined) for (const file of [path, `${path}.pem`]) writeFileSync(file, begins);
    const script = `
      import { fileDeviceKey, fileInstanceId } from ${JSON.stringify(new URL("../dist/node/files.js", import.meta.url).href)};
      const { deviceId } = await fileDeviceKey(${JSON.stringify(`${path}.pem`)}).load();
      const { id } = await fileInstanceId(${JSON.stringify(path)}).acquire();
      process.stdout.write(JSON.stringify([deviceId, id]));
      process.stdin.resume();`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    t.after(() => children.forEach((child) => child.kill("SIGKILL")));
    const answers = await Promise.all(children.map(async (child) => JSON.parse(String((await once(child.stdout, "data"))[0]))));
    const base = readFileSync(path, "utf8").trim();
    assert.equal(new Set(answers.map(([deviceId]) => deviceId)).size, 1);
    assert.deepEqual(answers.map(([, id]) => id).sort(), [base, `${base}.2`, `${base}.3`, `${base}.4`]);
    for (const child of children) child.stdin.end();
    await Promise.all(children.map((child) => child.exitCode ?? once(child, "exit")));
  }
});

test("without a writable folder there is an id, but no key", async (t) => {
  const file = join(folder(t), "file");
  writeFileSync(file, "");
  assert.match((await fileInstanceId(join(file, "instance-id")).acquire()).id, /^[0-9a-f-]{36}$/);
  assert.equal(await fileDeviceKey(join(file, "key.pem")).load(), undefined);
});

test("a device key is created once, and only its owner can read it", async (t) => {
  const path = join(folder(t), "nested", "device-key.pem");
  const first = await fileDeviceKey(path).load();
  const second = await fileDeviceKey(path).load();
  assert.equal(second.deviceId, first.deviceId);
  if (process.platform !== "win32") {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    chmodSync(path, 0o644);
    await fileDeviceKey(path).load();
    assert.equal(statSync(path).mode & 0o777, 0o600, "permissions that are too wide are corrected");
  }
  const raw = fromBase64url(first.publicKey);
  assert.equal(await idOf(raw), first.deviceId);
  const signature = fromBase64url(await second.sign("text é"));
  assert.ok(await isSignedBy(raw, signature, new TextEncoder().encode("text é")));
});
