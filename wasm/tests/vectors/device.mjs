// The named devices of the vectors, whose proofs are signed with WebCrypto in Node and in browsers.

import { fail } from "./failure.mjs";
import { isObject, layOver } from "./json.mjs";

/** The bytes before the 32 bytes of an Ed25519 seed in PKCS #8. */
const PKCS8 = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

/** Returns a text's signature by a device of `devices.json`, in base64url. */
export async function sign(device, text) {
  const seed = Uint8Array.from(device.seed.match(/../g), (byte) => Number.parseInt(byte, 16));
  if (seed.length !== 32) fail("a seed is not 32 bytes long");
  const key = await crypto.subtle.importKey("pkcs8", Uint8Array.from([...PKCS8, ...seed]), "Ed25519", false, ["sign"]);
  return base64url(await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text)));
}

/** Checks that the members of a device in `devices.json` follow from its seed. */
export async function checkDevice(name, device) {
  const raw = fromBase64url(device.publicKey);
  if ((await idOf(raw)) !== device.id) fail(`${name}: the id is another`);
  if ((await sign(device, `sample|${name}`)) !== device.sampleSignature) fail(`${name}: the sample signature is another`);
  const sample = new TextEncoder().encode(`sample|${name}`);
  if (!(await isSignedBy(raw, fromBase64url(device.sampleSignature), sample))) fail(`${name}: the public key is another`);
}

/** Returns the id of a raw public key: its SHA-256 in lower-case hex. */
export async function idOf(raw) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns whether a signature is this key's over these bytes. */
export async function isSignedBy(raw, signature, bytes) {
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, bytes);
}

/** Returns the bytes of a base64url or base64 text. */
export function fromBase64url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function base64url(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Returns the params of a `connect` step: the base client's, overlaid by the client's and the step's, and the proof. */
export async function connectParams({ suite, context, core }, client, step, challenge) {
  const { base } = suite.cast.clients;
  const params = context.sent(layOver(layOver(layOver({}, base.params), client.params), step.params ?? {}));
  if (step.device === undefined) return params;
  const detail = typeof step.device === "string" ? { name: step.device } : step.device;
  return { ...params, device: await proof({ suite, context, core }, detail, params, challenge) };
}

async function proof({ suite, context, core }, detail, params, challenge) {
  const device = suite.devices.devices[detail.name] ?? fail(`no device ${detail.name}`);
  const given = (value, otherwise) => (value === undefined ? otherwise : context.sent(value));
  const id = given(detail.id, device.id);
  const signedAt = given(detail.signedAt, challenge.ts);
  const nonce = given(detail.nonce, challenge.nonce);
  const publicKey = given(detail.publicKey, device.publicKey);
  const signed = { ...signedFields(params, id, signedAt, nonce), ...context.sent(detail.signed ?? {}) };
  const version = detail.payload ?? (params.maxProtocol === 3 ? "v2" : "v3");
  const signature = given(detail.signature, await sign(device, core.devicePayload({ version, ...signed })));
  return { id, publicKey, signature, signedAt, ...(nonce === null ? {} : { nonce }) };
}

/** Returns the fields that a valid proof signs, by the names of `devicePayload`. */
function signedFields(params, deviceId, signedAt, nonce) {
  const auth = isObject(params.auth) ? params.auth : {};
  const text = (value) => (typeof value === "string" ? value : "");
  return {
    deviceId,
    clientId: text(params.client?.id),
    clientMode: text(params.client?.mode),
    role: typeof params.role === "string" ? params.role : "operator",
    scopes: Array.isArray(params.scopes) ? params.scopes : [],
    signedAt,
    token: text([auth.token, auth.deviceToken, auth.bootstrapToken].find((token) => typeof token === "string")),
    nonce: text(nonce),
    platform: text(params.client?.platform),
    deviceFamily: text(params.client?.deviceFamily),
  };
}
