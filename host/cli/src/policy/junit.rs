//! Reports that build servers read.

use std::fmt::Write as _;

/// A case that was tried.
pub(super) struct Ran {
    pub(super) name: String,
    /// Why it failed.
    pub(super) failure: Option<String>,
}

/// The report: one suite, one test a case.
pub(super) fn report(ran: &[Ran]) -> String {
    let failures = ran.iter().filter(|ran| ran.failure.is_some()).count();
    let mut report = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"policies\" tests=\"{}\" failures=\"{failures}\">\n",
        ran.len()
    );
    for Ran { name, failure } in ran {
        let name = escaped(name);
        match failure {
            None => writeln!(report, "  <testcase name=\"{name}\"/>"),
            Some(failure) => {
                let failure = escaped(failure);
                writeln!(report, "  <testcase name=\"{name}\"><failure message=\"{failure}\"/></testcase>")
            }
        }
        .unwrap_or_default();
    }
    report + "</testsuite>\n"
}

/// As XML takes it in an attribute; what it takes nowhere is a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_stays_in_it() {
        let failure = Some("found \"deny\" <by> 'rule'\u{1}\n".to_owned());
        let report = report(&[Ran { name: "a&b".to_owned(), failure: None }, Ran { name: "c".to_owned(), failure }]);
        assert_eq!(
            report,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"policies\" tests=\"2\" failures=\"1\">\n  \
             <testcase name=\"a&amp;b\"/>\n  <testcase name=\"c\"><failure message=\"found &quot;deny&quot; \
             &lt;by&gt; 'rule'??\"/></testcase>\n</testsuite>\n"
        );
    }
}
