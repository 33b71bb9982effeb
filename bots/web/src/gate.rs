//! Who may ask, how many at once, and how many bytes of photos lie in memory.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fault::Fault;
use crate::options::{Key, Options};

/// What someone who finds no place is told to wait.
const BUSY: Fault = Fault::Busy { seconds: 1 };
/// Bytes are counted in pieces of this size.
const PIECE: u64 = 1024;

/// The gate before everything that costs.
#[derive(Debug)]
pub(crate) struct Gate {
    key: Option<Key>,
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let n_pieces = usize::try_from(options.max_held_bytes / PIECE).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            key: options.key.as_ref().map(Key::new),
            places: Arc::new(Semaphore::new(options.max_concurrent)),
            memory: Arc::new(Semaphore::new(n_pieces.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Whether a key is asked for at all.
    pub(crate) fn needs_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether this is the key; yes if none is asked for.
    pub(crate) fn opens(&self, shown: &[u8]) -> bool {
        self.key.as_ref().is_none_or(|key| key.is(shown))
    }

    /// Whether the headers of a request show the key; yes if none is asked for.
    pub(crate) fn knows(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).and_then(|value| {
            let (scheme, shown) = value.split_at_checked("Bearer ".len())?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then_some(shown)
        });
        let shown = bearer.or(headers.get("x-api-key").map(|value| value.as_bytes()));
        self.key.is_none() || shown.is_some_and(|shown| self.opens(shown))
    }

    /// Lets in whoever shows the key. Without a key, a browser may ask for our own page only: else any page could make
    /// its visitors' browsers ask a server on their own machine.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Fault> {
        if !self.knows(headers) {
            return Err(Fault::Key);
        }
        match self.needs_key() {
            false => check_site(headers),
            true => Ok(()),
        }
    }

    /// A place at work, held until dropped.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Fault> {
        self.places.clone().try_acquire_owned().map_err(|_| BUSY)
    }

    /// An account of bytes in memory.
    pub(crate) fn account(&self) -> Account {
        Account { memory: self.memory.clone(), held: None, n_bytes: 0 }
    }
}

/// Refuses what another site's page sent through a browser; programs send no such header.
pub(crate) fn check_site(headers: &HeaderMap) -> Result<(), Fault> {
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Fault::CrossSite),
    }
}

/// Bytes that one request holds in memory; given back when dropped.
#[derive(Debug)]
pub(crate) struct Account {
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    n_bytes: u64,
}

impl Account {
    /// Takes room for more bytes, if there is.
    pub(crate) fn take(&mut self, n_bytes: usize) -> Result<(), Fault> {
        self.n_bytes += n_bytes as u64;
        let n_held = self.held.as_ref().map_or(0, |permit| permit.num_permits() as u64);
        let n_missing = u32::try_from(self.n_bytes.div_ceil(PIECE) - n_held).map_err(|_| BUSY)?;
        let permit = self.memory.clone().try_acquire_many_owned(n_missing).map_err(|_| BUSY)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_lent_and_given_back() {
        let gate = Gate::new(&Options { max_held_bytes: 10 * PIECE, ..Options::default() });
        let mut first = gate.account();
        for _ in 0..9 * PIECE {
            assert!(first.take(1).is_ok());
        }
        let mut second = gate.account();
        assert!(second.take(PIECE as usize).is_ok());
        assert_eq!(second.take(1), Err(BUSY));
        drop(first);
        assert!(second.take(8 * PIECE as usize).is_ok());
        drop(second);
        assert_eq!(gate.memory.available_permits(), 10);
    }
}
