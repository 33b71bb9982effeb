//! What a PHOTO argument means: a file, a folder or standard input. Takes arguments, gives photos to read in a stable
//! order, and their bytes; does not know how a photo is decoded.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use crate::answer::fault::PhotoFault;
use crate::photo::{self, Decoded, Limits, PhotoError};

use super::fault::SetupFault;

/// Name of standard input, as argument and in answers.
pub const STDIN: &str = "-";

/// Endings by which people know photos. A file of a folder with one of these is answered even if it cannot be read,
/// so that a broken or foreign photo is not passed over in silence.
const PHOTO_ENDINGS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "heic", "heif", "avif", "tif", "tiff"];

/// A photo to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoInput {
    /// What to call it in the answer: its path as given, or `-`.
    pub name: String,
    source: Result<Source, PhotoFault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Stdin,
}

impl PhotoInput {
    fn file(path: &Path) -> Self {
        Self { name: path.display().to_string(), source: Ok(Source::File(path.to_owned())) }
    }

    fn failed(path: &Path, fault: PhotoFault) -> Self {
        Self { name: path.display().to_string(), source: Err(fault) }
    }

    /// The bytes of the photo.
    ///
    /// # Errors
    /// The photo cannot be found or read, or has more bytes than the limit; no more than that are read.
    pub fn read(&self, limits: &Limits) -> Result<Vec<u8>, PhotoFault> {
        match self.source.clone()? {
            Source::File(path) => read_file(&path, limits),
            Source::Stdin => {
                let stdin = io::stdin();
                if stdin.is_terminal() {
                    let remedy = "send a photo into it, such as `image2song suggest - < photo.jpg`";
                    return Err(PhotoFault::new("unreadable", format!("standard input is a terminal; {remedy}")));
                }
                Ok(photo::read(stdin.lock(), limits)?)
            }
        }
    }
}

/// The photos that the arguments mean, in their order; a folder stands for the photos in it and below, in the order of
/// their names. An argument that means no photo becomes one that fails when read, so that the others are answered.
///
/// # Errors
/// Standard input is named twice.
pub fn photos(arguments: &[PathBuf]) -> Result<Vec<PhotoInput>, SetupFault> {
    let mut photos = Vec::new();
    let mut is_stdin_taken = false;
    for path in arguments {
        if path.as_os_str() == STDIN {
            if is_stdin_taken {
                return Err(SetupFault::new("standard input (-) is named twice; it can give one photo"));
            }
            is_stdin_taken = true;
            photos.push(PhotoInput { name: STDIN.to_owned(), source: Ok(Source::Stdin) });
        } else if path.is_dir() {
            add_folder(path, &mut photos);
        } else {
            photos.push(PhotoInput::file(path));
        }
    }
    Ok(photos)
}

fn add_folder(folder: &Path, photos: &mut Vec<PhotoInput>) {
    let before = photos.len();
    let n_skipped = walk(folder, photos);
    if photos.len() == before {
        let message = match n_skipped {
            0 => "the folder holds no files".to_owned(),
            1 => "its only file is no photo; JPEG, PNG, WebP, GIF and BMP are read".to_owned(),
            n => format!("none of its {n} files is a photo; JPEG, PNG, WebP, GIF and BMP are read"),
        };
        photos.push(PhotoInput::failed(folder, PhotoFault::new("no_photos", message)));
    } else if n_skipped > 0 {
        let files = if n_skipped == 1 { "1 file is no photo" } else { &format!("{n_skipped} files are no photos") };
        tracing::warn!("{}: {files}, left out", folder.display());
    }
}

/// Adds the photos of a folder and its subfolders, gives the number of files that are none.
fn walk(folder: &Path, photos: &mut Vec<PhotoInput>) -> usize {
    let entries: io::Result<BTreeSet<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let entries = match entries {
        Ok(entries) => entries,
        Err(source) => {
            photos.push(PhotoInput::failed(folder, io_fault(&source)));
            return 0;
        }
    };
    let mut n_skipped = 0;
    for path in entries {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let Ok(link) = fs::symlink_metadata(&path) else { continue };
        if is_hidden {
            continue;
        }
        if link.is_dir() {
            n_skipped += walk(&path, photos);
        } else if !path.is_file() {
            // Links to folders could lead in a circle; pipes and devices could block for ever.
        } else if has_photo_ending(&path) || has_photo_content(&path) {
            photos.push(PhotoInput::file(&path));
        } else {
            n_skipped += 1;
        }
    }
    n_skipped
}

