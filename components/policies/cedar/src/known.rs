//! The actions that the schema knows, and what their contexts declare.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{EntityTypeName, EntityUid, Schema};
use cedar_policy_core::validator::types::Type;

/// Actions by the operation that they are for.
pub(crate) struct Known(HashMap<String, Declared>);

/// An action of the schema.
pub(crate) struct Declared {
    pub(crate) uid: EntityUid,
    /// Whether principal and resource are of types that it applies to.
    pub(crate) applies: bool,
    pub(crate) context: Members,
}

/// Which facts of an action a context takes. What it does not declare no policy
/// can look at, so it is left out.
#[derive(Default)]
pub(crate) struct Members {
    pub(crate) arguments: bool,
    pub(crate) attributes: Option<BTreeSet<String>>,
    pub(crate) labels: bool,
    pub(crate) session: bool,
    pub(crate) time: Option<Time>,
}

/// What the time is for Cedar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// `Long`: milliseconds since the Unix epoch.
    Milliseconds,
    /// `datetime`.
    Datetime,
}

impl Known {
    pub(crate) fn of(
        schema: &Schema,
        principal: &EntityTypeName,
        action: &EntityTypeName,
        resource: &EntityTypeName,
    ) -> Self {
        let applicable: BTreeSet<_> = schema.actions_for_principal_and_resource(principal, resource).collect();
        let declared = schema.actions().filter(|uid| uid.type_name() == action).map(|uid| {
            let context = schema.as_ref().context_type(uid.as_ref());
            let applies = applicable.contains(uid);
            let declared =
                Declared { uid: uid.clone(), applies, context: context.map(Members::of).unwrap_or_default() };
            (uid.id().unescaped().to_owned(), declared)
        });
        Self(declared.collect())
    }

    /// Whether there is nothing that could be asked for.
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.values().any(|declared| declared.applies)
    }

    pub(crate) fn find(&self, operation: &str) -> Option<&Declared> {
        self.0.get(operation)
    }
}

impl Members {
    fn of(context: &Type) -> Self {
        let Type::Record { attrs, .. } = context else { return Self::default() };
        let member = |name: &str| attrs.get_attr(name).map(|attribute| attribute.attr_type.as_ref());
        Self {
            arguments: member("arguments").is_some(),
            attributes: member("attributes").map(|attributes| match attributes {
                Type::Record { attrs, .. } => attrs.keys().map(ToString::to_string).collect(),
                _ => BTreeSet::new(),
            }),
            labels: member("labels").is_some(),
            session: member("session").is_some(),
            time: member("time").map(|time| match time {
                Type::Long => Time::Milliseconds,
                _ => Time::Datetime,
            }),
        }
    }
}
