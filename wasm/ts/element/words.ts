import { PresenceError } from "../errors.js";
import { ageTextIn, labelOr, type Labels } from "../labels.js";
import type { ConnectionState, RosterSnapshot, Status } from "../types.js";

/** The texts of `<presence-roster>`, apart from those on rows. */
export interface ElementWords {
  /** Default heading. */
  readonly title: string;
  /** Heading with the number of rows, rows that left counted separately, such as `Instances (3, 1 left)`. */
  readonly heading: (title: string, others: number, left: number) => string;
  /** State of the connection; for a refusal the reason and the remedy. */
  readonly connection: (state: ConnectionState) => string;
  /** Shown in place of an empty list; `roster` is absent without a client. */
  readonly empty: (roster: RosterSnapshot | undefined) => string;
  /** Status of a row that did not leave. */
  readonly status: (status: Status) => string;
  /** Status of a row that left, such as `Left 2m ago`. */
  readonly left: (ageText: string) => string;
  /** Age of the last input, such as `input 2m ago`. */
  readonly input: (lastInputText: string) => string;
  /** Marks the own row. */
  readonly thisClient: string;
  /** Marks a row that comes from an observed gateway, such as `via home`. */
  readonly via: (gateway: string) => string;
  /** Name of a row without a host, an instance id and a text. */
  readonly unknownHost: string;
  /** Announces the first list, such as `3 instances, 1 left`. */
  readonly count: (others: number, left: number) => string;
  /** Announces joins. */
  readonly joined: (names: readonly string[]) => string;
  /** Announces leaves. */
  readonly gone: (names: readonly string[]) => string;
  /** Announces that the connection is restored. */
  readonly connectedAgain: string;
  /** Announces that the connection is lost. */
  readonly connectionLost: string;
  /** Compares names; by default in the order of the locale. */
  readonly compare: (a: string, b: string) => number;
}

/** All texts of `<presence-roster>`, for translations; absent ones are English. */
export interface ElementLabels extends Labels, Partial<ElementWords> {}

const instances = (number: number) => (number === 1 ? "1 instance" : `${number} instances`);
/** More than three names are shown as a number. */
const list = (names: readonly string[]) => (names.length > 3 ? instances(names.length) : names.join(", "));

/** The English texts. */
export const ENGLISH: ElementWords = {
  title: "Instances",
  heading: (title, others, left) => (left === 0 ? `${title} (${others})` : `${title} (${others}, ${left} left)`),
  connection: (state) => {
    if (state.phase === "refused") return [state.error.message, state.error.remedy].filter(Boolean).join(". ");
    return { live: "Live", connecting: "Connecting…", waiting: "Connection lost, trying again…", stopped: "Not connected" }[state.phase];
  },
  empty: (roster) => {
    if (!roster) return "No gateway is set.";
    if (roster.hasList) return "The gateway lists no instances.";
    if (roster.connection.phase === "live") return "This client may not read the list: it needs the scope operator.read.";
    return roster.connection.phase === "connecting" ? "Waiting for the roster…" : "No roster yet.";
  },
  status: (status) => status,
  left: (ageText) => `Left ${ageText}`,
  input: (lastInputText) => `input ${lastInputText}`,
  thisClient: "this client",
  via: (gateway) => `via ${gateway}`,
  unknownHost: "unknown host",
  count: (others, left) => (left === 0 ? instances(others) : `${instances(others)}, ${left} left`),
  joined: (names) => `${list(names)} joined`,
  gone: (names) => `${list(names)} left`,
  connectedAgain: "Connected again",
  connectionLost: "Connection lost",
  compare: new Intl.Collator().compare,
};

/** Labels, split into those of the element and those of its client. */
export interface Wording {
  readonly words: ElementWords;
  readonly labels: Labels;
}

/**
 * Returns the texts of a locale, with the labels of `given` in place of its defaults.
 *
 * @throws {PresenceError} `INVALID_ARGUMENT` if `locale` is not a BCP 47 language tag.
 */
export function wordingOf(given?: ElementLabels | null, locale?: string | null): Wording {
  const words: Record<string, unknown> = { ...ENGLISH };
  // The client rejects unknown labels.
  const labels: Record<string, unknown> = {};
  try {
    if (locale) [words["compare"], labels["ageText"]] = [new Intl.Collator(locale).compare, ageTextIn(locale)];
  } catch {
    throw new PresenceError("INVALID_ARGUMENT", `invalid locale \`${locale}\`: use a language tag, such as de`);
  }
  for (const [name, label] of Object.entries(given ?? {})) {
    if (label === undefined) continue;
    if (!Object.hasOwn(ENGLISH, name)) labels[name] = label;
    else words[name] = typeof label === "function" && name !== "compare" ? labelOr(words[name] as typeof label, label) : label;
  }
  return { words: words as unknown as ElementWords, labels };
}
