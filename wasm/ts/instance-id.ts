import { randomId } from "./random.js";

/**
 * Where a client gets its `instanceId` from: the one thing that keeps it one row in the roster
 * across reconnects and restarts.
 */
export interface InstanceIdStore {
  /** Takes an id that nobody else holds until it is released. */
  acquire(): InstanceIdLease | Promise<InstanceIdLease>;
}

/** An `instanceId` that is this client's until it is released. */
export interface InstanceIdLease {
  /** The id. */
  readonly id: string;
  /** Gives the id back; twice does nothing. */
  release(): void;
}

/** The browser's parts that {@link browserInstanceId} works with; by default those of the page. */
export interface BrowserInstanceIdOptions {
  /**
   * Names the place, so that two apps of one origin have ids of their own.
   * @default "openclaw-presence"
   */
  name?: string;
  /** Holds the base id across restarts; `null`: there is none. */
  localStorage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Holds this tab's id across reloads where there are no locks; `null`: there is none. */
  sessionStorage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Tells which tabs run; `null`: there are none. */
  locks?: Pick<LockManager, "request"> | null;
  /** Finds a twin where there are no locks; `null`: there is none. */
  BroadcastChannel?: typeof BroadcastChannel | null;
  /**
   * How long a tab without locks waits for a twin to answer, in ms.
   * @default 150
   */
  probeMs?: number;
}

/** Far more tabs than a browser bears; only keeps the search from being endless. */
const MAX_SLOTS = 1_000;

const DEFAULT_NAME = "openclaw-presence";

/**
 * The default in browsers. One base id lives in `localStorage`, and each tab holds the lowest free
 * slot of it by a Web Lock: the first tab is `<base>`, the next `<base>.2`, and so on. So ids survive
 * restarts, and two tabs never have the same one.
 *
 * Without locks or storage (plain http, private windows) a tab has a random id in `sessionStorage`.
 * "Duplicate tab" copies that one, so a tab asks on a `BroadcastChannel` whether it has a twin, and
 * takes a new id if so.
 */
export function browserInstanceId(options: BrowserInstanceIdOptions = {}): InstanceIdStore {
  const { name = DEFAULT_NAME, probeMs = 150 } = options;
  return {
    async acquire() {
      const local = pick(options.localStorage, () => globalThis.localStorage);
      const locks = pick(options.locks, () => globalThis.navigator.locks);
      const lease = locks && local && (await slotOfBase(name, local, locks));
      if (lease) return lease;
      const session = pick(options.sessionStorage, () => globalThis.sessionStorage);
      const Channel = pick(options.BroadcastChannel, () => globalThis.BroadcastChannel);
      return randomOfTab(name, session, Channel, probeMs);
    },
  };
}

/** The id of all tabs of an origin together: kept in `localStorage`; random where nothing can be kept. */
export function sharedInstanceId(name: string): string {
  const local = pick(undefined, () => globalThis.localStorage);
  return (local && storedId(local, `${name}:shared-instance-id`)) ?? randomId();
}

/** An id that is new each time: no storage, no locks. Expect a row of its own after every restart. */
export function randomInstanceId(): InstanceIdStore {
  return { acquire: () => fixedLease(randomId()) };
}

const MAX_ID_CHARACTERS = 200;
/** The core's placeholders of ids: programs store them where they have none, and gateways take them for absent. */
const PLACEHOLDER = /^(undefined|null|none|unknown|n\/a|nan|\[object object\]|00000000-0000-0000-0000-000000000000)$/i;

/** Whether a text that was kept is an id. Any line may be one, because people write their own. */
export function isUsableId(text: string): boolean {
  const id = text.trim();
  return id !== "" && [...id].length <= MAX_ID_CHARACTERS && !/\p{Cc}/u.test(id) && !PLACEHOLDER.test(id.toLowerCase());
}

/** An id that nobody has to give back. */
export function fixedLease(id: string): InstanceIdLease {
  return { id, release() {} };
}

/** The id of a slot: the base itself, then `<base>.2`, `<base>.3`, ... */
export function slotId(base: string, slot: number): string {
  return slot === 1 ? base : `${base}.${slot}`;
}

/** What was passed, `null` included, else what the platform has. Reading it may throw (cookies off). */
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
    await Promise.all(releasing);
    // Under a lock of its own, or two tabs of a new visitor would each make a base.
    const base = await locks.request(`${name}:base`, () => storedId(storage, `${name}:instance-id`));
    if (base === undefined) return undefined;
    for (let slot = 1; slot <= MAX_SLOTS; slot += 1) {
      const id = slotId(base, slot);
      const release = await hold(locks, `${name}:instance:${id}`);
      if (release) return { id, release };
    }
  } catch {
    // A browser may have locks and yet refuse them (an opaque origin): then without.
  }
  return undefined;
}

/** The id that is stored there, or a new one that is stored now; nothing if nothing can be stored. */
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

/** Locks of this page that are being given back, which takes the browser a moment. */
const releasing = new Set<Promise<unknown>>();

/** Holds a lock if it is free; what is returned gives it back. */
function hold(locks: Pick<LockManager, "request">, name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const request = Promise.resolve(
      locks.request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        // The lock is held until this promise is fulfilled, or the tab is gone.
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
  const key = `${name}:tab-instance-id`;
  const known = storage && storedId(storage, key);
  if (known === undefined || !Channel) return fixedLease(known ?? randomId());
  const probe = new TwinProbe(new Channel(`${name}:twins`), known);
  if (await probe.hasTwin(probeMs)) {
    probe.id = randomId();
    try {
      storage?.setItem(key, probe.id);
    } catch {
      // Then it lasts until the next load.
    }
  }
  return probe;
}

interface TwinMessage {
  readonly type: "probe" | "taken";
  readonly id: string;
  /** Tells two tabs with the same id apart. */
  readonly from: string;
}

/** Asks whether another tab has this id, then answers those who ask for it. */
class TwinProbe implements InstanceIdLease {
  id: string;
  readonly #channel: BroadcastChannel;
  readonly #from = randomId();
  #onTwin: (() => void) | undefined;

  constructor(channel: BroadcastChannel, id: string) {
    this.id = id;
    this.#channel = channel;
    channel.onmessage = ({ data }: MessageEvent<TwinMessage>) => this.#receive(data);
    // In Node an open channel would keep the process alive.
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
    // Two tabs restored together probe at the same time: the one that orders first keeps the id.
    const yields = type === "taken" || (this.#onTwin && from < this.#from);
    if (yields) this.#onTwin?.();
    else this.#send("taken");
  }

  #send(type: TwinMessage["type"]): void {
    this.#channel.postMessage({ type, id: this.id, from: this.#from } satisfies TwinMessage);
  }
}
