import { Announcer } from "./lib/announce.js";
import { focusHeading } from "./lib/part.js";
import { ThemeButton } from "./components/theme-button.js";
import { ConnectionPill } from "./components/connection-pill.js";
import { TourStrip } from "./components/tour-strip.js";
import { Router, type Place, type Route } from "./state/route.js";
import type { Secret } from "./state/secret-link.js";
import { Sessions } from "./state/sessions.js";
import { ownGatewayUrl, storedTarget } from "./state/target.js";
import { TourLog } from "./state/tour.js";
import { InstancesView } from "./views/instances.js";
import { PasteView } from "./views/paste.js";
import { PlaygroundView } from "./views/playground.js";
import { TimelineView } from "./views/timeline.js";
import { ThisTabView } from "./views/this-tab.js";
import type { View } from "./views/view.js";
import { WebchatView } from "./views/webchat.js";

const find = (id: string) => document.getElementById(id)!;

const announcer = new Announcer(find("announcer"));
const sessions = new Sessions(announcer);
/** The session of sign-in links, This tab and WebChat. */
const session = sessions.first;
const tour = new TourLog();
let isSignedIn = false;
let hadGateway = false;
const router = new Router((secret: Secret) => {
  isSignedIn = true;
  sessions.connectFirst({ url: ownGatewayUrl(), secret });
});

const strip = new TourStrip(tour);
const instances = new InstancesView(sessions, router);
const makers: Readonly<Record<Place, () => View>> = {
  instances: () => instances,
  timeline: () => new TimelineView(session),
  "this-tab": () => new ThisTabView(session, tour),
  playground: () => new PlaygroundView(router, tour),
  paste: () => new PasteView(),
  webchat: () => new WebchatView(session),
};
const made = new Map<Place, View>();
const main = find("main");
/** Views that show the tour. */
const STOPOVERS: ReadonlySet<Place> = new Set(["instances", "this-tab", "playground"]);
let shown: View | undefined;

find("theme").replaceWith(new ThemeButton());
find("pill").replaceWith(new ConnectionPill(session));
find("skip").addEventListener("click", (event) => {
  // The fragment is the page's route, so the link must not change it.
  event.preventDefault();
  focusHeading();
});

main.append(strip);
router.route.watch((route, before) => show(route, route !== before));
session.live.watch(({ target, roster }) => {
  const hasGateway = target !== undefined && roster?.connection.phase !== "refused";
  if (hasGateway === hadGateway) return;
  hadGateway = hasGateway;
  placeTour();
});
start();

/** Shows the tour if a gateway is connected. */
function placeTour(): void {
  strip.place(hadGateway && STOPOVERS.has(router.route.value.place));
}

function show({ place, query }: Route, isMove: boolean): void {
  let view = made.get(place);
  if (!view) {
    made.set(place, (view = makers[place]()));
    main.append(view);
  }
  const isOther = shown !== view;
  if (isOther) shown?.leave();
  for (const link of document.querySelectorAll<HTMLElement>("nav [data-place]")) {
    link.ariaCurrent = link.dataset["place"] === place ? "page" : null;
  }
  placeTour();
  shown = view;
  view.enter(query);
  void view.updateComplete.then(() => {
    if (shown !== view) return;
    const title = view.querySelector("h1");
    document.title = `${title?.textContent} · openclaw-presence`;
    if (!isMove || !isOther) return;
    scrollTo(0, 0);
    title?.focus({ preventScroll: true });
  });
}

/**
 * Connects to the gateway of the link, else to that from before a reload, else to the gateway that serves this page.
 */
function start(): void {
  watchTour();
  const target = storedTarget();
  if (target && !isSignedIn) session.connect(target);
  sessions.start();
  if (!target && !isSignedIn) void instances.findGateway();
}

function watchTour(): void {
  session.live.watch(({ roster, instanceId }) => {
    if (!roster) return;
    if (roster.rows.some((row) => row.isOwn)) tour.reach("self");
    // Tabs of one browser share the base of their ids.
    const base = instanceId?.replace(/\.\d+$/, "");
    const isTwin = (id: string | undefined) => id !== undefined && id !== instanceId && id.replace(/\.\d+$/, "") === base;
    if (base !== undefined && roster.rows.some((row) => row.isConnected && isTwin(row.instanceId))) tour.reach("second");
  });
}
