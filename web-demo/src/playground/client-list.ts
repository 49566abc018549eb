import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { icon, type IconName } from "../lib/icons.js";
import { IDENTITIES, KINDS } from "./kinds.js";
import type { Frame, Player } from "./player.js";
import type { SimClient } from "./sim-client.js";

/** Maximum number of clients shown of a crowd. */
const MAX_CLIENTS = 12;

const STATES = { connected: "connected", asleep: "asleep, answers no pings", gone: "disconnected" } as const;

/** The simulated clients, each with its actions. */
export function clientList(player: Player, { clients }: Frame) {
  return html`
    <ul class="clients">
      ${clients.length === 0 ? html`<li class="sub">No clients yet. Add a client, or choose a scenario.</li>` : nothing}
      ${repeat(clients.slice(0, MAX_CLIENTS), ({ id }) => id, (client) => item(player, client))}
      ${clients.length > MAX_CLIENTS ? html`<li class="sub">and ${clients.length - MAX_CLIENTS} more</li>` : nothing}
    </ul>`;
}

function item(player: Player, { id, kind, identity, network, host, state, note, canBeacon }: SimClient) {
  const traits = [identity !== "stable" && IDENTITIES[identity], network === "tunnel" && "tunnel", kind === "cli" && "its connection makes no row"];
  const deeds = state === "connected" ? [canBeacon && "beacon", "drop", "sleep"] : state === "asleep" ? ["wake"] : ["back", "other"];
  const other = network === "tunnel" ? "lan" : "tunnel";
  const button = (name: IconName, label: string, act: () => void) =>
    html`<button type="button" class="button small" aria-label="${label}: ${host}" @click=${act}>${icon(name)}${label}</button>`;
  const BUTTONS = {
    beacon: () => button("signal", "Beacon", () => player.act({ op: "beacon", id })),
    drop: () => button("drop", "Drop", () => player.act({ op: "drop", id })),
    sleep: () => button("sleep", "Sleep", () => player.act({ op: "sleep", id })),
    wake: () => button("sun", "Wake", () => player.act({ op: "wake", id })),
    back: () => button("plug", "Reconnect", () => player.act({ op: "reconnect", id, network })),
    other: () => button("plug", other === "tunnel" ? "… by tunnel" : "… directly", () => player.act({ op: "reconnect", id, network: other })),
  };
  return html`
    <li class="client" data-state=${state}>
      <div class="client-name">
        ${icon(KINDS[kind].icon)}
        <div><strong>${host}</strong><span class="sub">${[KINDS[kind].label, ...traits].filter(Boolean).join(" · ")}</span></div>
        <span class="client-state">${note || STATES[state]}</span>
      </div>
      <div class="actions">${deeds.map((deed) => deed && BUTTONS[deed as keyof typeof BUTTONS]())}</div>
    </li>`;
}
