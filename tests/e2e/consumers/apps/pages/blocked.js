import { ready, status } from "/node_modules/openclaw-presence/dist/index.js";

const later = await ready().catch((error) => error.code);
let now;
try {
  status(0);
} catch (error) {
  now = error.code;
}
globalThis.outcome = [later, now];
