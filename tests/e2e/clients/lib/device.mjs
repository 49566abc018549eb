// A device identity like those of OpenClaw's clients, and proofs made with it.

import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** Creates an Ed25519 identity; `deviceId` is the hash of the raw public key. */
export function createDevice() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
  return {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** Returns the base64url signature of a text. */
export function signText(device, text) {
  return sign(null, Buffer.from(text, "utf8"), device.privateKeyPem).toString("base64url");
}

/** The options with which `@openclaw/gateway-client` lets its host sign. */
export function deviceHost(device) {
  return {
    deviceIdentity: device,
    hostDeps: {
      signDevicePayload: (_pem, payload) => signText(device, payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
  };
}

/** Returns the `device` member of a connect request: a v2 proof over these params and this challenge. */
export function proveV2(device, params, { nonce, ts }) {
  const { client, role = "operator", scopes = [], auth } = params;
  const fields = ["v2", device.deviceId, client.id, client.mode, role, scopes.join(","), ts, auth?.token ?? "", nonce];
  const signature = signText(device, fields.join("|"));
  return { id: device.deviceId, publicKey: device.publicKey, signature, signedAt: ts, nonce };
}
