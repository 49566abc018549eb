import { h, write } from "../lib/dom.js";

/** A list of names and values; values are written in place. */
export class Facts<Name extends string> {
  readonly element: HTMLElement;
  readonly #values = new Map<Name, { value: HTMLElement; note: HTMLElement }>();

  constructor(labels: Readonly<Record<Name, string>>) {
    this.element = h("dl", { class: "facts" });
    for (const [name, label] of Object.entries(labels) as [Name, string][]) {
      const value = h("span", { class: "fact-value" });
      const note = h("span", { class: "sub" });
      this.#values.set(name, { value, note });
      this.element.append(h("div", { data: { fact: name } }, h("dt", {}, label), h("dd", {}, value, note)));
    }
  }

  set(name: Name, text: string, note = ""): void {
    const fact = this.#values.get(name);
    if (!fact) return;
    write(fact.value, text);
    write(fact.note, note);
  }
}
