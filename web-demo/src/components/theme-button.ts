import { h, replace } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { applyTheme, storedTheme, type Theme } from "../state/theme.js";

const NEXT: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const NAMES = { auto: "as the system", light: "light", dark: "dark" } as const;
const ICONS = { auto: "auto", light: "sun", dark: "moon" } as const;

/** Goes through the colours: as the system has them, light, dark. */
export class ThemeButton {
  readonly element = h("button", { type: "button", class: "button icon-only", id: "theme" });
  #theme = storedTheme();

  constructor() {
    this.element.addEventListener("click", () => {
      this.#theme = NEXT[this.#theme];
      applyTheme(this.#theme, true);
      this.#show();
    });
    this.#show();
  }

  #show(): void {
    replace(this.element, icon(ICONS[this.#theme]));
    const label = `Colours: ${NAMES[this.#theme]}`;
    this.element.setAttribute("aria-label", label);
    this.element.title = label;
  }
}
