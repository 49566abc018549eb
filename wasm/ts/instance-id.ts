import { randomId } from "./random.js";

/** A store of `instanceId`s. A stable id keeps a client one row in the roster across reconnects and restarts. */
export interface InstanceIdStore {
  /** Acquires an id that no other client holds until it is released. */
  acquire(): InstanceIdLease | Promise<InstanceIdLease>;
}

/** An `instanceId` held by one client until it is released. */
export interface InstanceIdLease {
  /** The id. */
  readonly id: string;
  /** Releases the id; a second call does nothing. */
  release(): void;
}

/** The browser APIs that {@link browserInstanceId} uses; by default those of the page. */
export interface BrowserInstanceIdOptions {
  /**
   * Namespace in storage: two apps of one origin use different names.
   * @default "openclaw-presence"
   */
  name?: string;
  /** Stores the base id across restarts; `null` for none. */
  localStorage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Stores this tab's id across reloads where locks are missing; `null` for none. */
  sessionStorage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Detects which tabs run; `null` for none. */
  locks?: Pick<LockManager, "request"> | null;
  /** Detects a duplicated tab where locks are missing; `null` for none. */
  BroadcastChannel?: typeof BroadcastChannel | null;
  /**
   * How long a tab without locks waits for the answer of a duplicate, in ms.
   * @default 150
   */
  probeMs?: number;
}

/** Far more tabs or processes than share a base id; bounds the search for a free slot. */
export const MAX_SLOTS = 1_000;

const DEFAULT_NAME = "openclaw-presence";

/** The last search for an id in this page. */
let searching: Promise<unknown> = Promise.resolve();

/** Runs a search after those before it, so that a start that is given up releases its id first. */
function inTurn<T>(search: () => Promise<T>): Promise<T> {
  const result = searching.then(search);
  searching = result.catch(() => {});
  return result;
}

/**
 * Returns the store of browsers. One base id is in `localStorage`, and each tab holds the lowest free slot of it by a
 * Web Lock: the first tab is `<base>`, the next `<base>.2`, and so on. Ids survive restarts, and two tabs never share
 * one.
 *
 * Without locks or storage (plain http, private windows) a tab has a random id in `sessionStorage`. "Duplicate tab"
 * copies it, so each tab queries a `BroadcastChannel` for a duplicate, and takes another id if it finds one.
 */
export function browserInstanceId(options: BrowserInstanceIdOptions = {}): InstanceIdStore {
  const { name = DEFAULT_NAME, probeMs = 150 } = options;
  return {
    async acquire() {
      const local = pick(options.localStorage, () => globalThis.localStorage);
      const locks = pick(options.locks, () => globalThis.navigator.locks);
      if (locks && local) {
        const lease = await inTurn(() => slotOfBase(name, local, locks));
        if (lease) return lease;
      }
      const session = pick(options.sessionStorage, () => globalThis.sessionStorage);
      const Channel = pick(options.BroadcastChannel, () => globalThis.BroadcastChannel);
      return inTurn(() => randomOfTab(name, session, Channel, probeMs));
    },
  };
}

/** Returns the id that all tabs of an origin share, stored in `localStorage`; random where nothing can be stored. */
export function sharedInstanceId(name: string): string {
  const local = pick(undefined, () => globalThis.localStorage);
  return (local && storedId(local, `${name}:shared-instance-id`)) ?? randomId();
}

/** Returns a store without storage or locks: each id is new, so each restart makes a new row. */
export function randomInstanceId(): InstanceIdStore {
  return { acquire: () => fixedLease(randomId()) };
}

const MAX_ID_CHARACTERS = 200;
/** The core's placeholders: programs send them in place of a missing id, and gateways treat them as absent. */
const PLACEHOLDER = /^(undefined|null|none|unknown|n\/a|nan|\[object object\]|00000000-0000-0000-0000-000000000000)$/i;

/** Whether a stored text is an id. Any single line is, because users may write their own. */
export function isUsableId(text: string): boolean {
  const id = text.trim();
  return id !== "" && [...id].length <= MAX_ID_CHARACTERS && !/\p{Cc}/u.test(id) && !PLACEHOLDER.test(id.toLowerCase());
}

/** Returns a lease whose release does nothing. */
export function fixedLease(id: string): InstanceIdLease {
  return { id, release() {} };
}

/** Returns the id of a slot: the base itself, then `<base>.2`, `<base>.3`, ... */
export function slotId(base: string, slot: number): string {
  return slot === 1 ? base : `${base}.${slot}`;
}

