import { store, stored } from "../lib/web-storage.js";

/** The theme: the system's, or the user's choice. */
export type Theme = "auto" | "light" | "dark";

/** Returns the stored choice. */
export function storedTheme(): Theme {
  const theme = stored("localStorage", "theme");
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Applies a theme; `keep` stores it. */
export function applyTheme(theme: Theme, keep: boolean): void {
  const chosen = theme === "auto" ? undefined : theme;
  if (chosen === undefined) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  if (keep) store("localStorage", "theme", chosen);
}
