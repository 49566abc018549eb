// Displays a live roster in three ways: with a client, the element, and the hooks.
export async function live({ PresenceClient, PresenceProvider, useRoster, createElement, createRoot }) {
  const client = new PresenceClient({ deviceKey: false, instanceId: false });
  await client.start().connected();
  const { ok } = await client.request("health");
  const element = Object.assign(document.createElement("presence-roster"), { client });
  const root = document.createElement("p");
  document.body.append(element, root);
  const Hosts = () => useRoster((roster) => roster.rows.map(({ host }) => host)).join();
  createRoot(root).render(createElement(PresenceProvider, { client }, createElement(Hosts)));

  const hostsOf = () => Array.from(element.shadowRoot?.querySelectorAll("[part~=host]") ?? [], (host) => host.textContent);
  while (hostsOf().length === 0 || root.textContent === "") await new Promise(requestAnimationFrame);
  const seen = { ok, rows: client.roster.rows.map(({ host }) => host), element: hostsOf().sort(), hooks: root.textContent };
  client.close();
  return seen;
}
