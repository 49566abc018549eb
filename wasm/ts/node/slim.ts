/** Entry of `openclaw-presence/slim` on Node. */
import "./register.js";

export * from "../slim.js";
