/** What Node gets for `openclaw-presence`. */
import "./register.js";

export * from "../index.js";
