/** Entry of `openclaw-presence/react` on Node. */
import "./register.js";

export * from "../entry/react.js";
