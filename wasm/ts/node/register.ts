/** Imported first by the entries for Node, where ids and keys are files. */
import { setPlatform } from "../platform.js";
import { node } from "./platform.js";

setPlatform(node);
