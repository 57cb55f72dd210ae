/** Reading of YAML files in which errors name their line: also for files that are not scenarios. */
export { type Complaint, type ConfigKind, invalidConfig, refuse, showPath, showValue } from "./issues.js";
export { type ConfigPath, type LocatedYaml, parseLocatedYaml } from "./located.js";
