/** Loads a WASM module of this package once: at the first use or before, synchronously or without blocking. */
import { PresenceError } from "../errors.js";

/** The synchronous sources of a module. */
export type CoreSource = BufferSource | WebAssembly.Module;

/** All sources of a module; a `string` or `URL` is fetched. */
export type CoreLocation = CoreSource | Response | URL | string;

/** The JavaScript that wasm-bindgen generates for a module. */
interface Glue {
  initSync(module: { module: CoreSource }): unknown;
  default(module: { module_or_path: WebAssembly.Module }): Promise<unknown>;
}

/** Bytes that are included in the package. */
export interface BuiltIn {
  /** Returns the bytes synchronously. */
  read(): CoreSource;
  /** Returns the bytes without blocking the page, where the platform can. */
  load(): Promise<CoreSource>;
}

/** A module that is loaded on demand. */
export class WasmModule<G extends Glue> {
  readonly #glue: G;
  /** Remedy in the error of a use without any bytes. */
  readonly #advice: string;
  #isLoaded = false;
  #pending: Promise<void> | undefined;
  #builtIn: BuiltIn | undefined;

  constructor(glue: G, advice: string) {
    this.#glue = glue;
    this.#advice = advice;
  }

  /** Whether it is loaded. */
  get isReady(): boolean {
    return this.#isLoaded;
  }

  /** Sets the source of the bytes for apps that pass none. */
  provide(source: BuiltIn): void {
    this.#builtIn ??= source;
  }

  /** Returns its functions and classes, loading the module if necessary. */
  use(): G {
    if (!this.#isLoaded) this.initSync(this.#source().read());
    return this.#glue;
  }

  /** Loads it without blocking. */
  async ready(): Promise<void> {
    if (this.#isLoaded) return;
    try {
      await (this.#pending ?? this.init(this.#source().load()));
    } catch (error) {
      throw failure(error);
    }
  }

  /** Loads it from `source`. A failed call can be repeated. */
  init(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
    if (this.#isLoaded) return Promise.resolve();
    this.#pending ??= this.#load(source).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Loads it synchronously. */
  initSync(source: CoreSource): void {
    if (this.#isLoaded) return;
    checkPlatform();
    try {
      this.#glue.initSync({ module: source });
    } catch (error) {
      throw failure(error);
    }
    this.#isLoaded = true;
  }

  #source(): BuiltIn {
    checkPlatform();
    if (!this.#builtIn) throw new PresenceError("NOT_READY", this.#advice);
    return this.#builtIn;
  }

  async #load(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
    checkPlatform();
    const module = await compile(await source);
    // A synchronous load may have finished meanwhile; the module is instantiated only once.
    if (this.#isLoaded) return;
    try {
      this.initSync(module);
    } catch (error) {
      if (!(error instanceof PresenceError && error.code === "NOT_READY")) throw error;
      await this.#glue.default({ module_or_path: module });
      this.#isLoaded = true;
    }
  }
}

function checkPlatform(): void {
  if (typeof WebAssembly === "object") return;
  const remedy = "React Native's Hermes has no WebAssembly.";
  throw new PresenceError("NO_WEBASSEMBLY", "this platform has no WebAssembly", { remedy });
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
    throw new PresenceError("WASM_INVALID", `the module could not be fetched: ${response.status} from ${response.url}`);
  }
  return response;
}

/** Returns the error, with a remedy, for an error of WebAssembly. */
function failure(error: unknown): PresenceError {
  if (error instanceof PresenceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) {
    return new PresenceError(
      "NOT_READY",
      "`await ready()` first: this browser loads asynchronously",
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
  return new PresenceError("WASM_INVALID", `the module could not be loaded: ${message}`, { cause: error });
}
