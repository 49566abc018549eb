/**
 * The one instance of the core in this JavaScript world, and how it comes to be.
 *
 * Nothing happens at import. The first use loads the core synchronously where the platform allows it
 * (everywhere but old browsers' main threads); `ready()` loads it without blocking, anywhere.
 */
import * as glue from "../glue.js";
import { PresenceError } from "../errors.js";

/** What the core can be loaded from. */
export type CoreSource = BufferSource | WebAssembly.Module;

/** Where the core can be loaded from without blocking; a `string` or `URL` is fetched. */
export type CoreLocation = CoreSource | Response | URL | string;

let isLoaded = false;
let pending: Promise<void> | undefined;
let builtIn: (() => CoreSource) | undefined;

/**
 * Says where the core's bytes are when nobody brings any.
 * @internal
 */
export function provide(source: () => CoreSource): void {
  builtIn ??= source;
}

/** The bindings' classes. @internal */
export type WasmClient = glue.Client;
export type WasmGateway = glue.Gateway;
export type WasmRoster = glue.Roster;

/**
 * The bindings, loaded. Everything that calls the core goes through here.
 *
 * @throws {PresenceError} `NOT_READY` where it cannot be loaded at once; see {@link initSync} for more.
 * @internal
 */
export function core(): typeof glue {
  if (!isLoaded) load();
  return glue;
}

function load(): void {
  if (!builtIn) {
    throw new PresenceError(
      "NOT_READY",
      "the core of openclaw-presence/slim is not loaded: `await init(url)` or call `initSync(bytes)` first, " +
        "with the file openclaw-presence/core.wasm",
    );
  }
  initSync(builtIn());
}

/** Whether the core is loaded. */
export function isReady(): boolean {
  return isLoaded;
}

/**
 * Loads the core without blocking; later calls return at once. Call it before the first use: then the
 * page stays smooth, and old browsers work that refuse to compile on their main thread.
 *
 * @throws {PresenceError} `WASM_BLOCKED`, or `NOT_READY` in `/slim`, where `init` loads.
 */
export function ready(): Promise<void> {
  if (isLoaded) return Promise.resolve();
  if (pending) return pending;
  if (!builtIn) {
    return Promise.reject(
      new PresenceError("NOT_READY", "openclaw-presence/slim brings no core: `await init(url)` instead of `ready()`"),
    );
  }
  return init(builtIn());
}

/**
 * Loads the core from what the caller brings; a no-op if it is loaded.
 *
 * @param source the bytes of `core.wasm`, a compiled module, a response, or a URL to fetch it from.
 * @throws {PresenceError} `WASM_BLOCKED` or `WASM_INVALID`; what `fetch` throws is thrown as it is. A call
 *   that failed may be repeated.
 */
export function init(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  if (isLoaded) return Promise.resolve();
  pending ??= loadFrom(source).finally(() => {
    pending = undefined;
  });
  return pending;
}

/**
 * Loads the core synchronously; a no-op if it is loaded.
 *
 * @param source the bytes of `core.wasm`, or a compiled module.
 * @throws {PresenceError} `NOT_READY` where the browser refuses to compile synchronously (`await init` there),
 *   `WASM_BLOCKED` or `WASM_INVALID`.
 */
export function initSync(source: CoreSource): void {
  if (isLoaded) return;
  try {
    glue.initSync({ module: source });
  } catch (error) {
    throw failure(error);
  }
  isLoaded = true;
}

async function loadFrom(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  const module = await compile(await source);
  // Somebody may have loaded it synchronously meanwhile: one instance, for ever.
  if (isLoaded) return;
  try {
    initSync(module);
  } catch (error) {
    if (!(error instanceof PresenceError && error.code === "NOT_READY")) throw error;
    await glue.default({ module_or_path: module });
    isLoaded = true;
  }
}

async function compile(source: CoreLocation): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  const bytes = isBytes(source) ? source : await (await fetched(source)).arrayBuffer();
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw failure(error);
  }
}

function isBytes(source: CoreLocation): source is BufferSource {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}

async function fetched(source: Response | URL | string): Promise<Response> {
  const response = typeof source === "string" || source instanceof URL ? await fetch(source) : source;
  if (!response.ok) {
    throw new PresenceError("WASM_INVALID", `core.wasm could not be fetched: ${response.status} from ${response.url}`);
  }
  return response;
}

/** Says what to do about an error of WebAssembly. */
function failure(error: unknown): PresenceError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) {
    return new PresenceError(
      "NOT_READY",
      "this browser does not load the core synchronously here: `await ready()` before the first use",
      { cause: error },
    );
  }
  if (/content security policy|unsafe-eval|blocked by CSP/i.test(message)) {
    return new PresenceError(
      "WASM_BLOCKED",
      "the page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src",
      { cause: error },
    );
  }
  return new PresenceError("WASM_INVALID", `the core could not be loaded: ${message}`, { cause: error });
}
