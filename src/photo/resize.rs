//! The one resampling of the project: convolution with a bilinear kernel that widens as the photo shrinks, so that fine
//! texture is averaged and does not alias. Works on the sRGB bytes as they are, as the networks have always seen them.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// The picture at another size.
///
/// # Panics
/// If a side of the picture or of the wanted size is 0.
pub fn rgb(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    assert!(width > 0 && height > 0, "a picture has at least one pixel");
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3)
        .expect("an RGB picture has three bytes a pixel");
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).expect("both pictures are RGB and have pixels");
    RgbImage::from_raw(width, height, target.into_vec()).expect("an RGB picture has three bytes a pixel")
}
