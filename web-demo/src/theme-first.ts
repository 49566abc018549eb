// Runs before anything is drawn, so that nobody sees the other colours first.
import { applyTheme, storedTheme } from "./state/theme.js";

applyTheme(storedTheme(), false);
