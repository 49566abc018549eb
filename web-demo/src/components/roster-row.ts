import { rowGateway, rowModel, rowName, type PresenceRow } from "openclaw-presence";
import { html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";

import { moment, shortId, shortMoment } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { lightUp } from "../lib/motion.js";
import { isGateway } from "../state/gateways.js";
import { inputMoment } from "../state/roster-order.js";
import { statusMark } from "./status.js";

/** What a table adds to a row. */
export interface RowMarks {
  readonly isSelected: boolean;
  /** Whether the Tab key reaches it. */
  readonly isCurrent: boolean;
  /** Whether it is part of a finding. */
  readonly isSuspect: boolean;
  /** A label beside its name, such as `this tab`. */
  readonly badge: string | undefined;
  /** Whether to show moments in place of ages. */
  readonly isAbsolute: boolean;
  /** Name of the gateway that sent the list; if absent, all rows are its own, and there is no column of gateways. */
  readonly ownGateway: string | undefined;
}

/** Position of a line in a table that renders only visible lines. */
export interface Line {
  readonly index: number;
  /** From the top of the first line, in px. */
  readonly startPx: number;
}

/** Returns the attributes of a line for the virtualizer and screen readers, and its position. */
export function lineOf(line: Line | undefined) {
  return {
    index: line?.index ?? nothing,
    // Counted from 1; the header is a row too.
    row: line ? line.index + 2 : nothing,
    style: line ? `--start: ${line.startPx}px` : nothing,
  };
}

/** Renders a row. A change of its content highlights it. */
export function rosterRow(row: PresenceRow, marks: RowMarks, line: Line | undefined) {
  const at = lineOf(line);
  const { isSelected, isCurrent, isSuspect, badge, isAbsolute, ownGateway } = marks;
  return html`
    <tr class="row" role="row" data-key=${row.key} data-status=${row.status} ?data-self=${isGateway(row)} ?data-via=${rowGateway(row) !== undefined} ?data-selected=${isSelected}
      data-index=${at.index} aria-rowindex=${at.row} .style=${at.style} ${lightUp(newsOf(row))}>
      ${guard([row, isSelected, isCurrent, isSuspect, badge, isAbsolute, ownGateway], () => cells(row, marks))}
    </tr>`;
}

function cells(row: PresenceRow, { isSelected, isCurrent, isSuspect, badge, isAbsolute, ownGateway }: RowMarks) {
  const model = rowModel(row);
  // A gateway has no user input.
  const input = isGateway(row) ? undefined : inputMoment(row);
  const inputText = isGateway(row) ? "–" : (isAbsolute && input !== undefined ? shortMoment(input) : row.lastInputText) || "unknown";
  return html`
    <th class="who" role="rowheader" scope="row">
      <span class="who-line"
        ><button type="button" class="row-open" dir="auto" tabindex=${isCurrent ? 0 : -1} aria-expanded=${isSelected}>${rowName(row)}</button
        >${badge === undefined ? nothing : html`<span class="badge ${badge.startsWith("this tab") ? "own" : ""}">${badge}</span>`}${isSuspect ? html`<span class="badge twin">${icon("twins")}<span>finding</span></span>` : nothing}</span
      ><span class="sub">${[row.ip, row.instanceId && shortId(row.instanceId)].filter(Boolean).join(" · ") || "no IP, no instanceId"}</span>
    </th>
    <td class="status-cell" role="cell">${statusMark(row.status)}</td>
    <td class="version" role="cell">${row.version ?? "–"}</td>
    <td class="device" role="cell"><span class="model">${model || row.platformLabel || "–"}</span><span class="sub">${model && row.platformLabel}</span></td>
    <td class="mode" role="cell"><span class="mode-word">${row.mode ?? "unknown"}</span><span class="sub">${row.roles.join(", ")}</span></td>
    ${ownGateway === undefined ? nothing : html`<td class="gateway" role="cell">${rowGateway(row) ?? ownGateway}</td>`}
    <td class="input num" role="cell" title=${input === undefined ? nothing : moment(input)}>${inputText}</td>
    <td class="seen num" role="cell"><span title=${moment(row.ts)}>${isAbsolute ? shortMoment(row.ts) : row.ageText}</span><span class="sub">${row.isSelf ? "Self" : row.reasonLabel}</span></td>`;
}

/** Returns the parts of a row whose change is highlighted; ages are not among them. */
function newsOf({ reason, status, version, ip }: PresenceRow): string {
  return [reason, status, version, ip].join("\n");
}
