//! Photos at Telegram: where they are, and their bytes through the contract's bounded download.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image2song_contract::answer::PhotoFault;
use image2song_contract::ask::Photo;
use image2song_contract::fetch::{AllowedHost, FetchError, FetchLimits, Fetcher};
use teloxide::prelude::Requester;
use teloxide::types::FileId;

use crate::api::Api;
use crate::config::{Config, Secret};
use crate::fault::Fault;
use crate::task::PhotoRef;

/// Telegram gives bots no larger files.
const MAX_BYTES: u64 = 20 << 20;
const DEADLINE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);

/// Fetches photos.
pub struct Files {
    /// Where a server on this machine keeps files, if it names them by their paths.
    local: Option<PathBuf>,
    fetcher: Fetcher,
    /// The server with `/file/bot<token>/`; no log may show it.
    prefix: Secret,
}

impl Files {
    /// Of a server; photos have at most so many bytes.
    ///
    /// # Errors
    /// The system offers no TLS set-up.
    pub fn new(config: &Config, host: AllowedHost, max_bytes: u64) -> Result<Self, FetchError> {
        let limits = FetchLimits { max_bytes: max_bytes.min(MAX_BYTES), deadline: DEADLINE };
        let prefix = Secret::new(format!("{}/file/bot{}/", config.base(), config.token.expose()));
        Ok(Self { fetcher: Fetcher::new(vec![host], limits)?, prefix, local: config.local_files.clone() })
    }

    /// The bytes of a photo. A path that has expired is asked for once more, a server that fails as well.
    ///
    /// # Errors
    /// What the person can be told.
    pub async fn get(&self, api: &Api, photo: &PhotoRef) -> Result<Photo, PhotoFault> {
        if photo.n_bytes.is_some_and(|n_bytes| n_bytes > self.fetcher.max_bytes()) {
            return Err(PhotoFault::TooLarge);
        }
        match self.try_get(api, photo).await {
            Err(Some(fault)) => Err(fault),
            Err(None) => {
                tokio::time::sleep(PAUSE).await;
                self.try_get(api, photo).await.map_err(|fault| fault.unwrap_or(PhotoFault::Unreachable))
            }
            Ok(photo) => Ok(photo),
        }
    }

    /// One attempt; `None` says that another one may succeed.
    async fn try_get(&self, api: &Api, photo: &PhotoRef) -> Result<Photo, Option<PhotoFault>> {
        let request = api.bot().get_file(FileId(photo.file_id.clone()));
        let file = api.call(request).await.map_err(|fault| {
            api.note("getFile", fault);
            match fault {
                Fault::TooLarge => Some(PhotoFault::TooLarge),
                Fault::Network | Fault::Flood(_) => None,
                _ => Some(PhotoFault::Unreachable),
            }
        })?;
        if let Some(folder) = self.local.clone().filter(|_| file.path.starts_with('/')) {
            let (path, max_bytes) = (PathBuf::from(&file.path), self.fetcher.max_bytes());
            let reading = tokio::task::spawn_blocking(move || read_below(&folder, &path, max_bytes));
            let bytes = reading.await.unwrap_or(Err(PhotoFault::Unreachable)).map_err(Some)?;
            return Ok(Photo { name: photo.name.clone(), bytes: bytes.into() });
        }
        let path = encoded(&file.path).ok_or(Some(PhotoFault::Unreachable))?;
        let bytes = self.fetcher.get(&format!("{}{path}", self.prefix.expose())).await.map_err(|error| {
            tracing::debug!(fault = error.name(), "a photo could not be fetched");
            match error {
                FetchError::TooLarge(_) => Some(PhotoFault::TooLarge),
                FetchError::NotAllowed => Some(PhotoFault::Unreachable),
                FetchError::Gone(_) | FetchError::TimedOut(_) | FetchError::Status(_) | FetchError::Network => None,
            }
        })?;
        Ok(Photo { name: photo.name.clone(), bytes })
    }
}

/// The bytes of a file within a folder, wherever links lead. What lies elsewhere is not read, whoever names it.
fn read_below(folder: &Path, path: &Path, max_bytes: u64) -> Result<Vec<u8>, PhotoFault> {
    let unreachable = |_| PhotoFault::Unreachable;
    let (folder, path) = (folder.canonicalize().map_err(unreachable)?, path.canonicalize().map_err(unreachable)?);
    if !path.starts_with(&folder) || !path.is_file() {
        return Err(PhotoFault::Unreachable);
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(unreachable)?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unreachable)?;
    if bytes.len() as u64 > max_bytes { Err(PhotoFault::TooLarge) } else { Ok(bytes) }
}

/// A path with all but its slashes escaped; `None` if it would lead elsewhere.
fn encoded(path: &str) -> Option<String> {
    let mut encoded = String::with_capacity(path.len());
    for (idx, part) in path.split('/').enumerate() {
        if part.is_empty() || part == "." || part == ".." {
            return None;
        }
        if idx > 0 {
            encoded.push('/');
        }
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    Some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_of_a_local_server_are_read_from_its_folder_only() {
        let root = std::env::temp_dir().join(format!("image2song-local-{}", std::process::id()));
        let folder = root.join("bot");
        std::fs::create_dir_all(folder.join("photos")).unwrap();
        let (photo, other) = (folder.join("photos/file_0.jpg"), root.join("secret"));
        std::fs::write(&photo, b"photo").unwrap();
        std::fs::write(&other, b"secret").unwrap();
        std::os::unix::fs::symlink(&other, folder.join("photos/link.jpg")).unwrap();
        assert_eq!(read_below(&folder, &photo, 5), Ok(b"photo".to_vec()));
        assert_eq!(read_below(&folder, &photo, 4), Err(PhotoFault::TooLarge));
        for path in [&other, &folder.join("../secret"), &folder.join("photos/link.jpg"), &folder, &folder.join("none")]
        {
            assert_eq!(read_below(&folder, path, 100), Err(PhotoFault::Unreachable), "{}", path.display());
        }
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn paths_stay_where_they_belong() {
        assert_eq!(encoded("photos/file_0.jpg").as_deref(), Some("photos/file_0.jpg"));
        assert_eq!(encoded("documents/a b?c#d.jpg").as_deref(), Some("documents/a%20b%3Fc%23d.jpg"));
        for path in ["", "/etc/passwd", "a//b", "../botX/logOut", "a/./b", "a/"] {
            assert_eq!(encoded(path), None, "{path}");
        }
    }
}
