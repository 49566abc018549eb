/**
 * A whole gateway without a network, and replays of recordings, for playgrounds and tests. Not part of the npm
 * package, because its module is larger than the rest of the package.
 */
export * from "./gateway.js";
export {
  openRecording,
  type RecordedChange,
  type RecordedExplanation,
  type RecordedMoment,
  Recording,
  type RecordingBounds,
  type RecordingHeader,
} from "./simulator/recording.js";
export { loadRecording, type LoadOptions } from "./simulator/load-recording.js";
export { initSimulator, initSimulatorSync } from "./simulator/load.js";
