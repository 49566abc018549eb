// A component of each kind, for react.test.mjs.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

import { shallowEqual, usePresenceClient, useRoster } from "openclaw-presence/react";

const renders = { list: 0, count: 0, names: 0 };

function List({ client }) {
  renders.list += 1;
  const { rows, connection } = useRoster(client);
  return (
    <ul data-phase={connection.phase}>
      {rows.map((row) => (
        <li key={row.key}>{row.host}</li>
      ))}
    </ul>
  );
}

function Count({ client }) {
  renders.count += 1;
  return <output>{useRoster(client, ({ rows }) => rows.length)}</output>;
}

function Names({ client }) {
  renders.names += 1;
  const names = useRoster(client, ({ rows }) => rows.map(({ host }) => host), shallowEqual);
  return <p>{names.join()}</p>;
}

function Presence({ url, token }) {
  const client = usePresenceClient({ url, token, instanceId: "react", client: { displayName: "React" }, deviceKey: false });
  globalThis.app.clients.add(client);
  return (
    <>
      <List client={client} />
      <Count client={client} />
      <Names client={client} />
    </>
  );
}

function App(options) {
  const [isShown, setShown] = useState(true);
  globalThis.app.setShown = setShown;
  return isShown ? <Presence {...options} /> : <em>gone</em>;
}

globalThis.app = {
  renders,
  clients: new Set(),
  start(options) {
    createRoot(document.querySelector("main")).render(
      <StrictMode>
        <App {...options} />
      </StrictMode>,
    );
  },
};
