// All suites that run in Node and in browsers. Each takes { test, assert, presence, internal }.

import arrivals from "./arrivals.mjs";
import client from "./client.mjs";
import deviceKey from "./device-key.mjs";
import elementText from "./element-text.mjs";
import failures from "./failures.mjs";
import instanceId from "./instance-id.mjs";
import lifecycle from "./lifecycle.mjs";
import listeners from "./listeners.mjs";
import notifications from "./notifications.mjs";
import observed from "./observed.mjs";
import parts from "./parts.mjs";
import requests from "./requests.mjs";
import roster from "./roster.mjs";
import sharedListeners from "./shared-listeners.mjs";
import shared from "./shared.mjs";
import signals from "./signals.mjs";
import testing from "./testing.mjs";

export const SUITES = {
  parts,
  "instance-id": instanceId,
  "device-key": deviceKey,
  listeners,
  roster,
  client,
  lifecycle,
  arrivals,
  observed,
  requests,
  signals,
  shared,
  "shared-listeners": sharedListeners,
  notifications,
  failures,
  "element-text": elementText,
  testing,
};
