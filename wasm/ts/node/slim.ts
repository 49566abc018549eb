/** What Node gets for `openclaw-presence/slim`. */
import "./register.js";

export * from "../slim.js";
