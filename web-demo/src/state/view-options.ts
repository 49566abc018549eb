import { rowDevice, rowGateway, type PresenceRow, type Status } from "openclaw-presence";

import { ORDERS, type Order } from "./roster-order.js";

/** The columns that can be hidden. */
export const COLUMNS = { version: "Version", device: "Device", mode: "Mode", gateway: "Gateway", input: "Last input", seen: "Last seen" } as const;

/** Name of an entry of {@link COLUMNS}. */
export type Column = keyof typeof COLUMNS;

export const STATUSES: readonly Status[] = ["Active", "Idle", "Stale", "Left"];

/** The filters and display options of the roster. */
export interface ViewOptions {
  readonly text: string;
  /** Empty for all. */
  readonly statuses: ReadonlySet<Status>;
  /** Empty for all. */
  readonly mode: string;
  /** Name of an observed gateway; empty for the gateway that sends the list; absent for all. */
  readonly gateway: string | undefined;
  readonly order: Order;
  readonly isReversed: boolean;
  readonly isGrouped: boolean;
  readonly hidden: ReadonlySet<Column>;
  /** Whether to show moments in place of ages. */
  readonly isAbsolute: boolean;
  /** Maximum ages of Active and Idle rows, in s: two of {@link AGES}. */
  readonly activeS: number;
  readonly idleS: number;
}

/** Selectable ages, in s. */
export const AGES: readonly number[] = [30, 60, 120, 300, 600, 1_800, 3_600];

export const DEFAULT_OPTIONS: ViewOptions = {
  text: "",
  statuses: new Set(),
  mode: "",
  gateway: undefined,
  order: "name",
  isReversed: false,
  isGrouped: false,
  hidden: new Set(),
  isAbsolute: false,
  activeS: 120,
  idleS: 300,
};

/** Returns the rows that match the filters. */
export function filterRows(rows: readonly PresenceRow[], { text, statuses, mode, gateway }: ViewOptions): readonly PresenceRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (statuses.size > 0 && !statuses.has(row.status)) return false;
    if (mode !== "" && row.mode !== mode) return false;
    if (gateway !== undefined && (rowGateway(row) ?? "") !== gateway) return false;
    if (words.length === 0) return true;
    const haystack = rowHaystack(row);
    return words.every((word) => haystack.includes(word));
  });
}

/** Returns the searchable text of a row, in lower case. */
function rowHaystack(row: PresenceRow): string {
  const { host, ip, version, mode, instanceId, deviceId, text, reason, reasonLabel } = row;
  const words = [host, ip, version, mode, instanceId, deviceId, text, reason, reasonLabel, rowDevice(row), rowGateway(row)];
  return [...words, ...row.roles, ...row.scopes].filter(Boolean).join("\n").toLowerCase();
}

/** Returns the options, the open row and the addresses of further gateways as the query of a link; defaults are omitted. */
export function toQuery(options: ViewOptions, openKey: string | undefined, addresses: readonly string[] = []): string {
  const { text, statuses, mode, gateway, order, isReversed, isGrouped, hidden, isAbsolute, activeS, idleS } = options;
  const query = new URLSearchParams();
  const put = (name: string, value: string) => value !== "" && query.set(name, value);
  put("q", text);
  put("status", [...statuses].join(" ").toLowerCase());
  put("mode", mode);
  if (gateway !== undefined) query.set("gateway", gateway);
  if (order !== DEFAULT_OPTIONS.order || isReversed) put("sort", `${isReversed ? "-" : ""}${order}`);
  put("group", isGrouped ? "host" : "");
  put("hide", [...hidden].join(" "));
  put("time", isAbsolute ? "absolute" : "");
  put("active", activeS === DEFAULT_OPTIONS.activeS ? "" : String(activeS));
  put("idle", idleS === DEFAULT_OPTIONS.idleS ? "" : String(idleS));
  put("row", openKey ?? "");
  for (const address of addresses) query.append("with", address);
  return query.toString();
}

/** The contents of a link. */
export interface Link {
  readonly options: ViewOptions;
  readonly openKey: string | undefined;
  /** Addresses of gateways beside the first. */
  readonly addresses: readonly string[];
}

/** Parses a link; invalid values are replaced by defaults. */
export function fromQuery(text: string): Link {
  const query = new URLSearchParams(text);
  const words = (name: string) => new Set((query.get(name) ?? "").split(" "));
  const [, minus, name] = /^(-?)(.*)$/.exec(query.get("sort") ?? "") ?? [];
  const age = (name: string, usual: number) => AGES.find((each) => String(each) === query.get(name)) ?? usual;
  const [activeS, idleS] = [age("active", DEFAULT_OPTIONS.activeS), age("idle", DEFAULT_OPTIONS.idleS)];
  const [statuses, hidden] = [words("status"), words("hide")];
  const options: ViewOptions = {
    text: query.get("q") ?? "",
    statuses: new Set(STATUSES.filter((status) => statuses.has(status.toLowerCase()))),
    mode: query.get("mode") ?? "",
    gateway: query.get("gateway") ?? undefined,
    order: isOrder(name) ? name : DEFAULT_OPTIONS.order,
    isReversed: minus === "-",
    isGrouped: query.get("group") === "host",
    hidden: new Set(columns().filter((column) => hidden.has(column))),
    isAbsolute: query.get("time") === "absolute",
    ...(activeS < idleS ? { activeS, idleS } : { activeS: DEFAULT_OPTIONS.activeS, idleS: DEFAULT_OPTIONS.idleS }),
  };
  return { options, openKey: query.get("row") ?? undefined, addresses: query.getAll("with") };
}

/** Returns the names of the columns that can be hidden. */
export function columns(): readonly Column[] {
  return Object.keys(COLUMNS) as Column[];
}

function isOrder(name: string | undefined): name is Order {
  return name !== undefined && Object.hasOwn(ORDERS, name);
}
