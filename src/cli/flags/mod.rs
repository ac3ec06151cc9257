//! Flags that every command takes.

pub mod network;
pub mod trust;
pub mod value;

use std::path::PathBuf;

use crate::studio::Settings;
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// Print only JSON objects on standard output, one per line
    #[arg(long, global = true)]
    pub json: bool,
    /// Use this settings file instead of your own
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Language of notices and errors: en, zh-CN [default: the system's language; English with
    /// --json]
    #[arg(long, global = true, value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
    /// Log level for standard error: error, warn, info, debug, trace, or a filter such as onair=debug
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag).ok_or_else(|| "choose en or zh-CN".to_owned())
}

impl Globals {
    /// The settings that were asked for by name, with what is wrong in them; `None`: none were.
    ///
    /// # Errors
    /// Where there is no such file.
    pub fn named_settings(&self) -> Result<Option<(Settings, Vec<Problem>)>, Problem> {
        match &self.settings {
            Some(path) if !path.exists() => {
                Err(problem!("cli-settings-missing", path = path.display().to_string()))
            }
            path => Ok(path.as_deref().map(Settings::read)),
        }
    }

    /// The same for who has no window in which a person would see that nothing of them is used.
    ///
    /// # Errors
    /// Where there is no such file, or it is no settings.
    pub fn settings_to_go_by(&self) -> Result<Option<(Settings, Vec<Problem>)>, Problem> {
        let named = self.named_settings()?;
        match self.settings.as_deref().and_then(|path| Some((path, Settings::fault(path)?))) {
            Some((path, why)) => {
                let path = path.display().to_string();
                Err(problem!("cli-settings-bad", path = path, reason = why))
            }
            None => Ok(named),
        }
    }
}
