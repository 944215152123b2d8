// @ts-check
/** @import { Action, JudgeError, Policy } from '../types/policy' */

const SECRET_FILES = ['.env', '.netrc', '.npmrc', 'credentials', 'id_ed25519', 'id_rsa'];

/** @type {Policy} */
export const policy = {
  evaluate(action) {
    const path = strings(readArguments(action)).find(namesSecret);
    if (path === undefined) {
      return { effect: 'abstain', reason: '', obligations: [] };
    }
    return { effect: 'forbid', rule: 'no-secrets', reason: `\`${path}\` holds secrets`, obligations: [] };
  },

  describe() {
    return {
      summary: 'Keeps agents away from files that hold secrets.',
      rules: [{ id: 'no-secrets', effect: 'forbid', summary: 'No argument names a file with secrets.' }],
      session: false,
      warnings: [],
    };
  },
};

/** @param {Action} action */
function readArguments(action) {
  try {
    return JSON.parse(action.arguments);
  } catch {
    /** @type {JudgeError} */
    const error = { tag: 'mistyped', val: 'arguments' };
    throw error;
  }
}

/**
 * Every string in a JSON value.
 * @param {unknown} value
 * @returns {string[]}
 */
function strings(value) {
  if (typeof value === 'string') {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

/** @param {string} path */
function namesSecret(path) {
  const name = path.toLowerCase().split(/[/\\]/).pop() ?? '';
  return SECRET_FILES.includes(name) || name.startsWith('.env.') || name.endsWith('.pem');
}
