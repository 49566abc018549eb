/**
 * A whole gateway without a network, and replays of recordings, for playgrounds and tests. Not part of the npm package: its module is
 * larger than everything else together.
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
