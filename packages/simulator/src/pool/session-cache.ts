/** Open training sessions by what they were opened for; building and compiling a graph is worth doing once. */
import { openTrainingSession, type SessionOptions, type TrainingSession } from "@kumiai/training";
import { createModel, type ModelSpec } from "../model.js";

/** Sessions kept open; the one unused for longest makes room. Each holds a few MB of native memory. */
const OPEN_SESSION_LIMIT = 24;

export class SessionCache {
  readonly #open = new Map<string, TrainingSession>();

  async get(model: ModelSpec, options: SessionOptions): Promise<TrainingSession> {
    const key = JSON.stringify([model, options]);
    const known = this.#open.get(key);
    if (known !== undefined) {
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    for (const [oldest, session] of this.#open) {
      if (this.#open.size < OPEN_SESSION_LIMIT) break;
      this.#open.delete(oldest);
      await session[Symbol.asyncDispose]();
    }
    const session = await openTrainingSession(createModel(model), options);
    this.#open.set(key, session);
    return session;
  }

  async close(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    for (const session of sessions) await session[Symbol.asyncDispose]();
  }
}
