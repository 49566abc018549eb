import { fileURLToPath } from "node:url";

// Where the tools are installed; nothing here is about the package.
const root = fileURLToPath(new URL("../../../..", import.meta.url));

export default { outputFileTracingRoot: root, turbopack: { root } };
