// Listeners of a client, and the page events that a client handles.

/** An event target whose events the test fires. */
class FakeTarget {
  visibilityState = "visible";
  listeners = new Map();

  addEventListener(type, listener, options) {
    this.listeners.set(type, { listener, options });
  }

  removeEventListener(type, listener) {
    if (this.listeners.get(type)?.listener === listener) this.listeners.delete(type);
  }

  fire(type, event = {}) {
    this.listeners.get(type)?.listener({ isTrusted: true, type, ...event });
  }
}

export default function listeners({ test, assert, presence, internal }) {
  const { VirtualClock } = presence;
  const { InputMonitor, ListenerTarget } = internal;

  class Target extends ListenerTarget {
    counts = [];
    handleListeners() {
      this.counts.push(this.listenerCount);
    }
  }

  test("a listener is counted once for each type and capture phase", () => {
    const target = new Target();
    const heard = [];
    const listener = (event) => heard.push(event.type);
    target.addEventListener("a", listener);
    target.addEventListener("a", listener);
    target.addEventListener("a", listener, true);
    target.addEventListener("b", { handleEvent: listener });
    assert.deepEqual(target.counts, [1, 2, 3]);
    // The platform accepts null.
    target.addEventListener("c", listener, null);
    target.removeEventListener("c", listener, null);
    assert.deepEqual(target.counts.splice(3), [4, 3]);
    target.dispatchEvent(new Event("a"));
    target.dispatchEvent(new Event("b"));
    assert.deepEqual(heard, ["a", "a", "b"]);
    target.removeEventListener("a", listener);
    target.removeEventListener("a", listener);
    target.removeEventListener("a", listener, { capture: true });
    assert.deepEqual(target.counts, [1, 2, 3, 2, 1]);
    target.dispatchEvent(new Event("a"));
    assert.equal(heard.length, 3);
  });

  test("`once` and signals remove a listener", () => {
    const target = new Target();
    let heard = 0;
    const controller = new AbortController();
    target.addEventListener("a", () => (heard += 1), { once: true });
    target.addEventListener("a", () => (heard += 1), { signal: controller.signal });
    target.addEventListener("a", () => (heard += 1), { signal: AbortSignal.abort() });
    target.dispatchEvent(new Event("a"));
    assert.equal(heard, 2);
    assert.deepEqual(target.counts, [1, 2, 1]);
    controller.abort();
    target.dispatchEvent(new Event("a"));
    assert.equal(heard, 2);
    assert.equal(target.counts.at(-1), 0);
  });

  const monitor = () => {
    const clock = new VirtualClock();
    const targets = { window: new FakeTarget(), document: new FakeTarget() };
    const reported = [];
    const report = (what) => (value) => reported.push(value === undefined ? what : `${what} ${value}`);
    const listener = { input: report("input"), visibility: report("visible"), online: report("online") };
    return { clock, ...targets, reported, monitor: new InputMonitor(targets, clock, listener) };
  };

  test("input is reported at most once a second, and only trusted input", async () => {
    const { clock, window, reported } = monitor();
    window.fire("pointermove");
    window.fire("pointermove");
    window.fire("keydown");
    await clock.advance(999);
    window.fire("wheel");
    assert.deepEqual(reported, ["input"]);
    await clock.advance(1);
    window.fire("keydown", { isTrusted: false });
    assert.deepEqual(reported, ["input"]);
    window.fire("keydown");
    assert.deepEqual(reported, ["input", "input"]);
  });

  test("clicks by a screen reader and dictated text are input, clicks by a script are not", () => {
    for (const type of ["click", "beforeinput"]) {
      const { window, reported } = monitor();
      window.fire(type, { isTrusted: false });
      assert.deepEqual(reported, [], type);
      window.fire(type);
      assert.deepEqual(reported, ["input"], type);
    }
  });

  test("`watchInput` reports input until it is stopped, and never outside pages", () => {
    // A browser has a real window; the demo's tests send real input to it.
    if (typeof window !== "undefined") return;
    let heard = 0;
    presence.watchInput(() => (heard += 1))();
    Object.assign(globalThis, { window: new FakeTarget(), document: new FakeTarget() });
    const { window: target } = globalThis;
    try {
      const end = presence.watchInput(() => (heard += 1));
      target.fire("keydown");
      end();
      target.fire("keydown");
      assert.deepEqual([heard, target.listeners.size], [1, 0]);
    } finally {
      delete globalThis.window;
      delete globalThis.document;
    }
  });

  test("listeners for input are passive", () => {
    const { window } = monitor();
    for (const type of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "click", "beforeinput"]) {
      assert.deepEqual(window.listeners.get(type).options, { passive: true, capture: true }, type);
    }
  });

  test("showing a page counts as input; hiding it does not", async () => {
    const { clock, document, reported } = monitor();
    document.visibilityState = "hidden";
    document.fire("visibilitychange");
    assert.deepEqual(reported, ["visible false"]);
    await clock.advance(5_000);
    document.visibilityState = "visible";
    document.fire("visibilitychange");
    assert.deepEqual(reported, ["visible false", "visible true", "input"]);
  });

  test("going online and returning from the back/forward cache are reported", () => {
    const { window, reported } = monitor();
    window.fire("online");
    window.fire("pageshow", { persisted: false });
    window.fire("pageshow", { persisted: true });
    assert.deepEqual(reported, ["online", "online"]);
  });

  test("a stopped monitor leaves no listeners", () => {
    const { window, document, monitor: stopped } = monitor();
    stopped.stop();
    stopped.stop();
    assert.deepEqual([window.listeners.size, document.listeners.size], [0, 0]);
  });
}
