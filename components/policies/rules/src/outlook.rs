//! What can never be, whatever an action has beside its names.

use vak_sdk::policy::{Effect, Prospect};

use crate::config::Rule;
use crate::lookup::Names;
use crate::rules::Rules;

impl Rules {
    /// What the rules could say of actions with these names. Conditions and roles
    /// are taken to hold for a permit and not to hold for a forbid.
    pub(crate) fn outlook(&self, names: &Names<'_>) -> Prospect {
        let (mut permits, mut forbids) = (false, false);
        self.lookup.candidates(names, &mut |place| {
            let rule = self.rule(place);
            if rule.names(names) {
                match rule.effect {
                    Effect::Forbid => forbids |= rule.is_unconditional(),
                    _ => permits = true,
                }
            }
        });
        match (forbids, permits) {
            (true, _) => Prospect::AlwaysForbids,
            (false, false) => Prospect::NeverPermits,
            (false, true) => Prospect::Open,
        }
    }
}

impl Rule {
    /// Whether it applies to every action with its names.
    fn is_unconditional(&self) -> bool {
        self.when.is_empty() && self.roles().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use vak_sdk::policy::Configure as _;

    use super::*;

    const TEXT: &str = r#"
        [[rule]]
        id = "read"
        effect = "permit"
        operations = ["files/read_*"]
        when = [{ argument = "/path", within = "/work" }]

        [[rule]]
        id = "ask"
        effect = "escalate"
        operations = ["files/write"]
        roles = ["editor"]

        [[rule]]
        id = "never"
        effect = "forbid"
        agents = ["eve"]
        operations = ["files/read_all"]

        [[rule]]
        id = "seldom"
        effect = "forbid"
        operations = ["files/read_some"]
        when = [{ label = "untrusted-*" }]
    "#;

    #[test]
    fn only_what_can_never_be_is_ruled_out() {
        let rules = Rules::configure(TEXT).unwrap_or_else(|error| panic!("{}", error.message));
        let cases = [
            ("ada", "files/read_all", Prospect::Open),
            ("eve", "files/read_all", Prospect::AlwaysForbids),
            ("eve", "files/read_some", Prospect::Open),
            ("ada", "files/write", Prospect::Open),
            ("ada", "files/delete", Prospect::NeverPermits),
            ("ada", "files/", Prospect::NeverPermits),
            ("ada", "", Prospect::NeverPermits),
        ];
        for (agent, operation, expected) in cases {
            let found = rules.outlook(&Names { operation, resource: "r", agent });
            assert_eq!(found, expected, "{agent} {operation}");
        }
    }
}
