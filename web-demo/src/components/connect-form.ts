import { h, set, write } from "../lib/dom.js";
import { findOwnGateway, ownGatewayUrl, type Target } from "../state/target.js";
import { hrefOf, type Place } from "../state/route.js";

const DEFAULT_URL = "ws://127.0.0.1:18789";

/** Asks which gateway to show, where no link said it. */
export class ConnectForm {
  readonly element: HTMLElement;
  readonly #url = h("input", { id: "gateway-url", type: "text", inputmode: "url", required: true, autocomplete: "url", spellcheck: "false", value: DEFAULT_URL });
  readonly #secret = h("input", { id: "gateway-secret", type: "password", autocomplete: "off", spellcheck: "false" });
  readonly #kind = h("select", { id: "gateway-kind" }, h("option", { value: "token" }, "Token"), h("option", { value: "password" }, "Password"));
  readonly #error = h("p", { id: "gateway-error", class: "form-error", role: "alert" });
  readonly #found = h("p", { class: "sub" });
  readonly #connect: (target: Target) => void;
  #suggested: string | undefined;

  /** @param connect throws what is wrong with the address. */
  constructor(connect: (target: Target) => void) {
    this.#connect = connect;
    const form = h(
      "form",
      { class: "connect-form", novalidate: true },
      h("label", { for: "gateway-url" }, "Address of the gateway"),
      this.#url,
      h("label", { for: "gateway-secret" }, "Its secret"),
      h("div", { class: "joined" }, h("label", { for: "gateway-kind", class: "off-screen" }, "Kind of secret"), this.#kind, this.#secret),
      h("p", { class: "sub" }, "Printed by the gateway at its start. Kept in this tab and those it opens (sessionStorage), so that a reload works, and sent to nobody but the gateway."),
      this.#error,
      h("button", { type: "submit", class: "button primary" }, "Connect"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element = h(
      "div",
      { class: "welcome" },
      h(
        "section",
        { class: "card" },
        h("h2", {}, "Connect to a gateway"),
        h("p", {}, "See who is connected to OpenClaw, live: the gateway, mac apps, WebChat tabs, nodes."),
        this.#found,
        form,
      ),
      h(
        "section",
        { class: "card" },
        h("h2", {}, "No gateway at hand?"),
        h(
          "ul",
          { class: "instead" },
          instead("playground", "Open the playground", "A whole gateway in this page: duplicate rows, stale rows, tunnels, and a slider for time."),
          instead("paste", "Paste a list", "From any OpenClaw gateway. See one row per instance, and why some rows look alike."),
        ),
        h("p", {}, "Or start one: ", h("code", {}, "presence-gateway"), " prints a link that brings you back here, signed in."),
      ),
    );
  }

  /** Fills in the gateway that was tried; asked again, the address is not overwritten. */
  suggest({ url, secret }: Target): void {
    if (this.#suggested === url) return;
    this.#suggested = url;
    this.#url.value = url;
    if (secret) this.#kind.value = secret.kind;
  }

  /** Fills in the gateway that serves this page; connects to it if it asks for nothing. */
  async findGateway(): Promise<void> {
    const own = await findOwnGateway();
    if (!own) return;
    this.#url.value = ownGatewayUrl();
    if (own.auth === "none") return this.#submit();
    this.#kind.value = own.auth;
    write(this.#found, `This page is served by a gateway (${own.version}) that asks for its ${own.auth}. The link it printed signs you in at once.`);
  }

  #submit(): void {
    const text = this.#secret.value.trim();
    const secret = text === "" ? undefined : { kind: this.#kind.value === "password" ? "password" : "token", text } as const;
    const url = this.#url.value.trim();
    try {
      this.#connect(secret ? { url, secret } : { url });
      this.#secret.value = "";
      this.#say("");
    } catch (error) {
      this.#say(error instanceof Error ? `${error.message}. An address looks like ${DEFAULT_URL}.` : String(error));
    }
  }

  #say(error: string): void {
    write(this.#error, error);
    set(this.#url, "aria-invalid", error === "" ? undefined : "true");
    set(this.#url, "aria-describedby", error === "" ? undefined : "gateway-error");
    if (error !== "") this.#url.focus();
  }
}

function instead(place: Place, label: string, text: string): HTMLElement {
  return h("li", {}, h("a", { href: hrefOf(place) }, label), h("p", { class: "sub" }, text));
}
