/**
 * Lines for the host's operator. Needs `import vak:host/log@0.1.0;` in
 * `wit/world.wit` and the grant `log` in `vak-component.toml`.
 */
declare module 'vak:host/log@0.1.0' {
  export type Level = 'debug' | 'info' | 'warn' | 'error';

  /** Writes one line. The host cuts it at 1,024 bytes and counts the call. */
  export function write(level: Level, message: string): void;
}

/**
 * Secrets that the operator keeps for a skill. Needs
 * `import vak:host/secrets@0.1.0;` in `wit/world.wit` and their names under
 * `secrets` in the grants of `vak-component.toml`. The host replaces them by
 * `[secret NAME]` in what the skill logs, prints and answers, where it finds
 * them as they are.
 */
declare module 'vak:host/secrets@0.1.0' {
  export type SecretError = 'not-granted';

  /**
   * The secret `name`.
   *
   * @throws an `Error` with a {@link SecretError} as its `payload`.
   */
  export function get(name: string): string;
}

/**
 * What a skill remembers for the agent on whose behalf it is called: values by
 * key, in scopes. Needs `import vak:host/memory@0.1.0;` in `wit/world.wit` and
 * the scopes under `memory` in the grants of `vak-component.toml`, such as
 * `memory.notes = "write"`. What a call changes becomes visible when it has
 * succeeded, all at once.
 */
declare module 'vak:host/memory@0.1.0' {
  export type MemoryError =
    | 'not-granted'
    | 'read-only'
    | 'invalid-key'
    | 'value-too-long'
    | 'full'
    | 'has-secret';

  /**
   * The value of `key`, which has 1 to 256 bytes.
   *
   * @throws an `Error` with a {@link MemoryError} as its `payload`, as all of these.
   */
  export function get(scope: string, key: string): Uint8Array | undefined;

  /** Gives `key` a value of at most 65,536 bytes. */
  export function set(scope: string, key: string, value: Uint8Array): void;

  /** Takes `key` and its value away. */
  export function remove(scope: string, key: string): void;

  /** The first 256 keys that begin with `prefix` and come after `after`. */
  export function keys(scope: string, prefix: string, after?: string): string[];
}

/**
 * What the session of the action that is judged did before, for policies: the
 * last 24 hours at the most. Needs `import vak:host/session@0.1.0;` in
 * `wit/world.wit` and `session: true` in what `describe` gives.
 */
declare module 'vak:host/session@0.1.0' {
  /**
   * - `forgotten`: the host does not remember all of that time.
   * - `bad-pattern`: not a pattern of operations.
   */
  export type SessionError = 'forgotten' | 'bad-pattern';

  /** An earlier action. */
  export interface Step {
    id: string;
    operation: string;
    resource: string;
    /** Where its arguments came from. */
    labels: string[];
    allowed: boolean;
    /** Nanoseconds since the Unix epoch. */
    timeNs: bigint;
  }

  /** How many actions were allowed, and how many were not. */
  export interface Tally {
    allowed: number;
    refused: number;
  }

  /** A label, and the first action that had it. */
  export interface Origin {
    label: string;
    id: string;
    operation: string;
  }

  /**
   * The actions of the last `withinMs` milliseconds, newest first, 64 at the most.
   *
   * @throws an `Error` with a {@link SessionError} as its `payload`, as all of these.
   */
  export function recent(withinMs: bigint): Step[];

  /**
   * How many actions of the last `withinMs` milliseconds there were of these
   * operations: one (`files/read`), those that begin with what is before a `*` at
   * the end (`files/*`), or all (`*`).
   */
  export function count(operations: string, withinMs: bigint): Tally;

  /** The labels that actions of the last `withinMs` milliseconds had. */
  export function labels(withinMs: bigint): Origin[];
}
