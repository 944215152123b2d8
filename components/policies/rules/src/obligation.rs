//! Obligations of several rules joined into those of one finding.

use vak_sdk::policy::Obligation;

/// Adds an obligation to others. One that is there already is not added; of two
/// caps on an argument the lower one stays, of two redactions the first.
pub(crate) fn join(joined: &mut Vec<Obligation>, obligation: &Obligation) {
    for other in joined.iter_mut() {
        match (other, obligation) {
            (Obligation::Cap(other), Obligation::Cap(cap)) if other.argument == cap.argument => {
                other.at_most = other.at_most.min(cap.at_most);
                return;
            }
            (Obligation::Redact(other), Obligation::Redact(redaction)) if other.argument == redaction.argument => {
                return;
            }
            (Obligation::Header(other), Obligation::Header(header))
                if other.name == header.name && other.value == header.value =>
            {
                return;
            }
            (Obligation::Approval(other), Obligation::Approval(approval)) if other == approval => return,
            _ => {}
        }
    }
    joined.push(obligation.clone());
}
