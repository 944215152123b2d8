// @ts-check
/** @import { Scorer } from '../types/scorer' */

/** How the names of operations that change nothing start. */
const READING = ['find', 'get', 'list', 'read', 'search'];

/** @type {Scorer} */
export const scorer = {
  evaluate(action) {
    const name = action.operation.split('/').pop() ?? '';
    if (READING.some((verb) => name.startsWith(verb))) {
      return { value: 1, reason: 'only reads' };
    }
    if (action.labels.includes('untrusted-input')) {
      return { value: 0.25, reason: 'changes something on untrusted input' };
    }
    return { value: 0.75, reason: 'changes something' };
  },
};
