import { use } from "./use.js";

/** Publishes the result in `globalThis.outcome` and in the page. */
export async function show(presence) {
  globalThis.outcome = await use(presence);
  document.body.append(JSON.stringify(globalThis.outcome));
}
