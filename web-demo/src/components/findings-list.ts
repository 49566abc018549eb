import type { Finding, PresenceRow } from "openclaw-presence";

import { h, replace, set, uniqueId, write } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { findingCard, rowsOf } from "./findings.js";

/**
 * All findings of a list, and the button that unfolds them. The button is always there, at nought too: a finding
 * that comes or goes moves nothing.
 */
export class FindingsList {
  readonly button: HTMLButtonElement;
  readonly element: HTMLElement;
  readonly #summary = h("span");
  readonly #reveal: (key: string) => void;
  #findings: readonly Finding[] | undefined;
  #isOpen: boolean;

  /** @param reveal The user wants to see a row. */
  constructor(reveal: (key: string) => void, isOpen = false) {
    this.#reveal = reveal;
    this.#isOpen = isOpen;
    const id = uniqueId("findings");
    this.element = h("section", { class: "cards findings", id, "aria-label": "Possible duplicates" });
    this.button = h("button", { type: "button", class: "chip findings-chip", "aria-controls": id, on: { click: () => this.#toggle() } }, icon("twins"), this.#summary, icon("chevron"));
    this.#showOpen();
  }

  show(findings: readonly Finding[], rows: readonly PresenceRow[]): void {
    if (findings === this.#findings) return;
    this.#findings = findings;
    set(this.button, "data-found", findings.length > 0 ? "" : undefined);
    write(this.#summary, count(findings.length, "possible duplicate"));
    const none = h("p", { class: "sub" }, "No two rows look like one client.");
    replace(this.element, findings.length === 0 ? none : findings.map((finding) => findingCard(finding, this.#show(finding, rows))));
  }

  #toggle(): void {
    this.#isOpen = !this.#isOpen;
    this.#showOpen();
  }

  #showOpen(): void {
    this.element.hidden = !this.#isOpen;
    set(this.button, "aria-expanded", String(this.#isOpen));
  }

  #show(finding: Finding, rows: readonly PresenceRow[]): (() => void) | undefined {
    const key = rowsOf(finding, rows)[0]?.key;
    return key === undefined ? undefined : () => this.#reveal(key);
  }
}
