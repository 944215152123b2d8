//! Sentences that revoke or ask for instructions, in a few languages.
//!
//! A verb, then within a few words a word for what came before, then one for
//! instructions. Words are compared by their beginnings, because languages
//! inflect, and without case, accents and look-alikes.

use std::ops::Range;

/// A kind of sentence: a word of each list, in any order of the last two.
struct Phrase {
    id: &'static str,
    verbs: &'static [&'static str],
    /// Words of which one has to stand beside the object; none needed if empty.
    marks: &'static [&'static str],
    objects: &'static [&'static str],
}

/// Words after the verb in which the others have to come.
const REACH: usize = 8;

const PHRASES: &[Phrase] = &[
    // English.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["ignor", "disregard", "forget", "overrid", "bypass", "discard", "neglect", "skip", "dismiss"],
        marks: &[
            "previous",
            "prior",
            "above",
            "earlier",
            "preceding",
            "all",
            "every",
            "any",
            "your",
            "these",
            "those",
            "system",
            "original",
            "initial",
            "existing",
        ],
        objects: &[
            "instruction",
            "prompt",
            "directive",
            "guideline",
            "command",
            "rule",
            "constraint",
            "programming",
            "training",
            "safeguard",
            "restriction",
        ],
    },
    Phrase {
        id: "prompt-injection/reveal",
        verbs: &["reveal", "print", "show", "repeat", "output", "disclos", "leak", "tell", "display", "dump"],
        marks: &["your", "system", "hidden", "initial", "original", "secret", "internal"],
        objects: &["prompt", "instruction"],
    },
    // German.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["ignorier", "vergiss", "vergesst", "missacht", "ubergeh", "uberspring", "verwirf"],
        marks: &[
            "vorherig",
            "bisherig",
            "vorig",
            "obig",
            "fruher",
            "vorangeh",
            "vorangeg",
            "alle",
            "dein",
            "sämtlich",
            "samtlich",
        ],
        objects: &["anweisung", "instruktion", "befehl", "vorgabe", "regel", "anleitung", "prompt"],
    },
    // French.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["ignor", "oubli", "neglig", "fais", "faites"],
        marks: &["precedent", "anterieur", "toute", "tous", "tes", "vos", "ci", "dessus", "abstraction"],
        objects: &["instruction", "consigne", "directive", "ordre", "regle"],
    },
    // Spanish, Portuguese, Italian.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["ignor", "olvid", "omit", "descart", "esquec", "desconsider", "dimentic", "trascura"],
        marks: &["anterior", "previa", "previo", "tod", "tus", "sus", "suas", "precedent", "tutt", "tue"],
        objects: &[
            "instruccion",
            "indicacion",
            "orden",
            "regla",
            "directriz",
            "directric",
            "instruc",
            "instruco",
            "regra",
            "istruzion",
            "regol",
        ],
    },
    // Dutch and Polish.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["negeer", "vergeet", "zignoruj", "zapomnij", "ignoruj", "pomin"],
        marks: &["vorige", "eerdere", "voorgaande", "alle", "poprzedni", "wczesniejsz", "wszystki"],
        objects: &["instructie", "opdracht", "aanwijzing", "regels", "instrukcj", "polecen", "zasad"],
    },
    // Russian, as read without look-alikes.
    Phrase {
        id: "prompt-injection/override",
        verbs: &["игнорируй", "проигнорируй", "забудь", "отбрось"],
        marks: &["предыдущ", "прежн", "все", "вышеизлож", "прошл"],
        objects: &["инструкц", "указан", "команд", "правил"],
    },
];

/// Whole sentences that need no verb.
const SENTENCES: &[&[&str]] = &[
    &["you", "are", "now", "in", "developer", "mode"],
    &["you", "are", "now", "dan"],
    &["enter", "developer", "mode"],
    &["enable", "developer", "mode"],
    &["system", "override"],
    &["forget", "everything"],
    &["vergiss", "alles"],
    &["pretend", "there", "are", "no"],
    &["pretend", "you", "have", "no"],
    &["do", "anything", "now"],
    &["new", "system", "prompt"],
    &["end", "of", "system", "prompt"],
    &["do", "not", "tell", "the", "user"],
    &["don't", "tell", "the", "user"],
    &["without", "telling", "the", "user"],
    &["do", "not", "mention", "this", "to", "the", "user"],
    &["from", "now", "on", "you", "will"],
    &["from", "now", "on", "you", "must"],
    &["from", "now", "on", "you", "are"],
    &["your", "new", "task", "is"],
    &["your", "real", "task", "is"],
    &["your", "new", "instructions"],
    &["important", "message", "for", "the", "ai"],
    &["attention", "ai"],
    &["if", "you", "are", "an", "ai"],
    &["if", "you", "are", "a", "language", "model"],
];

