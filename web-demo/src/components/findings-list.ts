import type { Finding, PresenceRow } from "openclaw-presence";

import { h, replace, write } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { findingCard, rowsOf } from "./findings.js";

/** All findings of a list, folded under one line. */
export class FindingsList {
  readonly element: HTMLDetailsElement;
  readonly #summary = h("span");
  readonly #cards = h("div", { class: "cards" });
  readonly #reveal: (key: string) => void;
  #findings: readonly Finding[] | undefined;

  /** @param reveal The user wants to see a row. */
  constructor(reveal: (key: string) => void, isOpen = false) {
    this.#reveal = reveal;
    this.element = h("details", { class: "findings", open: isOpen }, h("summary", {}, icon("twins"), this.#summary), this.#cards);
  }

  show(findings: readonly Finding[], rows: readonly PresenceRow[]): void {
    if (findings === this.#findings) return;
    this.#findings = findings;
    this.element.hidden = findings.length === 0;
    write(this.#summary, `${count(findings.length, "possible duplicate")}: why, and what to change`);
    replace(this.#cards, findings.map((finding) => findingCard(finding, this.#show(finding, rows))));
  }

  #show(finding: Finding, rows: readonly PresenceRow[]): (() => void) | undefined {
    const key = rowsOf(finding, rows)[0]?.key;
    return key === undefined ? undefined : () => this.#reveal(key);
  }
}
