// A device identity as OpenClaw's clients have one, and proofs made with it.

import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** A new Ed25519 identity: `deviceId` is the hash of the raw public key. */
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

/** Base64url signature of a text. */
export function signText(device, text) {
  return sign(null, Buffer.from(text, "utf8"), device.privateKeyPem).toString("base64url");
}

/** What `@openclaw/gateway-client` leaves to its host: signing. */
export function deviceHost(device) {
  return {
    deviceIdentity: device,
    hostDeps: {
      signDevicePayload: (_pem, payload) => signText(device, payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
  };
}

/** The `device` member of a connect request with a v2 proof over its own params and this challenge. */
export function proveV2(device, params, { nonce, ts }) {
  const { client, role = "operator", scopes = [], auth } = params;
  const fields = ["v2", device.deviceId, client.id, client.mode, role, scopes.join(","), ts, auth?.token ?? "", nonce];
  const signature = signText(device, fields.join("|"));
  return { id: device.deviceId, publicKey: device.publicKey, signature, signedAt: ts, nonce };
}
