import page from "source:webchat.html";
import server from "source:webchat/token-server.mjs";
import script from "source:webchat/webchat.ts";
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { CopyButton } from "../components/copy-button.js";
import { highlight } from "../lib/highlight.js";
import { icon } from "../lib/icons.js";
import { hrefOf } from "../state/route.js";
import type { Session } from "../state/session.js";
import { View, viewHead } from "./view.js";

const SOURCES = [
  { name: "webchat.ts", text: script },
  { name: "webchat.html", text: page },
  { name: "token-server.mjs", text: server },
].map((source) => ({ ...source, copy: new CopyButton("Copy", () => source.text), code: highlight(source.text) }));

/** Runs the sample page beside its whole source. */
@customElement("webchat-view")
export class WebchatView extends View {
  /** Runs only while visible: a hidden sample would be an unexplained row. */
  @state() private accessor isRunning = false;
  readonly #colours = new MutationObserver(() => this.#tint());

  constructor(readonly session: Session) {
    super();
    this.follow(session.live);
  }

  protected override show(): void {
    this.isRunning = true;
    this.#colours.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  protected override hide(): void {
    this.isRunning = false;
    this.#colours.disconnect();
  }

  protected override render() {
    return html`
      ${viewHead("WebChat sample", `A chat page with a presence strip, in ${lines(page) + lines(script)} lines and a stylesheet. It connects as a client of its own, and has its own row under Instances.`)}
      <div class="columns sample">
        <section class="stack" aria-label="The sample, running">
          <div class="frame">${this.isRunning ? html`<iframe src=${WEBCHAT_PAGE} title="The WebChat sample" @load=${this.#tint}></iframe>` : nothing}</div>
          <p class="sub" ?hidden=${this.session.live.value.target !== undefined}>Not connected to a gateway: the strip is empty. <a href=${hrefOf("instances")}>Connect</a> first.</p>
          <div class="actions"><a class="button" href=${WEBCHAT_PAGE} target="_blank" rel="opener">${icon("open")}Open in a tab of its own</a></div>
          <section class="card">
            <h2>How a real app gets its token</h2>
            <p>The sample takes the token that this page keeps. A real app has a server: after sign-in, the page requests the address and the token from it, as <code>token-server.mjs</code> shows. The token then is in no source, bundle or link.</p>
            <p class="sub">A client with the gateway's token is granted every scope it requests: hand the token only to users who may have them all.</p>
          </section>
        </section>
        <section class="stack" aria-label="Its source">
          ${SOURCES.map(
            ({ name, text, copy, code }) => html`
              <figure class="source">
                <figcaption><span>${name}</span><span class="sub">${lines(text)} lines</span>${copy}</figcaption>
                <pre tabindex="0" aria-label="Source of ${name}">${code}</pre>
              </figure>`,
          )}
        </section>
      </div>`;
  }

  /** Applies this page's theme to the sample, which supports only the system's. */
  #tint(): void {
    const inner = this.querySelector("iframe")?.contentDocument?.documentElement;
    const { theme } = document.documentElement.dataset;
    if (theme === undefined) delete inner?.dataset["theme"];
    else if (inner) inner.dataset["theme"] = theme;
  }
}

function lines(text: string): number {
  return text.trimEnd().split("\n").length;
}
