//! The properties of sources in a scene collection: text styles, slide show timing, and playlists.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::capture::text::{Align, Scroll, ScrollDirection, Shadow, Style, TextAppearance};
use crate::capture::{BrowserPage, Order, Pace, Rgba};
use crate::media::Size;
use crate::studio::settings::reading::parts;
use crate::studio::settings::reading::values::{self, layout, within, words};
use crate::text::problem::problem;

const ALIGN_WORDS: [(&str, Align); 3] =
    [("left", Align::Left), ("center", Align::Center), ("right", Align::Right)];

const SCROLL_DIRECTION_WORDS: [(&str, ScrollDirection); 4] = [
    ("left", ScrollDirection::Left),
    ("right", ScrollDirection::Right),
    ("up", ScrollDirection::Up),
    ("down", ScrollDirection::Down),
];

const ORDER_WORDS: [(&str, Order); 2] = [("name", Order::Name), ("shuffled", Order::Shuffled)];

/// The default speed in pixels per second if only the direction is given.
const SCROLL_PIXELS_PER_SECOND: u32 = 120;
/// The default width of an outline, and the default offset and blur of a shadow, in pixels, if only
/// the color is given.
const DEFAULT_EFFECT_PIXELS: u32 = 4;

words!(align, Align, super::ALIGN_WORDS);
words!(order, Order, super::ORDER_WORDS);

layout! {
    /// The style of a text. The first key of an outline, a shadow or scrolling enables it.
    struct TextTable of TextAppearance = TextAppearance::default(); {
        font: String = style.family,
        #[serde(deserialize_with = "size")]
        size: u32 = style.size,
        #[serde(deserialize_with = "weight")]
        weight: u16 = style.weight,
        italic: bool = style.italic,
        #[serde(with = "values::text")]
        color: Rgba = style.color,
        #[serde(with = "values::text_or_none")]
        outline: Option<Rgba>,
        #[serde(deserialize_with = "around")]
        outline_width: Option<u32>,
        #[serde(with = "values::text_or_none")]
        shadow: Option<Rgba>,
        #[serde(deserialize_with = "shift")]
        shadow_right: Option<i32>,
        #[serde(deserialize_with = "shift")]
        shadow_down: Option<i32>,
        #[serde(deserialize_with = "around")]
        shadow_blur: Option<u32>,
        #[serde(with = "values::text_or_none")]
        background: Option<Rgba> = style.background,
        #[serde(deserialize_with = "padding")]
        padding: u32 = style.padding,
        #[serde(with = "align")]
        align: Align = style.align,
        #[serde(deserialize_with = "side")]
        width: Option<u32> = width,
        #[serde(deserialize_with = "side")]
        height: Option<u32> = height,
        #[serde(with = "direction")]
        scroll: Option<ScrollDirection>,
        #[serde(deserialize_with = "speed")]
        speed: Option<u32>,
    }
}

within! {
    size: u32 = Style::FONT_SIZE_RANGE, "px";
    weight: u16 = 100..=900;
    around: Option<u32> = 0..=Style::MAX_OUTLINE_WIDTH, "px";
    shift: Option<i32> = -Style::MAX_SHADOW_OFFSET..=Style::MAX_SHADOW_OFFSET, "px";
    padding: u32 = 0..=Style::MAX_PADDING, "px";
    side: Option<u32> = TextAppearance::MIN_SIDE..=Size::MAX_SIDE, "px";
    speed: Option<u32> = 1..=Scroll::MAX_SCROLL_SPEED, "px/s";
}

mod direction {
    use super::*;

    pub fn serialize<S: Serializer>(
        direction: &Option<ScrollDirection>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        direction
            .as_ref()
            .and_then(|direction| parts::word_of(&SCROLL_DIRECTION_WORDS, direction))
            .serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<ScrollDirection>, D::Error> {
        values::word(from, &SCROLL_DIRECTION_WORDS).map(Some)
    }
}

/// Reads and writes the style of a text as its differences from the default.
pub(in crate::settings) mod text {
    use super::*;

