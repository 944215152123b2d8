//! What is known of a package, for people and for programs.

use serde::Serialize;
use vak_trust::{Package, Signature, Standing, TrustPolicy, Unsigned};
use vak_types::{LimitSettings, Timestamp};

use crate::words::quoted;

/// Who signed a package and whether that suffices.
#[derive(Serialize)]
pub(super) struct Trust {
    pub(super) signatures: Vec<Signed>,
    pub(super) verifies: bool,
    /// Why it does not verify, and what it would take.
    pub(super) problem: Option<String>,
}

/// One signature.
#[derive(Serialize)]
pub(super) struct Signed {
    /// Its owner in the trust settings.
    pub(super) name: Option<String>,
    /// The id of the key that made it or, if that is not known, what it says.
    pub(super) key: String,
    pub(super) roles: Vec<String>,
    pub(super) signed_at: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) counts: bool,
    /// Why it does not count.
    pub(super) problem: Option<String>,
}

impl Trust {
    pub(super) fn of(package: &Package, trust: &TrustPolicy, now: Timestamp) -> Self {
        // A signature file that can't be read is what `verify` says below.
        let signatures = trust.signatures(package, now).unwrap_or_default();
        let verified = trust.verify(package.clone(), Unsigned::Refuse, now);
        Self {
            signatures: signatures.iter().map(Signed::of).collect(),
            verifies: verified.is_ok(),
            problem: verified.err().map(|error| quoted(&error.to_string())),
        }
    }

    /// Whose signatures there are, in a few words.
    pub(super) fn signers(&self) -> Vec<String> {
        match self.signatures.is_empty() {
            true => vec!["nobody".to_owned()],
            false => self.signatures.iter().map(Signed::who).collect(),
        }
    }
}

impl Signed {
    fn of(signature: &Signature<'_>) -> Self {
        match signature {
            Signature::Known { key, validity, standing } => {
                let problem = match standing {
                    Standing::Counts => None,
                    Standing::Dismissed(why) => Some(quoted(why)),
                };
                Self {
                    name: Some(key.name.to_string()),
                    key: key.public.id().to_string(),
                    roles: key.roles.iter().map(ToString::to_string).collect(),
                    signed_at: validity.map(|validity| validity.signed_at().to_string()),
                    expires_at: validity.and_then(|validity| validity.expires_at()).map(|time| time.to_string()),
                    counts: problem.is_none(),
                    problem,
                }
            }
            Signature::Unknown(hint) => Self {
                name: None,
                key: quoted(hint),
                roles: Vec::new(),
                signed_at: None,
                expires_at: None,
                counts: false,
                problem: Some("no trusted key made it; what it says of itself proves nothing".to_owned()),
            },
        }
    }

    /// For people: whose it is, what they are, when they signed, what of it.
    pub(super) fn lines(&self) -> Vec<String> {
        let roles = (!self.roles.is_empty()).then(|| format!("  believed as {}", self.roles.join(", ")));
        let times = self.signed_at.as_ref().map(|signed_at| match &self.expires_at {
            Some(expires_at) => format!("  from {signed_at} to {expires_at}"),
            None => format!("  from {signed_at} on"),
        });
        let counts = match &self.problem {
            None => "  counts".to_owned(),
            Some(problem) => format!("  DOES NOT COUNT: {problem}"),
        };
        std::iter::once(self.who()).chain(roles).chain(times).chain([counts]).collect()
    }

    fn who(&self) -> String {
        match &self.name {
            Some(name) => format!("`{name}` ({})", self.key),
            None => format!("somebody unknown, who names the key {}", self.key),
        }
    }
}

/// What is asked for in place of what every component of the kind gets.
pub(super) fn limits(limits: &LimitSettings) -> [(&'static str, Option<u64>); 6] {
    let LimitSettings { memory_bytes_max, table_elements_max, fuel_max, wall_ms_max, output_bytes_max, host_calls_max } =
        *limits;
    [
        ("memory_bytes_max", memory_bytes_max),
        ("table_elements_max", table_elements_max),
        ("fuel_max", fuel_max),
        ("wall_ms_max", wall_ms_max),
        ("output_bytes_max", output_bytes_max),
        ("host_calls_max", host_calls_max),
    ]
}
