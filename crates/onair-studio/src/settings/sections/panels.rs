//! Panel layouts in the settings file: `[panels]`. A layout is a text, for example
//! `row(* program, 304 column(* tabs(broadcast, inspector!), 108 controls)); chat 360x480`: rows
//! and columns of parts with their sizes in points (`*` takes the remaining space), tabs, and after
//! a semicolon the panels in separate windows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::named;
use crate::studio::mixer::loudness::LOUDNESS_TARGET_RANGE_LUFS;
use crate::studio::settings::reading::values::{self, within};
use crate::text::problem::{Problem, problem};

/// Maximum number of layouts that the user has created. The predefined layouts do not count, even if
/// the user has changed them.
pub const MAX_LAYOUTS: usize = 32;
/// Maximum number of characters in the name of a layout.
pub const MAX_LAYOUT_NAME_CHARS: usize = 40;
/// Maximum nesting depth. The window never makes a deeper layout, because each of its rows and
/// columns has at least two parts, and each panel occurs once.
const MAX_DEPTH: usize = Panel::ALL.len();
/// The range of side lengths in points.
const SIDE_LENGTH_POINTS: std::ops::RangeInclusive<u16> = 40..=8_000;

named! {
    /// A panel of the *Studio* page.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Panel {
        Sources = "sources",
        Program = "program",
        Mixer = "mixer",
        /// The loudness of the program, compared with a target.
        Loudness = "loudness",
        Broadcast = "broadcast",
        Inspector = "inspector",
        Chat = "chat",
        /// The messages of the chat over the video.
        Danmaku = "danmaku",
        /// The links of the built-in server's stream.
        Share = "share",
        /// The guests of the show: the lobby, and those on air.
        Guests = "guests",
        Stats = "stats",
        EventLog = "event-log",
        Players = "players",
        /// Small views of all scenes.
        Multiview = "multiview",
        /// *Go Live* and the buttons below it. This panel is always visible.
        Controls = "controls",
    }
    /// Returns the name in the settings file.
    fn name;
}

/// Panels in a row, in a column, or as tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Panel(Panel),
    Tabs {
        panels: Vec<Panel>,
        active: usize,
    },
    /// A row or column, with the size of each part in points. A part without a size takes the
    /// remaining space.
    Split {
        row: bool,
        parts: Vec<(Option<u16>, Self)>,
    },
}

impl Node {
    fn each(&self, tell: &mut impl FnMut(Panel)) {
        match self {
            Self::Panel(panel) => tell(*panel),
            Self::Tabs { panels, .. } => panels.iter().copied().for_each(tell),
            Self::Split { parts, .. } => parts.iter().for_each(|(_, part)| part.each(tell)),
        }
    }
}

/// The position of each panel. A panel without a position is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelLayout {
    pub root: Node,
    /// The panels in separate windows, with their sizes.
    pub windows: Vec<(Panel, [u16; 2])>,
}

/// The predefined layouts by their names.
pub const PREDEFINED_LAYOUTS: [(&str, &str); 3] = [
    (
        Panels::SIMPLE,
        "row(* column(* row(228 sources, * program), 124 mixer), \
         304 column(* tabs(broadcast!, inspector, chat, share), 120 controls))",
    ),
    (
        Panels::STUDIO,
        "row(* column(* row(228 sources, * program), 300 row(* tabs(mixer!, loudness), \
         300 tabs(chat!, danmaku, guests), 260 tabs(stats!, event-log))), 304 column(* tabs(broadcast!, inspector, share), 120 controls))",
    ),
    (
        Panels::MONITOR,
        "row(* column(* players, 208 row(* mixer, 300 program)), \
         340 column(* tabs(broadcast!, stats, event-log, chat, share), 120 controls))",
    ),
];

impl PanelLayout {
    /// Returns the predefined layout with this name.
    pub fn preset(name: &str) -> Option<Self> {
        let preset = PREDEFINED_LAYOUTS.iter().find(|(known, _)| *known == name);
        preset.and_then(|(_, text)| text.parse().ok())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panel(panel) => f.write_str(panel.name()),
            Self::Tabs { panels, active } => {
                let mark = |index| if index == *active { "!" } else { "" };
                let names = panels.iter().enumerate();
                let names = names.map(|(index, panel)| panel.name().to_owned() + mark(index));
                write!(f, "tabs({})", names.collect::<Vec<_>>().join(", "))
            }
            Self::Split { row, parts } => {
                let part = |(size, node): &(Option<u16>, Self)| match size {
                    Some(size) => format!("{size} {node}"),
                    None => format!("* {node}"),
                };
                let parts: Vec<String> = parts.iter().map(part).collect();
                write!(f, "{}({})", if *row { "row" } else { "column" }, parts.join(", "))
            }
        }
    }
}

impl fmt::Display for PanelLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        for (panel, [width, height]) in &self.windows {
            write!(f, "; {} {width}x{height}", panel.name())?;
        }
        Ok(())
    }
}

