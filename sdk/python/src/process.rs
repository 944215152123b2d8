//! What belongs to the process that made it.

use crate::errors::Error;

/// Something with threads, locks or connections behind it. After a fork the child
/// has a copy without the threads, and whichever locks they held stay locked: so
/// it is neither used there nor dropped.
#[derive(Debug)]
pub(crate) struct ThisProcess<T> {
    pid: u32,
    value: Option<T>,
}

impl<T> ThisProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { pid: std::process::id(), value: Some(value) }
    }

    /// It, if this is still the same process.
    pub(crate) fn get(&self) -> Result<&T, Error> {
        match &self.value {
            Some(value) if self.pid == std::process::id() => Ok(value),
            _ => Err(Error::Forked { pid: self.pid }),
        }
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self) -> Result<&mut T, Error> {
        match &mut self.value {
            Some(value) if self.pid == std::process::id() => Ok(value),
            _ => Err(Error::Forked { pid: self.pid }),
        }
    }

    /// The same, for good.
    pub(crate) fn into_inner(mut self) -> Result<T, Error> {
        self.get()?;
        self.value.take().ok_or(Error::Forked { pid: self.pid })
    }
}

impl<T> Drop for ThisProcess<T> {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            std::mem::forget(self.value.take());
        }
    }
}
