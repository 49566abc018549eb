import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";
import { PresenceProvider } from "openclaw-presence/react";

import { use } from "../use.js";
import { OnClient } from "./on-client.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  return (
    <main>
      <pre>{JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster }))}</pre>
      <PresenceProvider options={{ url: "ws://127.0.0.1:18789", deviceKey: false }}>
        <OnClient />
      </PresenceProvider>
    </main>
  );
}
