// @ts-check
/** @import { Adapter, AdapterError, Request } from '../types/adapter' */

/** @type {Adapter} */
export const adapter = {
  describe() {
    return { framework: 'chat-completions', versions: ['1'], rewrites: false };
  },

  ingest(event) {
    const calls = toolCalls(event);
    return calls.length === 0 ? { tag: 'pass' } : { tag: 'actions', val: calls.map(request) };
  },

  // The ids of the calls that may happen, and a tool message for each other.
  render(event, answers) {
    const calls = toolCalls(event);
    if (calls.length !== answers.length) {
      throw malformed(`${calls.length} calls and ${answers.length} answers`);
    }
    const allowed = calls.filter((_, at) => answers[at].verdict.decision === 'allow').map((call) => call.id);
    const messages = calls.flatMap((call, at) => {
      const { decision, reason } = answers[at].verdict;
      return decision === 'allow' ? [] : [{ role: 'tool', tool_call_id: call.id, content: `${decision}: ${reason}` }];
    });
    return JSON.stringify({ allowed, messages });
  },
};

/**
 * The tool calls of an assistant message.
 * @param {string} event
 * @returns {{ id: string, name: string, arguments: string }[]}
 */
function toolCalls(event) {
  const message = parse(event);
  if (message?.role !== 'assistant') {
    /** @type {AdapterError} */
    const error = { tag: 'unknown-message', val: 'not a message of an assistant' };
    throw error;
  }
  const calls = message.tool_calls ?? [];
  if (!Array.isArray(calls)) {
    throw malformed('`tool_calls` is not a list');
  }
  return calls.map((call) => {
    const { name, arguments: text } = call?.function ?? {};
    if (typeof call?.id !== 'string' || typeof name !== 'string' || typeof text !== 'string') {
      throw malformed('a tool call lacks its id, name or arguments');
    }
    return { id: call.id, name, arguments: text };
  });
}

/**
 * @param {{ id: string, name: string, arguments: string }} call
 * @returns {Request}
 */
function request(call) {
  return { call: call.id, operation: call.name, resource: `tool:${call.name}`, arguments: call.arguments, labels: [] };
}

/** @param {string} event */
function parse(event) {
  try {
    return JSON.parse(event);
  } catch {
    throw malformed('not JSON');
  }
}

/**
 * @param {string} why
 * @returns {AdapterError}
 */
function malformed(why) {
  return { tag: 'malformed', val: why };
}
