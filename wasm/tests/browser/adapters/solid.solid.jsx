import { render } from "solid-js/web";

import { createRoster } from "openclaw-presence/solid";

import { client, hosts, shown } from "./scenario.js";

function Hosts() {
  const selection = createRoster(client, hosts);
  return <p>{shown(selection())}</p>;
}

export const mount = (target) => render(Hosts, target);
