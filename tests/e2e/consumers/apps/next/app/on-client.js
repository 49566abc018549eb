"use client";

import { useEffect, useState } from "react";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { PresenceClient, ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";
import "openclaw-presence/element";
import { PresenceProvider, useConnection, useRoster } from "openclaw-presence/react";

import { live } from "../live.js";
import { use } from "../use.js";

export function OnClient() {
  // Rendered on the server, too: the core must work there in a client component.
  const [text, setText] = useState(() => status(0));
  // The provider is in the server component above.
  const { phase } = useConnection();
  useEffect(() => {
    if (phase !== "live") return;
    live({ PresenceClient, PresenceProvider, useRoster, createElement, createRoot })
      .then((seen) => {
        globalThis.live = seen;
        return use({ ready, status, platformLabel, PresenceError, Roster });
      })
      .then((outcome) => {
        globalThis.outcome = outcome;
        setText(JSON.stringify(outcome));
      });
  }, [phase]);
  return <p data-phase={phase}>{text}</p>;
}
