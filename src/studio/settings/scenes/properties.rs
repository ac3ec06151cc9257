//! What sources are set by beside what they show, in a scene collection: `text` and `slides` are
//! tables of a source, `pointer` a flag, `when_hidden` and `at_end` words, `files` a list. What is not known or not as it
//! should be is told, and stays as it is in the beginning.

use std::path::PathBuf;
use std::time::Duration;

use toml::{Table, Value};

use crate::capture::text::{Align, Scroll, ScrollDirection, Shadow, Style, TextAppearance};
use crate::capture::{Order, Pace, Properties, Rgba, WhenHidden};
use crate::media::Size;
use crate::media::playback_control::EndBehavior;
use crate::studio::notices::settings_warnings;
use crate::studio::settings::reading::parts::{meant, number, quoted, word_of};

const ALIGNS: [(&str, Align); 3] =
    [("left", Align::Left), ("center", Align::Center), ("right", Align::Right)];

const WAYS: [(&str, ScrollDirection); 4] = [
    ("left", ScrollDirection::Left),
    ("right", ScrollDirection::Right),
    ("up", ScrollDirection::Up),
    ("down", ScrollDirection::Down),
];

const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("shuffled", Order::Shuffled)];

const HIDDEN: [(&str, WhenHidden); 3] =
    [("play", WhenHidden::Plays), ("pause", WhenHidden::Pauses), ("restart", WhenHidden::Restarts)];

/// Pixels a second, where only the way is written.
const SPEED: u32 = 120;

/// How the look of a text is written: what differs from the beginning.
pub(in crate::studio::settings) fn text_table(look: &TextAppearance) -> Table {
    let (style, none) = (&look.style, Style::default());
    let mut table = Table::new();
    let mut put = |differs: bool, name: &str, value: Value| {
        if differs {
            table.insert(name.to_owned(), value);
        }
    };
    let whole = |number: u32| Value::Integer(number.into());
    let text = |text: &str| Value::String(text.to_owned());
    put(style.family != none.family, "font", text(&style.family));
    put(style.size != none.size, "size", whole(style.size));
    put(style.weight != none.weight, "weight", whole(style.weight.into()));
    put(style.italic, "italic", true.into());
    put(style.color != none.color, "color", text(&style.color.to_string()));
    if let Some((color, width)) = style.outline {
        put(true, "outline", text(&color.to_string()));
        put(true, "outline_width", whole(width));
    }
    if let Some(shadow) = style.shadow {
        put(true, "shadow", text(&shadow.color.to_string()));
        put(true, "shadow_right", i64::from(shadow.right).into());
        put(true, "shadow_down", i64::from(shadow.down).into());
        put(true, "shadow_blur", whole(shadow.blur));
    }
    if let Some(color) = style.background {
        put(true, "background", text(&color.to_string()));
    }
    put(style.padding != none.padding, "padding", whole(style.padding));
    put(
        style.align != none.align,
        "align",
        text(word_of(&ALIGNS, &style.align).unwrap_or_default()),
    );
    if let Some(width) = look.width {
        put(true, "width", whole(width));
    }
    if let Some(height) = look.height {
        put(true, "height", whole(height));
    }
    if let Some(scroll) = look.scroll {
        put(true, "scroll", text(word_of(&WAYS, &scroll.way).unwrap_or_default()));
        put(true, "speed", whole(scroll.speed));
    }
    table
}

/// How the pace of slides is written: what differs from the beginning.
pub(in crate::studio::settings) fn slides_table(pace: &Pace) -> Table {
    let none = Pace::default();
    let mut table = Table::new();
    let seconds = |time: Duration| Value::Float((time.as_secs_f64() * 1e3).round() / 1e3);
    if pace.time != none.time {
        table.insert("seconds".into(), seconds(pace.time));
    }
    if pace.fade != none.fade {
        table.insert("fade".into(), seconds(pace.fade));
    }
    if pace.order != none.order {
        table.insert("order".into(), word_of(&ORDERS, &pace.order).unwrap_or_default().into());
    }
    if !pace.repeat {
        table.insert("repeat".into(), false.into());
    }
    table
}

