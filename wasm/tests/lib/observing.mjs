// A gateway that observes others: rows of theirs are added to each list that it sends.

/** The WebSocket class of a simulated gateway that also lists the entries that `observed` returns. */
export function observingWebSocket(gateway, observed) {
  const whole = ({ data }) => ({ data: JSON.stringify(withRows(JSON.parse(data), observed())) });
  return class extends gateway.WebSocket {
    constructor() {
      super();
      let listener = null;
      Object.defineProperty(this, "onmessage", {
        get: () => listener && ((message) => listener(whole(message))),
        set: (other) => (listener = other),
      });
    }
  };
}

/** The frame with these rows behind those of its list. */
function withRows(frame, rows) {
  const { payload } = frame;
  if (Array.isArray(payload)) payload.push(...rows);
  const list = payload?.presence ?? payload?.snapshot?.presence;
  if (Array.isArray(list)) list.push(...rows);
  return frame;
}
