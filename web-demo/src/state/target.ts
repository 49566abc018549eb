import { store, stored } from "../lib/web-storage.js";
import { takeSecret, type Secret } from "./secret-link.js";

/** The address and secret of a gateway. */
export interface Target {
  readonly url: string;
  /** Absent if the gateway requires none. */
  readonly secret?: Secret;
}

/** Returns the target with the secret of its address, as in the link that a gateway prints, moved out of the address. */
export function normalizeTarget({ url, secret }: Target): Target {
  const fragment = url.indexOf("#");
  if (fragment < 0) return secret ? { url, secret } : { url };
  const found = secret ?? takeSecret(url.slice(fragment));
  return found ? { url: url.slice(0, fragment), secret: found } : { url: url.slice(0, fragment) };
}

/**
 * Returns an address without its query and fragment, which may hold secrets. The link that a gateway prints has the
 * address of its WebSocket.
 */
export function addressOf(url: string): string {
  return url.replace(/[?#].*/s, "").replace(/^http/i, "ws").replace(/\/$/, "");
}

/** Returns the gateway from before a reload. It is stored for this tab only, and deleted with it. */
export function storedTarget(): Target | undefined {
  const target = stored("sessionStorage", "gateway");
  return isTarget(target) ? target : undefined;
}

/** Stores the gateway for a reload of this tab; `undefined` deletes it. */
export function storeTarget(target: Target | undefined): void {
  store("sessionStorage", "gateway", target);
}

/** Returns the address of the gateway that serves this page, if one does: it accepts WebSockets on every path. */
export function ownGatewayUrl(): string {
  const url = new URL(".", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href.replace(/\/$/, "");
}

/** Metadata of the gateway that serves this page. */
export interface OwnGateway {
  readonly auth: "token" | "password" | "none";
  readonly version: string;
}

/** Requests the metadata of the gateway that serves this page; `undefined` if the server is not a gateway. */
export async function findOwnGateway(): Promise<OwnGateway | undefined> {
  try {
    const response = await fetch("gateway.json", { cache: "no-store" });
    const about = (await response.json()) as { gateway?: unknown; auth?: unknown; version?: unknown };
    if (about.gateway !== true) return undefined;
    const auth = about.auth === "none" || about.auth === "password" ? about.auth : "token";
    return { auth, version: String(about.version ?? "") };
  } catch {
    return undefined;
  }
}

/** Whether a stored value is a target. */
export function isTarget(value: unknown): value is Target {
  if (typeof value !== "object" || value === null) return false;
  const { url, secret } = value as Partial<Target>;
  return typeof url === "string" && (secret === undefined || isSecret(secret));
}

function isSecret({ kind, text }: Partial<Secret>): boolean {
  return (kind === "token" || kind === "password") && typeof text === "string";
}
