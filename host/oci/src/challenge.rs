//! How a registry asks for credentials (RFC 9110, 11.6.1), and the token that it
//! sends for them to somebody else.

use http_auth::ChallengeParser;
use serde::Deserialize;
use url::{Host, Url};
use vak_types::printable;

use crate::error::OciError;
use crate::location::is_loopback;

/// Longest header with challenges, in bytes.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// Longest token, in bytes: servers refuse headers that are longer.
const TOKEN_BYTES_MAX: usize = 32 << 10;

/// What a registry wants before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// A name and a password.
    Basic,
    /// A token that somebody issues.
    Bearer {
        /// Who issues it.
        realm: Url,
        /// For whom it is.
        service: Option<String>,
    },
}

impl Challenge {
    /// The first challenge in a header that can be answered; one for a token comes
    /// before one for a password. `registry` is who asks.
    ///
    /// # Errors
    /// There is none, or the issuer's address is not usable.
    pub fn parse(header: &str, registry: &Url) -> Result<Self, OciError> {
        let unusable = |why: &str| OciError::Challenge(format!("{why}: `{}`", printable(header, 200)));
        if header.len() > HEADER_BYTES_MAX {
            return Err(unusable("it is too long"));
        }
        let mut basic = false;
        for challenge in ChallengeParser::new(header) {
            let challenge = challenge.map_err(|_| unusable("it is malformed"))?;
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let parameter = |name: &str| {
                    let value = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    value.map(|(_, value)| value.to_unescaped())
                };
                let realm = parameter("realm").ok_or_else(|| unusable("it names no issuer of tokens"))?;
                let realm = issuer(&realm, registry).map_err(|why| unusable(&why))?;
                return Ok(Self::Bearer { realm, service: parameter("service") });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
        match basic {
            true => Ok(Self::Basic),
            false => Err(unusable("there is neither `Basic` nor `Bearer`")),
        }
    }
}

/// Whoever gets a password must be asked in secret.
fn issuer(realm: &str, registry: &Url) -> Result<Url, String> {
    let realm = Url::parse(realm).map_err(|error| format!("the issuer's address is none, {error}"))?;
    let local = registry.scheme() == "http" && realm.scheme() == "http" && is_loopback(&realm);
    match realm.scheme() == "https" || local {
        true if realm.username().is_empty() && realm.password().is_none() => Ok(realm),
        true => Err("the issuer's address has credentials".to_owned()),
        false => Err("the issuer is not asked over `https`".to_owned()),
    }
}

/// Whether a password for `registry` may be given to `issuer`: to the same host,
/// or to one that shares its last two labels, as `registry.example.com` and
/// `auth.example.com` do.
pub(crate) fn is_of(issuer: &Url, registry: &Url) -> bool {
    match (issuer.host(), registry.host()) {
        (Some(Host::Domain(issuer)), Some(Host::Domain(registry))) => {
            let site = |host: &str| host.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
            issuer == registry || (site(issuer).len() == 2 && site(issuer) == site(registry))
        }
        (issuer, registry) => issuer.is_some() && issuer == registry,
    }
}

/// The token in an issuer's answer, fit for a header.
///
/// # Errors
/// There is none.
pub fn token(answer: &[u8]) -> Result<String, OciError> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let unusable = |why: String| OciError::Challenge(format!("the issuer's answer has no usable token, {why}"));
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|error| unusable(printable(&error.to_string(), 200)))?;
    let token = answer.token.or(answer.access_token).ok_or_else(|| unusable("it is missing".to_owned()))?;
    match token.len() {
        1..=TOKEN_BYTES_MAX if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token),
        1..=TOKEN_BYTES_MAX => Err(unusable("it has characters that no token has".to_owned())),
        bytes => Err(unusable(format!("it has {bytes} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Url {
        Url::parse("https://registry.example.com/").unwrap()
    }

    #[test]
    fn answers_what_can_be_answered() {
        let bearer = |realm: &str, service: Option<&str>| Challenge::Bearer {
            realm: Url::parse(realm).unwrap(),
            service: service.map(str::to_owned),
        };
        let cases = [
            ("Basic realm=\"x\"", Challenge::Basic),
            ("Bearer realm=\"https://a.example/t\",service=\"s\"", bearer("https://a.example/t", Some("s"))),
            ("bearer Realm=\"https://a.example/t?x=1\"", bearer("https://a.example/t?x=1", None)),
            ("Basic realm=\"x\", Bearer realm=\"https://a.example/t\"", bearer("https://a.example/t", None)),
            ("Negotiate, Basic realm=\"x\"", Challenge::Basic),
        ];
        for (header, challenge) in cases {
            assert_eq!(Challenge::parse(header, &registry()).unwrap(), challenge);
        }
    }

    #[test]
    fn refuses_nonsense_and_whoever_listens() {
        let long = "Basic ".repeat(10_000);
        let cases = [
            ("", "neither"),
            ("Digest realm=\"x\"", "neither"),
            ("Bearer", "no issuer"),
            ("Bearer realm=\"", "malformed"),
            ("Bearer realm=\"nowhere\"", "none"),
            ("Bearer realm=\"http://auth.example.com/\"", "not asked over"),
            ("Bearer realm=\"http://127.0.0.1/\"", "not asked over"),
            ("Bearer realm=\"file:///etc/passwd\"", "not asked over"),
            ("Bearer realm=\"https://u:p@auth.example.com/\"", "credentials"),
            ("=,=,\u{202e}", "malformed"),
            (&long, "too long"),
        ];
        for (header, why) in cases {
            let error = Challenge::parse(header, &registry()).unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 400, "{error}");
        }
    }

    #[test]
    fn passwords_stay_with_whom_they_are_for() {
        let url = |host: &str| Url::parse(&format!("https://{host}/")).unwrap();
        for (issuer, registry, may) in [
            ("auth.example.com", "registry.example.com", true),
            ("example.com", "registry.example.com", true),
            ("localhost", "localhost", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "9.0.0.1", false),
            ("evil.com", "registry.example.com", false),
            ("com", "registry.example.com", false),
            ("example.com.evil.org", "registry.example.com", false),
        ] {
            assert_eq!(is_of(&url(issuer), &url(registry)), may, "{issuer} {registry}");
        }
    }

    #[test]
    fn a_token_fits_a_header() {
        assert_eq!(token(br#"{"token": "a.b-c", "expires_in": 60}"#).unwrap(), "a.b-c");
        assert_eq!(token(br#"{"access_token": "a"}"#).unwrap(), "a");
        for bad in
            ["", "{}", "[]", r#"{"token": ""}"#, r#"{"token": "a\nb"}"#, r#"{"token": "a b"}"#, r#"{"token": 1}"#]
        {
            assert!(token(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(token(format!(r#"{{"token": "{}"}}"#, "a".repeat(TOKEN_BYTES_MAX + 1)).as_bytes()).is_err());
    }
}