    pub fn serialize<S: Serializer>(appearance: &TextAppearance, to: S) -> Result<S::Ok, S::Error> {
        let mut table = TextTable::of(appearance);
        if let Some((color, width)) = appearance.style.outline {
            (table.outline, table.outline_width) = (Some(color), Some(width));
        }
        if let Some(Shadow { color, right, down, blur }) = appearance.style.shadow {
            (table.shadow, table.shadow_blur) = (Some(color), Some(blur));
            (table.shadow_right, table.shadow_down) = (Some(right), Some(down));
        }
        if let Some(Scroll { direction, speed }) = appearance.scroll {
            (table.scroll, table.speed) = (Some(direction), Some(speed));
        }
        values::unusual(&table, to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TextAppearance, D::Error> {
        let table = TextTable::deserialize(from)?;
        let mut appearance = TextAppearance::default();
        table.put(&mut appearance);
        let usual = |length: Option<u32>| length.unwrap_or(DEFAULT_EFFECT_PIXELS);
        let shift = |length: Option<i32>| length.unwrap_or(DEFAULT_EFFECT_PIXELS as i32);
        let outline = |color| (color, usual(table.outline_width));
        let (right, down) = (shift(table.shadow_right), shift(table.shadow_down));
        let blur = usual(table.shadow_blur);
        appearance.style.outline = table.outline.map(outline);
        appearance.style.shadow = table.shadow.map(|color| Shadow { color, right, down, blur });
        let speed = table.speed.unwrap_or(SCROLL_PIXELS_PER_SECOND);
        appearance.scroll = table.scroll.map(|direction| Scroll { direction, speed });
        Ok(appearance)
    }
}

layout! {
    /// The timing of a slide show.
    struct SlidesTable of Pace = Pace::default(); {
        #[serde(serialize_with = "as_seconds", deserialize_with = "time")]
        seconds: Duration = time,
        #[serde(serialize_with = "as_seconds", deserialize_with = "fade")]
        fade: Duration = fade,
        #[serde(with = "order")]
        order: Order = order,
        repeat: bool = repeat,
    }
}

within! {
    time_seconds: f64 = Pace::TIME_RANGE[0].as_secs_f64()..=Pace::TIME_RANGE[1].as_secs_f64(), "s";
    fade_seconds: f64 = 0.0..=Pace::MAX_FADE.as_secs_f64(), "s";
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    time_seconds(from).map(Duration::from_secs_f64)
}

fn fade<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    fade_seconds(from).map(Duration::from_secs_f64)
}

fn as_seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    values::rounded(&time.as_secs_f64(), to)
}

/// Reads and writes the timing of a slide show as its differences from the default.
pub(in crate::settings) mod slides {
    use super::*;

