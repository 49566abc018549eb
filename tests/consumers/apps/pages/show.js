import { use } from "./use.js";

/** Says in the page what it came to. */
export async function show(presence) {
  globalThis.outcome = await use(presence);
  document.body.append(JSON.stringify(globalThis.outcome));
}
