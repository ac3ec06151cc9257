//! Projectors in the settings file: `[projectors]`. The content of each is written as a word:
//! `program`, `preview`, `multiview`, or `source:` with the source's number in the file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::compose::scene::SourceId;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::settings::reading::values;
use crate::text::problem::{Problem, problem};

/// Maximum number of open projectors.
pub const MAX_PROJECTORS: usize = 8;
/// Maximum number of characters in the name of a display.
const MAX_DISPLAY_NAME_CHARS: usize = 100;

/// The content of a projector.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProjectorContent {
    /// The program that viewers see.
    Program,
    /// The preview scene or, without studio mode, the program.
    Preview,
    /// All scenes.
    Multiview,
    /// A single source.
    Source(SourceId),
}

impl ProjectorContent {
    /// Returns true if this content also exists in another collection, whose sources can have the
    /// same ids.
    pub fn is_same_in(self, old: &Collection, new: &Collection) -> bool {
        match self {
            Self::Source(id) => old.source_name(id) == new.source_name(id),
            _ => true,
        }
    }

    /// Returns the content for a file, in which sources are numbered in order, or `None` if the
    /// collection has no such source.
    fn numbered(self, collection: &Collection) -> Option<Self> {
        match self {
            Self::Source(id) if id != MAIN_SOURCE => {
                let mut numbers = (1..).map(SourceId).zip(&collection.sources);
                numbers.find(|(_, source)| source.id == id).map(|(number, _)| Self::Source(number))
            }
            other => Some(other),
        }
    }
}

impl fmt::Display for ProjectorContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("program"),
            Self::Preview => f.write_str("preview"),
            Self::Multiview => f.write_str("multiview"),
            Self::Source(id) => write!(f, "source:{}", id.0),
        }
    }
}

impl FromStr for ProjectorContent {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "program" => Ok(Self::Program),
            "preview" => Ok(Self::Preview),
            "multiview" => Ok(Self::Multiview),
            text => {
                let id = text.strip_prefix("source:").and_then(|id| id.parse().ok());
                id.map(|id| Self::Source(SourceId(id))).ok_or_else(|| problem!("value-projector"))
            }
        }
    }
}

/// An open projector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectorPlace {
    #[serde(with = "values::text")]
    pub shows: ProjectorContent,
    /// The name of the display that the projector fills; `None` for a window.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "display")]
    pub display: Option<String>,
}

/// The saved projectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Projectors {
    /// True if the projectors are opened again at the next start.
    pub restore: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "open")]
    pub open: Vec<ProjectorPlace>,
}

impl Projectors {
    /// Returns the projectors for a file with this collection.
    pub(in crate::settings) fn numbered(&self, collection: &Collection) -> Self {
        let open = self.open.iter().filter_map(|place| {
            let shows = place.shows.numbered(collection)?;
            Some(ProjectorPlace { shows, ..place.clone() })
        });
        Self { open: open.collect(), ..*self }
    }
}

fn display<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name: String = String::deserialize(from)?.chars().take(MAX_DISPLAY_NAME_CHARS).collect();
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn open<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ProjectorPlace>, D::Error> {
    let open = Vec::<ProjectorPlace>::deserialize(from)?;
    Ok(open.into_iter().take(MAX_PROJECTORS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::studio::scenes::Source;
    use crate::studio::settings::Settings;
    use crate::studio::settings::part::PartKind;

    /// Creates settings with two sources, and with a projector of each and of a third source.
    fn with_sources(names: [(u32, &str); 2]) -> Settings {
        let mut settings = Settings::default();
        settings.collection.sources = names
            .map(|(id, name)| Source::new(SourceId(id), name.to_owned(), VideoChoice::Test))
            .into();
        settings.preferences.projectors.open = [2, 3, 7]
            .map(|id| ProjectorPlace {
                shows: ProjectorContent::Source(SourceId(id)),
                display: None,
            })
            .into();
        settings
    }

    fn shown(settings: &Settings) -> Vec<&str> {
        let open = &settings.preferences.projectors.open;
        open.iter()
            .map(|it| match it.shows {
                ProjectorContent::Source(id) => settings.collection.source_name(id),
                other => panic!("{other}"),
            })
            .collect()
    }

    #[test]
    fn a_projector_shows_the_same_source_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        with_sources([(2, "B"), (3, "C")]).write(&path).unwrap();
        assert_eq!(shown(&Settings::read(&path).0), ["B", "C"], "the third one is gone");
    }

    #[test]
    fn a_projector_does_not_show_a_source_of_another_collection() {
        let mut settings = with_sources([(2, "B"), (3, "C")]);
        PartKind::Collection.copy(&with_sources([(2, "B"), (3, "D")]), &mut settings);
        assert_eq!(shown(&settings), ["B", ""]);
    }

    #[test]
    fn projectors_are_read_as_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let place = |shows, display: Option<&str>| ProjectorPlace {
            shows,
            display: display.map(str::to_owned),
        };
        let projectors = Projectors {
            restore: true,
            open: vec![
                place(ProjectorContent::Program, Some("HDMI-1")),
                place(ProjectorContent::Preview, None),
                place(ProjectorContent::Multiview, None),
                place(ProjectorContent::Source(MAIN_SOURCE), None),
                place(ProjectorContent::Source(SourceId(2)), Some("HDMI-2")),
            ],
        };
        let mut settings = with_sources([(1, "A"), (2, "B")]);
        *settings.preferences.projectors = projectors.clone();
        settings.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(*read.preferences.projectors, projectors);
    }

    #[test]
    fn nonsense_is_reported_and_valid_values_are_kept() {
        for text in ["shows = 'sauce'", "shows = 'source:'", "shows = 7"] {
            let file = format!("[projectors]\nrestore = true\n[[projectors.open]]\n{text}\n");
            let (settings, warnings) = Settings::parse(&file);
            assert!(!warnings.is_empty(), "{text}");
            let named = |it: &Problem| it.to_string().contains("projectors.open");
            assert!(warnings.iter().all(named), "{text}: {warnings:?}");
            let projectors = &settings.preferences.projectors;
            assert!(projectors.restore && projectors.open.is_empty(), "{text}: {projectors:?}");
        }
        let many = "[[projectors.open]]\nshows = 'program'\n".repeat(1_000);
        let (settings, _) = Settings::parse(&many);
        assert_eq!(settings.preferences.projectors.open.len(), MAX_PROJECTORS);
    }
}
