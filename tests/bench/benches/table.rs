//! The benchmark table: every figure beside the floor that was measured in the
//! same run, because machines are noisy and ratios are not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod decisions;
mod durable;
mod fixture;
mod gateway;
mod machine;
mod policy;
mod print;

fn main() {
    println!("{}\n", machine::describe());
    let mut rows = policy::rows();
    rows.extend(decisions::rows());
    rows.extend(durable::rows());
    rows.extend(gateway::rows());
    print::table(&rows);
}
