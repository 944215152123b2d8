//! The allocator of policies.
//!
//! A call runs in an instance of its own and is thrown away with it, so freeing
//! memory in a call is work for nothing, and a heap's bookkeeping is pages that
//! the host has to reset. While a policy is configured it allocates as usual.
//! After that its memory is left as it is, and each call takes what it needs
//! from the front of a small arena, going on in the heap only if that is full.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};

/// Enough for the action and the finding of a usual call: arguments of some
/// kilobytes and what is read from them. With the counters two pages.
const ARENA_BYTES: usize = 8 * 1024 - COUNTER_BYTES;

/// The counters in front of the arena, with what aligns it.
const COUNTER_BYTES: usize = 16;

/// Allocates from the heap until it is sealed, then from the arena.
// On pages of its own, the counters first: a small call writes to one page.
#[repr(C, align(4096))]
pub struct CallAllocator {
    used: Cell<usize>,
    sealed: Cell<bool>,
    arena: UnsafeCell<Arena>,
}

#[repr(align(16))]
struct Arena(#[expect(dead_code, reason = "reached by pointer only")] [u8; ARENA_BYTES]);

// SAFETY: a component has one thread.
#[expect(unsafe_code, reason = "see SAFETY")]
unsafe impl Sync for CallAllocator {}

impl CallAllocator {
    /// An allocator; `sealed` when there is nothing to configure.
    pub const fn new(sealed: bool) -> Self {
        Self { arena: UnsafeCell::new(Arena([0; ARENA_BYTES])), used: Cell::new(0), sealed: Cell::new(sealed) }
    }

    /// From here on what was allocated stays.
    pub fn seal(&self) {
        self.sealed.set(true);
    }

    /// The next free bytes of the arena, if they suffice.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        // An alignment is a power of two; `next_multiple_of` would divide.
        let mask = layout.align() - 1;
        let start = (self.used.get() + mask) & !mask;
        let end = start.checked_add(layout.size()).filter(|end| *end <= ARENA_BYTES)?;
        self.used.set(end);
        // Aligned, because the arena is as strictly as anything in it.
        (layout.align() <= align_of::<Arena>()).then(|| self.start().wrapping_add(start))
    }

    fn start(&self) -> *mut u8 {
        self.arena.get().cast()
    }

    /// The same bytes of the arena with another length: fewer, or more where
    /// nothing else was taken since.
    fn resize(&self, pointer: *mut u8, bytes: usize, wanted: usize) -> Option<*mut u8> {
        let start = pointer.addr().checked_sub(self.start().addr()).filter(|start| *start < ARENA_BYTES)?;
        if wanted > bytes {
            let is_last = start + bytes == self.used.get();
            let end = start.checked_add(wanted).filter(|end| is_last && *end <= ARENA_BYTES)?;
            self.used.set(end);
        }
        Some(pointer)
    }
}

// SAFETY: bytes of the arena are given out once and never taken back; the heap
// gets back only what came from it.
#[expect(unsafe_code, reason = "an allocator cannot be written without; see SAFETY")]
unsafe impl GlobalAlloc for CallAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let from_arena = self.sealed.get().then(|| self.take(layout)).flatten();
        // SAFETY: the caller's promise about `layout` is passed on.
        from_arena.unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !self.sealed.get() {
            // SAFETY: before the seal everything comes from the heap.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, wanted: usize) -> *mut u8 {
        if !self.sealed.get() {
            // SAFETY: before the seal everything comes from the heap.
            return unsafe { System.realloc(pointer, layout, wanted) };
        }
        if let Some(resized) = self.resize(pointer, layout.size(), wanted) {
            return resized;
        }
        // SAFETY: the caller promises that `wanted` does not overflow when it is
        // rounded up to the alignment, and both areas have the bytes copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(wanted, layout.align()));
            if !moved.is_null() {
                pointer.copy_to_nonoverlapping(moved, layout.size().min(wanted));
            }
            moved
        }
    }
}
