//! Names that a reader could take for each other.
//!
//! Names are ASCII by type, which leaves less than Unicode's table of
//! confusable characters (UTS #39) has. What is folded here is what that table
//! has for ASCII, digits that stand for letters, and all of case and
//! separators, as in the registries of other languages. `cl` is not folded to
//! `d`: `clash` and `dash` are two words.

use vak_types::Name;

/// Whether `one` could be taken for `other`. No name is taken for itself.
pub fn reads_like(one: &Name, other: &Name) -> bool {
    one != other && skeleton(one) == skeleton(other)
}

/// What is left of a name when all that is easily overlooked is taken away.
/// Letter by letter, so that neighbours change nothing.
fn skeleton(name: &Name) -> String {
    let mut skeleton = String::with_capacity(2 * name.as_str().len());
    for letter in name.as_str().chars() {
        match letter.to_ascii_lowercase() {
            '-' | '_' | '.' => {}
            '0' => skeleton.push('o'),
            '1' | 'i' => skeleton.push('l'),
            '2' => skeleton.push('z'),
            '5' => skeleton.push('s'),
            '8' => skeleton.push('b'),
            'm' => skeleton.push_str("rn"),
            'w' => skeleton.push_str("vv"),
            letter => skeleton.push(letter),
        }
    }
    skeleton
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn what_reads_alike_is_found() {
        let alike = [
            ("rules", "ru1es"),
            ("rules", "Rules"),
            ("rules", "ruIes"),
            ("my-tool", "my_tool"),
            ("my-tool", "mytool"),
            ("my-tool", "my.t00l"),
            ("modern", "modem"),
            ("modern", "rnodern"),
            ("web-view", "vveb-vlevv"),
            ("s3-sync", "53_5ync"),
        ];
        for (one, other) in alike {
            assert!(reads_like(&name(one), &name(other)), "{one} {other}");
        }
        let different =
            [("rules", "rules"), ("rules", "rule"), ("clash", "dash"), ("s3", "s4"), ("tool-10", "tool-11")];
        for (one, other) in different {
            assert!(!reads_like(&name(one), &name(other)), "{one} {other}");
        }
    }

    /// Letters of which none is read as another, alone or in pairs.
    const DISTINCT: &str = "[abcdefghjklmopqstuwxyz34679]{1,20}";

    /// Other ways to write a letter.
    const SPELLINGS: &[(&str, &[&str])] = &[
        ("o", &["0", "O"]),
        ("l", &["1", "I", "i", "L"]),
        ("s", &["5", "S"]),
        ("b", &["8", "B"]),
        ("z", &["2", "Z"]),
        ("m", &["rn", "M", "RN"]),
        ("w", &["vv", "W", "vV"]),
        ("-", &["_", ".", ""]),
    ];

    proptest! {
        #[test]
        fn a_name_is_not_taken_for_itself(text in "[a-zA-Z0-9._-]{1,64}") {
            prop_assert!(!reads_like(&name(&text), &name(&text)));
        }

        #[test]
        fn it_is_symmetric(one in "[rnmvw1lio0O_-]{1,6}", other in "[rnmvw1lio0O_-]{1,6}") {
            prop_assert_eq!(reads_like(&name(&one), &name(&other)), reads_like(&name(&other), &name(&one)));
        }

        #[test]
        fn it_is_transitive(names in proptest::array::uniform3("[rnm1l_]{1,4}")) {
            let [one, two, three] = names.map(|text| name(&text));
            if reads_like(&one, &two) && reads_like(&two, &three) {
                prop_assert!(one == three || reads_like(&one, &three));
            }
        }

        #[test]
        fn distinct_letters_make_distinct_names(one in DISTINCT, other in DISTINCT) {
            prop_assert!(!reads_like(&name(&one), &name(&other)), "{} {}", one, other);
        }

        #[test]
        fn each_other_spelling_is_found(
            before in "[a-z]{1,10}",
            after in "[a-z]{1,10}",
            letter in proptest::sample::select(SPELLINGS),
            which in any::<proptest::sample::Index>(),
        ) {
            let (letter, spellings) = letter;
            let (one, other) = (format!("{before}{letter}{after}"), format!("{before}{}{after}", which.get(spellings)));
            prop_assert!(reads_like(&name(&one), &name(&other)), "{} {}", one, other);
        }
    }
}
