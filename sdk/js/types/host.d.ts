/**
 * Lines for the host's operator. Needs `import vak:host/log@0.1.0;` in
 * `wit/world.wit` and the grant `log` in `vak-component.toml`.
 */
declare module 'vak:host/log@0.1.0' {
  export type Level = 'debug' | 'info' | 'warn' | 'error';

  /** Writes one line. The host cuts it at 1,024 bytes and counts the call. */
  export function write(level: Level, message: string): void;
}
