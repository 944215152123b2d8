// @ts-check
/** @import { Skill, SkillError } from '../types/skill' */

const INPUT = {
  type: 'object',
  properties: { text: { type: 'string', description: 'The text to count in.' } },
  required: ['text'],
  additionalProperties: false,
};

const COUNT = { type: 'integer', minimum: 0 };

const OUTPUT = {
  type: 'object',
  properties: { characters: COUNT, words: COUNT, lines: COUNT },
  required: ['characters', 'words', 'lines'],
};

/** @type {Skill} */
export const skill = {
  describe() {
    return {
      description: 'Counts the characters, words and lines of a text.',
      inputSchema: JSON.stringify(INPUT),
      outputSchema: JSON.stringify(OUTPUT),
    };
  },

  invoke(input) {
    const text = JSON.parse(input)?.text;
    if (typeof text !== 'string') {
      /** @type {SkillError} */
      const error = { tag: 'invalid-input', val: '`text` is not a string' };
      throw error;
    }
    const [words, lines] = [count(text, /\S+/g), count(text, /[^\n]*\n|[^\n]+$/g)];
    return JSON.stringify({ characters: characters(text), words, lines });
  },
};

/**
 * Unicode characters; those of two UTF-16 units count once. Code is interpreted
 * here: a function of the engine over the whole text costs a hundredth of a loop.
 * @param {string} text
 */
function characters(text) {
  return text.length - count(text, /[\uD800-\uDBFF]/g);
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function count(text, pattern) {
  return text.match(pattern)?.length ?? 0;
}
