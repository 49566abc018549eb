// What a server renders, for react.test.mjs.

import { renderToString } from "react-dom/server.edge";

import { usePresenceClient, useRoster } from "openclaw-presence/react";

export let client;

function App() {
  client = usePresenceClient({ url: "ws://127.0.0.1:1" });
  const { rows, connection } = useRoster(client);
  return <p>{`${rows.length} ${connection.phase}`}</p>;
}

export const html = renderToString(<App />);
