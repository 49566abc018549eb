/** Entry of `openclaw-presence` on Node. */
import "./register.js";

export * from "../index.js";
