import { createApp } from "vue";

import { useRoster } from "openclaw-presence/vue";

import { client, hosts, shown } from "./scenario.js";

const Hosts = {
  setup() {
    const selection = useRoster(client, hosts);
    return () => shown(selection.value);
  },
};

export function mount(target) {
  const app = createApp(Hosts);
  app.mount(target);
  return () => app.unmount();
}
