import { PresenceError } from "../errors.js";
import { ageTextIn, type Labels } from "../labels.js";
import type { ConnectionState, RosterSnapshot, Status } from "../types.js";

/** The words of `<presence-roster>` around those on rows. */
export interface ElementWords {
  /** Heading if the element has none. */
  readonly title: string;
  /** Heading with the number of rows, those that left counted apart, such as `Instances (3, 1 left)`. */
  readonly heading: (title: string, others: number, left: number) => string;
  /** State of the connection; of a refusal why, and what to do. */
  readonly connection: (state: ConnectionState) => string;
  /** In place of an empty list; `roster` is absent if there is no client. */
  readonly empty: (roster: RosterSnapshot | undefined) => string;
  /** Status of a row that did not leave. */
  readonly status: (status: Status) => string;
  /** Status of a row that left, such as `Left 2m ago`. */
  readonly left: (ageText: string) => string;
  /** Age of the last input, such as `input 2m ago`. */
  readonly input: (lastInputText: string) => string;
  /** Mark of the own row. */
  readonly thisClient: string;
  /** Mark of a row that comes from an observed gateway, such as `via home`. */
  readonly via: (gateway: string) => string;
  /** Name of a row that states none. */
  readonly unknownHost: string;
  /** Announces the first list, such as `3 instances, 1 left`. */
  readonly count: (others: number, left: number) => string;
  /** Announces who joined. */
  readonly joined: (names: readonly string[]) => string;
  /** Announces who left. */
  readonly gone: (names: readonly string[]) => string;
  /** Announces that the connection is back. */
  readonly connectedAgain: string;
  /** Announces that the connection is lost. */
  readonly connectionLost: string;
  /** Order of names; the locale's by default. */
  readonly compare: (a: string, b: string) => number;
}

/** All words of `<presence-roster>`, for other languages; what is absent is English. */
export interface ElementLabels extends Labels, Partial<ElementWords> {}

const instances = (number: number) => (number === 1 ? "1 instance" : `${number} instances`);
/** More than three names become a number. */
const list = (names: readonly string[]) => (names.length > 3 ? instances(names.length) : names.join(", "));

/** The words in English. */
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

/** Labels, divided into those of the element and those of its client. */
export interface Wording {
  readonly words: ElementWords;
  readonly labels: Labels;
}

/**
 * Returns the words of a locale, with the labels that replace them.
 *
 * @throws {PresenceError} `INVALID_ARGUMENT` if `locale` is not a BCP 47 language tag.
 */
export function wordingOf(given?: ElementLabels | null, locale?: string | null): Wording {
  const words: Record<string, unknown> = { ...ENGLISH };
  // The client refuses labels that do not exist.
  const labels: Record<string, unknown> = {};
  try {
    if (locale) [words["compare"], labels["ageText"]] = [new Intl.Collator(locale).compare, ageTextIn(locale)];
  } catch {
    throw new PresenceError("INVALID_ARGUMENT", `invalid locale \`${locale}\`: use a language tag, such as de`);
  }
  for (const [name, label] of Object.entries(given ?? {})) {
    if (label !== undefined) (Object.hasOwn(ENGLISH, name) ? words : labels)[name] = label;
  }
  return { words: words as unknown as ElementWords, labels };
}
