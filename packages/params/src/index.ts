export { ERROR_CODES, type ErrorCode, type ErrorDetails, KumiaiError, unreachable } from "./errors.js";
export { lockProcess, type ProcessIdentity } from "./files/lock-process.js";
export {
  commitStaged,
  recoverStaged,
  type StagedCommit,
  type StagedFolder,
  type StepWatch,
  stageFolder,
} from "./files/replace-folder.js";
export { type AtomicFile, createAtomicFile, writeFileAtomic } from "./files/write-file-atomic.js";
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
export { nearestWord } from "./nearest-word.js";
export { createRng, type Rng } from "./rng.js";
export { fromHalfBits, type SafetensorsDtype, toHalfBits, type WritableDtype } from "./safetensors/dtypes.js";
export type { TensorInfo } from "./safetensors/header.js";
export {
  type ParamsFile,
  type ParamsFileEntry,
  type ParamsFileOptions,
  type ParamsFileSource,
  readParamsFile,
  writeParamsFile,
} from "./safetensors/params-file.js";
export { openSafetensors, openSafetensorsBytes, type SafetensorsFile } from "./safetensors/reader.js";
export {
  createSafetensorsWriter,
  planSafetensors,
  type SafetensorsPlan,
  type SafetensorsWriter,
  type TensorPlan,
} from "./safetensors/writer.js";
