import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { select } from "../components/select.js";
import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import { IDENTITIES, KINDS, NETWORKS, type Identity, type KindName, type Network } from "./kinds.js";
import type { Player } from "./player.js";
import { freeId } from "./script.js";

/** Number of clients that "crowd" adds. */
const CROWD_SIZE = 50;

/** Adds clients to the world. */
@customElement("add-form")
export class AddForm extends Part {
  #identity: Identity = "stable";
  #network: Network = "lan";

  constructor(readonly player: Player) {
    super();
  }

  protected override render() {
    const { player } = this;
    const next = () => freeId(player.frame.value.script);
    const add = (kind: KindName) => player.act({ op: "add", id: next(), kind, identity: this.#identity, network: this.#network });
    const kinds = Object.entries(KINDS) as [KindName, (typeof KINDS)[KindName]][];
    return html`
      <div class="add-form">
        <div class="actions">
          ${kinds.map(([kind, { label, icon: name }]) => html`<button type="button" class="button" aria-label="Add: ${label}" @click=${() => add(kind)}>${icon(name)}${label}</button>`)}
          <button type="button" class="button quiet" @click=${() => player.act({ op: "crowd", id: next(), size: CROWD_SIZE })}>${icon("crowd")}${CROWD_SIZE} at once</button>
        </div>
        <div class="field"><label for="new-identity">Identity</label>${select("new-identity", this.#identity, Object.entries(IDENTITIES), (value) => (this.#identity = value as Identity))}</div>
        <div class="field"><label for="new-network">Connects</label>${select("new-network", this.#network, Object.entries(NETWORKS), (value) => (this.#network = value as Network))}</div>
      </div>`;
  }
}
