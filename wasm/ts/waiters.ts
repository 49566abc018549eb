import { PresenceError } from "./errors.js";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PresenceError) => void;
}

/** Promises that wait for a result from the core, by key. */
export class Waiters<K> {
  readonly #waiting = new Map<K, Waiting>();

  /** Number of pending promises. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Returns a promise for the result under `key`. */
  wait(key: K): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  resolve(key: K, value: unknown): void {
    this.#take(key)?.resolve(value);
  }

  reject(key: K, error: PresenceError): void {
    this.#take(key)?.reject(error);
  }

  /** Cancels a wait; its promise is never settled. */
  forget(key: K): void {
    this.#waiting.delete(key);
  }

  resolveAll(value: unknown): void {
    for (const key of [...this.#waiting.keys()]) this.resolve(key, value);
  }

  rejectAll(error: PresenceError): void {
    for (const key of [...this.#waiting.keys()]) this.reject(key, error);
  }

  #take(key: K): Waiting | undefined {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting;
  }
}
