import { h, set } from "../lib/dom.js";

/** A switch with its label. */
export class Switch {
  readonly element: HTMLElement;
  readonly #button: HTMLButtonElement;

  constructor(label: string, onChange: (isOn: boolean) => void) {
    this.#button = h("button", { type: "button", role: "switch", class: "switch", "aria-checked": "false" }, h("span", { class: "switch-knob" }), h("span", {}, label));
    this.#button.addEventListener("click", () => onChange(this.#button.getAttribute("aria-checked") !== "true"));
    this.element = this.#button;
  }

  show(isOn: boolean): void {
    set(this.#button, "aria-checked", String(isOn));
  }
}
