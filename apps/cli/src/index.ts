export type { Colors, Io } from "./io.js";
export { processIo } from "./io.js";
export { runCli } from "./program.js";
