import { ageText, platformLabel, reasonLabel } from "./functions.js";

/** Labels on rows, for translations; absent ones are English. */
export interface Labels {
  /**
   * Words for an age in ms, such as `5m ago`. Called again at each whole minute of age; above one hour, at each whole
   * hour.
   */
  readonly ageText?: ((ageMs: number) => string) | undefined;
  /** Label of a `reason`, such as `Heartbeat` for `periodic`. */
  readonly reasonLabel?: ((reason: string) => string) | undefined;
  /** Label of a `platform`, such as `macOS 26.1` for `macos 26.1.0`. */
  readonly platformLabel?: ((platform: string) => string) | undefined;
}

/** All labels on rows. */
export type Words = { readonly [Name in keyof Labels]-?: NonNullable<Labels[Name]> };

/** Returns the given labels, with English ones for the rest. */
export function wordsOf(labels: Labels = {}): Words {
  return {
    ageText: labelOr(ageText, labels.ageText),
    reasonLabel: labelOr(reasonLabel, labels.reasonLabel),
    platformLabel: labelOr(platformLabel, labels.platformLabel),
  };
}

/** Returns the app's label function, with the English label where it fails: the values come from other clients. */
export function labelOr<T extends unknown[]>(english: (...values: T) => string, own: ((...values: T) => string) | undefined): (...values: T) => string {
  if (!own) return english;
  return (...values) => {
    try {
      const label: unknown = own(...values);
      if (typeof label === "string") return label;
    } catch (error) {
      console.error(error);
    }
    return english(...values);
  };
}

/**
 * Returns a function for {@link Labels.ageText} that writes ages in a language: `vor 5 Min.` for `de`.
 *
 * @param locale BCP 47 language tag, or several in order of preference; the platform's language by default.
 */
export function ageTextIn(locale?: string | readonly string[]): (ageMs: number) => string {
  const format = new Intl.RelativeTimeFormat(locale as string | string[], { numeric: "auto", style: "short" });
  return (ageMs) => {
    const minutes = Math.floor(ageMs / 60_000);
    if (minutes < 1) return format.format(0, "second");
    if (minutes < 60) return format.format(-minutes, "minute");
    const hours = Math.floor(minutes / 60);
    return hours < 24 ? format.format(-hours, "hour") : format.format(-Math.floor(hours / 24), "day");
  };
}
