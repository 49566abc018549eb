// Simulates a gateway that observes others: adds rows of other gateways to each list that it sends.

/** Returns the WebSocket class of a simulated gateway that also lists the entries that `observed` returns. */
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

/** Returns the frame with these rows at the end of its list. */
function withRows(frame, rows) {
  const { payload } = frame;
  if (Array.isArray(payload)) payload.push(...rows);
  const list = payload?.presence ?? payload?.snapshot?.presence;
  if (Array.isArray(list)) list.push(...rows);
  return frame;
}
