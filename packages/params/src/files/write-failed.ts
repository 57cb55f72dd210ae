/** What a failed write becomes. */
import { KumiaiError } from "../errors.js";

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the disk quota is used up; free some space or choose another folder",
  EFBIG: "the file would exceed the size limit; raise it (ulimit -f) or choose another folder",
  EACCES: "permission denied; choose a folder that you may write to",
  EPERM: "permission denied; choose a folder that you may write to",
  EROFS: "the file system is read-only; choose another folder",
  ENOENT: "the folder does not exist; create it first",
  ENOTDIR: "part of the path is a file; choose another folder",
  EISDIR: "a folder has this name; remove it or choose another name",
  EBUSY: "the folder is in use, perhaps as the place of another file system; choose a folder inside it",
  EXDEV: "part of the path is on another file system; choose a folder inside it",
};

/** WRITE_FAILED, naming the path and the reason; coded errors stay as they are. */
export function writeFailed(path: string, cause: unknown): KumiaiError {
  if (cause instanceof KumiaiError) return cause;
  const reason = reasonOf(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new KumiaiError(
    "WRITE_FAILED",
    `${path}: cannot write (${message}); ${ADVICE[reason] ?? "choose another folder"}`,
    { path, reason },
    cause,
  );
}

/** The system's name for what went wrong, e.g. ENOENT. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
}
