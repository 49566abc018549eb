import { html, LitElement } from "lit";

import { RosterController } from "openclaw-presence/lit";

import { client, hosts, shown } from "./scenario.js";

class HostNames extends LitElement {
  #hosts = new RosterController(this, client, hosts);

  // Renders into the page, whose text the test reads.
  createRenderRoot() {
    return this;
  }

  render() {
    return html`${shown(this.#hosts.value)}`;
  }
}
customElements.define("host-names", HostNames);

const element = document.createElement("host-names");

/** Mounts the same element each time, so that it is connected again. */
export function mount(target) {
  target.append(element);
  return () => element.remove();
}
