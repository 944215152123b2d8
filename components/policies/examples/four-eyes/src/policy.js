// @ts-check
/** @import { Action, JudgeError, Policy } from '../types/policy' */

/** What changes something. */
const CHANGES = ['deploy', 'migrate', 'restart', 'delete'];

/** @type {Policy} */
export const policy = {
  evaluate(action) {
    const [, name = ''] = action.operation.split('/');
    if (!CHANGES.includes(name)) {
      return { effect: 'abstain', reason: '', obligations: [] };
    }
    if (target(action) !== 'production') {
      return { effect: 'permit', rule: 'elsewhere', reason: 'not production', obligations: [] };
    }
    return {
      effect: 'permit',
      rule: 'production',
      reason: `\`${name}\` in production`,
      obligations: [
        { tag: 'approval', val: 'the team on call' },
        { tag: 'header', val: { name: 'x-change-by', value: 'agent' } },
      ],
    };
  },

  describe() {
    return {
      summary: 'Has the team on call agree to what touches production, and says so to the service.',
      rules: [
        { id: 'elsewhere', effect: 'permit', summary: 'Changes outside of production.' },
        { id: 'production', effect: 'permit', summary: 'Changes in production, if a person agrees.' },
      ],
      session: false,
      warnings: [],
    };
  },
};

/**
 * Where the change is made. The surface vouches for attributes, so an agent
 * cannot call production something else.
 * @param {Action} action
 */
function target(action) {
  const attribute = action.attributes.find(({ name }) => name === 'environment');
  if (attribute === undefined) {
    /** @type {JudgeError} */
    const error = { tag: 'missing', val: 'environment' };
    throw error;
  }
  if (attribute.value.tag !== 'text') {
    /** @type {JudgeError} */
    const error = { tag: 'mistyped', val: 'environment' };
    throw error;
  }
  return attribute.value.val;
}
