// Ids and keys in files: only in Node.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { fromBase64url, idOf, isSignedBy } from "./vectors/device.mjs";
import { fileDeviceKey, fileInstanceId } from "../dist/node/files.js";

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "openclaw-presence-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("clients of one process hold slots of one base", async (t) => {
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

test("another process takes the next slot, and leaves the lowest when it dies", async (t) => {
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
  assert.equal(third.id, base, "the lock of the dead is taken over");
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["instance-id", "instance-id.2.lock", "instance-id.lock"]);
});

test("a lock that makes no sense is taken over", async (t) => {
  const path = join(folder(t), "instance-id");
  writeFileSync(path, "base\n");
  writeFileSync(`${path}.lock`, "no process id");
  assert.equal((await fileInstanceId(path).acquire()).id, "base");
});

test("where nothing can be written there is still an id, and no key", async (t) => {
  const file = join(folder(t), "file");
  writeFileSync(file, "");
  assert.match((await fileInstanceId(join(file, "instance-id")).acquire()).id, /^[0-9a-f-]{36}$/);
  assert.equal(await fileDeviceKey(join(file, "key.pem")).load(), undefined);
});

test("a device key is made once and only its owner can read it", async (t) => {
  const path = join(folder(t), "nested", "device-key.pem");
  const first = await fileDeviceKey(path).load();
  const second = await fileDeviceKey(path).load();
  assert.equal(second.deviceId, first.deviceId);
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  const raw = fromBase64url(first.publicKey);
  assert.equal(await idOf(raw), first.deviceId);
  const signature = fromBase64url(await second.sign("text é"));
  assert.ok(await isSignedBy(raw, signature, new TextEncoder().encode("text é")));
});
