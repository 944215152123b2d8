//! Where an operation on the disk can fail. In this crate's tests any of them
//! can be made to; otherwise there is nothing here.

#[cfg(not(test))]
pub(crate) fn point(_: &'static str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use testing::point;

#[cfg(test)]
pub(crate) mod testing {
    use std::cell::RefCell;
    use std::io;

    /// Which operations of this thread fail.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Faults {
        /// The one with this number alone: a disk that was full for a moment.
        Only(usize),
        /// That one and all after it, as if the process had been killed.
        From(usize),
    }

    thread_local! {
        static STATE: RefCell<(Option<Faults>, Vec<&'static str>)> = const { RefCell::new((None, Vec::new())) };
    }

    pub(crate) fn point(operation: &'static str) -> io::Result<()> {
        STATE.with_borrow_mut(|(faults, done)| {
            let number = done.len();
            done.push(operation);
            match faults {
                Some(Faults::Only(failing)) if *failing == number => Err(io::ErrorKind::StorageFull.into()),
                Some(Faults::From(first)) if *first <= number => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            }
        })
    }

    /// Runs `work` with `faults`, and says which operations it came to.
    pub(crate) fn with<T>(faults: Option<Faults>, work: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        STATE.set((faults, Vec::new()));
        let result = work();
        (result, STATE.replace((None, Vec::new())).1)
    }
}
