import { hex } from "../random.js";
import type { DeviceQuestion } from "../simulator/glue.js";

/** Verifies a device signature; returns the outcome as the core names it. */
export async function verifyDevice({ deviceId, publicKey, signature, refusal, texts }: DeviceQuestion): Promise<string> {
  const raw = rawKey(publicKey);
  if (!raw) return "public-key-invalid";
  const digest = await crypto.subtle.digest("SHA-256", raw);
  if (hex(new Uint8Array(digest)) !== deviceId) return "id-mismatch";
  if (refusal !== undefined) return refusal;
  try {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    const bytes = decode(signature);
    for (const text of texts) {
      if (bytes && (await crypto.subtle.verify("Ed25519", key, bytes, new TextEncoder().encode(text)))) return "verified";
    }
    return "signature-invalid";
  } catch {
    return "public-key-invalid";
  }
}

const KEY_BYTES = 32;
/** What precedes the raw key in the DER encoding of an Ed25519 public key, in base64. */
const DER_PREFIX = "MCowBQYDK2VwAyEA";

/** The raw key of a text in base64url, base64 or PEM. */
function rawKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  const pem = /^\s*-----BEGIN PUBLIC KEY-----([\s\S]*?)-----END/.exec(text)?.[1]?.replaceAll(/\s/g, "");
  if (pem !== undefined && !pem.startsWith(DER_PREFIX)) return undefined;
  const bytes = decode(pem === undefined ? text : pem.slice(DER_PREFIX.length));
  return bytes?.length === KEY_BYTES ? bytes : undefined;
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
