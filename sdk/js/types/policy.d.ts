/** Policies: may this action happen? Mirrors `vak:policy@0.1.0`. */

import type { Action, JudgeError } from './types';

/** What `src/policy.js` exports as `policy`. */
export interface Policy {
  /**
   * Judges one action. The same action, after the same earlier ones if it asks
   * for those, gives the same answer. An error, a trap or an exhausted limit is a
   * forbid.
   *
   * @throws {JudgeError} when the policy cannot judge.
   */
  evaluate(action: Action): Finding;
  /** Says what this policy contains. */
  describe(): Description;
}

/**
 * - `abstain`: nothing to say.
 * - `permit`: it may happen. Counts only where the operator granted this policy
 *   the right to permit.
 * - `escalate`: a person should decide.
 * - `forbid`: it must not happen. One forbid outweighs every permit.
 */
export type Effect = 'abstain' | 'permit' | 'escalate' | 'forbid';

/** A policy's answer. */
export interface Finding {
  effect: Effect;
  /** The rule that decided, as named by `describe`. */
  rule?: string;
  /** Why, for a person. The host cuts it at 1,024 bytes. */
  reason: string;
  /** What has to be done if the action is allowed, whatever the effect; 16 at most. */
  obligations: Obligation[];
}

/**
 * What has to be done with the action if it is allowed. A host that cannot do it
 * denies; what an obligation changes is judged again, by all policies.
 *
 * - `redact`: the argument, a JSON pointer, is replaced.
 * - `cap`: the argument, a JSON pointer to a number, is lowered.
 * - `header`: the header is added to the request.
 * - `approval`: a person has to agree; the text says who, or why.
 */
export type Obligation =
  | { tag: 'redact'; val: { argument: string; replacement: string } }
  | { tag: 'cap'; val: { argument: string; atMost: bigint } }
  | { tag: 'header'; val: { name: string; value: string } }
  | { tag: 'approval'; val: string };

/** What a policy contains. */
export interface Description {
  /** What it is for, in a sentence. */
  summary: string;
  /** In the order of its configuration. */
  rules: Rule[];
  /** Whether it asks what the session did before, through `vak:host/session`. */
  session: boolean;
  /** What somebody should look at, such as a rule that never applies: a sentence each. */
  warnings: string[];
}

/** One rule, for validation and explanation. */
export interface Rule {
  /** Unique within the policy. */
  id: string;
  /** What it says when it applies. */
  effect: Effect;
  /** What it is for, in a sentence. */
  summary: string;
}

export type { Action, JudgeError };
