import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { PresenceProvider, useRoster } from "openclaw-presence/react";

import { client, hosts, shown } from "./scenario.js";

// The selector is a new function at each render, as in most components.
const Hosts = () => shown(useRoster((roster) => hosts(roster)));

export function mount(target) {
  const root = createRoot(target);
  flushSync(() => root.render(createElement(PresenceProvider, { client }, createElement(Hosts))));
  return () => flushSync(() => root.unmount());
}
