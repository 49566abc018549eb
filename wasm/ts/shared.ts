/**
 * `openclaw-presence/shared`: importing it makes the option `shared` work, with which all tabs of an origin are one
 * connection and one row.
 *
 * @packageDocumentation
 */
import { Engine } from "./engine.js";
import { setSharedEngine } from "./make-engine.js";
import { SharedEngine } from "./shared/engine.js";
import { sharedPlatform } from "./shared/platform.js";

setSharedEngine((options, host) => {
  const platform = sharedPlatform(options.shared);
  // Where tabs cannot find each other, each is a client of its own.
  return platform ? new SharedEngine(options, host, platform) : new Engine(options, host);
});

export type { SharedOptions } from "./options.js";
