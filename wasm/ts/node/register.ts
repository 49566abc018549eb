/** Imported first by the entries for Node: ids and keys are files there. */
import { setPlatform } from "../platform.js";
import { node } from "./platform.js";

setPlatform(node);
