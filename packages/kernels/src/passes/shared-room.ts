/**
 * Memory that threads share, used again by pass after pass: what a pass lets go of stays until every thread has collected its garbage,
 * and threads make too little of it to do so soon.
 */
export interface SharedRoom {
  /** At least so many numbers, not cleared; those that the name had before are not valid any more. */
  take(name: string, length: number): Float64Array;
  clear(): void;
}

export function openSharedRoom(): SharedRoom {
  const rooms = new Map<string, Float64Array>();
  return {
    take(name, length) {
      const known = rooms.get(name);
      const room =
        known !== undefined && known.length >= length ? known : new Float64Array(new SharedArrayBuffer(8 * length));
      rooms.set(name, room);
      return room;
    },
    clear: () => rooms.clear(),
  };
}
