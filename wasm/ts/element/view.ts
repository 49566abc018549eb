import { html } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";

import type { PresenceRow, RosterSnapshot } from "../types.js";
import { orderRows, type RosterOrder } from "./order.js";
import { connectionText, emptyText, headingText, rowDetails, rowName, rowSeen, rowStatus } from "./text.js";

/** What `<presence-roster>` shows. */
export interface View {
  /** Absent without a client. */
  readonly roster: RosterSnapshot | undefined;
  readonly heading: string;
  readonly order: RosterOrder;
  /** What screen readers say. */
  readonly news: string;
}

/** The inside of `<presence-roster>`, a Lit template. */
export function rosterView({ roster, heading, order, news }: View): unknown {
  const { rows, connection } = roster ?? { rows: [], connection: { phase: "stopped" } as const };
  // Safari takes the role from lists without bullets.
  return html`
    <header>
      <span class="heading" part="heading">${headingText(heading, rows)}</span>
      <span class="connection" part="connection" data-phase=${connection.phase}>${connectionText(connection)}</span>
    </header>
    <ul class="list" part="list" role="list" aria-label=${heading}>
      ${repeat(orderRows(rows, order), ({ key }) => key, (row) => guard([row], () => rowView(row)))}
    </ul>
    <slot name="empty" ?hidden=${rows.length > 0}>
      <p class="empty" part="empty" ?hidden=${rows.length > 0}>${roster ? emptyText(roster) : "No gateway is set."}</p>
    </slot>
    <div class="news" part="news" role="status" aria-live="polite">${news}</div>
  `;
}

function rowView(row: PresenceRow): unknown {
  return html`
    <li part="row" data-status=${row.status} data-connected=${String(row.isConnected)}>
      <span class="dot" part="dot" aria-hidden="true"></span>
      <span class="host" part="host">${rowName(row)}</span>
      <span class="status" part="status">${rowStatus(row)}</span>
      <span class="details" part="details">${rowDetails(row)}</span>
      <span class="seen" part="seen">${rowSeen(row)}</span>
    </li>
  `;
}
