//! What becomes of the filters of a source of OBS, of video and of audio.

use std::fmt::Display;

use serde_json::Value;

use crate::studio::notices::import_report;
use crate::studio::settings::import::obs::json::{is_off, text};
use crate::studio::settings::sections::filters::NamedSettings;

/// What became of a source's filters.
#[derive(Debug)]
pub(in crate::studio::settings) struct ImportedFilters<S> {
    pub(in crate::studio::settings) slots: Vec<S>,
    /// The kinds and names of those that were not taken.
    pub(in crate::studio::settings) not: Vec<String>,
    /// So many more were not.
    pub(in crate::studio::settings) more: usize,
    /// What of the others is not as it was, in plain words.
    pub(in crate::studio::settings) otherwise: Vec<String>,
}

impl<S> Default for ImportedFilters<S> {
    fn default() -> Self {
        Self { slots: Vec::new(), not: Vec::new(), more: 0, otherwise: Vec::new() }
    }
}

impl<S> ImportedFilters<S> {
    /// One of theirs: `filters` of ours for it, and what of it is `not`; numbers are told with so many `digits`.
    pub(in crate::studio::settings) fn take<F: NamedSettings>(
        &mut self,
        table: &Value,
        filters: Option<Vec<F>>,
        mut not: Vec<String>,
        digits: usize,
        slot: fn(bool, F) -> S,
    ) {
        let room = F::MOST.saturating_sub(self.slots.len());
        match filters.filter(|filters| filters.len() <= room) {
            Some(filters) => {
                for mut filter in filters {
                    bound(&mut filter, digits, &mut not);
                    self.slots.push(slot(!is_off(table, "enabled"), filter));
                }
                let called = called(table);
                let not = not.iter().map(|not| import_report::of_filter(not, &called));
                self.otherwise.extend(not);
            }
            None if self.not.len() < F::MOST => self.not.push(called(table)),
            None => self.more += 1,
        }
    }

    /// Those that were not taken, told as `these` of `name`, or as these `and_more`.
    pub(in crate::studio::settings) fn left_out(
        &self,
        name: &str,
        these: fn(&dyn Display, &dyn Display) -> String,
        and_more: fn(&dyn Display, &dyn Display, &dyn Display) -> String,
    ) -> Option<String> {
        let not = self.not.join(", ");
        match (self.not.len(), self.more) {
            (0, _) => None,
            (_, 0) => Some(these(&name, &not)),
            (_, more) => Some(and_more(&name, &not, &more)),
        }
    }
}

/// Brings every number into its range; those that were not are told.
fn bound(filter: &mut impl NamedSettings, digits: usize, not: &mut Vec<String>) {
    for (name, range, value) in filter.numbers() {
        let was = *value;
        *value = was.clamp(*range.start(), *range.end());
        if (was - *value).abs() > 1e-3 {
            let (name, digits, unit) = match name {
                "ms" => ("delay".to_owned(), 0, " ms"),
                name => (name.replace('_', " "), digits, ""),
            };
            let told = |number: f32| format!("{number:.digits$}{unit}");
            not.push(import_report::bounded(&name, &told(was), &told(*value)));
        }
    }
}

/// The kind, and the name that a person gave it: of plugins the kind says nothing.
pub(in crate::studio::settings) fn called(table: &Value) -> String {
    let name = text(table, "name");
    let called = match text(table, "id") {
        kind if name.is_empty() || name == kind => kind.to_owned(),
        kind => format!("{kind} '{name}'"),
    };
    called.chars().filter(|it| !it.is_control()).take(100).collect()
}
