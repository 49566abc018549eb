import html from "source:webchat.html";
import server from "source:webchat/token-server.mjs";
import script from "source:webchat/webchat.ts";

import { copyButton } from "../components/copy-button.js";
import { h, replace, set } from "../lib/dom.js";
import { highlight } from "../lib/highlight.js";
import { icon } from "../lib/icons.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";
import { viewHead, type View } from "./view.js";

/** The sample page, running, beside its whole source. */
export class WebchatView implements View {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #frame = h("div", { class: "frame" });
  readonly #colours = new MutationObserver(() => this.#tint());
  readonly #hint = h("p", { class: "sub" }, "Not connected to a gateway: the strip is empty. ", h("a", { href: hrefOf("instances") }, "Connect"), " first.");

  constructor(session: Session) {
    this.#session = session;
    const open = h("a", { class: "button", href: WEBCHAT_PAGE, target: "_blank", rel: "opener" }, icon("open"), "Open in a tab of its own");
    this.element = h(
      "div",
      { class: "view" },
      viewHead(
        "WebChat sample",
        `A chat page with a presence strip: ${lines(html) + lines(script)} lines with the package, beside its stylesheet. It is a client of its own, so it is a row of its own under Instances.`,
      ),
      h(
        "div",
        { class: "columns sample" },
        h("section", { class: "stack", "aria-label": "The sample, running" }, this.#frame, this.#hint, h("div", { class: "actions" }, open), tokenCard()),
        h("section", { class: "stack", "aria-label": "Its source" }, source("webchat.ts", script), source("webchat.html", html), source("token-server.mjs", server)),
      ),
    );
    session.live.watch(({ target }) => (this.#hint.hidden = target !== undefined));
  }

  /** It runs only while it is seen: hidden, it would be a row that nobody understands. */
  show(): void {
    const frame = h("iframe", { src: WEBCHAT_PAGE, title: "The WebChat sample", on: { load: () => this.#tint() } });
    replace(this.#frame, frame);
    this.#colours.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.#hint.hidden = this.#session.live.value.target !== undefined;
  }

  hide(): void {
    replace(this.#frame);
    this.#colours.disconnect();
  }

  /** The sample knows the system's colours only; beside this page it has those that were chosen here. */
  #tint(): void {
    const inner = this.#frame.querySelector("iframe")?.contentDocument?.documentElement;
    const theme = document.documentElement.dataset["theme"];
    if (inner) set(inner, "data-theme", theme);
  }
}

function tokenCard(): HTMLElement {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "How a real app gets its token"),
    h("p", {}, "The sample takes the token that this page keeps. A real app has a server: after sign-in, the page requests the address and the token from it, as ", h("code", {}, "token-server.mjs"), " shows. The token then is in no source, bundle or link."),
    h("p", { class: "sub" }, "A client with the gateway's token is granted every scope it requests: hand the token only to users who may have them all."),
  );
}

function lines(text: string): number {
  return text.trimEnd().split("\n").length;
}

function source(name: string, text: string): HTMLElement {
  return h(
    "figure",
    { class: "source" },
    h("figcaption", {}, h("span", {}, name), h("span", { class: "sub" }, `${lines(text)} lines`), copyButton("Copy", () => text)),
    h("pre", { tabindex: "0", "aria-label": `Source of ${name}` }, highlight(text)),
  );
}
