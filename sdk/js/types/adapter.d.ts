/** Adapters: what does this framework's message mean? Mirrors `vak:adapter@0.1.0`. */

import type { Verdict } from './types';

/** What `src/adapter.js` exports as `adapter`. */
export interface Adapter {
  /** Says which framework this adapter understands. */
  describe(): Info;
  /**
   * Reads one message, given as JSON.
   *
   * @throws {AdapterError} when it does not understand the message. The host
   * denies it.
   */
  ingest(event: string): Intake;
  /**
   * Writes the framework's answer to `event`, as JSON, given one verdict for
   * each of its actions.
   *
   * @throws {AdapterError} when it does not understand the message.
   */
  render(event: string, verdicts: Verdict[]): string;
}

/** Which framework an adapter understands. */
export interface Info {
  /** The framework's name, such as `langchain`. */
  framework: string;
  /** The versions of it that were tested, such as `1.5`. */
  versions: string[];
}

/** What a message means: actions in this order, or nothing to decide. */
export type Intake = { tag: 'actions'; val: Request[] } | { tag: 'pass' };

/**
 * An action as the framework's message names it. Agent, session, id and time
 * come from the surface.
 */
export interface Request {
  /** What is to be done. */
  operation: string;
  /** What it is to be done to. */
  resource: string;
  /** Arguments as JSON. */
  arguments: string;
  /** Where the arguments come from. */
  labels: string[];
}

/**
 * Why a message was not understood. Throw it as it is, for example
 * `throw { tag: 'malformed', val: 'no name' }`: what is thrown is the error of
 * the WIT `result`. A thrown `Error` ends the component instead.
 */
export type AdapterError =
  | { tag: 'unknown-message'; val: string }
  | { tag: 'malformed'; val: string };

export type { Verdict };
