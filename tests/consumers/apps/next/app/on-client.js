"use client";

import { useEffect, useState } from "react";
import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";

import { use } from "../use.js";

export function OnClient() {
  // Rendered on the server, too: the core must work there in a client component.
  const [text, setText] = useState(() => status(0));
  useEffect(() => {
    use({ ready, status, platformLabel, PresenceError, Roster }).then((outcome) => {
      globalThis.outcome = outcome;
      setText(JSON.stringify(outcome));
    });
  }, []);
  return <p>{text}</p>;
}
