/** What Node gets for `openclaw-presence/react`. */
import "./register.js";

export * from "../entry/react.js";