/// A parser, which holds the remaining text.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn takes(&mut self, mark: char) -> bool {
        let rest = self.0.trim_start();
        match rest.strip_prefix(mark) {
            Some(after) => {
                self.0 = after;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.0.trim_start();
        let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.0 = after;
        word
    }

    fn panel(&mut self) -> Result<Panel, Problem> {
        let word = self.word();
        named(word)
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(problem!("panels-too-deep", most = MAX_DEPTH));
        }
        match self.word() {
            "tabs" if self.takes('(') => {
                let (mut panels, mut active) = (Vec::new(), 0);
                loop {
                    panels.push(self.panel()?);
                    if self.takes('!') {
                        active = panels.len() - 1;
                    }
                    if !self.takes(',') {
                        break;
                    }
                }
                // Another tab would hide the buttons that end a broadcast.
                if panels.len() > 1 && panels.contains(&Panel::Controls) {
                    return Err(problem!("panels-controls-tab"));
                }
                self.closed(Node::Tabs { panels, active })
            }
            kind @ ("row" | "column") if self.takes('(') => {
                let mut parts = Vec::new();
                loop {
                    let size = if self.takes('*') { None } else { Some(side(self.word())?) };
                    parts.push((size, self.node(depth + 1)?));
                    if !self.takes(',') {
                        break;
                    }
                }
                self.closed(Node::Split { row: kind == "row", parts })
            }
            word => named(word).map(Node::Panel),
        }
    }

    fn closed(&mut self, node: Node) -> Result<Node, Problem> {
        if self.takes(')') { Ok(node) } else { Err(problem!("panels-unclosed")) }
    }
}

fn named(word: &str) -> Result<Panel, Problem> {
    let known = Panel::ALL.into_iter().find(|panel| panel.name() == word);
    known.ok_or_else(|| problem!("panels-unknown", name = word.to_owned()))
}

fn side(word: &str) -> Result<u16, Problem> {
    let side = word.parse().ok().filter(|side| SIDE_LENGTH_POINTS.contains(side));
    let (least, most) =
        (usize::from(*SIDE_LENGTH_POINTS.start()), usize::from(*SIDE_LENGTH_POINTS.end()));
    side.ok_or_else(|| problem!("panels-size", least = least, most = most))
}

impl FromStr for PanelLayout {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut texts = text.split(';');
        let mut reader = Reader(texts.next().unwrap_or_default());
        let root = reader.node(0)?;
        if !reader.0.trim().is_empty() {
            return Err(problem!("panels-unclosed"));
        }
        let window = |text: &str| {
            let mut reader = Reader(text);
            let panel = reader.panel()?;
            let (width, height) = reader.0.trim().split_once('x').unwrap_or_default();
            Ok::<_, Problem>((panel, [side(width)?, side(height)?]))
        };
        let windows = texts.map(window).collect::<Result<Vec<_>, Problem>>()?;
        let (mut seen, mut twice) = (BTreeSet::new(), false);
        root.each(&mut |panel| twice |= !seen.insert(panel));
        // The buttons that end a broadcast are always in the main window.
        if !seen.contains(&Panel::Controls) {
            return Err(problem!("panels-no-controls"));
        }
        twice |= windows.iter().any(|(panel, _)| !seen.insert(*panel));
        match twice {
            true => Err(problem!("panels-twice")),
            false => Ok(Self { root, windows }),
        }
    }
}

impl Serialize for PanelLayout {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PanelLayout {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(values::refuse)
    }
}

/// The name of the layout in use, the layouts that the user changed or created, and the options of
/// panels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Panels {
    pub layout: String,
    /// The loudness of the program to aim for, in LUFS; `None` means the loudness that the services
    /// state.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loudness_target")]
    pub loudness_target: Option<i8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "layouts")]
    pub layouts: BTreeMap<String, PanelLayout>,
}

within! {
    loudness_target: Option<i8> = LOUDNESS_TARGET_RANGE_LUFS, "LUFS";
}

impl Default for Panels {
    fn default() -> Self {
        Self { layout: Self::SIMPLE.to_owned(), layouts: BTreeMap::new(), loudness_target: None }
    }
}

impl Panels {
    /// The names of the predefined layouts.
    pub const SIMPLE: &str = "simple";
    pub const STUDIO: &str = "studio";
    pub const MONITOR: &str = "monitor";

    /// Returns the layout in use, or the simple one if the name does not exist.
    pub fn current(&self) -> Option<PanelLayout> {
        let own = self.layouts.get(&self.layout).cloned();
        own.or_else(|| PanelLayout::preset(&self.layout))
            .or_else(|| PanelLayout::preset(Self::SIMPLE))
    }

    /// Returns the names of the layouts that the user has created.
    pub fn own_names(&self) -> impl Iterator<Item = &String> {
        self.layouts.keys().filter(|name| !is_predefined_layout(name))
    }

    /// Returns true if the layout in use is the default simple one.
    pub fn is_simple(&self) -> bool {
        self.layout == Self::SIMPLE && !self.layouts.contains_key(Self::SIMPLE)
    }

