/** Which colours: those of the system, or what was chosen here. */
export type Theme = "auto" | "light" | "dark";

const KEY = "openclaw-presence-demo:theme";

/** What was chosen the last time. */
export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "auto";
  } catch {
    return "auto";
  }
}

/** Shows the page in these colours; with `keep`, the next time too. */
export function applyTheme(theme: Theme, keep: boolean): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  if (!keep) return;
  try {
    if (theme === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Then it lasts until the next load.
  }
}
