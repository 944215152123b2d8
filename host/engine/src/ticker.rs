//! The clock that stops calls.

use std::time::Duration;

use wasmtime::EngineWeak;

use crate::limits::TICK_MS;

/// Advances the epoch of `engine` until the engine is gone. A thread of its
/// own, because a guest that spins on an executor's thread can starve that
/// executor's timers, and with them the deadline that should stop it.
pub(crate) fn start(engine: EngineWeak) -> std::io::Result<()> {
    let tick = Duration::from_millis(TICK_MS);
    let thread = std::thread::Builder::new().name("vak-epoch".to_owned());
    thread.spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(tick);
        }
    })?;
    Ok(())
}
