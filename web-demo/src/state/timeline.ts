import { Store } from "../lib/store.js";
import { store, stored } from "../lib/web-storage.js";

/** An event of the roster or the connection. */
export interface TimelineEvent {
  /** On this machine's clock. */
  readonly atMs: number;
  readonly kind: "join" | "leave" | "connection";
  readonly text: string;
}

/** Maximum number of stored events, and maximum length of a text in UTF-16 units. */
const MAX_EVENTS = 200;
const MAX_TEXT = 200;

/** The events of one gateway, newest first. Stored for this tab, so that a reload does not lose them. */
export class Timeline {
  readonly events = new Store<readonly TimelineEvent[]>([]);
  #address = "";
  #isSaving = false;

  /** Continues the stored timeline of the gateway at this address. */
  open(address: string): void {
    if (address !== this.#address) this.close();
    this.#address = address;
    this.events.set(storedEvents(nameOf(address)));
  }

  /** Deletes everything. */
  close(): void {
    this.events.set([]);
    store("sessionStorage", nameOf(this.#address), undefined);
  }

  add(kind: TimelineEvent["kind"], text: string, atMs = Date.now()): void {
    this.#set([{ atMs, kind, text: text.slice(0, MAX_TEXT) }, ...this.events.value].slice(0, MAX_EVENTS));
  }

  clear(): void {
    this.#set([]);
  }

  /** Many events at once are written once. */
  #set(events: readonly TimelineEvent[]): void {
    this.events.set(events);
    if (this.#isSaving) return;
    this.#isSaving = true;
    queueMicrotask(() => {
      this.#isSaving = false;
      const { value } = this.events;
      store("sessionStorage", nameOf(this.#address), value.length > 0 ? value : undefined);
    });
  }
}

function nameOf(address: string): string {
  return `timeline ${address}`;
}

function storedEvents(name: string): readonly TimelineEvent[] {
  const events = stored("sessionStorage", name);
  return Array.isArray(events) ? events.filter(isTimelineEvent).slice(0, MAX_EVENTS) : [];
}

function isTimelineEvent(value: unknown): value is TimelineEvent {
  const { atMs, kind, text } = (value ?? {}) as Partial<TimelineEvent>;
  return Number.isSafeInteger(atMs) && typeof text === "string" && (kind === "join" || kind === "leave" || kind === "connection");
}
