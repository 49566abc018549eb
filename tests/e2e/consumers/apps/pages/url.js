import * as presence from "/node_modules/openclaw-presence/dist/index.js";
import { show } from "./show.js";

await show(presence);
