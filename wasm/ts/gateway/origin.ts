import { isLoopback } from "../functions.js";

/** Whether a page of this origin may connect from this address: the origin is listed, or is a page of this machine. */
export function isOriginAllowed(origin: string | undefined, ip: string, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return true;
  if (!isLoopback(ip) || !URL.canParse(origin)) return false;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || isLoopback(host);
}
