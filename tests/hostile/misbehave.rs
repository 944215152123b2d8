//! What a guest can do wrong without a line of unsafe code. Both hostile guests
//! include this file.

use std::hint::black_box;

use vak_sdk::log::{self, Level};

/// More text than any host takes from a guest in one piece.
pub(crate) fn too_long() -> String {
    "x".repeat(4 << 20)
}

/// Does what `how` names. Comes back only from names it does not know, and
/// then the test that asked sees no failure.
pub(crate) fn misbehave(how: &str) {
    match how {
        "spin" => spin(),
        "call-host" => call_host(),
        "log-too-long" => log::write(Level::Debug, &too_long()),
        "hoard" => hoard(),
        "recurse" => {
            black_box(recurse(0));
        }
        "recurse-in-frames" => {
            black_box(recurse_in_frames(0));
        }
        "panic" => panic!("nobody will read this"),
        _ => {}
    }
}

fn spin() {
    loop {
        black_box(());
    }
}

fn call_host() {
    loop {
        log::write(Level::Debug, "still here");
    }
}

/// Touches every page of what it takes and little more, so that it is the
/// memory that runs out and not the fuel.
fn hoard() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut chunk = Vec::with_capacity(1 << 20);
        for byte in chunk.spare_capacity_mut().iter_mut().step_by(4_096) {
            byte.write(1);
        }
        hoard.push(black_box(chunk));
    }
}

/// Keeps its frames on the engine's stack, where the engine sees them.
fn recurse(depth: u64) -> u64 {
    match depth {
        u64::MAX => 0,
        _ => recurse(depth + 1).wrapping_mul(3) ^ depth,
    }
}

/// Keeps its frames on the stack in its own memory: running off its end is an
/// access out of bounds.
fn recurse_in_frames(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    match depth {
        u64::MAX => 0,
        _ => recurse_in_frames(depth + 1).wrapping_mul(3) ^ frame[black_box(7)],
    }
}
