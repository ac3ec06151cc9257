//! Flags that every command takes.

pub mod network;
pub mod value;

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::process::log::LogFormat;
use crate::studio::Settings;
use crate::studio::settings::default_path;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::files::PartFiles;
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// The place of these flags in help texts: after the flags of the command, before `--help`.
const GLOBAL_ORDER: usize = 990;

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// Print only JSON objects on standard output, one per line
    #[arg(long, global = true, display_order = GLOBAL_ORDER)]
    pub json: bool,
    /// Settings file. Without this flag, the window, `scenes`, `collections` and
    /// `profiles` use your own settings file, and `live` and `check` use none
    #[arg(long, global = true, display_order = GLOBAL_ORDER + 1, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Scene collection to use, from the --settings file if given, otherwise from your own settings.
    /// For the window (also of `play`), `live` and `check`
    #[arg(long, global = true, display_order = GLOBAL_ORDER + 2, value_name = "NAME")]
    pub collection: Option<String>,
    /// Profile to use (quality, targets, recording, hotkeys), from the --settings file if given,
    /// otherwise from your own settings. For the window (also of `play`), `live` and `check`
    #[arg(long, global = true, display_order = GLOBAL_ORDER + 3, value_name = "NAME")]
    pub profile: Option<String>,
    /// Language of notices and errors: en or zh-CN (also zh, or a locale) [default: the system's
    /// language; English with --json]
    #[arg(
        long,
        global = true,
        display_order = GLOBAL_ORDER + 4,
        value_name = "LANGUAGE",
        value_parser = value::suggesting(["en", "zh-CN"], language),
        hide_possible_values = true
    )]
    pub lang: Option<Language>,
    /// Log level for standard error: off, error, warn, info, debug, trace, or a filter such as
    /// onair=debug
    #[arg(
        long,
        global = true,
        display_order = GLOBAL_ORDER + 5,
        value_name = "LEVEL",
        default_value = "warn"
    )]
    pub log: String,
    /// Format of log lines: text, or json for programs that collect logs (one object per line)
    #[arg(
        long,
        global = true,
        display_order = GLOBAL_ORDER + 6,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

fn language(tag: &str) -> Result<Language, Problem> {
    Language::of_argument(tag).ok_or_else(|| problem!("value-none-of", known = "en, zh-CN"))
}

/// Returns the language of `--lang`, and whether `--json` is given, on a command line that clap
/// cannot parse.
pub fn language_of(words: impl IntoIterator<Item = String>) -> (Option<Language>, bool) {
    let mut words = words.into_iter().take_while(|word| word != "--");
    let (mut language, mut json) = (None, false);
    while let Some(word) = words.next() {
        json |= word == "--json";
        let tag = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        language = tag.and_then(|tag| Language::of_argument(&tag)).or(language);
    }
    (language, json)
}

impl Globals {
    /// Returns the settings file of this run: the file of `--settings`, or the user's own settings
    /// file if a collection or profile was requested.
    pub fn settings_in_use(&self) -> Option<PathBuf> {
        let own = self.parts().next().and_then(|_| default_path());
        self.settings.clone().or(own)
    }

    /// Returns the requested collection and profile.
    pub fn parts(&self) -> impl Iterator<Item = (PartKind, &str)> {
        let both = [
            (PartKind::Collection, self.collection.as_deref()),
            (PartKind::Profile, self.profile.as_deref()),
        ];
        both.into_iter().filter_map(|(kind, name)| Some((kind, name?)))
    }

    /// Checks whether this command, or the window without a command, uses the settings file, the
    /// collection, the profile and JSON, if they were requested.
    ///
    /// # Errors
    /// Fails if the command would ignore one of these flags.
    pub fn check_use(&self, command: Option<&str>) -> Result<(), Problem> {
        let command = command.unwrap_or("studio");
        let uses_parts = matches!(command, "studio" | "live" | "play" | "check");
        let uses_settings = uses_parts || matches!(command, "scenes" | "collections" | "profiles");
        let prints_no_json = matches!(command, "studio" | "completions" | "man");
        let unused = [
            ("--json", self.json && prints_no_json),
            ("--settings", self.settings.is_some() && !uses_settings),
            ("--collection", self.collection.is_some() && !uses_parts),
            ("--profile", self.profile.is_some() && !uses_parts),
        ];
        match unused.into_iter().find(|(_, is_unused)| *is_unused) {
            Some((flag, _)) => Err(problem!("cli-unused-flag", command = command, flag = flag)),
            None => Ok(()),
        }
    }

    /// Returns the requested settings with their problems, or `None` if none were requested.
    /// Without `--settings`, only the collection or profile of the user's settings is used.
    ///
    /// # Errors
    /// Fails if the file, collection or profile does not exist.
    pub fn named_settings(&self) -> Result<Option<(Settings, Vec<Problem>)>, Problem> {
        let Some(path) = self.settings_in_use() else { return Ok(None) };
        self.check_existence(&path)?;
        let (mut all, mut warnings) = Settings::read(&path);
        let files = PartFiles::beside(&path);
        for (kind, name) in self.parts() {
            warnings.extend(files.borrow(kind, name, &mut all)?);
        }
        if self.settings.is_some() {
            return Ok(Some((all, warnings)));
        }
        let mut asked = Settings { in_use: all.in_use.clone(), ..Settings::default() };
        for (kind, _) in self.parts() {
            kind.copy(&all, &mut asked);
        }
        Ok(Some((asked, warnings)))
    }

    /// Returns the same as [`Globals::named_settings`], but for a run without a window, which must
    /// not ignore unusable settings.
    ///
    /// # Errors
    /// Fails if the file does not exist or is not a settings file.
    pub fn settings_to_go_by(&self) -> Result<Option<(Settings, Vec<Problem>)>, Problem> {
        self.settings_in_use().map_or(Ok(()), |path| self.check_settings(&path))?;
        self.named_settings()
    }

    fn check_existence(&self, path: &Path) -> Result<(), Problem> {
        if self.settings.is_some() && !path.exists() {
            return Err(problem!("cli-settings-missing", path = path.display().to_string()));
        }
        Ok(())
    }

    /// Checks the settings file of this run. The user's own settings file may be missing.
    ///
    /// # Errors
    /// Fails if the file of `--settings` does not exist, or if the file is not a settings file.
    pub fn check_settings(&self, path: &Path) -> Result<(), Problem> {
        self.check_existence(path)?;
        let metadata = path.symlink_metadata();
        let is_missing = metadata.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let Some(reason) = (!is_missing).then(|| Settings::fault(path)).flatten() else {
            return Ok(());
        };
        let shown = path.display().to_string();
        Err(match self.settings {
            Some(_) => problem!("cli-settings-bad", path = shown, reason = reason),
            None => problem!("settings-unreadable", path = shown, reason = reason)
                .with_cure(problem!("cli-cure-own-settings")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_command_line_has_a_language() {
        for (line, found) in [
            ("live --sample-rate 1", (None, false)),
            ("--lang zh live", (Some(Language::Chinese), false)),
            ("live --lang=en --json", (Some(Language::English), true)),
            ("live --lang", (None, false)),
            ("live --language zh --lang xx", (None, false)),
            ("play -- --lang zh --json", (None, false)),
        ] {
            assert_eq!(language_of(line.split(' ').map(str::to_owned)), found, "{line}");
        }
    }
}
