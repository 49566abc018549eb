import { store, stored } from "../lib/web-storage.js";

/** Which colours: those of the system, or what was chosen here. */
export type Theme = "auto" | "light" | "dark";

/** What was chosen the last time. */
export function storedTheme(): Theme {
  const theme = stored("localStorage", "theme");
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Shows the page in these colours; with `keep`, the next time too. */
export function applyTheme(theme: Theme, keep: boolean): void {
  const chosen = theme === "auto" ? undefined : theme;
  if (chosen === undefined) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  if (keep) store("localStorage", "theme", chosen);
}
