/**
 * `openclaw-presence/shared`: importing it enables the option `shared`, with which all tabs of an origin share one
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
  // Where tabs cannot communicate, each is a separate client.
  return platform ? new SharedEngine(options, host, platform) : new Engine(options, host);
});

export type { SharedOptions } from "./options.js";
