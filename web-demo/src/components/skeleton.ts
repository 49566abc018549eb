import { html } from "lit";

/** Placeholders for rows, in the size of rows. */
export function skeletonRows(rows = 4) {
  return html`
    <div class="skeleton" role="status">
      <span class="off-screen">Waiting for the list of instances</span>
      ${Array.from({ length: rows }, () => html`<div class="skeleton-row" aria-hidden="true"></div>`)}
    </div>`;
}
