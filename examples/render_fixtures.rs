//! Paints the photos that the tests use and writes them to `tests/fixtures/<scene>.jpg`, or to the folder given as the
//! first argument: `cargo run --release --example render_fixtures [FOLDER]`.

#[path = "../tests/fixtures/paint.rs"]
mod paint;
#[path = "../tests/fixtures/scenes.rs"]
mod scenes;

use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;

fn main() -> anyhow::Result<()> {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| here.to_owned()));
    for (name, width, height, quality) in scenes::SCENES {
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&scenes::paint(name, width, height))?;
        let path = folder.join(format!("{name}.jpg"));
        std::fs::write(&path, &jpeg)?;
        println!("{}: {} bytes", path.display(), jpeg.len());
    }
    Ok(())
}