    /// Returns the problem if the layout in use does not exist.
    pub(in crate::settings) fn missing(&self) -> Option<Problem> {
        let known =
            self.layouts.contains_key(&self.layout) || PanelLayout::preset(&self.layout).is_some();
        (!known).then(|| problem!("panels-missing", name = self.layout.clone()))
    }
}

/// Returns true for the name of a predefined layout.
pub fn is_predefined_layout(name: &str) -> bool {
    PREDEFINED_LAYOUTS.iter().any(|(preset, _)| *preset == name)
}

fn layouts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, PanelLayout>, D::Error> {
    let layouts = BTreeMap::<String, PanelLayout>::deserialize(from)?;
    let short =
        |(name, _): &(String, _)| !name.is_empty() && name.chars().count() <= MAX_LAYOUT_NAME_CHARS;
    let mut own = 0;
    let fits = |(name, _): &(String, _)| {
        own += usize::from(!is_predefined_layout(name));
        is_predefined_layout(name) || own <= MAX_LAYOUTS
    };
    Ok(layouts.into_iter().filter(short).filter(fits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn an_impossible_loudness_is_reported_and_the_services_decide() {
        for text in ["-41", "0", "14", "'loud'", "1e9"] {
            let (settings, warnings) =
                Settings::parse(&format!("[panels]\nloudness_target = {text}\n"));
            assert_eq!(settings.preferences.panels.loudness_target, None, "{text}");
            assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
            assert!(warnings[0].to_string().contains("panels.loudness_target"), "{warnings:?}");
        }
    }

    #[test]
    fn layouts_are_read_as_they_are_written() {
        for (name, text) in PREDEFINED_LAYOUTS {
            let layout: PanelLayout = text.parse().expect(name);
            assert_eq!(layout.to_string().parse(), Ok(layout.clone()), "{name}");
            assert_eq!(layout.to_string(), text, "{name}");
        }
        let apart = "column(* program, 120 controls); chat 360x480; stats 300x200";
        assert_eq!(apart.parse::<PanelLayout>().unwrap().to_string(), apart);
    }

    #[test]
    fn changed_predefined_layouts_do_not_replace_those_of_the_user() {
        let layout = PanelLayout::preset("simple").unwrap();
        let predefined = PREDEFINED_LAYOUTS.map(|(name, _)| name.to_owned());
        let mut panels = Panels::default();
        let own = (0..MAX_LAYOUTS).map(|number| format!("own {number}"));
        panels.layouts = own.chain(predefined.clone()).map(|name| (name, layout.clone())).collect();
        assert_eq!(panels.own_names().count(), MAX_LAYOUTS);
        let read = |panels: &Panels| -> Panels {
            toml::from_str(&toml::to_string(panels).unwrap()).unwrap()
        };
        assert_eq!(read(&panels), panels);
        // An edited file can have more.
        panels.layouts.insert("a".to_owned(), layout);
        let read = read(&panels);
        assert_eq!(read.own_names().count(), MAX_LAYOUTS);
        assert!(predefined.iter().all(|name| read.layouts.contains_key(name)));
    }

    #[test]
    fn a_layout_that_is_as_deep_as_the_panels_allow_is_read() {
        let mut text = String::from("controls");
        for (panel, kind) in Panel::ALL.into_iter().zip(["row", "column"].into_iter().cycle()) {
            if panel != Panel::Controls {
                text = format!("{kind}(300 {}, * {text})", panel.name());
            }
        }
        let layout: PanelLayout = text.parse().unwrap();
        assert_eq!(layout.to_string(), text);
    }

    #[test]
    fn nonsense_is_reported_and_the_layout_is_the_default() {
        for text in [
            "",
            "program",
            "row(",
            "row(* program, controls)",
            "row(* program, 7 controls)",
            "row(* program, * controls",
            "row(* program, * program, * controls)",
            "row(* program, * controls) chat",
            "controls; chat",
            "controls; controls 300x300",
            "tabs(controls, sauce)",
            "tabs(controls, chat!)",
            "row(* program, 304 tabs(controls!, chat))",
            &format!("{}controls{}", "row(* ".repeat(40), ")".repeat(40)),
        ] {
            assert!(text.parse::<PanelLayout>().is_err(), "{text}");
            let file =
                format!("[panels]\nlayout = 'studio'\n[panels.layouts]\nstudio = '{text}'\n");
            let (settings, warnings) = Settings::parse(&file);
            assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
            assert!(warnings[0].to_string().contains("panels.layouts.studio"), "{warnings:?}");
            assert_eq!(settings.preferences.panels.current(), PanelLayout::preset("studio"));
        }
        let (settings, warnings) = Settings::parse("[panels]\nlayout = 'Sunday'\n");
        assert!(warnings[0].to_string().contains("Sunday"), "{warnings:?}");
        assert!(settings.preferences.panels.is_simple());
    }
}
