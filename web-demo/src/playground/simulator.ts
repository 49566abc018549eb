// The simulated gateway is no part of the npm package, for few apps need one and its module is larger than all the
// rest: it is taken from the package's build, beside which this page is built.
import { initSimulator } from "../../../wasm/dist/simulator.js";
import module from "../../../wasm/dist/simulator.wasm";

export {
  loadRecording,
  type RecordedChange,
  type RecordedMoment,
  type Recording,
  type RecordingBounds,
  SimulatedGateway,
  type SimulatedSocket,
} from "../../../wasm/dist/simulator.js";

/** Loads it, once. */
export function simulatorReady(): Promise<void> {
  return initSimulator(new URL(module, document.baseURI));
}
