// A client for the element whose roster a test sets.

/** A row with the members that the element reads. */
export const row = (key, members = {}) => ({
  ...{ key, host: key, entry: {}, status: "Active", isConnected: true, isSelf: false, isOwn: false },
  deviceFamily: "Mac", platformLabel: "macOS 26.1",
  ...{ ageText: "5m ago", reasonLabel: "Heartbeat", lastInputText: "1m ago" },
  ...members,
});

export class StubClient extends EventTarget {
  #roster;
  #subscribers = new Set();

  constructor(rows, members) {
    super();
    this.show(rows, members);
  }

  /** Changes the roster. */
  show(rows, members) {
    this.#roster = { rows, hasList: true, connection: { phase: "live" }, ...members };
    for (const subscriber of this.#subscribers) subscriber();
  }

  getSnapshot = () => this.#roster;

  subscribe(listener) {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  onJoin(listener) {
    return this.#on("join", listener);
  }

  onLeave(listener) {
    return this.#on("leave", listener);
  }

  /** Reports a `join` or a `leave`, after its grace period. */
  report(type, row) {
    this.dispatchEvent(new CustomEvent(type, { detail: row }));
  }

  fail(error) {
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
  }

  #on(type, listener) {
    const handle = ({ detail }) => listener(detail);
    this.addEventListener(type, handle);
    return () => this.removeEventListener(type, handle);
  }
}
