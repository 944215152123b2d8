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
   * Writes the framework's answer to `event`, as JSON, given one answer for
   * each of its actions; none, where it asked for none.
   *
   * @throws {AdapterError} when it does not understand the message.
   */
  render(event: string, answers: Answer[]): string;
}

/** Which framework an adapter understands. */
export interface Info {
  /** The framework's name, such as `langchain`. */
  framework: string;
  /** The versions of it that were tested, such as `1.5`. */
  versions: string[];
  /**
   * Whether its answers can give a call other arguments. Where they can't, the
   * host denies what is only allowed with others.
   */
  rewrites: boolean;
}

/**
 * What a message means: it asks for actions, in this order, it says how calls
 * ended, or there is nothing to decide. 64 at most.
 */
export type Intake =
  | { tag: 'actions'; val: Request[] }
  | { tag: 'outcomes'; val: Ended[] }
  | { tag: 'pass' };

/**
 * An action as the framework's message names it. Who acts and when comes from
 * the surface.
 */
export interface Request {
  /**
   * What the framework calls this call, if it has a name for it: the same when it
   * is tried again, and in the message that says how it ended.
   */
  call?: string;
  /** What the framework calls the conversation, if it has a name for that. */
  session?: string;
  /** What is to be done. */
  operation: string;
  /** What it is to be done to. */
  resource: string;
  /** Arguments as JSON. */
  arguments: string;
  /** Where the arguments come from. */
  labels: string[];
}

/** How an earlier call ended. */
export interface Ended {
  /** The call, as its request named it. */
  call: string;
  /** The conversation, as its request named it. */
  session?: string;
  /** How it ended. */
  ending: 'succeeded' | 'failed' | 'unknown';
  /** What it gave, as JSON. The host keeps the digest. */
  output?: string;
  /** Why it failed, for a person. */
  detail: string;
}

/** The host's answer to one action of a message. */
export interface Answer {
  /** The verdict. */
  verdict: Verdict;
  /**
   * The arguments to carry it out with, as JSON, where the verdict is an allow
   * that makes them others than were asked.
   */
  arguments?: string;
  /** Where the log has the decision; persons are asked about this number. */
  seq?: bigint;
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
