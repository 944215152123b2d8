//! What every kind of storage has to do alike: the cases are written once, and
//! [`conformance`] makes tests of them all for one kind.

pub(crate) mod everything;
pub(crate) mod following;
pub(crate) mod reading;
pub(crate) mod writing;

/// A module `$kind` with a test for each case, each of which gets a new place of
/// that kind. A case that is not in this list is one that nobody calls, which
/// the compiler says.
macro_rules! conformance {
    ($kind:ident: $place:expr) => {
        mod $kind {
            use super::*;

            $crate::suite::tests_of! { $place =>
                everything::a_log_with_everything_in_it_verifies_by_either_key
                everything::its_tiles_have_and_prove_the_same_entries
                following::a_follower_sees_everything_once_and_goes_on_where_it_stopped
                following::a_follower_waits_for_what_comes
                reading::a_reader_gets_what_it_asks_for
                reading::a_part_of_a_log_verifies_and_only_that_is_read
                writing::what_is_appended_is_read_back_and_verifies
                writing::the_same_log_is_the_same_everywhere
                writing::a_receipt_names_the_leaf
                writing::the_longest_payloads_have_a_place
                writing::an_erased_payload_is_gone
            }
        }
    };
}

macro_rules! tests_of {
    ($place:expr => $($part:ident::$case:ident)+) => {
        $(
            #[test]
            fn $case() {
                $crate::suite::$part::$case(&$place);
            }
        )+
    };
}

pub(crate) use {conformance, tests_of};
