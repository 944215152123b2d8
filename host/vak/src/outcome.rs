//! How an action ended.

use std::time::Duration;

use vak_audit::{Contents, Status};
use vak_types::printable;

/// Longest detail that is kept, in bytes.
const DETAIL_BYTES_MAX: usize = 1_024;

/// How an allowed action ended, as whoever carried it out reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub(crate) status: Status,
    pub(crate) result: Option<Contents>,
    pub(crate) detail: String,
    pub(crate) duration: Duration,
    pub(crate) spent: Vec<(String, u64)>,
    /// Nothing can have been done, whatever the status says.
    pub(crate) withdrawn: bool,
}

impl Outcome {
    /// It was carried out and gave `result`, of which the log keeps the digest.
    pub fn succeeded(result: &[u8]) -> Self {
        Self::new(Status::Succeeded, Some(result), "")
    }

    /// It was not carried out, or ended in the error `detail`.
    pub fn failed(detail: &str) -> Self {
        Self::new(Status::Failed, None, detail)
    }

    /// Nobody knows: `detail` says why.
    pub fn unknown(detail: &str) -> Self {
        Self::new(Status::Unknown, None, detail)
    }

    /// The verdict never left the host, so nothing was done on it. The log says
    /// that nobody knows, and `detail` why; what was held comes back as if it had
    /// failed. Only for who can be sure: one byte of the answer may be enough.
    pub fn withdrawn(detail: &str) -> Self {
        Self { withdrawn: true, ..Self::unknown(detail) }
    }

    /// The same, with how long it took.
    #[must_use]
    pub fn took(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    /// The same, with what it really cost, for budgets whose `cost` is
    /// `attribute`. More than was reserved is booked too, and may leave a debt.
    #[must_use]
    pub fn spent(mut self, attribute: impl Into<String>, amount: u64) -> Self {
        self.spent.push((attribute.into(), amount));
        self
    }

    fn new(status: Status, result: Option<&[u8]>, detail: &str) -> Self {
        let detail = printable(detail, DETAIL_BYTES_MAX);
        Self {
            status,
            result: result.map(Contents::of),
            detail,
            duration: Duration::ZERO,
            spent: Vec::new(),
            withdrawn: false,
        }
    }
}
