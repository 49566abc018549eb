/** `openclaw-presence/element`: importing it defines `<presence-roster>`. */
import "../load/inline.js";

export * from "../element.js";
