// Device keys are created once, stored, and make signatures that gateways accept.

import { fromBase64url, idOf, isSignedBy } from "../vectors/device.mjs";

/** The part of IndexedDB that is used: one store, and each request completes in a later turn. */
class FakeIndexedDb {
  values = new Map();
  isNew = true;
  opened = 0;

  open() {
    this.opened += 1;
    const store = {
      get: (key) => answer(() => this.values.get(key)),
      put: (value, key) => answer(() => void this.values.set(key, value)),
    };
    const database = { createObjectStore() {}, transaction: () => ({ objectStore: () => store }), close() {} };
    const request = answer(() => database);
    if (this.isNew) queueMicrotask(() => request.onupgradeneeded?.());
    this.isNew = false;
    request.result = database;
    return request;
  }
}

function answer(work) {
  const request = {};
  setTimeout(() => {
    request.result = work();
    request.onsuccess?.();
  });
  return request;
}

export default function deviceKeys({ test, assert, presence }) {
  const { browserDeviceKey, deviceKey, generateKeyPair } = presence;

  test("a key's id, public key and signatures match", async () => {
    const key = await deviceKey(await generateKeyPair());
    const raw = fromBase64url(key.publicKey);
    assert.equal(raw.length, 32);
    assert.equal(key.deviceId, await idOf(raw));
    const text = "v2|what a device signs|é";
    const signature = fromBase64url(await key.sign(text));
    assert.ok(await isSignedBy(raw, signature, new TextEncoder().encode(text)));
  });

  test("the private key cannot be read", async () => {
    const { privateKey } = await generateKeyPair();
    assert.equal(privateKey.extractable, false);
  });

  test("the key is created once and stored", async () => {
    const indexedDB = new FakeIndexedDb();
    const first = await browserDeviceKey({ indexedDB }).load();
    const second = await browserDeviceKey({ indexedDB }).load();
    assert.equal(second.deviceId, first.deviceId);
    assert.equal(indexedDB.values.size, 1);
  });

  // Only a real IndexedDB isolates transactions.
  if (globalThis.indexedDB) {
    test("tabs that create a key at the same time agree on one", async () => {
      const keys = await Promise.all([1, 2, 3].map(() => browserDeviceKey({ name: "race" }).load()));
      const last = await browserDeviceKey({ name: "race" }).load();
      assert.deepEqual(new Set(keys.map(({ deviceId }) => deviceId)).size, 1);
      assert.equal(keys[0].deviceId, last.deviceId);
    });

    test("by default the page's own storage is used", async () => {
      const first = await browserDeviceKey().load();
      assert.equal((await browserDeviceKey().load()).deviceId, first.deviceId);
    });
  }

  test("without storage there is no key", async () => {
    const indexedDB = {
      open() {
        throw new Error("denied");
      },
    };
    assert.equal(await browserDeviceKey({ indexedDB }).load(), undefined);
  });
}
