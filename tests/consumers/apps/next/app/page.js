import { ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock } from "openclaw-presence";

import { use } from "../use.js";
import { OnClient } from "./on-client.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  return (
    <main>
      <pre>{JSON.stringify(await use({ ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock }))}</pre>
      <OnClient />
    </main>
  );
}
