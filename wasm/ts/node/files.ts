/** `openclaw-presence/node`: ids and keys in files of your choosing. Only for Node. */
export { fileDeviceKey } from "./device-key.js";
export { fileInstanceId } from "./instance-id.js";
