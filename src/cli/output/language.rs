//! The language of all output of a command.

use std::sync::OnceLock;

use crate::text::Language;

/// The language of all output, if one was chosen.
static CHOSEN_LANGUAGE: OnceLock<Option<Language>> = OnceLock::new();

/// Sets the language of all output: the language of `--lang`, or else English with `--json`, or else
/// the language of the system. Only the first call has an effect.
pub fn speak(language: Option<Language>, json: bool) {
    let _ = CHOSEN_LANGUAGE.set(language.or(json.then_some(Language::English)));
    Language::choose(language);
}

/// Returns the chosen language, if any.
pub(super) fn chosen() -> Option<Language> {
    CHOSEN_LANGUAGE.get().copied().flatten()
}

/// Returns the language of all output.
pub(super) fn language() -> Language {
    chosen().unwrap_or_else(Language::of_system)
}
