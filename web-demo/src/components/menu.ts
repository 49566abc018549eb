import { html } from "lit";

import { icon, type IconName } from "../lib/icons.js";

/** A button that opens a box below it. Escape, a click outside, and leaving it by keyboard close the box. */
export function menu(iconName: IconName, label: string, content: unknown) {
  return html`
    <details class="menu" @keydown=${closeByEscape} @focusout=${closeBehind}>
      <summary class="button quiet">${icon(iconName)}${label}</summary>
      <div class="menu-box">${content}</div>
    </details>`;
}

addEventListener("pointerdown", ({ target }) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(".menu[open]")) if (!menu.contains(target as Node)) menu.open = false;
});

function closeBehind({ currentTarget, relatedTarget }: FocusEvent): void {
  const menu = currentTarget as HTMLDetailsElement;
  if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) menu.open = false;
}

function closeByEscape(event: KeyboardEvent): void {
  const menu = event.currentTarget as HTMLDetailsElement;
  if (event.key !== "Escape" || !menu.open) return;
  event.stopPropagation();
  menu.open = false;
  menu.querySelector("summary")?.focus();
}
