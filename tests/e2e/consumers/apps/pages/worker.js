import * as presence from "/node_modules/openclaw-presence/dist/index.js";
import { use } from "./use.js";

postMessage(await use(presence));
