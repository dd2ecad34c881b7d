//! Batches that are read ahead, in a thread of their own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::arrays::Arrays;
use super::stream::{Batches, Stream, lost_reader};
use crate::error::{Error, Result};

/// A stream of which up to `ahead` batches wait to be used.
pub(crate) struct Prefetch {
    pub of: Arc<dyn Stream>,
    pub ahead: usize,
}

impl Stream for Prefetch {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        let (of, (sender, receiver)) = (self.of.clone(), sync_channel(self.ahead.max(1)));
        let reader = std::thread::Builder::new().name("keras-data".into());
        let thread = reader.spawn(move || {
            let batches = match of.open() {
                Ok(batches) => batches,
                Err(error) => Box::new(std::iter::once(Err(error))),
            };
            for batch in batches {
                // Nobody waits any more: the pass was given up.
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        let thread = thread.map_err(|error| {
            Error::value(format!("No thread could be started to read data: {error}"))
        })?;
        Ok(Box::new(Ahead {
            receiver,
            thread: Some(thread),
        }))
    }

    fn batches(&self) -> Option<usize> {
        self.of.batches()
    }

    fn is_endless(&self) -> bool {
        self.of.is_endless()
    }

    fn calls(&self) -> u64 {
        self.of.calls()
    }

    fn seek(&self, calls: u64) -> Result<()> {
        self.of.seek(calls)
    }
}

/// The end of the channel where batches come out.
struct Ahead {
    receiver: Receiver<Result<Arrays<'static>>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Ahead {
    type Item = Result<Arrays<'static>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.receiver.recv() {
            Ok(batch) => Some(batch),
            // The sender is gone: the data has ended, or the user's code has panicked.
            Err(_) => match self.thread.take()?.join() {
                Ok(()) => None,
                Err(_) => Some(Err(lost_reader())),
            },
        }
    }
}
