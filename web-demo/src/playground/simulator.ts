// The simulated gateway is not part of the npm package, because few apps need it and its module is larger than the
// rest. It is taken from the package's build output in this repository.
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

/** Loads the module once. */
export function simulatorReady(): Promise<void> {
  return initSimulator(new URL(module, document.baseURI));
}
