// Instance ids in browsers: one per tab, never shared, and kept over a restart.

/** A Storage like those of browsers. */
class FakeStorage {
  items = new Map();
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    this.items.set(key, value);
  }
}

/** The part of Web Locks that is used, for one origin. */
class FakeLocks {
  held = new Map();

  async request(name, ...rest) {
    const callback = rest.pop();
    const { ifAvailable = false } = rest[0] ?? {};
    if (ifAvailable && this.held.has(name)) return callback(null);
    while (this.held.has(name)) await this.held.get(name);
    const { promise, resolve } = Promise.withResolvers();
    this.held.set(name, promise);
    try {
      return await callback({ name });
    } finally {
      this.held.delete(name);
      resolve();
    }
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export default function instanceIds({ test, assert, presence, internal }) {
  const { browserInstanceId, randomInstanceId } = presence;

  test("tabs hold the lowest free slot of one base id", async () => {
    const options = { localStorage: new FakeStorage(), locks: new FakeLocks() };
    const tab = () => browserInstanceId(options).acquire();
    const first = await tab();
    const second = await tab();
    const third = await tab();
    assert.match(first.id, UUID);
    assert.deepEqual([second.id, third.id], [`${first.id}.2`, `${first.id}.3`]);
    second.release();
    assert.equal((await tab()).id, second.id, "the slot that was released");
  });

  test("tabs that open together never collide", async () => {
    const options = { localStorage: new FakeStorage(), locks: new FakeLocks() };
    const tabs = await Promise.all(Array.from({ length: 20 }, () => browserInstanceId(options).acquire()));
    assert.equal(new Set(tabs.map(({ id }) => id)).size, 20);
    assert.ok(tabs.some(({ id }) => UUID.test(id)), "one of them has the base id");
  });

  test("an id survives a restart", async () => {
    const localStorage = new FakeStorage();
    const before = await browserInstanceId({ localStorage, locks: new FakeLocks() }).acquire();
    const after = await browserInstanceId({ localStorage, locks: new FakeLocks() }).acquire();
    assert.equal(after.id, before.id);
  });

  test("a stored text that is not an id is replaced", async () => {
    for (const stored of ["undefined", " NULL\n", "[object Object]", "a\u0000b", "x".repeat(201)]) {
      const localStorage = new FakeStorage();
      const sessionStorage = new FakeStorage();
      localStorage.setItem("openclaw-presence:instance-id", stored);
      sessionStorage.setItem("openclaw-presence:tab-instance-id", stored);
      const base = await browserInstanceId({ localStorage, locks: new FakeLocks() }).acquire();
      const tab = await browserInstanceId({ locks: null, sessionStorage, BroadcastChannel: null }).acquire();
      assert.match(base.id, UUID, JSON.stringify(stored));
      assert.match(tab.id, UUID, JSON.stringify(stored));
      assert.equal(localStorage.getItem("openclaw-presence:instance-id"), base.id);
      assert.equal(sessionStorage.getItem("openclaw-presence:tab-instance-id"), tab.id);
    }
  });

  test("a released slot can be taken at once", async () => {
    const options = { localStorage: new FakeStorage(), locks: new FakeLocks() };
    const store = browserInstanceId(options);
    const first = await store.acquire();
    first.release();
    first.release();
    assert.equal((await store.acquire()).id, first.id);
  });

  test("a start that is given up while it acquires an id leaves the slot to the next start", async () => {
    const options = { localStorage: new FakeStorage(), locks: new FakeLocks() };
    const store = browserInstanceId(options);
    const first = await store.acquire();
    first.release();
    const givenUp = store.acquire().then((lease) => lease.release());
    const next = await store.acquire();
    assert.equal(next.id, first.id);
    await givenUp;
  });

  test("two apps of one origin do not share ids", async () => {
    const options = { localStorage: new FakeStorage(), locks: new FakeLocks() };
    const one = await browserInstanceId({ ...options, name: "one" }).acquire();
    const two = await browserInstanceId({ ...options, name: "two" }).acquire();
    assert.match(two.id, UUID);
    assert.notEqual(one.id, two.id);
  });

  test("without locks a reload keeps the tab's id", async () => {
    const options = { locks: null, sessionStorage: new FakeStorage(), BroadcastChannel: null };
    const before = await browserInstanceId(options).acquire();
    const after = await browserInstanceId(options).acquire();
    assert.equal(after.id, before.id);
  });

  test("without locks a duplicated tab takes a new id", async () => {
    const original = new FakeStorage();
    const first = await browserInstanceId({ locks: null, sessionStorage: original, probeMs: 50 }).acquire();
    const copy = new FakeStorage();
    copy.items = new Map(original.items);
    const second = await browserInstanceId({ locks: null, sessionStorage: copy, probeMs: 2_000 }).acquire();
    assert.notEqual(second.id, first.id);
    assert.ok([...copy.items.values()].includes(second.id), "the new id is stored");
    first.release();
    second.release();
  });

  test("without locks a start that is given up leaves the tab's id to the next start", async () => {
    const store = browserInstanceId({ locks: null, sessionStorage: new FakeStorage(), probeMs: 20 });
    const first = await store.acquire();
    first.release();
    for (let time = 0; time < 20; time += 1) {
      const givenUp = store.acquire().then((lease) => lease.release());
      const next = await store.acquire();
      await givenUp;
      next.release();
      assert.equal(next.id, first.id, `restart ${time}`);
    }
  });

  test("without locks a search that fails does not stop the next one", async () => {
    const Blocked = function () {
      throw new DOMException("blocked", "SecurityError");
    };
    const options = { locks: null, sessionStorage: new FakeStorage() };
    await browserInstanceId({ ...options, BroadcastChannel: Blocked }).acquire().catch(() => {});
    assert.match((await browserInstanceId({ ...options, BroadcastChannel: null }).acquire()).id, UUID);
  });

  test("without locks the clients of a tab keep their ids through reloads", async () => {
    const sessionStorage = new FakeStorage();
    const acquire = (probeMs) => browserInstanceId({ locks: null, sessionStorage, probeMs }).acquire();
    const load = async () => {
      // Only the second one waits for an answer, which takes long on a busy machine.
      const leases = [await acquire(20), await acquire(2_000)];
      for (const lease of leases) lease.release();
      return leases.map(({ id }) => id);
    };
    const before = await load();
    assert.notEqual(before[0], before[1]);
    assert.deepEqual(await load(), before);
  });

  test("without locks two tabs restored together get different ids", async () => {
    const storages = [new FakeStorage(), new FakeStorage()];
    for (const storage of storages) storage.setItem("openclaw-presence:tab-instance-id", "same");
    // A page takes one id after the other, so the other tab has a copy of the module.
    const tabs = [browserInstanceId, internal.ofOtherTab.browserInstanceId];
    const leases = await Promise.all(
      tabs.map((ofTab, at) => ofTab({ locks: null, sessionStorage: storages[at], probeMs: 1_000 }).acquire()),
    );
    assert.notEqual(leases[0].id, leases[1].id);
    assert.ok(leases.some(({ id }) => id === "same"), "one of them keeps it");
    for (const lease of leases) lease.release();
  });

  test("without storage and locks there is still an id", async () => {
    const none = { locks: null, localStorage: null, sessionStorage: null, BroadcastChannel: null };
    assert.match((await browserInstanceId(none).acquire()).id, UUID);
    assert.match((await randomInstanceId().acquire()).id, UUID);
  });

  test("storage that throws counts as missing", async () => {
    const broken = {
      getItem() {
        throw new Error("denied");
      },
      setItem() {
        throw new Error("denied");
      },
    };
    const options = { locks: new FakeLocks(), localStorage: broken, sessionStorage: broken, BroadcastChannel: null };
    assert.match((await browserInstanceId(options).acquire()).id, UUID);
  });
}
