// A component for each hook, for react.test.mjs.

import { StrictMode, Suspense, use, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

import {
  PresenceProvider,
  useConnection,
  usePresenceClient,
  usePresenceRow,
  useRoster,
  useOwnRow,
} from "openclaw-presence/react";

const renders = { list: 0, count: 0, names: 0, connection: 0, late: 0 };

function List() {
  renders.list += 1;
  globalThis.app.clients.add(usePresenceClient());
  return (
    <ul>
      {useRoster().rows.map((row) => (
        <li key={row.key}>{row.host}</li>
      ))}
    </ul>
  );
}

function Count() {
  renders.count += 1;
  return <output>{useRoster(({ rows }) => rows.length)}</output>;
}

function Names() {
  renders.names += 1;
  return <p id="names">{useRoster(({ rows }) => rows.map(({ host }) => host)).join()}</p>;
}

function Connection() {
  renders.connection += 1;
  return <p id="connection">{useConnection().phase}</p>;
}

function Self() {
  const self = useOwnRow();
  const byKey = usePresenceRow(self?.key ?? "");
  const other = usePresenceRow("no such key");
  return <p id="self">{`${self?.host} ${self === byKey} ${other}`}</p>;
}

function Late({ promise }) {
  const word = use(promise);
  renders.late += 1;
  return <p id="late">{`${word} ${useRoster(({ rows }) => rows.length > 0)}`}</p>;
}

function Presence({ promise, ...options }) {
  return (
    <PresenceProvider options={{ ...options, instanceId: "react", client: { displayName: "React" }, deviceKey: false }}>
      <List />
      <Count />
      <Names />
      <Connection />
      <Self />
      <Suspense fallback={<b>waiting</b>}>
        <Late promise={promise} />
      </Suspense>
    </PresenceProvider>
  );
}

function App(options) {
  const [isShown, setShown] = useState(true);
  globalThis.app.setShown = setShown;
  return isShown ? <Presence {...options} /> : <em>gone</em>;
}

const late = Promise.withResolvers();

globalThis.app = {
  renders,
  clients: new Set(),
  finish: () => late.resolve("finished"),
  start(options) {
    createRoot(document.querySelector("main")).render(
      <StrictMode>
        <App {...options} promise={late.promise} />
      </StrictMode>,
    );
  },
  /** Continues what a server rendered, with a client that is live already. */
  hydrate(client) {
    const onRecoverableError = (error) => console.error(error);
    const page = (
      <PresenceProvider client={client}>
        <Connection />
      </PresenceProvider>
    );
    return hydrateRoot(document.querySelector("main"), page, { onRecoverableError });
  },
};
