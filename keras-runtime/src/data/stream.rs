//! Batches that come one after the other: from a closure, an iterator or a file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::arrays::Arrays;
use crate::console;
use crate::error::{Error, Result};

/// One pass over a stream.
pub(crate) type Batches<'a> = Box<dyn Iterator<Item = Result<Arrays<'static>>> + Send + 'a>;

/// Where batches come from. Every pass over the data opens it anew.
pub(crate) trait Stream: Send + Sync {
    /// Begins a pass.
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's;

    /// The number of batches of a pass, where it is known.
    fn batches(&self) -> Option<usize> {
        None
    }

    /// Whether a pass has no end.
    fn is_endless(&self) -> bool {
        false
    }

    /// How often the user's code behind it was asked for batches; 0 if what it gives does not depend on
    /// that.
    fn calls(&self) -> u64 {
        0
    }

    /// Goes to where it was after so many [`calls`](Self::calls), in another run of the program.
    ///
    /// # Errors
    /// If that cannot be done.
    fn seek(&self, calls: u64) -> Result<()> {
        let _ = calls;
        Ok(())
    }
}

/// A closure that makes the iterator of a pass.
pub(crate) struct Generator<'a> {
    make: Box<dyn Fn() -> Result<Batches<'a>> + Send + Sync + 'a>,
    calls: AtomicU64,
}

impl<'a> Generator<'a> {
    pub fn new(make: impl Fn() -> Result<Batches<'a>> + Send + Sync + 'a) -> Self {
        Self {
            make: Box::new(make),
            calls: AtomicU64::new(0),
        }
    }

    fn call(&self) -> Result<Batches<'a>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.make)()
    }
}

impl Stream for Generator<'_> {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        self.call()
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// A closure may count its calls, in order to shuffle each pass in another way.
    fn seek(&self, calls: u64) -> Result<()> {
        while self.calls() < calls {
            drop(self.call()?);
        }
        Ok(())
    }
}

/// An iterator, which can be read once. As in Keras, its first two batches are kept, and are what a
/// further pass begins with.
pub(crate) struct Once<I> {
    state: Mutex<State<I>>,
}

struct State<I> {
    first: Option<Vec<Arrays<'static>>>,
    rest: I,
}

/// The batches that Keras looks at before it begins.
const PEEKED: usize = 2;

impl<I: Iterator<Item = Result<Arrays<'static>>> + Send> Once<I> {
    pub fn new(rest: I) -> Self {
        Self {
            state: Mutex::new(State { first: None, rest }),
        }
    }

    fn with<R>(&self, read: impl FnOnce(&mut State<I>) -> R) -> R {
        // A panic in the user's iterator leaves nothing half done here.
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<I: Iterator<Item = Result<Arrays<'static>>> + Send> Stream for Once<I> {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        let first = self.with(|state| -> Result<Vec<Arrays<'static>>> {
            match &state.first {
                Some(_) => console::warn(console::RAN_OUT),
                None => {
                    state.first = Some(state.rest.by_ref().take(PEEKED).collect::<Result<_>>()?);
                }
            }
            Ok(state.first.clone().unwrap_or_default())
        })?;
        let rest = std::iter::from_fn(move || self.with(|state| state.rest.next()));
        Ok(Box::new(first.into_iter().map(Ok).chain(rest)))
    }

    fn calls(&self) -> u64 {
        self.with(|state| u64::from(state.first.is_some()))
    }

    fn seek(&self, calls: u64) -> Result<()> {
        if calls == 0 && self.calls() == 0 {
            return Ok(());
        }
        Err(Error::value(
            "A training can go on in the first pass over the batches of an iterator, which can be read once. Pass a \
             closure that makes the iterator to `Dataset::from_generator`. Received: an iterator that was read before",
        ))
    }
}

/// A stream with something done to its batches.
pub(crate) struct Changed<'a> {
    pub of: Arc<dyn Stream + 'a>,
    pub change: Change,
}

/// What is done to a stream.
pub(crate) enum Change {
    Take(usize),
    Skip(usize),
    Repeat(Option<usize>),
    /// The batches of the first pass, once it is through.
    Cache(Mutex<Option<Arc<Vec<Arrays<'static>>>>>),
}

impl Stream for Changed<'_> {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        let of = self.of.clone();
        Ok(match &self.change {
            Change::Take(count) => Box::new(of.open()?.take(*count)),
            Change::Skip(count) => {
                let count = *count;
                Box::new(of.open()?.skip(count))
            }
            Change::Repeat(times) => {
                let mut left = *times;
                let mut pass: Option<Batches<'s>> = None;
                let mut is_fresh = false;
                Box::new(std::iter::from_fn(move || {
                    loop {
                        if let Some(batch) = pass.as_mut().and_then(Iterator::next) {
                            is_fresh = false;
                            return Some(batch);
                        }
                        // A pass without batches has no end to wait for.
                        if left == Some(0) || is_fresh {
                            return None;
                        }
                        left = left.map(|left| left - 1);
                        is_fresh = true;
                        match of.clone().open() {
                            Ok(batches) => pass = Some(batches),
                            Err(error) => {
                                left = Some(0);
                                pass = None;
                                return Some(Err(error));
                            }
                        }
                    }
                }))
            }
            Change::Cache(cached) => {
                let kept = cached.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(batches) = kept.clone() {
                    let mut at = 0;
                    return Ok(Box::new(std::iter::from_fn(move || {
                        at += 1;
                        batches.get(at - 1).cloned().map(Ok)
                    })));
                }
                drop(kept);
                let mut batches = of.open()?;
                let mut seen = Vec::new();
                Box::new(std::iter::from_fn(move || match batches.next() {
                    Some(Ok(batch)) => {
                        seen.push(batch.clone());
                        Some(Ok(batch))
                    }
                    Some(Err(error)) => Some(Err(error)),
                    None => {
                        if let Change::Cache(cached) = &self.change {
                            let all = Arc::new(std::mem::take(&mut seen));
                            let mut kept = cached.lock().unwrap_or_else(PoisonError::into_inner);
                            kept.get_or_insert(all);
                        }
                        None
                    }
                }))
            }
        })
    }

    fn batches(&self) -> Option<usize> {
        match (&self.change, self.of.batches()) {
            (Change::Take(most), Some(count)) => Some(count.min(*most)),
            (Change::Take(most), None) if self.of.is_endless() => Some(*most),
            (Change::Skip(first), Some(count)) => Some(count.saturating_sub(*first)),
            (Change::Repeat(Some(times)), Some(count)) => Some(count * times),
            (Change::Cache(_), count) => count,
            _ => None,
        }
    }

    fn is_endless(&self) -> bool {
        match &self.change {
            Change::Take(_) => false,
            Change::Repeat(None) => true,
            _ => self.of.is_endless(),
        }
    }

    fn calls(&self) -> u64 {
        match &self.change {
            // What is kept is the first pass, whichever is asked for.
            Change::Cache(_) => 0,
            _ => self.of.calls(),
        }
    }

    fn seek(&self, calls: u64) -> Result<()> {
        match &self.change {
            Change::Cache(_) => Ok(()),
            _ => self.of.seek(calls),
        }
    }
}

/// An error of the thread that reads ahead.
pub(super) fn lost_reader() -> Error {
    Error::value("The thread that reads the data ahead has ended before the data did")
}
