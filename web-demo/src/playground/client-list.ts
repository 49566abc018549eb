import { h, replace } from "../lib/dom.js";
import { icon, type IconName } from "../lib/icons.js";
import { IDENTITIES, KINDS } from "./kinds.js";
import type { ClientView, Frame, Player } from "./player.js";

/** A crowd is shown by its first. */
const MOST = 12;

const STATES = { connected: "connected", asleep: "asleep, answers no pings", gone: "gone" } as const;

/** The simulated clients, each with what can be done to it. */
export class ClientList {
  readonly element = h("ul", { class: "clients" });
  readonly #player: Player;
  #shown = "";

  constructor(player: Player) {
    this.#player = player;
  }

  show({ clients }: Frame): void {
    const state = JSON.stringify(clients);
    if (state === this.#shown) return;
    this.#shown = state;
    // The buttons are made anew: whoever stood on one stands on the same one afterwards.
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.getAttribute("data-deed") : undefined;
    replace(
      this.element,
      clients.length === 0 && h("li", { class: "sub" }, "Nobody yet. Add a client, or choose a scenario."),
      clients.slice(0, MOST).map((client) => this.#item(client)),
      clients.length > MOST && h("li", { class: "sub" }, `and ${clients.length - MOST} more`),
    );
    if (focused) this.element.querySelector<HTMLElement>(`[data-deed="${focused}"]`)?.focus();
  }

  #item(client: ClientView): HTMLElement {
    const { id, kind, identity, network, host, state, note, canBeacon } = client;
    const player = this.#player;
    const traits = [identity !== "stable" && IDENTITIES[identity], network === "tunnel" && "tunnel", kind === "cli" && "its connection makes no row"];
    const button = (deed: string, name: IconName, label: string, act: () => void) =>
      h("button", { type: "button", class: "button small", data: { deed: `${id}-${deed}` }, "aria-label": `${label}: ${host}`, on: { click: act } }, icon(name), label);
    const other = network === "tunnel" ? "lan" : "tunnel";
    return h(
      "li",
      { class: "client", data: { state } },
      h(
        "div",
        { class: "client-name" },
        icon(KINDS[kind].icon),
        h("div", {}, h("strong", {}, host), h("span", { class: "sub" }, [KINDS[kind].label, ...traits].filter(Boolean).join(" · "))),
        h("span", { class: "client-state" }, note || STATES[state]),
      ),
      h(
        "div",
        { class: "actions" },
        state === "connected" && canBeacon && button("beacon", "signal", "Beacon", () => player.act({ op: "beacon", id })),
        state === "connected" && button("drop", "drop", "Drop", () => player.act({ op: "drop", id })),
        state === "connected" && button("sleep", "sleep", "Sleep", () => player.act({ op: "sleep", id })),
        state === "asleep" && button("wake", "sun", "Wake", () => player.act({ op: "wake", id })),
        state === "gone" && button("back", "plug", "Reconnect", () => player.act({ op: "reconnect", id, network })),
        state === "gone" && button("other", "plug", other === "tunnel" ? "… by tunnel" : "… directly", () => player.act({ op: "reconnect", id, network: other })),
      ),
    );
  }
}
