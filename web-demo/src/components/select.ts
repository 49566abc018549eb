import { html } from "lit";

/** A select element; each option is a value and a label. */
export function select(id: string, value: string, options: readonly (readonly [value: string, label: string])[], choose: (value: string) => void) {
  return html`
    <select id=${id} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
      ${options.map(([each, label]) => html`<option value=${each} .selected=${each === value}>${label}</option>`)}
    </select>`;
}
