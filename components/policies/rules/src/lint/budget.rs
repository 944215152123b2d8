//! How much is compared.

/// Comparisons over a whole configuration, some tenths of a second. Fifty thousand
/// rules that an index tells apart take less; of those that it can't each would
/// be compared with each.
const COMPARISONS_MAX: usize = 2_000_000;

/// What is left of them.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Self(COMPARISONS_MAX)
    }

    /// Takes so many, if they are left; else nothing is left.
    pub(super) fn takes(&mut self, comparisons: usize) -> bool {
        let left = self.0.checked_sub(comparisons);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }
}