    pub fn serialize<S: Serializer>(pace: &Pace, to: S) -> Result<S::Ok, S::Error> {
        values::unusual(&SlidesTable::of(pace), to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pace, D::Error> {
        let mut pace = Pace::default();
        SlidesTable::deserialize(from)?.put(&mut pace);
        Ok(pace)
    }
}

layout! {
    /// The properties of a browser page. The keys can also be written with hyphens.
    struct PageTable of BrowserPage = BrowserPage::default(); {
        #[serde(with = "values::text_or_none")]
        size: Option<Size> = size,
        #[serde(deserialize_with = "page_rate")]
        fps: Option<u32> = fps,
        css: String = css,
        #[serde(alias = "shut-down-when-hidden")]
        shut_down_when_hidden: bool = shut_down_when_hidden,
        #[serde(alias = "refresh-when-shown")]
        refresh_when_shown: bool = refresh_when_shown,
        #[serde(alias = "local-network")]
        local_network: bool = local_network,
    }
}

within! {
    page_rate: Option<u32> = 1..=BrowserPage::MAX_FPS;
}

/// Reads and writes the properties of a browser page as their differences from the default.
pub(in crate::settings) mod page {
    use super::*;

    pub fn serialize<S: Serializer>(page: &BrowserPage, to: S) -> Result<S::Ok, S::Error> {
        values::unusual(&PageTable::of(page), to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<BrowserPage>, D::Error> {
        let mut page = BrowserPage::default();
        PageTable::deserialize(from)?.put(&mut page);
        Ok(Box::new(page.bounded()))
    }
}

/// Reads and writes the files after the first one.
pub(in crate::settings) mod files {
    use super::*;

    struct File(PathBuf);

    impl<'de> Deserialize<'de> for File {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            match String::deserialize(from)? {
                path if path.is_empty() => Err(values::refuse(problem!("settings-no-path"))),
                path => Ok(Self(path.into())),
            }
        }
    }

    pub fn serialize<S: Serializer>(files: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(files.iter().map(|path| path.display().to_string()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
        let files = Vec::<File>::deserialize(from)?;
        Ok(files.into_iter().map(|File(path)| path).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::capture::{Properties, VideoChoice, VideoFallback, WhenHidden};
    use crate::compose::scene::SourceId;
    use crate::media::playback_control::EndBehavior;
    use crate::studio::scenes::Collection;
    use crate::studio::scenes::MAIN_SOURCE;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::Settings;
    use crate::studio::settings::scenes::collection;

    fn full() -> Properties {
        let style = Style {
            family: "Noto Serif".into(),
            size: 96,
            weight: 700,
            italic: true,
            color: Rgba::opaque(1, 2, 3),
            outline: Some((Rgba::BLACK, 6)),
            shadow: Some(Shadow {
                color: Rgba { red: 9, green: 8, blue: 7, alpha: 128 },
                right: -3,
                down: 12,
                blur: 5,
            }),
            background: Some(Rgba::WHITE),
            padding: 20,
            align: Align::Center,
        };
        let scroll = Some(Scroll { direction: ScrollDirection::Up, speed: 77 });
        let slides = Pace {
            time: Duration::from_millis(2_500),
            fade: Duration::ZERO,
            order: Order::Shuffled,
            repeat: false,
        };
        let text = TextAppearance { style, width: Some(800), height: Some(300), scroll };
        Properties {
            text,
            slides,
            without_pointer: true,
            hidden: WhenHidden::Restarts,
            at_end: EndBehavior::Hold,
            files: vec!["/v/second clip.mp4".into(), "/v/third.mkv".into()],
            page: Box::new(BrowserPage {
                size: Some(Size::new(800, 600)),
                fps: Some(15),
                css: "body { color: red }".into(),
                shut_down_when_hidden: true,
                refresh_when_shown: true,
                local_network: true,
            }),
        }
    }

    #[test]
    fn properties_come_back_as_they_were_from_toml_and_json() {
        let mut before = Collection::default();
        let choice: VideoChoice = "text:Hello".parse().unwrap();
        let scene = before.current;
        for edit in [
            Edit::AddSource { scene, name: "Title".into(), choice: choice.clone() },
            Edit::AddSource { scene, name: "Plain".into(), choice },
            Edit::SetProperties(SourceId(1), full()),
            Edit::SetFallback(SourceId(1), VideoFallback::Placeholder),
            Edit::SetRecorded(SourceId(1), true),
            Edit::SetFallback(SourceId(2), "camera:usb-1@640x480".parse().unwrap()),
            Edit::SetFallback(MAIN_SOURCE, "image:/a b.png".parse().unwrap()),
        ] {
            assert!(before.apply(&edit), "{edit:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["scenes.toml", "scenes.json"] {
            let path = folder.path().join(name);
            collection::export(&before, &[], &path).unwrap();
            let import = collection::import(&path).unwrap();
            assert_eq!(import.left_out, Vec::<String>::new());
            assert_eq!(import.collection.sources, before.sources);
            assert_eq!(import.collection.main_fallback, before.main_fallback);
        }
        // Default values are not written.
        let written = fs::read_to_string(folder.path().join("scenes.toml")).unwrap();
        let plain = written.split("name = \"Plain\"").nth(1).unwrap();
        assert!(!plain.contains("[collection.sources."), "{plain}");
    }

    #[test]
    fn bad_properties_are_reported_and_keep_their_defaults() {
        let text = "[[collection.sources]]\nname = 'Title'\nsource = 'test'\npointer = 'yes'\nwhen_hidden = 'sleep'\n\
            at_end = 'stop'\nfiles = [3, '']\n[collection.sources.text]\nsize = 0\nweight = 1e9\ncolor = 'reddish'\nitalic = 1\n\
            align = 'top'\nshadow = '#000000'\nsparkle = true\nwidth = -4\nfont = 7\n\
            scroll = 'left'\n[collection.sources.slides]\nseconds = -1\nfade = nan\norder = 'random'\nrepeat = 'no'\n";
        let (settings, warnings) = Settings::parse(text);
        let mut expected = Properties::default();
        expected.text.style.shadow =
            Some(Shadow { color: Rgba::BLACK, right: 4, down: 4, blur: 4 });
        expected.text.scroll =
            Some(Scroll { direction: ScrollDirection::Left, speed: SCROLL_PIXELS_PER_SECOND });
        assert_eq!(settings.collection.sources[0].properties, expected);
        assert_eq!(warnings.len(), 17, "{warnings:#?}");
        let size = "onair ignores the setting 'collection.sources.text.size' on line 9, column 8: \
                    it must be a whole number from 4 to 1000 px";
        assert!(warnings.iter().any(|it| *it == size), "{warnings:#?}");
        // If a file has no line numbers, the name of the source identifies the entry.
        let file: toml::Table = text.parse().unwrap();
        let import = collection::import_text(&serde_json::to_string(&file).unwrap()).unwrap();
        let size = "onair ignores the setting 'collection.sources.Title.text.size'";
        assert!(import.left_out.iter().any(|it| it.to_string().starts_with(size)), "{import:#?}");
        let odd = "[[collection.sources]]\nname = 'A'\nsource = 'test'\ntext = 3\nslides = 'x'";
        let (settings, warnings) = Settings::parse(odd);
        assert_eq!(settings.collection.sources[0].properties, Properties::default());
        assert_eq!(warnings.len(), 2, "{warnings:#?}");
    }
}