/// Reads the properties out of a source's table.
pub(in crate::studio::settings) fn read(
    source: &Value,
    name: &str,
    bad: &mut dyn FnMut(String),
) -> Properties {
    let mut part = |key: &str, read: &mut dyn FnMut(&str, &Value) -> bool| match source.get(key) {
        None => {}
        Some(Value::Table(table)) => {
            for (inner, value) in table {
                if !read(inner, value) {
                    let inner = quoted(inner);
                    bad(settings_warnings::part_of_source(&inner, &key, &name));
                }
            }
        }
        Some(_) => {
            bad(settings_warnings::of_source(&key, &name, &settings_warnings::it_is_no_table()));
        }
    };
    let mut text = TextParts::default();
    part("text", &mut |key, value| text.take(key, value).is_some());
    let mut slides = Pace::default();
    part("slides", &mut |key, value| pace(&mut slides, key, value).is_some());
    let without_pointer = match source.get("pointer") {
        None => false,
        Some(Value::Boolean(shown)) => !shown,
        Some(_) => {
            bad(settings_warnings::of_source(
                &"pointer",
                &name,
                &settings_warnings::it_is_no_flag(),
            ));
            false
        }
    };
    let hidden = match source.get("when_hidden").map(Value::as_str) {
        None => WhenHidden::default(),
        Some(word) => {
            let known = HIDDEN.iter().find(|(name, _)| Some(*name) == word);
            if known.is_none() {
                bad(settings_warnings::of_source(
                    &"when_hidden",
                    &name,
                    &settings_warnings::it_is_not_known(),
                ));
            }
            known.map(|(_, hidden)| *hidden).unwrap_or_default()
        }
    };
    let at_end = match source.get("at_end").map(|word| word.as_str().and_then(|it| it.parse().ok()))
    {
        None => EndBehavior::default(),
        Some(known) => known.unwrap_or_else(|| {
            bad(settings_warnings::of_source(
                &"at_end",
                &name,
                &settings_warnings::it_is_not_known(),
            ));
            EndBehavior::default()
        }),
    };
    let files = files(source.get("files"), name, bad);
    Properties { text: text.look(), slides, without_pointer, hidden, at_end, files }.bounded()
}

/// What follows the file that is shown.
fn files(list: Option<&Value>, name: &str, bad: &mut dyn FnMut(String)) -> Vec<PathBuf> {
    let list = match list {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            bad(settings_warnings::of_source(&"files", &name, &settings_warnings::it_is_no_list()));
            return Vec::new();
        }
    };
    if list.len() > Properties::MAX_FILES {
        bad(settings_warnings::files_beyond(&Properties::MAX_FILES, &name));
    }
    let paths = list.iter().take(Properties::MAX_FILES).filter_map(|path| {
        let path = path.as_str().filter(|path| !path.is_empty());
        if path.is_none() {
            bad(settings_warnings::no_path(&name));
        }
        path.map(PathBuf::from)
    });
    paths.collect()
}

/// What becomes of it while it is not shown, in a word; `None`: it goes on.
pub(in crate::studio::settings) fn hidden_text(hidden: WhenHidden) -> Option<&'static str> {
    word_of(&HIDDEN, &hidden).filter(|_| hidden != WhenHidden::default())
}

/// What becomes of it at its end, in a word; `None`: it begins again.
pub(in crate::studio::settings) fn at_end_text(at_end: EndBehavior) -> Option<&'static str> {
    word_of(&EndBehavior::WORDS, &at_end).filter(|_| at_end != EndBehavior::default())
}

/// What was read of a text's look; what hangs together is written in several places.
#[derive(Default)]
struct TextParts {
    look: TextAppearance,
    outline: Option<Rgba>,
    outline_width: Option<u32>,
    shadow: Option<Rgba>,
    shift: [Option<i32>; 2],
    blur: Option<u32>,
    way: Option<ScrollDirection>,
    speed: Option<u32>,
}

impl TextParts {
    /// `None`: it is not as it should be.
    fn take(&mut self, key: &str, value: &Value) -> Option<()> {
        let style = &mut self.look.style;
        let (around, shift) = (Style::MAX_AROUND, Style::MAX_SHIFT);
        match key {
            "font" => style.family = value.as_str()?.to_owned(),
            "size" => style.size = whole(value, *Style::SIZES.start(), *Style::SIZES.end())?,
            "weight" => style.weight = whole(value, 100, 900)?,
            "italic" => style.italic = value.as_bool()?,
            "color" => style.color = color(value)?,
            "outline" => self.outline = Some(color(value)?),
            "outline_width" => self.outline_width = Some(whole(value, 0, around)?),
            "shadow" => self.shadow = Some(color(value)?),
            "shadow_right" => self.shift[0] = Some(whole(value, -shift, shift)?),
            "shadow_down" => self.shift[1] = Some(whole(value, -shift, shift)?),
            "shadow_blur" => self.blur = Some(whole(value, 0, around)?),
            "background" => style.background = Some(color(value)?),
            "padding" => style.padding = whole(value, 0, Style::MAX_PADDING)?,
            "align" => style.align = meant(value.as_str()?, &ALIGNS)?,
            "width" => {
                self.look.width = Some(whole(value, TextAppearance::MIN_SIDE, Size::MAX_SIDE)?);
            }
            "height" => {
                self.look.height = Some(whole(value, TextAppearance::MIN_SIDE, Size::MAX_SIDE)?);
            }
            "scroll" => self.way = Some(meant(value.as_str()?, &WAYS)?),
            "speed" => self.speed = Some(whole(value, 1, Scroll::MAX_SCROLL_SPEED)?),
            _ => return None,
        }
        Some(())
    }

