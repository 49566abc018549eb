/** `openclaw-presence/react`. */
import "../load/inline.js";

export * from "../react.js";
