//! The tables `[[watermark]]` and `[[app.NAME.watermark]]` of `onair serve --config FILE`: images
//! and texts on renditions.

use std::path::PathBuf;

use serde::Deserialize;

use crate::cli::serve::values::Note;
use crate::compose::filter::Corner;
use crate::server::renditions::{Ladder, Watermark};
use crate::text::Problem;
use crate::text::problem::problem;

/// Valid heights in percent of the frame's height.
const HEIGHT_PERCENT_RANGE: (u32, u32) = (1, 100);
/// Valid margins in percent of the frame's width.
const MARGIN_PERCENT_RANGE: (u32, u32) = (0, 45);
/// Valid opacities in percent.
const OPACITY_PERCENT_RANGE: (u32, u32) = (1, 100);

/// `[[watermark]]`: an image or a text.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WatermarkTable {
    image: Option<PathBuf>,
    text: Option<String>,
    corner: Option<String>,
    height: Option<u32>,
    margin: Option<u32>,
    opacity: Option<u32>,
    renditions: Option<Vec<String>>,
}

/// Returns the watermarks in the tables at `path`. `note` gets the path of each invalid value, such
/// as `watermark.0.image`.
pub(super) fn list(tables: &[WatermarkTable], path: &str, note: Note<'_>) -> Vec<Watermark> {
    if tables.len() > Watermark::MAX_COUNT {
        note(path, &problem!("watermark-too-many", most = Watermark::MAX_COUNT));
        return Vec::new();
    }
    let mut all = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        match table.watermark() {
            Ok(watermark) => all.push(watermark),
            Err((key, why)) => {
                let key = key.map(|key| format!(".{key}")).unwrap_or_default();
                note(&format!("{path}.{index}{key}"), &why);
            }
        }
    }
    all
}

impl WatermarkTable {
    /// # Errors
    /// Fails with the key of the invalid value and the reason.
    fn watermark(&self) -> Result<Watermark, (Option<&'static str>, Problem)> {
        let mut watermark = match (&self.image, &self.text) {
            (Some(path), None) => Watermark::image(path).map_err(|why| (Some("image"), why))?,
            (None, Some(text)) => {
                let count = text.trim().chars().count();
                if !(1..=Watermark::MAX_TEXT_CHARS).contains(&count) {
                    let why = problem!("watermark-text", most = Watermark::MAX_TEXT_CHARS);
                    return Err((Some("text"), why));
                }
                Watermark::text(text.trim())
            }
            _ => return Err((None, problem!("watermark-one-of"))),
        };
        let image = &mut watermark.image;
        if let Some(name) = &self.corner {
            let known = "top-left, top-right, bottom-left, bottom-right, middle";
            let unknown = || (Some("corner"), problem!("value-none-of", known = known));
            image.corner = Corner::named(name).ok_or_else(unknown)?;
        }
        for (key, value, percent, range) in [
            ("height", &mut image.height, self.height, HEIGHT_PERCENT_RANGE),
            ("margin", &mut image.margin, self.margin, MARGIN_PERCENT_RANGE),
            ("opacity", &mut image.opacity, self.opacity, OPACITY_PERCENT_RANGE),
        ] {
            let Some(percent) = percent else { continue };
            let (least, most) = range;
            if !(least..=most).contains(&percent) {
                let why = problem!("rendition-cpu-range", least = least, most = most);
                return Err((Some(key), why));
            }
            *value = percent as f32 / 100.0;
        }
        if let Some(names) = &self.renditions {
            // Renditions without video cannot show a watermark.
            let ladder = Ladder::of(names.iter().map(String::as_str));
            let ladder = ladder.map_err(|why| (Some("renditions"), why))?;
            watermark.renditions = Some(ladder.video.iter().map(|it| it.name()).collect());
        }
        Ok(watermark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Watermark, (Option<&'static str>, Problem)> {
        toml::from_str::<WatermarkTable>(text).unwrap().watermark()
    }

    #[test]
    fn a_watermark_has_a_place_and_a_strength() {
        let usual = read("text = \"onair\"").unwrap();
        assert_eq!((usual.image.corner, usual.renditions), (Corner::TopRight, None));
        let all = read(
            "text = \"onair\"\ncorner = \"bottom-left\"\nheight = 8\nmargin = 0\nopacity = 50\n\
             renditions = [\"720p\", \"480p\"]",
        )
        .unwrap();
        let image = &all.image;
        assert_eq!(image.corner, Corner::BottomLeft);
        assert_eq!((image.height, image.margin, image.opacity), (0.08, 0.0, 0.5));
        assert_eq!(all.renditions.unwrap(), ["720p", "480p"]);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (text, wrong) in [
            ("", None),
            ("text = \"a\"\nimage = \"/a.png\"", None),
            ("text = \" \"", Some("text")),
            ("image = \"/none.png\"", Some("image")),
            ("text = \"a\"\ncorner = \"top\"", Some("corner")),
            ("text = \"a\"\nheight = 0", Some("height")),
            ("text = \"a\"\nmargin = 46", Some("margin")),
            ("text = \"a\"\nopacity = 101", Some("opacity")),
            ("text = \"a\"\nrenditions = [\"tall\"]", Some("renditions")),
        ] {
            assert_eq!(read(text).unwrap_err().0, wrong, "{text}");
        }
        let mut noted = Vec::new();
        let tables: Vec<_> = (0..5).map(|_| WatermarkTable::default()).collect();
        list(&tables, "watermark", &mut |path, _| noted.push(path.to_owned()));
        list(&tables[..1], "app.a.watermark", &mut |path, _| noted.push(path.to_owned()));
        assert_eq!(noted, ["watermark", "app.a.watermark.0"]);
    }
}
