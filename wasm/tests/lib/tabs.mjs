// Simulated tabs of one browser: locks, channels, and hidden or frozen pages.

import { world } from "./world.mjs";

/** The part of Web Locks that the package uses. */
class Locks {
  #held = new Map();
  #queue = [];

  request(name, { steal = false, signal } = {}, callback) {
    return new Promise((resolve, reject) => {
      const request = { name, callback, resolve, reject };
      signal?.addEventListener("abort", () => {
        if (!this.#queue.includes(request)) return;
        this.#queue.splice(this.#queue.indexOf(request), 1);
        reject(signal.reason);
      });
      if (steal) {
        const holder = this.#held.get(name);
        this.#held.delete(name);
        holder?.reject(new DOMException("stolen", "AbortError"));
        this.#queue.unshift(request);
      } else this.#queue.push(request);
      queueMicrotask(() => this.#grant());
    });
  }

  /** Passes the locks of a closed tab to the next tab. */
  drop(holder) {
    for (const [name, held] of this.#held) if (held === holder) this.#held.delete(name);
    this.#grant();
  }

  #grant() {
    const next = this.#queue.find(({ name }) => !this.#held.has(name));
    if (!next) return;
    this.#queue.splice(this.#queue.indexOf(next), 1);
    this.#held.set(next.name, next);
    Promise.resolve(next.callback({ name: next.name })).then((value) => {
      next.resolve(value);
      if (this.#held.get(next.name) === next) this.drop(next);
    });
    this.#grant();
  }
}

/** A browser whose tabs share a gateway. `messages` counts the posted messages. */
export function browser(t, site) {
  const locks = new Locks();
  const channels = new Set();
  const counts = { messages: 0, sockets: 0, open: new Set(), sent: [] };
  const Counted = function (url) {
    const socket = new site.gateway.WebSocket(url);
    counts.sockets += 1;
    counts.open.add(socket);
    const { close, send } = socket;
    socket.send = (text) => {
      counts.sent.push(text);
      return send.call(socket, text);
    };
    socket.close = (...args) => {
      counts.open.delete(socket);
      return close.apply(socket, args);
    };
    return socket;
  };

  /** `apis` replaces APIs of the tab. */
  const tab = (members = {}, apis = {}) => {
    const state = { isFrozen: false, isDeaf: false, late: [] };
    const run = (act) => (state.isFrozen ? state.late.push(act) : act());
    class Channel {
      onmessage = null;
      constructor(name) {
        this.name = name;
        this.deliver = (data) => run(() => channels.has(this) && !state.isDeaf && this.onmessage?.({ data }));
        channels.add(this);
      }
      postMessage(message) {
        counts.messages += 1;
        for (const other of channels) {
          if (other === this || other.name !== this.name) continue;
          const data = structuredClone(message);
          // Delivered in a later task, as in a browser.
          site.clock.setTimer(() => other.deliver(data), 0);
        }
      }
      close() {
        channels.delete(this);
      }
    }
    // A frozen tab does not notice that its lock is stolen.
    const own = {
      request: (name, options, callback) =>
        new Promise((resolve, reject) => {
          const granted = (lock) => new Promise((done) => run(() => done(callback(lock))));
          locks.request(name, options, granted).then((value) => run(() => resolve(value)), (error) => run(() => reject(error)));
        }),
    };
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    const clock = {
      ageMs: () => site.clock.ageMs(),
      wallMs: () => site.clock.wallMs(),
      // The timers of a hidden page fire once a minute.
      setTimer: (callback, delayMs) => {
        const isSlow = document.visibilityState === "hidden";
        return site.clock.setTimer(() => run(callback), isSlow ? Math.max(delayMs, 60_000) : delayMs);
      },
    };
    const page = { window: new EventTarget(), document };
    const shared = { locks: own, BroadcastChannel: Channel, page, ...apis };
    const client = site.client({ shared, clock, WebSocket: Counted, ...members });
    const show = (visibilityState) => {
      document.visibilityState = visibilityState;
      document.dispatchEvent(new Event("visibilitychange"));
    };
    const freeze = () => (state.isFrozen = true);
    const thaw = () => {
      state.isFrozen = false;
      for (const act of state.late.splice(0)) act();
    };
    /** Loses messages that arrive meanwhile, like a page in the back/forward cache. */
    const setDeaf = (isDeaf) => (state.isDeaf = isDeaf);
    return { client, setDeaf, hide: () => show("hidden"), show: () => show("visible"), freeze, thaw };
  };
  return { counts, tab };
}

/** Opens a browser at a simulated gateway, and starts tabs in it. */
export function sharing(presence) {
  const open = (t, members) => {
    const all = world(t, presence, members);
    return { ...all, ...browser(t, all) };
  };
  const started = async ({ tab, clock }, count, members) => {
    await presence.ready();
    const tabs = Array.from({ length: count }, () => tab(members));
    for (const { client } of tabs) {
      // A subscriber, as in a page.
      client.subscribe(() => {});
      client.start();
      await clock.advance(10);
    }
    await clock.advance(1_000);
    return tabs;
  };
  return { open, started };
}
