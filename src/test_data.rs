//! Where tests find the data folder (see `docs/data-format.md`); a machine without it skips what needs it.

use std::path::{Path, PathBuf};

/// The data folder's subfolder of this name: below `IMAGE2SONG_DATA`, else below `../shared/data` beside this package.
/// Without it prints that the test skips and gives `None`.
pub fn data_dir(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("IMAGE2SONG_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let dir = root.join(name);
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no data folder at {}; set IMAGE2SONG_DATA", dir.display());
    None
}
