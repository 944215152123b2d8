//! Tokens that their issuers gave a prefix to be found by.

use std::ops::Range;

/// A published format.
struct Format {
    id: &'static str,
    prefix: &'static str,
    /// The characters after the prefix.
    body: fn(u8) -> bool,
    /// How many of them.
    length: Range<usize>,
    /// What the whole token has to meet beyond that.
    check: fn(&str) -> bool,
}

const fn of(id: &'static str, prefix: &'static str, body: fn(u8) -> bool, length: Range<usize>) -> Format {
    Format { id, prefix, body, length, check: |_| true }
}

const ANY: usize = usize::MAX;

/// GitHub: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>.
const GITHUB: [&str; 5] = ["ghp_", "gho_", "ghu_", "ghr_", "ghs_"];

const fn github(prefix: &'static str) -> Format {
    Format { check: has_checksum, ..of("secrets/github-token", prefix, alphanumeric, 36..37) }
}

static FORMATS: &[Format] = &[
    of("secrets/aws-access-key-id", "AKIA", base32, 16..17),
    of("secrets/aws-access-key-id", "ASIA", base32, 16..17),
    of("secrets/aws-access-key-id", "ABIA", base32, 16..17),
    of("secrets/aws-access-key-id", "ACCA", base32, 16..17),
    github(GITHUB[0]),
    github(GITHUB[1]),
    github(GITHUB[2]),
    github(GITHUB[3]),
    github(GITHUB[4]),
    // Installation tokens of the newer kind hold a JSON Web Token.
    of("secrets/github-token", "ghs_", |byte| url_safe(byte) || byte == b'.', 60..ANY),
    of("secrets/github-fine-grained-token", "github_pat_", word, 82..83),
    of("secrets/gitlab-token", "glpat-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "gldt-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "glrt-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "glptt-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "glcbt-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "gloas-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "glsoat-", url_safe_dot, 20..ANY),
    of("secrets/gitlab-token", "glagent-", url_safe_dot, 20..ANY),
    of("secrets/slack-token", "xoxb-", slack, 20..ANY),
    of("secrets/slack-token", "xoxp-", slack, 20..ANY),
    of("secrets/slack-token", "xoxa-", slack, 20..ANY),
    of("secrets/slack-token", "xoxr-", slack, 20..ANY),
    of("secrets/slack-token", "xoxs-", slack, 20..ANY),
    of("secrets/slack-token", "xoxe.", |byte| slack(byte) || byte == b'.', 20..ANY),
    of("secrets/slack-token", "xoxe-", slack, 20..ANY),
    of("secrets/slack-token", "xapp-", slack, 20..ANY),
    of(
        "secrets/slack-webhook",
        "https://hooks.slack.com/services/",
        |byte| byte == b'/' || alphanumeric(byte),
        40..ANY,
    ),
    of("secrets/stripe-live-key", "sk_live_", alphanumeric, 16..ANY),
    of("secrets/stripe-live-key", "rk_live_", alphanumeric, 16..ANY),
    of("secrets/stripe-live-key", "whsec_", base64, 32..ANY),
    of("secrets/google-api-key", "AIza", url_safe, 35..36),
    of("secrets/google-oauth", "GOCSPX-", url_safe, 28..29),
    of("secrets/google-oauth", "ya29.", url_safe_dot, 20..ANY),
    of("secrets/npm-token", "npm_", alphanumeric, 36..37),
    // The name of the index, as the first field of a macaroon.
    of("secrets/pypi-token", "pypi-AgEIcHlwaS5vcmc", url_safe, 50..ANY),
    of("secrets/pypi-token", "pypi-AgENdGVzdC5weXBpLm9yZ", url_safe, 50..ANY),
    of("secrets/model-api-key", "sk-ant-", url_safe, 32..ANY),
    of("secrets/model-api-key", "sk-proj-", url_safe, 32..ANY),
    of("secrets/model-api-key", "sk-svcacct-", url_safe, 32..ANY),
    of("secrets/model-api-key", "hf_", |byte| byte.is_ascii_alphabetic(), 34..35),
    of("secrets/cloud-token", "SG.", url_safe_dot, 66..67),
    of("secrets/cloud-token", "dop_v1_", |byte| byte.is_ascii_hexdigit(), 64..65),
    of("secrets/cloud-token", "hvs.", url_safe, 24..ANY),
    of("secrets/cloud-token", "shpat_", |byte| byte.is_ascii_hexdigit(), 32..33),
];

/// Calls `found` with the id and place of every token in `text`. Looks at each
/// byte once, and again only behind a prefix.
pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts = at == 0 || !alphanumeric(bytes[at - 1]) && bytes[at - 1] != b'_';
        match starts.then(|| token(text, at)).flatten() {
            Some((id, end)) => {
                found(id, at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// The token that begins at `at`, and its end.
fn token(text: &str, at: usize) -> Option<(&'static str, usize)> {
    // The first letters of all prefixes: most positions end here.
    if !matches!(text.as_bytes()[at], b'A' | b'G' | b'S' | b'd' | b'g'..=b'h' | b'n' | b'p' | b'r'..=b's' | b'w'..=b'y')
    {
        return None;
    }
    let rest = &text.as_bytes()[at..];
    FORMATS.iter().find_map(|format| {
        let body = rest.strip_prefix(format.prefix.as_bytes())?;
        let length = body.iter().take_while(|byte| (format.body)(**byte)).count();
        let end = at + format.prefix.len() + length;
        let ended = text.as_bytes().get(end).is_none_or(|byte| !alphanumeric(*byte) && *byte != b'_');
        let token = text.get(at..end)?;
        (format.length.contains(&length) && ended && (format.check)(token)).then_some((format.id, end))
    })
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)
}

fn word(byte: u8) -> bool {
    alphanumeric(byte) || byte == b'_'
}

fn slack(byte: u8) -> bool {
    alphanumeric(byte) || byte == b'-'
}

fn url_safe(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn url_safe_dot(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

fn base64(byte: u8) -> bool {
    alphanumeric(byte) || matches!(byte, b'+' | b'/' | b'=')
}

/// The last six of a GitHub token are the CRC-32 of the thirty before, in
/// base 62. A text without is no token that GitHub gave out.
fn has_checksum(token: &str) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((_, body)) = token.split_once('_') else { return false };
    let Some((entropy, checksum)) = body.split_at_checked(30) else { return false };
    let mut rest = crc32(entropy.as_bytes());
    let mut expected = [b'0'; 6];
    for digit in expected.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    checksum.as_bytes() == expected
}

/// CRC-32 as in Ethernet and zip (ISO 3309), bit by bit: thirty bytes need no
/// table.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_the_usual_one() {
        // The check value of the CRC catalogue.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn first_letters_are_those_of_the_prefixes() {
        for format in FORMATS {
            let body = "A2".repeat(50);
            let token = format!("{}{}", format.prefix, &body[..format.length.start]);
            if format.id != "secrets/slack-webhook" && format.id != "secrets/github-token" {
                let hex = token.replace('A', "a");
                let letters = token.replace('2', "B");
                let found = [&token, &hex, &letters].into_iter().any(|token| super::token(token, 0).is_some());
                assert!(found, "{}", format.prefix);
            }
        }
    }
}
