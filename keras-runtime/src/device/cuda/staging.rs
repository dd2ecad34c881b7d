//! Uploads of batches: from memory of the host that the device reads by itself, so that nobody waits. A slot of
//! it is used again when what was sent from it has arrived; in the meantime others are.

use crate::error::Result;

/// Memory of the host that a device reads by itself, and how far it has come.
pub trait Staging {
    /// A place in the order of what has been asked for.
    type Event: Send;

    /// Memory for so many numbers, with numbers in it; `None` where there is none.
    fn pinned(&self, len: usize) -> Option<u64>;
    /// Gives it back.
    ///
    /// # Safety
    /// It is from `pinned`, and what was sent from it has arrived.
    unsafe fn free_pinned(&self, address: u64);
    /// Copies numbers to the device some time later, in the order of what is asked for.
    ///
    /// # Safety
    /// They are in such memory and stay as they are until then, and there is memory for them.
    unsafe fn send(&self, from: u64, to: u64, len: usize) -> Result<()>;
    /// Marks the place after what has been asked for, by a new event or one that is used again.
    fn record(&self, event: Option<Self::Event>) -> Result<Self::Event>;
    /// Waits until everything before an event is done.
    fn wait(&self, event: &Self::Event) -> Result<()>;
}

/// The slots: for the inputs and the targets of two batches.
const SLOTS: usize = 4;

/// Slots that are used in turns. They only ever grow.
pub struct Ring<E> {
    slots: [Slot<E>; SLOTS],
    next: usize,
    /// Whether there is no such memory.
    is_off: bool,
}

struct Slot<E> {
    address: u64,
    len: usize,
    /// After what was sent from it last.
    sent: Option<E>,
}

impl<E> Default for Ring<E> {
    fn default() -> Self {
        let slot = |_| Slot {
            address: 0,
            len: 0,
            sent: None,
        };
        Self {
            slots: std::array::from_fn(slot),
            next: 0,
            is_off: false,
        }
    }
}

impl<E: Send> Ring<E> {
    /// Has numbers written, all of them, and sends them. `false` where there is no memory for that.
    ///
    /// # Safety
    /// There is memory for them on the device.
    pub unsafe fn send<S: Staging<Event = E>>(
        &mut self,
        driver: &S,
        len: usize,
        to: u64,
        write: &dyn Fn(&mut [f32]),
    ) -> Result<bool> {
        if self.is_off {
            return Ok(false);
        }
        let slot = &mut self.slots[self.next];
        if let Some(sent) = &slot.sent {
            driver.wait(sent)?;
        }
        if slot.len < len {
            let len = len.next_power_of_two();
            let Some(address) = driver.pinned(len) else {
                self.is_off = true;
                return Ok(false);
            };
            if slot.len > 0 {
                // SAFETY: what was sent from it has been waited for.
                unsafe { driver.free_pinned(slot.address) };
            }
            (slot.address, slot.len) = (address, len);
        }
        // SAFETY: it is memory of at least that length, with numbers in it, which the ring alone knows and the
        // device does not read any more.
        write(unsafe { std::slice::from_raw_parts_mut(slot.address as *mut f32, len) });
        // SAFETY: nobody writes to it before the event below; the rest is the caller's.
        unsafe { driver.send(slot.address, to, len)? };
        slot.sent = Some(driver.record(slot.sent.take())?);
        self.next = (self.next + 1) % SLOTS;
        Ok(true)
    }

    /// Gives the memory back.
    pub fn free<S: Staging<Event = E>>(&mut self, driver: &S) {
        for slot in &mut self.slots {
            let is_free = match slot.sent.take() {
                Some(sent) => driver.wait(&sent).is_ok(),
                None => true,
            };
            if slot.len > 0 && is_free {
                // SAFETY: what was sent from it has been waited for.
                unsafe { driver.free_pinned(slot.address) };
            }
            slot.len = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::{HashMap, VecDeque};

    use super::*;

    /// A device that does nothing before it is waited for.
    #[derive(Default)]
    struct Late {
        memory: RefCell<HashMap<u64, Box<[f32]>>>,
        asked: RefCell<VecDeque<(u64, u64, usize)>>,
        done: Cell<usize>,
        count: Cell<usize>,
        waits: Cell<usize>,
        limit: usize,
    }

    impl Staging for Late {
        type Event = usize;

        fn pinned(&self, len: usize) -> Option<u64> {
            if len > self.limit {
                return None;
            }
            let memory = vec![0.0; len].into_boxed_slice();
            let address = memory.as_ptr() as u64;
            self.memory.borrow_mut().insert(address, memory);
            Some(address)
        }

        unsafe fn free_pinned(&self, address: u64) {
            assert!(self.memory.borrow_mut().remove(&address).is_some());
        }

        unsafe fn send(&self, from: u64, to: u64, len: usize) -> Result<()> {
            self.asked.borrow_mut().push_back((from, to, len));
            self.count.set(self.count.get() + 1);
            Ok(())
        }

        fn record(&self, _event: Option<usize>) -> Result<usize> {
            Ok(self.count.get())
        }

        fn wait(&self, event: &usize) -> Result<()> {
            self.waits.set(self.waits.get() + 1);
            while self.done.get() < *event {
                let (from, to, len) = self.asked.borrow_mut().pop_front().expect("a copy");
                // SAFETY: the test's numbers and those of a slot.
                unsafe { std::ptr::copy_nonoverlapping(from as *const f32, to as *mut f32, len) };
                self.done.set(self.done.get() + 1);
            }
            Ok(())
        }
    }

    #[test]
    fn a_slot_is_written_to_when_what_was_sent_from_it_has_arrived() {
        let device = Late {
            limit: 1 << 20,
            ..Late::default()
        };
        let mut ring = Ring::default();
        let lens = [3, 5, 70, 1, 9, 200, 2, 70, 8, 8, 3];
        let mut received: Vec<Vec<f32>> = lens.iter().map(|len| vec![f32::NAN; *len]).collect();
        for (batch, to) in received.iter_mut().enumerate() {
            let (to, len) = (to.as_mut_ptr() as u64, to.len());
            // SAFETY: there is memory of that length.
            let sent = unsafe { ring.send(&device, len, to, &|x| x.fill(batch as f32)) };
            assert_eq!(sent, Ok(true));
            assert_eq!(device.waits.get(), (batch + 1).saturating_sub(SLOTS));
        }
        ring.free(&device);
        assert!(device.memory.borrow().is_empty(), "all of it is given back");
        for (batch, numbers) in received.iter().enumerate() {
            assert!(numbers.iter().all(|x| *x == batch as f32), "{batch}");
        }
    }

    #[test]
    fn where_there_is_no_such_memory_nothing_is_sent() {
        let device = Late {
            limit: 4,
            ..Late::default()
        };
        let (mut ring, mut to) = (Ring::default(), [0.0f32; 9]);
        let mut send = |len| {
            // SAFETY: there is memory of that length.
            unsafe { ring.send(&device, len, to.as_mut_ptr() as u64, &|x| x.fill(1.0)) }
        };
        assert_eq!(send(4), Ok(true));
        assert_eq!(send(9), Ok(false));
        assert_eq!(send(1), Ok(false));
        assert_eq!(device.count.get(), 1);
        ring.free(&device);
    }
}
