import { ageText, platformLabel, reasonLabel } from "./functions.js";

/** The words on a row, for other languages; what is absent is English. */
export interface Labels {
  /** Age in ms in words, such as `5m ago`. Called again when the age reaches another whole minute, above one hour another whole hour. */
  readonly ageText?: ((ageMs: number) => string) | undefined;
  /** Label of a `reason`, such as `Heartbeat` for `periodic`. */
  readonly reasonLabel?: ((reason: string) => string) | undefined;
  /** Label of a `platform`, such as `macOS 26.1` for `macos 26.1.0`. */
  readonly platformLabel?: ((platform: string) => string) | undefined;
}

/** All words on a row. */
export type Words = { readonly [Name in keyof Labels]-?: NonNullable<Labels[Name]> };

/** The labels that are given, and English ones for the others. */
export function wordsOf(labels: Labels = {}): Words {
  return {
    ageText: labels.ageText ?? ageText,
    reasonLabel: labels.reasonLabel ?? reasonLabel,
    platformLabel: labels.platformLabel ?? platformLabel,
  };
}

/**
 * Returns a function for {@link Labels.ageText} that writes ages as a language does: `vor 5 Min.` for `de`.
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
