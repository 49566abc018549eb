import { html } from "lit";
import { customElement } from "lit/decorators.js";

import { Part } from "../lib/part.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";

const WORDS = { live: "Live", connecting: "Connecting", waiting: "Offline", refused: "Refused", stopped: "No gateway" } as const;

/** Shows the state of the connection in one word, in every view. */
@customElement("connection-pill")
export class ConnectionPill extends Part {
  constructor(readonly session: Session) {
    super();
    this.follow(session.live);
  }

  protected override render() {
    const { target, roster } = this.session.live.value;
    const phase = target === undefined ? "stopped" : (roster?.connection.phase ?? "connecting");
    return html`<a class="pill" href=${hrefOf("instances")} data-phase=${phase}><span class="pulse" aria-hidden="true"></span><span class="off-screen">Connection: </span><span>${WORDS[phase]}</span></a>`;
  }
}