/** Returns the given value, including `null`, else the platform's; `undefined` if reading that throws (cookies off). */
export function pick<T>(given: T | null | undefined, platform: () => T | undefined): T | undefined {
  if (given !== undefined) return given ?? undefined;
  try {
    return platform() ?? undefined;
  } catch {
    return undefined;
  }
}

async function slotOfBase(
  name: string,
  storage: Pick<Storage, "getItem" | "setItem">,
  locks: Pick<LockManager, "request">,
): Promise<InstanceIdLease | undefined> {
  try {
    // Under a separate lock: otherwise two tabs of a new visitor would each create a base.
    const base = await locks.request(`${name}:base`, () => storedId(storage, `${name}:instance-id`));
    if (base === undefined) return undefined;
    // After the request, during which the previous start may have released its slot.
    await Promise.all(releasing);
    for (let slot = 1; slot <= MAX_SLOTS; slot += 1) {
      const id = slotId(base, slot);
      const release = await hold(locks, `${name}:instance:${id}`);
      if (release) return { id, release };
    }
  } catch {
    // Browsers may have locks but deny them (opaque origins).
  }
  return undefined;
}

/** Returns the stored id, or stores a new one; `undefined` if nothing can be stored. */
function storedId(storage: Pick<Storage, "getItem" | "setItem">, key: string): string | undefined {
  try {
    const known = storage.getItem(key)?.trim();
    if (known !== undefined && isUsableId(known)) return known;
    const id = randomId();
    storage.setItem(key, id);
    return id;
  } catch {
    return undefined;
  }
}

/** Locks of this page that are being released, which is asynchronous in browsers. */
const releasing = new Set<Promise<unknown>>();

/** Acquires a lock if it is free; returns the function that releases it. */
function hold(locks: Pick<LockManager, "request">, name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const request = Promise.resolve(
      locks.request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        // The browser holds the lock until this promise resolves or the tab closes.
        return new Promise<void>((release) => {
          resolve(() => {
            release();
            releasing.add(request);
            void request.finally(() => releasing.delete(request));
          });
        });
      }),
    );
    request.catch(reject);
  });
}

async function randomOfTab(
  name: string,
  storage: Pick<Storage, "getItem" | "setItem"> | undefined,
  Channel: typeof BroadcastChannel | undefined,
  probeMs: number,
): Promise<InstanceIdLease> {
  // A tab's clients, such as those of an iframe, share its storage: each has an entry of its own there.
  for (let slot = 1; slot <= MAX_SLOTS; slot += 1) {
    const known = storage && storedId(storage, slotId(`${name}:tab-instance-id`, slot));
    if (known === undefined || !Channel) return fixedLease(known ?? randomId());
    const probe = new TwinProbe(new Channel(`${name}:twins`), known);
    if (!(await probe.hasTwin(probeMs))) return probe;
    probe.release();
  }
  return fixedLease(randomId());
}

interface TwinMessage {
  readonly type: "probe" | "taken";
  readonly id: string;
  /** Distinguishes two tabs with one id. */
  readonly from: string;
}

/** Checks whether another tab has this id, then answers such checks of other tabs. */
class TwinProbe implements InstanceIdLease {
  readonly id: string;
  readonly #channel: BroadcastChannel;
  readonly #from = randomId();
  #onTwin: (() => void) | undefined;

  constructor(channel: BroadcastChannel, id: string) {
    this.id = id;
    this.#channel = channel;
    channel.onmessage = ({ data }: MessageEvent<TwinMessage>) => this.#receive(data);
    // An open channel would keep a Node process alive.
    (channel as { unref?: () => void }).unref?.();
  }

  release(): void {
    this.#channel.close();
  }

  async hasTwin(waitMs: number): Promise<boolean> {
    const found = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      this.#onTwin = () => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#send("probe");
    });
    this.#onTwin = undefined;
    return found;
  }

  #receive({ type, id, from }: TwinMessage): void {
    if (id !== this.id || from === this.#from) return;
    // Two tabs that are restored together probe at the same time: the lower `from` keeps the id.
    const yields = type === "taken" || (this.#onTwin && from < this.#from);
    if (yields) this.#onTwin?.();
    else this.#send("taken");
  }

  #send(type: TwinMessage["type"]): void {
    this.#channel.postMessage({ type, id: this.id, from: this.#from } satisfies TwinMessage);
  }
}
