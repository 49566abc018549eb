import { html } from "lit";

/** A list to choose from: of each option its value and its label. */
export function select(id: string, value: string, options: readonly (readonly [value: string, label: string])[], choose: (value: string) => void) {
  return html`
    <select id=${id} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
      ${options.map(([each, label]) => html`<option value=${each} .selected=${each === value}>${label}</option>`)}
    </select>`;
}
