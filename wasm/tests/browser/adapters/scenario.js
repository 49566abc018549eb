// A client in virtual time, and the scenario that every adapter must pass.

import { PresenceClient, VirtualClock } from "openclaw-presence";
import { initSimulator, SimulatedGateway } from "openclaw-presence/simulator";

await initSimulator("/dist/simulator.wasm");
const clock = new VirtualClock();
const gateway = new SimulatedGateway({ clock, self: { host: "gateway", mode: "gateway", reason: "self" } });
const connect = (name) => {
  const identity = { instanceId: name, client: { displayName: name }, deviceKey: false, beacons: false };
  return new PresenceClient({ WebSocket: gateway.WebSocket, clock, seed: 1, ...identity }).start();
};
const live = connect("Dashboard");

const counts = { subscribers: 0, notifications: 0, renders: 0 };

/** The client; counts its subscribers. */
export const client = {
  getSnapshot: live.getSnapshot,
  subscribe(listener) {
    counts.subscribers += 1;
    const unsubscribe = live.subscribe(() => {
      counts.notifications += 1;
      listener();
    });
    return () => {
      counts.subscribers -= 1;
      unsubscribe();
    };
  },
};

/** A typical selector: it returns a new array each time. */
export const hosts = (roster) => roster.rows.map((row) => row.host).sort();

/** The text that a component shows for the selection. */
export function shown(names) {
  counts.renders += 1;
  return names.join();
}

/** Frameworks render changes in microtasks; this resolves after all of them. */
const rendered = () => new Promise((resolve) => setTimeout(resolve));

/** Mounts, changes the roster, unmounts; resolves with the observed texts. */
export async function run(mount) {
  const target = document.querySelector("main");
  const seen = {};
  const text = async () => {
    await rendered();
    return target.textContent;
  };
  await live.connected();
  const unmount = mount(target);
  seen.mounted = await text();
  seen.subscribers = counts.subscribers;

  const before = { ...counts };
  await clock.advance(65_000);
  await rendered();
  seen.hasAged = counts.notifications > before.notifications;
  seen.rendersOfAge = counts.renders - before.renders;

  await connect("Visitor").connected();
  await clock.advance(1_000);
  seen.joined = await text();
  seen.rendersOfJoin = counts.renders - before.renders;

  unmount();
  await rendered();
  const { renders } = counts;
  await connect("Late").connected();
  await clock.advance(1_000);
  await rendered();
  seen.subscribersAfter = counts.subscribers;
  seen.rendersAfter = counts.renders - renders;

  // Mounted again, the component shows the changes that it missed.
  const unmountAgain = mount(target);
  seen.mountedAgain = await text();
  unmountAgain();
  await rendered();
  seen.subscribersAtEnd = counts.subscribers;
  return seen;
}
