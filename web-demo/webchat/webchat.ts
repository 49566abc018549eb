import { PresenceClient, type PresenceRow } from "openclaw-presence";
import "openclaw-presence/element";

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

// The gateway that the demo page is connected to. A real app asks its own server: token-server.mjs.
const stored = () => { try { return sessionStorage.getItem("openclaw-presence-demo:gateway"); } catch { return null; } };
const { url, secret } = JSON.parse(stored() ?? "{}");
const client = new PresenceClient({ url, [secret?.kind ?? "token"]: secret?.text });

// The strip: one initial per instance. The roster under it is the ready-made element.
const draw = () => find("strip").replaceChildren(...client.roster.rows.map(face));
const face = ({ host = "?", status, ageText, isOwn }: PresenceRow) => {
  const title = `${isOwn ? "You" : host}: ${status === "Left" ? `Left ${ageText}` : status}`;
  const face = Object.assign(document.createElement("li"), { title, ariaLabel: title });
  face.dataset["status"] = status;
  face.append(isOwn ? "You" : ([...host][0] ?? "?").toUpperCase());
  return face;
};
client.subscribe(draw);
find<HTMLElementTagNameMap["presence-roster"]>("roster").client = client;
if (url) client.start();

// The chat itself: messages go from tab to tab of this browser, unless it blocks storage.
const channel = (() => { try { return new BroadcastChannel("openclaw-presence-webchat"); } catch { return null; } })();
const show = (text: string, who: string) => {
  const item = find("messages").appendChild(Object.assign(document.createElement("li"), { className: who, textContent: text }));
  item.scrollIntoView({ block: "nearest" });
};
if (channel) channel.onmessage = ({ data }) => show(String(data), "them");
find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = find<HTMLInputElement>("text");
  if (!input.value.trim()) return;
  show(input.value, "me");
  channel?.postMessage(input.value);
  input.value = "";
});
