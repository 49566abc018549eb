import { h, replace, write } from "../lib/dom.js";
import { count, isoMoment, moment, shortMoment } from "../lib/format.js";
import type { Timeline } from "../state/timeline.js";

/** Who came and went, and how the connection did. */
export function timelineBox(timeline: Timeline): HTMLElement {
  const number = h("span", { class: "sub" });
  const list = h("ol", { class: "happenings" });
  const clear = h("button", { type: "button", class: "button quiet small", on: { click: () => timeline.clear() } }, "Clear");
  const box = h("details", { class: "card timeline" }, h("summary", {}, h("h2", {}, "Timeline"), number), list, clear);
  timeline.happenings.watch((happenings) => {
    write(number, count(happenings.length, "event"));
    clear.disabled = happenings.length === 0;
    replace(
      list,
      happenings.length === 0
        ? h("li", { class: "sub" }, "Nothing happened yet.")
        : happenings.map(({ atMs, kind, text }) =>
            h("li", { data: { kind } }, h("time", { class: "num", datetime: isoMoment(atMs), title: moment(atMs) }, shortMoment(atMs)), text),
          ),
    );
  });
  return box;
}