/// Chinese, Japanese and Korean write no spaces between words.
const UNSPACED: &[(&[&str], &[&str])] = &[
    (&["忽略", "无视", "忘记", "無視", "忽視"], &["指令", "指示", "提示", "说明", "規則", "规则"]),
    (&["無視して", "忘れて", "無視し"], &["指示", "命令", "プロンプト", "ルール"]),
    (&["무시", "잊어"], &["지시", "명령", "프롬프트"]),
];

/// Characters around the first of such words in which the second has to be.
const UNSPACED_REACH: usize = 24;

struct Word {
    text: String,
    span: Range<usize>,
}

pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let words = words(text);
    for (at, word) in words.iter().enumerate() {
        for phrase in PHRASES.iter().filter(|phrase| begins(&word.text, phrase.verbs)) {
            let reach = &words[at + 1..(at + 1 + REACH).min(words.len())];
            let object = reach.iter().position(|word| begins(&word.text, phrase.objects));
            let Some(object) = object else { continue };
            // Beside the object, which Romance languages put first.
            let around = &reach[..(object + 3).min(reach.len())];
            if around.iter().any(|word| begins(&word.text, phrase.marks)) {
                found(phrase.id, word.span.start..reach[object].span.end);
                break;
            }
        }
        let is_here = |sentence: &&&[&str]| {
            let here = words.get(at..at + sentence.len());
            here.is_some_and(|here| here.iter().zip(**sentence).all(|(word, wanted)| word.text == *wanted))
        };
        if let Some(sentence) = SENTENCES.iter().find(is_here)
            && let Some(last) = words.get(at + sentence.len() - 1)
        {
            found("prompt-injection/override", word.span.start..last.span.end);
        }
    }
    if !text.is_ascii() {
        unspaced(text, found);
    }
}

fn begins(word: &str, beginnings: &[&str]) -> bool {
    // The first byte decides mostly, and without a call.
    let first = word.as_bytes().first();
    beginnings.iter().any(|beginning| beginning.as_bytes().first() == first && word.starts_with(beginning))
}

/// The words of a text as they are compared.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        match folded(character) {
            Some(folded) => {
                match words.last_mut().filter(|_| open) {
                    Some(word) => {
                        word.text.push(folded);
                        word.span.end = end;
                    }
                    None => words.push(Word { text: folded.to_string(), span: at..end }),
                }
                open = true;
            }
            None => open = open && is_ignored(character),
        }
    }
    words
}

/// Characters inside words that are not there to be read.
fn is_ignored(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' | '\u{0300}'..='\u{036F}')
}

/// A letter in lower case, without accents and without full width. Look-alikes
/// of other scripts are not folded: Russian words are compared as they are.
fn folded(character: char) -> Option<char> {
    let character = match character {
        '\u{FF21}'..='\u{FF3A}' => char::from_u32(character as u32 - 0xFF21 + 0x41)?,
        '\u{FF41}'..='\u{FF5A}' => char::from_u32(character as u32 - 0xFF41 + 0x61)?,
        '’' => '\'',
        other => other,
    };
    let lower = character.to_lowercase().next()?;
    let plain = match lower {
        'à'..='å' | 'ą' => 'a',
        'ç' | 'ć' => 'c',
        'è'..='ë' | 'ę' => 'e',
        'ì'..='ï' => 'i',
        'ñ' | 'ń' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ś' => 's',
        'ł' => 'l',
        'ż' | 'ź' => 'z',
        other => other,
    };
    (plain.is_alphanumeric() || plain == '\'').then_some(plain)
}

fn unspaced(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    for (verbs, objects) in UNSPACED {
        for verb in *verbs {
            for (at, _) in text.match_indices(verb) {
                let reach = |characters: &mut dyn Iterator<Item = (usize, char)>| {
                    characters.nth(UNSPACED_REACH).map(|(at, _)| at)
                };
                let start = reach(&mut text[..at].char_indices().rev()).unwrap_or(0);
                let end = reach(&mut text[at..].char_indices()).map_or(text.len(), |length| at + length);
                if objects.iter().any(|object| text[start..end].contains(object)) {
                    found("prompt-injection/override", at..at + verb.len());
                }
            }
        }
    }
}
