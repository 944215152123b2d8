//! Numbers that are the same in every call.

use vak_engine::{CallState, Stopped};
use wasmtime::component::LinkerInstance;
use wasmtime::{Error, Result};

use super::behaviour::wrap;

/// Most bytes at a time. Nobody needs more, and they are made in the host,
/// where fuel does not count.
const BYTES_MAX: u64 = 64 << 10;

/// SplitMix64 (Steele, Lea and Flood, 2014), always from the same start:
/// enough for hash tables, and nothing that a secret may be made from.
#[derive(Default)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Links a function of `wasi:random`, if it is one of those.
pub(super) fn link(to: &mut LinkerInstance<'_, CallState>, name: &str) -> Result<bool> {
    match name {
        "get-random-u64" | "get-insecure-random-u64" => wrap(to, name, |state, ()| Ok((numbers(state).next(),)))?,
        "get-random-bytes" | "get-insecure-random-bytes" => wrap(to, name, |state, (length,): (u64,)| {
            if length > BYTES_MAX {
                let message = format!("asked for {length} random bytes at once; the most is {BYTES_MAX}");
                return Err(Error::new(Stopped(message)));
            }
            let numbers = numbers(state);
            let words = length.div_ceil(8);
            let mut bytes: Vec<u8> = (0..words).flat_map(|_| numbers.next().to_le_bytes()).collect();
            bytes.truncate(length as usize);
            Ok((bytes,))
        })?,
        "insecure-seed" | "get-insecure-seed" => wrap(to, name, |state, ()| {
            let numbers = numbers(state);
            Ok(((numbers.next(), numbers.next()),))
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn numbers(state: &mut CallState) -> &mut Numbers {
    state.extension_mut()
}
