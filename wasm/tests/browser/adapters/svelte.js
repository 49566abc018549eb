import { mount as mountComponent, unmount } from "svelte";

import Hosts from "./Hosts.svelte";

export function mount(target) {
  const component = mountComponent(Hosts, { target });
  return () => unmount(component);
}