fn has_photo_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    PHOTO_ENDINGS.iter().any(|photo| photo.eq_ignore_ascii_case(ending))
}

/// True if the first bytes announce a photo, whatever is wrong with the rest.
fn has_photo_content(path: &Path) -> bool {
    let mut head = [0; 64];
    let Ok(n_read) = File::open(path).and_then(|mut file| file.read(&mut head)) else { return false };
    let decoded = Decoded::from_bytes(&head[..n_read], &Limits::default());
    !matches!(decoded, Err(PhotoError::Empty | PhotoError::UnsupportedFormat { .. }))
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, PhotoFault> {
    let file = File::open(path).map_err(|source| io_fault(&source))?;
    let meta = file.metadata().map_err(|source| io_fault(&source))?;
    if meta.is_dir() {
        return Err(PhotoFault::new("unreadable", "this is a folder"));
    }
    if meta.is_file() && meta.len() > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { found: meta.len(), max: limits.max_bytes }.into());
    }
    Ok(photo::read(file, limits)?)
}

fn io_fault(source: &io::Error) -> PhotoFault {
    match source.kind() {
        io::ErrorKind::NotFound => PhotoFault::new("not_found", "there is no such file or folder; check the path"),
        io::ErrorKind::PermissionDenied => PhotoFault::new("unreadable", "you may not read it; check its permissions"),
        _ => PhotoFault::new("unreadable", format!("it cannot be read: {source}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[PathBuf], root: &Path) -> Vec<String> {
        let photos = photos(arguments).unwrap();
        photos.iter().map(|photo| photo.name.replace(&root.display().to_string(), "")).collect()
    }

    #[test]
    fn a_folder_gives_its_photos_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("b/.hidden")).unwrap();
        for name in ["z.JPG", "a.png", "notes.txt", ".x.jpg", "b/c.webp", "b/.hidden/d.jpg", "b/photo.heic"] {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::write(root.join("unnamed"), b"\xff\xd8\xff\xe0\0\x10JFIF\0").unwrap();
        assert_eq!(names(&[root.to_owned()], root), ["/a.png", "/b/c.webp", "/b/photo.heic", "/unnamed", "/z.JPG"]);
    }

    #[test]
    fn arguments_keep_their_order_and_faults_stay_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("empty")).unwrap();
        fs::write(root.join("b.jpg"), "x").unwrap();
        let arguments = [root.join("gone.jpg"), root.join("empty"), PathBuf::from("-"), root.join("b.jpg")];
        assert_eq!(names(&arguments, root), ["/gone.jpg", "/empty", "-", "/b.jpg"]);
        let photos = photos(&arguments).unwrap();
        let limits = Limits::default();
        assert_eq!(photos[0].read(&limits).unwrap_err().kind, "not_found");
        assert_eq!(photos[1].read(&limits).unwrap_err().kind, "no_photos");
        assert_eq!(photos[3].read(&limits).unwrap(), b"x");
    }

    #[test]
    fn standard_input_gives_one_photo() {
        assert!(photos(&[PathBuf::from("-"), PathBuf::from("-")]).is_err());
    }

    #[test]
    fn large_files_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large.jpg");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let photo = PhotoInput::file(&path);
        let fault = photo.read(&Limits::default()).unwrap_err();
        assert_eq!(fault.kind, "too_many_bytes");
        assert!(fault.message.contains("20"), "{}", fault.message);
    }

    #[cfg(unix)]
    #[test]
    fn a_source_without_end_is_refused() {
        let limits = Limits { max_bytes: 1000, ..Limits::default() };
        let fault = PhotoInput::file(Path::new("/dev/zero")).read(&limits).unwrap_err();
        assert_eq!(fault.kind, "too_many_bytes");
    }
}
