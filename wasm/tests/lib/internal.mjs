// Parts of the package that are not exported, for tests.

import "../../dist/shared.js";

/** A second copy of the module, as another tab has it. */
export * as ofOtherTab from "../../dist/instance-id.js?other-tab";
export * as glue from "../../dist/glue.js";
export { PromptClock } from "../../dist/shared/prompt-clock.js";
export { InputMonitor } from "../../dist/input.js";
export { ListenerTarget } from "../../dist/listeners.js";
export { Waiters } from "../../dist/waiters.js";
export { orderRows } from "../../dist/element/order.js";
export { headingText, newsText, rowDetails, rowSeen, rowStatus } from "../../dist/element/text.js";
export { wordingOf } from "../../dist/element/words.js";
