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
