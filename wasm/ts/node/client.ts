/** What Node gets for `openclaw-presence/client`. */
import "./register.js";

export * from "../entry/client.js";
