//! The picture of `--explain`.

use std::path::Path;

use super::fault::PhotoFault;
use super::loading::Model;
use super::sight::SeenTag;
use super::standin::{Query, Suggestion};
use crate::photo::Decoded;

pub fn write(
    path: &Path,
    photo: &Decoded,
    _: &Query,
    _: &[SeenTag],
    _: &[Suggestion],
    _: &Model,
) -> Result<(), PhotoFault> {
    photo.fit(1000).save(path).map_err(|e| PhotoFault::new("explain", e.to_string()))
}
