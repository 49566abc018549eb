import type { DeviceKey, DeviceKeyStore } from "./device-key.js";
import { storeFailed } from "./errors.js";
import { fixedLease, type InstanceIdLease, type InstanceIdStore } from "./instance-id.js";
import type { PresenceClientOptions } from "./options.js";
import { platform } from "./platform.js";

/** The identity of a client on the wire, from one start to the next stop. */
export interface Identity {
  /** Absent if each connection has its own row. */
  readonly instanceId: string | undefined;
  /** Absent if the client has no device key. */
  readonly device: DeviceKey | undefined;
  /** Signs with the device key; `undefined` if it cannot. */
  sign(text: string): Promise<string | undefined>;
  /** Releases the id. */
  release(): void;
}

/**
 * Acquires the id and the key that the options state, else those of the platform.
 *
 * @throws {PresenceError} `STORE_FAILED`.
 */
export async function takeIdentity({ instanceId, deviceKey }: PresenceClientOptions): Promise<Identity> {
  try {
    const device = await loadKey(deviceKey ?? platform().deviceKey());
    const lease = instanceId === false ? undefined : await takeId(instanceId ?? platform().instanceId());
    return {
      instanceId: lease?.id,
      device,
      async sign(text) {
        try {
          return await device?.sign(text);
        } catch {
          return undefined;
        }
      },
      release() {
        try {
          lease?.release();
        } catch {
          // The client stops nevertheless.
        }
      },
    };
  } catch (error) {
    throw storeFailed(error);
  }
}

function takeId(source: string | InstanceIdStore): InstanceIdLease | Promise<InstanceIdLease> {
  return typeof source === "string" ? fixedLease(source) : source.acquire();
}

async function loadKey(source: DeviceKey | DeviceKeyStore | false): Promise<DeviceKey | undefined> {
  if (source === false) return undefined;
  return "load" in source ? source.load() : source;
}
