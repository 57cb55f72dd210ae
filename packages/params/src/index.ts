export { ERROR_CODES, type ErrorCode, type ErrorDetails, KumiaiError, unreachable } from "./errors.js";
export { type Brand, type ClientId, parseClientId, parseTaskId, type TaskId } from "./ids.js";
export {
  assertSameGroup,
  createLayout,
  describeGroup,
  type ParamLayout,
  type ParamRole,
  type ParamRoleKind,
  type ParamSlot,
  type ParamSlotSpec,
  type ParamVector,
  slotsOfRole,
  slotView,
} from "./layout.js";
export { createRng, type Rng } from "./rng.js";
