/** Entry of `openclaw-presence/client` on Node. */
import "./register.js";

export * from "../entry/client.js";
