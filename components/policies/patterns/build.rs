//! A larger stack than other guests have: the SQL parser's frames are large,
//! and what it nests has to end at its own limit, not in a trap.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "wasm32") {
        println!("cargo::rustc-link-arg=-zstack-size=262144");
    }
}
