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

/** The 32 bytes of a key; a PEM ends with them. */
function rawKey(text: string): Uint8Array<ArrayBuffer> | undefined {
  const pem = /-----BEGIN PUBLIC KEY-----([\s\S]+)-----END PUBLIC KEY-----/.exec(text)?.[1];
  const bytes = decode(pem ? pem.replaceAll(/\s/g, "") : text);
  if (pem) return bytes?.slice(-KEY_BYTES);
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
