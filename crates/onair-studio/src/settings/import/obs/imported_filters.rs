//! Imports the filters of a source, for video and audio.

use serde_json::Value;

use crate::media::{FilterParameter, TrackKind};
use crate::studio::settings::import::obs::json::{is_off, text};
use crate::studio::settings::sections::filters::NamedSettings;
use crate::text::problem::{Problem, problem};

/// The result of the import of a source's filters.
#[derive(Debug)]
pub struct ImportedFilters<S> {
    pub slots: Vec<S>,
    /// The kinds and names of the filters that were not imported.
    pub not: Vec<String>,
    /// The number of further filters that were not imported.
    pub more: usize,
    /// Descriptions of how the imported filters differ from OBS's.
    pub otherwise: Vec<Problem>,
}

impl<S> Default for ImportedFilters<S> {
    fn default() -> Self {
        Self { slots: Vec::new(), not: Vec::new(), more: 0, otherwise: Vec::new() }
    }
}

impl<S> ImportedFilters<S> {
    /// Adds onair's `filters` for one of OBS's filters. `not` contains the unsupported parts, and
    /// `digits` is the precision of displayed numbers.
    pub fn take<F: NamedSettings>(
        &mut self,
        table: &Value,
        filters: Option<Vec<F>>,
        mut not: Vec<Problem>,
        digits: usize,
        slot: fn(bool, F) -> S,
    ) {
        let room = F::MAX_COUNT.saturating_sub(self.slots.len());
        match filters.filter(|filters| filters.len() <= room) {
            Some(filters) => {
                for mut filter in filters {
                    bound(&mut filter, digits, &mut not);
                    self.slots.push(slot(!is_off(table, "enabled"), filter));
                }
                let called = called(table);
                let not = not
                    .iter()
                    .map(|not| problem!("import-of-filter", what = not, filter = &called));
                self.otherwise.extend(not);
            }
            None if self.not.len() < F::MAX_COUNT => self.not.push(called(table)),
            None => self.more += 1,
        }
    }

    /// Reports the filters of the source with this name that were not imported.
    pub fn left_out(&self, kind: TrackKind, name: &str) -> Option<Problem> {
        let kinds = &self.not;
        Some(match (kind, self.not.len(), self.more) {
            (_, 0, _) => return None,
            (TrackKind::Video, _, 0) => problem!("import-filters-of", name = name, kinds = kinds),
            (TrackKind::Audio, _, 0) => {
                problem!("import-filters-of-audio", name = name, kinds = kinds)
            }
            (TrackKind::Video, _, more) => {
                problem!("import-filters-of-and-more", name = name, kinds = kinds, count = more)
            }
            (TrackKind::Audio, _, more) => {
                problem!(
                    "import-filters-of-audio-and-more",
                    name = name,
                    kinds = kinds,
                    count = more
                )
            }
        })
    }
}

/// Clamps every number, and reports changes.
fn bound(filter: &mut impl NamedSettings, digits: usize, not: &mut Vec<Problem>) {
    for (FilterParameter { name, range, .. }, value) in filter.numbers() {
        let was = *value;
        *value = was.clamp(*range.start(), *range.end());
        if (was - *value).abs() > 1e-3 {
            let (name, digits, unit) = match name {
                "ms" => ("delay", 0, " ms"),
                name => (name, digits, ""),
            };
            let formatted = |number: f32| format!("{number:.digits$}{unit}");
            not.push(problem!(
                "import-bounded",
                number = &name,
                was = &formatted(was),
                is = &formatted(*value)
            ));
        }
    }
}

/// Returns the kind of a filter and the user's name for it, because the kind alone says little
/// about a filter of a plugin.
pub fn called(table: &Value) -> String {
    let name = text(table, "name");
    let called = match text(table, "id") {
        kind if name.is_empty() || name == kind => kind.to_owned(),
        kind => format!("{kind} '{name}'"),
    };
    called.chars().filter(|it| !it.is_control()).take(100).collect()
}
