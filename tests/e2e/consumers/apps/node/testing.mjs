import { PresenceClient } from "openclaw-presence";
import { TestGateway } from "openclaw-presence/testing";

import { tested } from "./tested.js";

console.log(JSON.stringify(await tested({ PresenceClient, TestGateway })));
