/** Skills: tools an agent can call. Mirrors `vak:skill@0.1.0`. */

/** What `src/skill.js` exports as `skill`. */
export interface Skill {
  /** Describes the tool. */
  describe(): Tool;
  /**
   * Does the work. Input and output are JSON.
   *
   * @throws {SkillError} when a call gives no result.
   */
  invoke(input: string): string;
}

/** What an agent is told about the tool. */
export interface Tool {
  /** What it does and when to use it. */
  description: string;
  /** JSON Schema of its input, which is an object. */
  inputSchema: string;
  /** JSON Schema of its output, where it has one. */
  outputSchema?: string;
}

/**
 * Why a call gave no result. Throw it as it is, for example
 * `throw { tag: 'failed', val: 'no answer' }`: what is thrown is the error of
 * the WIT `result`. A thrown `Error` ends the component instead, and the agent
 * is not told why; one with such a value as its `payload` property is taken for
 * the value.
 */
export type SkillError =
  | { tag: 'invalid-input'; val: string }
  | { tag: 'failed'; val: string };
