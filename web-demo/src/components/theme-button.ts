import { html } from "lit";
import { customElement, state } from "lit/decorators.js";

import { icon } from "../lib/icons.js";
import { Part } from "../lib/part.js";
import { applyTheme, storedTheme, type Theme } from "../state/theme.js";

const THEMES: Readonly<Record<Theme, { readonly name: string; readonly icon: "auto" | "sun" | "moon"; readonly next: Theme }>> = {
  auto: { name: "as the system", icon: "auto", next: "light" },
  light: { name: "light", icon: "sun", next: "dark" },
  dark: { name: "dark", icon: "moon", next: "auto" },
};

/** Cycles through the themes: the system's, light, dark. */
@customElement("theme-button")
export class ThemeButton extends Part {
  @state() private accessor theme = storedTheme();

  protected override render() {
    const { name, icon: iconName } = THEMES[this.theme];
    const label = `Colours: ${name}`;
    return html`<button type="button" class="button icon-only" id="theme" aria-label=${label} title=${label} @click=${this.#next}>${icon(iconName)}</button>`;
  }

  #next(): void {
    this.theme = THEMES[this.theme].next;
    applyTheme(this.theme, true);
  }
}
