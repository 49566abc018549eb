import { pageTargets, type InputTargets } from "../input.js";
import { pick } from "../instance-id.js";
import type { SharedOptions } from "../options.js";

/** The APIs that tabs use to share a connection. */
export interface SharedPlatform {
  /** Name of the group, in addition to the gateway's address. */
  readonly name: string;
  readonly locks: Pick<LockManager, "request">;
  readonly BroadcastChannel: typeof BroadcastChannel;
  readonly page: InputTargets;
}

/** Returns the platform's APIs; `undefined` if one is missing or blocked, as outside of pages and on plain http. */
export function sharedPlatform(shared: SharedOptions | boolean | undefined): SharedPlatform | undefined {
  const options = typeof shared === "object" ? shared : {};
  const page = pick(options.page, pageTargets);
  const locks = pick(options.locks, () => globalThis.navigator.locks);
  const Channel = pick(options.BroadcastChannel, () => globalThis.BroadcastChannel);
  if (!page || !locks || !Channel || !canOpen(Channel)) return undefined;
  return { name: options.name ?? "openclaw-presence", locks, BroadcastChannel: Channel, page };
}

/** Whether channels can be opened: browsers that block the storage of a page may have them, but refuse to open one. */
function canOpen(Channel: typeof BroadcastChannel): boolean {
  try {
    new Channel("openclaw-presence").close();
    return true;
  } catch {
    return false;
  }
}
