/** Scorers: how good is this step? Mirrors `vak:scorer@0.1.0`. */

import type { Action, JudgeError } from './types';

/** What `src/scorer.js` exports as `scorer`. */
export interface Scorer {
  /**
   * Assesses one action. The same action gives the same assessment.
   *
   * @throws {JudgeError} when the scorer cannot judge.
   */
  evaluate(action: Action): Assessment;
}

/** A scorer's answer. It can only tighten a verdict. */
export interface Assessment {
  /** From 0 (hopeless) to 1 (certain to help). Any other number is an error. */
  value: number;
  /** Why, for a person. The host cuts it at 1,024 bytes. */
  reason: string;
}

export type { Action, JudgeError };
