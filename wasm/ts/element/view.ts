import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { html, unsafeStatic } from "lit/static-html.js";

import { rowName } from "../row-names.js";
import type { ConnectionState, PresenceRow, RosterSnapshot } from "../types.js";
import { orderRows, type RosterOrder } from "./order.js";
import { headingText, rowDetails, rowSeen, rowStatus } from "./text.js";
import type { ElementWords } from "./words.js";

/** The data that `<presence-roster>` renders. */
export interface View {
  /** Absent without a client. */
  readonly roster: RosterSnapshot | undefined;
  readonly connection: ConnectionState;
  readonly heading: string;
  /** 1 to 6. */
  readonly headingLevel: number;
  readonly order: RosterOrder;
  /** Text of the live region for screen readers. */
  readonly news: string;
  readonly words: ElementWords;
}

/** Returns the contents of `<presence-roster>` as a Lit template. */
export function rosterView({ roster, connection, heading, headingLevel, order, news, words }: View): unknown {
  const rows = roster?.rows ?? [];
  const tag = unsafeStatic(`h${headingLevel}`);
  // Safari drops the list role of lists without bullets.
  return html`
    <header>
      <${tag} class="heading" part="heading">${headingText(heading, rows, words)}</${tag}>
      <span class="connection" part="connection" data-phase=${connection.phase}>${words.connection(connection)}</span>
    </header>
    <ul class="list" part="list" role="list" aria-label=${heading}>
      ${repeat(orderRows(rows, order, words), ({ key }) => key, (row) => guard([row, words], () => rowView(row, words)))}
    </ul>
    <slot name="empty" ?hidden=${rows.length > 0}>
      <p class="empty" part="empty" ?hidden=${rows.length > 0}>${words.empty(roster)}</p>
    </slot>
    <div class="news" part="news" role="status" aria-live="polite">${news}</div>
  `;
}

function rowView(row: PresenceRow, words: ElementWords): unknown {
  return html`
    <li part="row" data-status=${row.status} data-connected=${String(row.isConnected)}>
      <slot name=${`row-${row.key}`}>
        <span class="dot" part="dot" aria-hidden="true"></span>
        <span class="host" part="host">${rowName(row, words)}</span>
        <span class="status" part="status">${rowStatus(row, words)}</span>
        <span class="details" part="details">${rowDetails(row, words)}</span>
        <span class="seen" part="seen">${rowSeen(row, words)}</span>
      </slot>
    </li>
  `;
}
