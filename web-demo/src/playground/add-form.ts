import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { IDENTITIES, KINDS, NETWORKS, type Identity, type KindName, type Network } from "./kinds.js";
import type { Player } from "./player.js";
import { freeId } from "./script.js";

/** How many clients come at once. */
const CROWD_SIZE = 50;

/** Adds clients to the world. */
export function addForm(player: Player): HTMLElement {
  const identity = select("new-identity", IDENTITIES);
  const network = select("new-network", NETWORKS);
  const next = () => freeId(player.frame.value.script);
  const add = (kind: KindName) =>
    player.act({ op: "add", id: next(), kind, identity: identity.value as Identity, network: network.value as Network });
  return h(
    "div",
    { class: "add-form" },
    h(
      "div",
      { class: "actions" },
      Object.entries(KINDS).map(([kind, { label, icon: name }]) =>
        h("button", { type: "button", class: "button", "aria-label": `Add: ${label}`, on: { click: () => add(kind as KindName) } }, icon(name), label),
      ),
      h("button", { type: "button", class: "button quiet", on: { click: () => player.act({ op: "crowd", id: next(), size: CROWD_SIZE }) } }, icon("crowd"), `${CROWD_SIZE} at once`),
    ),
    h("div", { class: "field" }, h("label", { for: "new-identity" }, "with"), identity),
    h("div", { class: "field" }, h("label", { for: "new-network" }, "arriving"), network),
  );
}

function select(id: string, names: Readonly<Record<string, string>>): HTMLSelectElement {
  return h("select", { id }, Object.entries(names).map(([value, label]) => h("option", { value }, label)));
}
