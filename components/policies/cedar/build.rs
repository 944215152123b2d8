//! A larger stack than other guests have: Cedar's validator and evaluator walk
//! policies recursively, with large frames, and what nests has to end at the
//! limits in `src/complexity.rs`, not in a trap.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "wasm32") {
        println!("cargo::rustc-link-arg=-zstack-size=1048576");
    }
}
