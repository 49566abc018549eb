// Runs before the first paint, so that the page does not flash in another theme.
import { applyTheme, storedTheme } from "./state/theme.js";

applyTheme(storedTheme(), false);
