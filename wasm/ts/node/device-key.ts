import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import type { DeviceKey, DeviceKeyStore } from "../device-key.js";

/**
 * A device key in the file `path` (PKCS #8 PEM, readable by its owner only), made at the first call.
 * Nothing where nothing can be written: a key that is lost would have to be approved at every start.
 */
export function fileDeviceKey(path: string): DeviceKeyStore {
  return {
    async load() {
      try {
        return deviceKey(createPrivateKey(readOrCreate(path)));
      } catch {
        return undefined;
      }
    },
  };
}

function readOrCreate(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  const made = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  try {
    writeFileSync(path, made, { flag: "wx", mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return readFileSync(path, "utf8");
  }
}

function deviceKey(privateKey: KeyObject): DeviceKey {
  const raw = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
  return {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    sign: async (text) => sign(null, Buffer.from(text, "utf8"), privateKey).toString("base64url"),
  };
}
