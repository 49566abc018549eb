/** `openclaw-presence/node`: stores of ids and keys in given files. For Node only. */
export { fileDeviceKey } from "./device-key.js";
export { fileInstanceId } from "./instance-id.js";
