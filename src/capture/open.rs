//! How large a source is by itself, told without opening it: by a file's header, or by laying out a
//! text. Only so much of a file is read as that takes.

use std::fs::File;
use std::io::BufReader;

use super::choice::VideoChoice;
use super::file;
use super::image::decode;
use super::properties::Properties;
use super::text::Text;
use super::y4m;
use crate::media::Size;

/// Width and height in pixels of an image, a text or a Y4M clip in a program of this size; `None` for
/// everything else, and for a file that is not there.
pub fn extent(choice: &VideoChoice, set: &Properties, program: Size) -> Option<(u32, u32)> {
    match choice {
        VideoChoice::Image(path) => decode::dimensions(path).ok(),
        VideoChoice::File(path) if file::is_y4m(path) => {
            let size = y4m::Reader::open(BufReader::new(File::open(path).ok()?)).ok()?.size();
            Some((size.width, size.height))
        }
        VideoChoice::Text(content) => {
            let text = Text { content: content.clone(), look: set.text.clone() };
            let size = text.extent(program)?;
            Some((size.width, size.height))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_texts_tell_how_large_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let program = Size::new(1280, 720);
        let of = |word: &str| extent(&word.parse().unwrap(), &Properties::default(), program);
        let logo = folder.path().join("logo.png");
        image::RgbaImage::new(201, 100).save(&logo).unwrap();
        assert_eq!(of(&format!("image:{}", logo.display())), Some((201, 100)));
        let clip = folder.path().join("clip.y4m");
        std::fs::write(&clip, b"YUV4MPEG2 W4 H2 F30:1\nFRAME\n\0\0\0\0\0\0\0\0\0\0\0\0").unwrap();
        assert_eq!(of(&format!("file:{}", clip.display())), Some((4, 2)));
        let (short, long) = (of("text:I").unwrap(), of("text:I I I I").unwrap());
        assert!(short.0 < long.0 && short.1 == long.1 && long.0 < 1_280);
        let words = folder.path().join("words.txt");
        std::fs::write(&words, "I").unwrap();
        assert_eq!(of(&format!("text-file:{}", words.display())), Some(short));
        for none in ["text-file:/none", "image:/none.png", "file:/none.y4m", "camera", "test"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
