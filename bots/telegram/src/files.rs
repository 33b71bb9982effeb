//! Photos at Telegram: where they are, and their bytes through the contract's bounded download.

use std::time::Duration;

use image2song_contract::answer::PhotoFault;
use image2song_contract::ask::Photo;
use image2song_contract::fetch::{AllowedHost, FetchError, FetchLimits, Fetcher};
use teloxide::prelude::{Request, Requester};
use teloxide::types::FileId;

use crate::api::Api;
use crate::config::Secret;
use crate::fault::Fault;
use crate::task::PhotoRef;

/// Telegram gives bots no larger files.
const MAX_BYTES: u64 = 20 << 20;
const DEADLINE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);

/// Fetches photos.
pub struct Files {
    fetcher: Fetcher,
    /// The server with `/file/bot<token>/`; no log may show it.
    prefix: Secret,
}

impl Files {
    /// Of a server; photos have at most so many bytes.
    ///
    /// # Errors
    /// The system offers no TLS set-up.
    pub fn new(base: &str, host: AllowedHost, token: &Secret, max_bytes: u64) -> Result<Self, FetchError> {
        let limits = FetchLimits { max_bytes: max_bytes.min(MAX_BYTES), deadline: DEADLINE };
        let prefix = Secret::new(format!("{base}/file/bot{}/", token.expose()));
        Ok(Self { fetcher: Fetcher::new(vec![host], limits)?, prefix })
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
        let file = request.send().await.map_err(|error| {
            let fault = Fault::of(&error);
            api.note("getFile", fault);
            match fault {
                Fault::TooLarge => Some(PhotoFault::TooLarge),
                Fault::Network | Fault::Flood(_) => None,
                _ => Some(PhotoFault::Unreachable),
            }
        })?;
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

    #[test]
    fn paths_stay_where_they_belong() {
        assert_eq!(encoded("photos/file_0.jpg").as_deref(), Some("photos/file_0.jpg"));
        assert_eq!(encoded("documents/a b?c#d.jpg").as_deref(), Some("documents/a%20b%3Fc%23d.jpg"));
        for path in ["", "/etc/passwd", "a//b", "../botX/logOut", "a/./b", "a/"] {
            assert_eq!(encoded(path), None, "{path}");
        }
    }
}
