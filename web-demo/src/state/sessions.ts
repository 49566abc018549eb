import type { Announcer } from "../lib/announce.js";
import { Store } from "../lib/store.js";
import { store, stored } from "../lib/web-storage.js";
import { Session } from "./session.js";
import { addressOf, isTarget, storeTarget, type Target } from "./target.js";

/** Maximum number of gateways side by side, and maximum length of an address in a link, in UTF-16 units. */
const MAX_GATEWAYS = 6;
const MAX_ADDRESS = 1_024;
const STORED_AS = "gateways";

/** The gateways that this page shows side by side. Their targets are stored for a reload of this tab. */
export class Sessions {
  /** The gateway of sign-in links, This tab and WebChat. */
  readonly first: Session;
  /** All sessions, the first one first. */
  readonly all: Store<readonly Session[]>;
  /** Counts the changes of all sessions. */
  readonly changes = new Store(0);
  readonly #announcer: Announcer;
  readonly #ends = new Map<Session, () => void>();
  /** Addresses that the link of this page named before {@link start}. */
  #addresses: readonly string[] = [];
  #isStarted = false;

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
    this.first = this.#make();
    this.all = new Store<readonly Session[]>([this.first]);
  }

  /** Addresses of the gateways beside the first. */
  get addresses(): readonly string[] {
    return this.#others.map(({ address }) => address).filter((address) => address !== "");
  }

  /** Whether another gateway can be added. */
  get hasRoom(): boolean {
    return this.all.value.length < MAX_GATEWAYS;
  }

  /** Returns the name of a gateway, with its address if another one has the same name. */
  nameOf(session: Session): string {
    const { name, place } = session;
    const isShared = name !== place && this.all.value.some((other) => other !== session && other.name === name);
    return isShared ? `${name} (${place})` : name;
  }

  /**
   * Connects a session to a gateway.
   *
   * @throws {PresenceError} if the address is invalid, and {Error} if another session is connected to it.
   */
  connect(session: Session, target: Target): void {
    const address = addressOf(target.url);
    const isShown = this.all.value.some((other) => other !== session && other.live.value.target && other.address === address);
    if (isShown) throw new Error("This page already shows this gateway.");
    session.connect(target);
  }

  /** Connects the first session to a gateway, which is then no longer shown beside it. */
  connectFirst(target: Target): void {
    const address = addressOf(target.url);
    for (const other of this.#others) if (other.address === address) this.remove(other);
    this.first.connect(target);
  }

  /** Adds a gateway without connecting to it. */
  add(suggested?: string): Session | undefined {
    if (!this.hasRoom) return undefined;
    const session = this.#make(suggested);
    const { activeMs, idleMs } = this.first.thresholds;
    session.setThresholds(activeMs, idleMs);
    this.all.set([...this.all.value, session]);
    this.#change();
    return session;
  }

  /** Disconnects a gateway other than the first and removes it. */
  remove(session: Session): void {
    session.disconnect();
    this.#ends.get(session)?.();
    this.#ends.delete(session);
    this.all.set(this.all.value.filter((each) => each !== session));
    this.#change();
  }

  /** Opens the gateways of the page's link and those from before a reload. */
  start(): void {
    this.#isStarted = true;
    this.#open([...this.#addresses, ...storedTargets().map(({ url }) => url)]);
  }

  /** Shows the gateways at these addresses too. No link removes a gateway, since that deletes its secret. */
  addAddresses(addresses: readonly string[]): void {
    this.#addresses = addresses;
    if (this.#isStarted) this.#open(addresses);
  }

  /** Sets the maximum ages of Active and Idle rows, in ms. */
  setThresholds(activeMs: number, idleMs: number): void {
    for (const session of this.all.value) session.setThresholds(activeMs, idleMs);
  }

  get #others(): readonly Session[] {
    return this.all.value.filter((session) => session !== this.first);
  }

  /** Connects only to gateways whose secret this tab has: a link alone makes no connection. */
  #open(addresses: readonly string[]): void {
    const wanted = addresses.filter((address) => /^(wss?|https?):\/\//.test(address) && address.length <= MAX_ADDRESS);
    const targets = storedTargets();
    for (const address of wanted.map(addressOf)) {
      if (this.all.value.some((session) => session.address === address)) continue;
      const session = this.add(address);
      const target = targets.find(({ url }) => addressOf(url) === address);
      if (session && target) session.connect(target);
    }
    this.#change();
  }

  #make(suggested?: string): Session {
    const announce = (news: string) => this.#announcer.later(this.all.value.length > 1 ? `${this.nameOf(session)}: ${news}` : news);
    const session = new Session({ later: announce }, suggested);
    const end = session.live.watch(({ target }, before) => {
      if (target !== before.target && session === this.first) storeTarget(target);
      this.#change();
    });
    this.#ends.set(session, end);
    return session;
  }

  #change(): void {
    this.changes.set(this.changes.value + 1);
    if (!this.#isStarted) return;
    const targets = this.#others.flatMap(({ live }) => live.value.target ?? []);
    if (JSON.stringify(targets) !== JSON.stringify(storedTargets())) store("sessionStorage", STORED_AS, targets.length > 0 ? targets : undefined);
  }
}

function storedTargets(): readonly Target[] {
  const targets = stored("sessionStorage", STORED_AS);
  return Array.isArray(targets) ? targets.filter(isTarget) : [];
}
