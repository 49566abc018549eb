import { html } from "lit";

/** A name, its label, its value (a text or an element) and a note. */
export type Fact = readonly [name: string, label: string, value: string | HTMLElement, note?: string];

/** A list of names and values. */
export function facts(all: readonly Fact[]) {
  return html`<dl class="facts">${all.map(
    ([name, label, value, note = ""]) =>
      html`<div data-fact=${name}><dt>${label}</dt><dd><span class="fact-value">${value}</span><span class="sub">${note}</span></dd></div>`,
  )}</dl>`;
}
