import { hex } from "./random.js";

/**
 * The identity of a device: an Ed25519 key. Gateways of 2026.9 grant no scopes to clients without one,
 * unless they are on the gateway's own machine.
 */
export interface DeviceKey {
  /** Lower-case hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** The raw public key in base64url without padding. */
  readonly publicKey: string;
  /** The Ed25519 signature of the UTF-8 text, in base64url without padding. */
  sign(text: string): Promise<string>;
}

/** Where a device key is kept. */
export interface DeviceKeyStore {
  /** Returns the key of this device, created at the first call; `undefined` if this platform cannot store one. */
  load(): Promise<DeviceKey | undefined>;
}

/** A WebCrypto key pair. */
export type Ed25519KeyPair = Pick<CryptoKeyPair, "publicKey" | "privateKey">;

const ALGORITHM = "Ed25519";
const KEYS = "keys";

/** IndexedDB may wait for another tab's upgrade or a broken profile without end; connecting must not. */
const OPEN_LIMIT_MS = 3_000;

/** The browser APIs that {@link browserDeviceKey} uses; by default those of the page. */
export interface BrowserDeviceKeyOptions {
  /**
   * The name of the IndexedDB database.
   * @default "openclaw-presence"
   */
  name?: string;
  /** The database that stores the key. */
  indexedDB?: IDBFactory;
}

/**
 * Returns the store of browsers: a key in IndexedDB whose private half scripts cannot read, one for all tabs of the
 * origin.
 *
 * It has no key on plain http pages, in browsers without Ed25519, or where nothing can be stored: a key that is lost
 * at every load would have to be approved at every load.
 */
export function browserDeviceKey({ name = "openclaw-presence", indexedDB }: BrowserDeviceKeyOptions = {}): DeviceKeyStore {
  return {
    async load() {
      try {
        const factory = indexedDB ?? globalThis.indexedDB;
        if (!factory || !globalThis.crypto?.subtle) return undefined;
        const database = await open(factory, name);
        try {
          const known = await read(database);
          return await deviceKey(known ?? (await keepFirst(database, await generateKeyPair())));
        } finally {
          database.close();
        }
      } catch {
        return undefined;
      }
    },
  };
}

/** Generates a key pair whose private half cannot be read. */
export async function generateKeyPair(): Promise<Ed25519KeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"])) as CryptoKeyPair;
}

/** Returns the {@link DeviceKey} of a key pair. */
export async function deviceKey({ publicKey, privateKey }: Ed25519KeyPair): Promise<DeviceKey> {
  const raw = await crypto.subtle.exportKey("raw", publicKey);
  const digest = await crypto.subtle.digest("SHA-256", raw);
  return {
    deviceId: hex(new Uint8Array(digest)),
    publicKey: base64url(raw),
    async sign(text) {
      return base64url(await crypto.subtle.sign(ALGORITHM, privateKey, new TextEncoder().encode(text)));
    },
  };
}

function base64url(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, 1);
    const timer = setTimeout(() => {
      request.onsuccess = () => request.result.close();
      reject(new Error("IndexedDB does not answer"));
    }, OPEN_LIMIT_MS);
    request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
    request.onerror = () => {
      clearTimeout(timer);
      reject(request.error);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      // Otherwise this tab would block another tab's upgrade or deletion.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

function read(database: IDBDatabase): Promise<Ed25519KeyPair | undefined> {
  return settled(database.transaction(KEYS, "readonly").objectStore(KEYS).get("device"));
}

/** Stores the pair, unless another tab already stored one; returns the stored pair. */
async function keepFirst(database: IDBDatabase, made: Ed25519KeyPair): Promise<Ed25519KeyPair> {
  const keys = database.transaction(KEYS, "readwrite").objectStore(KEYS);
  const known: Ed25519KeyPair | undefined = await settled(keys.get("device"));
  if (known) return known;
  await settled(keys.put({ publicKey: made.publicKey, privateKey: made.privateKey }, "device"));
  return made;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
