//! Saves a frame as a PNG file, converted according to the color description of the frame.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files;
use crate::media::VideoFrame;
use crate::player::present::audio_dump::cannot_write;
use crate::player::state::Failure;

/// Writes the frame. An existing file is never overwritten: the new file gets another name, which
/// is returned.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn write(path: &Path, frame: &VideoFrame) -> Result<PathBuf, Failure> {
    save(path, frame).map_err(|error| cannot_write(path, &error))
}

/// Works like [`write()`], but returns the system's error.
///
/// # Errors
/// Fails with the same errors as [`write()`].
pub fn save(path: &Path, frame: &VideoFrame) -> io::Result<PathBuf> {
    let rgb = frame.planes().to_rgb(frame.color).map_err(io::Error::other)?;
    let size = frame.size();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&rgb).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)?;
    let (mut file, made) = files::create(path)?;
    if let Err(error) = file.write_all(&bytes).and_then(|()| file.flush()) {
        // An incomplete file is useless.
        if file.metadata().is_ok_and(|it| it.is_file()) {
            let _ = std::fs::remove_file(&made);
        }
        return Err(error);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::{Color, Planes, Size};

    #[test]
    fn white_and_red_come_out_by_both_matrices() {
        for (color, red) in [(Color::PROGRAM, (63, 102, 240)), (Color::WEBCAM, (81, 90, 240))] {
            for (yuv, expected) in [((235, 128, 128), [255, 255, 255]), (red, [255, 0, 0])] {
                let mut planes = Planes::black(Size::new(16, 16));
                planes.y.fill(yuv.0);
                planes.u.fill(yuv.1);
                planes.v.fill(yuv.2);
                let planes = Arc::new(Pooled::unpooled(planes));
                let frame = VideoFrame { pts: Timestamp::ZERO, color, surface: planes.into() };
                let rgb = frame.planes().to_rgb(frame.color).unwrap();
                for (is, wanted) in rgb.iter().zip(expected.iter().cycle()) {
                    assert!(is.abs_diff(*wanted) <= 3, "{color:?} {:?}", &rgb[..3]);
                }
            }
        }
    }

    #[test]
    fn the_file_reads_back_and_a_bad_path_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(folder.path().join("taken.png"), "precious").unwrap();
        let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(32, 18))));
        let frame =
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() };
        assert_eq!(write(&path, &frame).unwrap(), path);
        let file = std::fs::File::open(&path).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(file));
        let reader = decoder.read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (32, 18));
        let taken = folder.path().join("taken.png");
        assert_eq!(write(&taken, &frame).unwrap(), folder.path().join("taken-1.png"));
        assert_eq!(std::fs::read(&taken).unwrap(), b"precious");
        let error = write(&folder.path().join("no/a.png"), &frame).unwrap_err();
        assert_eq!(error.kind.exit_code(), 3);
    }
}
