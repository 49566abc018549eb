import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";

import { use } from "../use.js";
import { OnClient } from "./on-client.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  return (
    <main>
      <pre>{JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster }))}</pre>
      <OnClient />
    </main>
  );
}
