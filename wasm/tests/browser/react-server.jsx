// What a server renders, for react.test.mjs.

import { renderToString } from "react-dom/server.edge";

import { PresenceProvider, usePresenceClient, useRoster } from "openclaw-presence/react";

export let client;

function List() {
  client = usePresenceClient();
  const { rows, connection } = useRoster();
  return <p>{`${rows.length} ${connection.phase}`}</p>;
}

const options = { url: "ws://127.0.0.1:1" };

export const html = renderToString(
  <PresenceProvider options={options}>
    <List />
  </PresenceProvider>,
);

export function renderWithoutProvider() {
  try {
    return { html: renderToString(<List />) };
  } catch (error) {
    return { error };
  }
}
