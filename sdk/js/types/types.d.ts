/** What every VAK component speaks of. Mirrors `vak:types@0.1.0`. */

/**
 * What an agent asks for. Everything a component may base its answer on is in
 * here. There is no clock and no randomness beside it: `Date.now()` and
 * `Math.random()` give the same at every call.
 */
export interface Action {
  /** Names this action; a retry carries the same id. */
  id: string;
  /** The session it belongs to. */
  session: string;
  /** The agent that acts. */
  agent: string;
  /** What is to be done, such as `files/write_file`. */
  operation: string;
  /** What it is to be done to, such as `mcp:files/write_file`. */
  resource: string;
  /** Arguments as compact JSON with sorted keys: read them with `JSON.parse`. */
  arguments: string;
  /** Facts that the surface, not the agent, vouches for; sorted by name. */
  attributes: Attribute[];
  /** Where the arguments come from, such as `untrusted-input`. */
  labels: string[];
  /** When it was asked: nanoseconds since the Unix epoch. */
  timeNs: bigint;
}

/** A named fact. */
export interface Attribute {
  name: string;
  value: AttributeValue;
}

/** A WIT variant is an object with its case as `tag` and its value as `val`. */
export type AttributeValue =
  | { tag: 'boolean'; val: boolean }
  | { tag: 'integer'; val: bigint }
  | { tag: 'text'; val: string }
  | { tag: 'texts'; val: string[] };

/**
 * Why a component could not judge. Throw it as it is, for example
 * `throw { tag: 'missing', val: 'role' }`: what is thrown is the error of the
 * WIT `result`. The host takes it for the strictest answer. A thrown `Error`
 * ends the component instead, which counts the same but says nothing of why;
 * one with such a value as its `payload` property is taken for the value.
 */
export type JudgeError =
  | { tag: 'missing'; val: string }
  | { tag: 'mistyped'; val: string }
  | { tag: 'other'; val: string };

/** The host's answer to one action. */
export interface Verdict {
  /** From loosest to strictest. */
  decision: 'allow' | 'backtrack' | 'escalate' | 'deny';
  /** The rule that decided, where one did. */
  rule?: string;
  /** Why, for a person. */
  reason: string;
  /** Milliseconds after which a rate limited action can succeed. */
  retryAfterMs?: bigint;
}

/**
 * Exported as `configure` by components that take configuration, with
 * `export vak:types/configure@0.1.0;` in `wit/world.wit`. The host calls it
 * once, when the component is installed, and snapshots the memory: what is kept
 * in a variable is there in every later call.
 */
export interface Configure {
  /** @throws {ConfigError} when the text is not a valid configuration. */
  configure(config: string): void;
}

/** Why a configuration was refused. */
export interface ConfigError {
  /** What is wrong and what to do about it. */
  message: string;
  /** The line it is on, from 1. */
  line?: number;
  /** The column it starts at, from 1, in characters. */
  column?: number;
}