    fn look(self) -> TextAppearance {
        let mut look = self.look;
        look.style.outline = self.outline.map(|color| (color, self.outline_width.unwrap_or(4)));
        let [right, down] = self.shift.map(|it| it.unwrap_or(4));
        let blur = self.blur.unwrap_or(4);
        look.style.shadow = self.shadow.map(|color| Shadow { color, right, down, blur });
        let speed = self.speed.unwrap_or(SPEED);
        look.scroll = self.way.map(|way| Scroll { way, speed });
        look
    }
}

fn pace(pace: &mut Pace, key: &str, value: &Value) -> Option<()> {
    let [least, most] = Pace::TIMES;
    match key {
        "seconds" => pace.time = seconds(value, least, most)?,
        "fade" => pace.fade = seconds(value, Duration::ZERO, Pace::MAX_FADE)?,
        "order" => pace.order = meant(value.as_str()?, &ORDERS)?,
        "repeat" => pace.repeat = value.as_bool()?,
        _ => return None,
    }
    Some(())
}

fn whole<T>(value: &Value, low: T, high: T) -> Option<T>
where
    T: TryFrom<i64> + PartialOrd,
{
    let number = T::try_from(value.as_integer()?).ok()?;
    (low..=high).contains(&number).then_some(number)
}

fn seconds(value: &Value, low: Duration, high: Duration) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(number(value)?).ok()?;
    (low..=high).contains(&time).then_some(time)
}

fn color(value: &Value) -> Option<Rgba> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{VideoChoice, VideoFallback};
    use crate::compose::scene::SourceId;
    use crate::studio::scenes::Collection;
    use crate::studio::scenes::MAIN;
    use crate::studio::scenes::edits::Edit;
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
        let scroll = Some(Scroll { way: ScrollDirection::Up, speed: 77 });
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
            Edit::SetFallback(SourceId(2), "camera:usb-1@640x480".parse().unwrap()),
            Edit::SetFallback(MAIN, "image:/a b.png".parse().unwrap()),
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
        // What is as in the beginning is not written.
        assert!(text_table(&TextAppearance::default()).is_empty());
        assert!(slides_table(&Pace::default()).is_empty());
    }

    #[test]
    fn what_is_bad_is_told_and_stays_as_in_the_beginning() {
        let text = "pointer = 'yes'\nwhen_hidden = 'sleep'\nat_end = 'stop'\nfiles = [3]\n[text]\nsize = 0\nweight = 1e9\ncolor = 'reddish'\nitalic = 1\n\
            align = 'top'\nshadow = '#000000'\nsparkle = true\nwidth = -4\nfont = 7\n\
            scroll = 'left'\n[slides]\nseconds = -1\nfade = nan\norder = 'random'\nrepeat = 'no'\n";
        let table: Value = Value::Table(text.parse().unwrap());
        let mut told = Vec::new();
        let read_back = read(&table, "Title", &mut |why| told.push(why));
        let mut expected = Properties::default();
        expected.text.style.shadow =
            Some(Shadow { color: Rgba::BLACK, right: 4, down: 4, blur: 4 });
        expected.text.scroll = Some(Scroll { way: ScrollDirection::Left, speed: SPEED });
        assert_eq!(read_back, expected);
        assert_eq!(told.len(), 16, "{told:#?}");
        assert!(told.iter().all(|why| why.contains("'Title'")), "{told:#?}");
        let odd: Value = Value::Table("text = 3\nslides = []".parse().unwrap());
        let mut told = 0;
        assert_eq!(read(&odd, "", &mut |_| told += 1), Properties::default());
        assert_eq!(told, 2);
    }
}
