import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

import { keptText, type KeptState } from "./kept-file.js";
import type { DeviceKey, DeviceKeyStore } from "../device-key.js";

/**
 * Returns a store with the device key in the file `path` (PKCS #8 PEM, readable by its owner only), created at the
 * first call.
 *
 * An empty or truncated key file is replaced; files of other programs are not changed. There is no key where nothing
 * can be written: a key that is lost would have to be approved at every start.
 */
export function fileDeviceKey(path: string): DeviceKeyStore {
  return {
    async load() {
      try {
        return deviceKey(createPrivateKey(keptText(path, keyState, newKey)));
      } catch {
        return undefined;
      }
    },
  };
}

function newKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

const BEGIN = "-----BEGIN PRIVATE KEY-----";
const END = "-----END PRIVATE KEY-----";

/**
 * Returns `broken` for a truncated key, which is useless, and `foreign` for a file that does not begin like a key,
 * which is not replaced. A power loss can leave NULs in place of data.
 */
function keyState(text: string): KeptState {
  const pem = text.replaceAll("\0", "").trim();
  if (pem.startsWith(BEGIN)) return pem.endsWith(END) ? "whole" : "broken";
  return BEGIN.startsWith(pem) ? "broken" : "foreign";
}

function deviceKey(privateKey: KeyObject): DeviceKey {
  const raw = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
  return {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    sign: async (text) => sign(null, Buffer.from(text, "utf8"), privateKey).toString("base64url"),
  };
}
