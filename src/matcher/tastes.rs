//! The tastes of a model folder: one for all, read at once, and one for each community, read when it is asked for and
//! kept as long as there is room. Ten thousand communities are ten thousand small files, not memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::adapter::{Adapter, MAX_BYTES};
use super::error::MatcherError;
use super::facts::Facts;
use super::suggest::Matcher;
use super::taste::{Layer, Taste};
use super::weights::Sizes;
use crate::catalogue::load::Catalogue;

/// Name of the taste of all in a model folder.
pub const FILE_NAME: &str = "taste.safetensors";

/// Name of the folder with those of communities.
pub const FOLDER: &str = "communities";

/// Communities whose taste is kept in memory; with 25,000 songs each has 100 kB.
pub const MAX_KEPT: usize = 256;

/// Longest name of a community; a key has 26 characters.
const MAX_NAME: usize = 64;

/// The tastes of a model folder.
#[derive(Debug)]
pub struct Tastes {
    base: Taste,
    /// `None` where the folder has no community.
    folder: Option<Folder>,
}

#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    facts: Facts,
    sizes: Sizes,
    matcher: String,
    kept: Mutex<Kept>,
    max_kept: usize,
}

/// What was read last. A community without a usable file is kept too, so that it is looked for once.
#[derive(Debug, Default)]
struct Kept {
    clock: u64,
    layers: HashMap<String, (u64, Option<Arc<Layer>>)>,
}

impl Tastes {
    /// No tastes: every community gets what the base model gives.
    pub fn none() -> Self {
        Self { base: Taste::default(), folder: None }
    }

    /// The tastes of a model folder, for its matcher and catalogue. A base model has none, which is no fault.
    ///
    /// # Errors
    /// The taste of all is damaged or was fine-tuned on another matcher.
    pub fn open(dir: &Path, matcher: &Matcher, catalogue: &Catalogue) -> Result<Self, MatcherError> {
        Self::with_room(dir, matcher, catalogue, MAX_KEPT)
    }

    /// The same with room for so many communities.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn with_room(
        dir: &Path,
        matcher: &Matcher,
        catalogue: &Catalogue,
        max_kept: usize,
    ) -> Result<Self, MatcherError> {
        let (path, communities) = (dir.join(FILE_NAME), dir.join(FOLDER));
        if !path.exists() && !communities.is_dir() {
            return Ok(Self::none());
        }
        let folder = Folder {
            dir: communities,
            facts: Facts::of(catalogue),
            sizes: matcher.ranker().network.weights.sizes,
            matcher: matcher.digest().to_owned(),
            kept: Mutex::default(),
            max_kept: max_kept.max(1),
        };
        let base = folder.read(&path)?.map_or_else(Taste::default, |layer| Taste::of([Arc::new(layer)]));
        Ok(Self { base, folder: folder.dir.is_dir().then_some(folder) })
    }

    /// The taste of a community, by the text of its key; that of all where it has none of its own, or one that cannot be
    /// used, which the log then tells once.
    pub fn of(&self, community: Option<&str>) -> Taste {
        let own = self.folder.as_ref().zip(community).and_then(|(folder, name)| folder.layer(name));
        match own {
            None => self.base.clone(),
            Some(own) => Taste::of(self.base.layers().iter().cloned().chain([own])),
        }
    }

    /// How many communities are in memory.
    pub fn n_kept(&self) -> usize {
        self.folder.as_ref().map_or(0, |folder| folder.lock().layers.len())
    }
}

impl Folder {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn layer(&self, name: &str) -> Option<Arc<Layer>> {
        // Names come from keys; anything else must not become a path.
        if name.is_empty()
            || name.len() > MAX_NAME
            || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        {
            return None;
        }
        {
            let mut kept = self.lock();
            kept.clock += 1;
            let now = kept.clock;
            if let Some((used, layer)) = kept.layers.get_mut(name) {
                *used = now;
                return layer.clone();
            }
        }
        // Read without the lock: others are not to wait for a disk.
        let layer = self.read(&self.dir.join(format!("{name}.safetensors"))).unwrap_or_else(|error| {
            tracing::error!(%error, "the taste of a community cannot be used; it gets that of all");
            None
        });
        let layer = layer.map(Arc::new);
        let mut kept = self.lock();
        while kept.layers.len() >= self.max_kept {
            let oldest = kept.layers.iter().min_by_key(|(_, (used, _))| *used).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            kept.layers.remove(&oldest);
        }
        let now = kept.clock;
        kept.layers.insert(name.to_owned(), (now, layer.clone()));
        layer
    }

    /// The layer in a file; `None` if there is no file.
    fn read(&self, path: &Path) -> Result<Option<Layer>, MatcherError> {
        let unreadable = |source| MatcherError::Unreadable { path: path.to_owned(), source };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unreadable)?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(MatcherError::NoTaste { fault: format!("it has more than {} MiB", MAX_BYTES >> 20) });
        }
        let adapter = Adapter::from_bytes(&bytes, self.sizes, &self.matcher)?;
        Ok(Some(Layer::new(adapter, &self.facts)))
    }
}

#[cfg(test)]
#[path = "taste_tests.rs"]
mod tests;
