//! The reason why a plugin does not start or does not continue.

use crate::text::Problem;
use crate::text::problem::problem;

/// A plugin in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginDescription {
    pub id: String,
    pub name: String,
    pub vendor: String,
    pub version: String,
    /// True if the plugin says that it is an audio effect.
    pub is_effect: bool,
}

/// The reason why a file or a plugin is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The system cannot load the file.
    Unloadable { reason: String },
    /// The file is not a CLAP plugin.
    NotAPlugin,
    /// The file has no plugin with this id.
    NotInFile,
    /// The plugin has no audio input, or no audio output.
    NoAudio,
    /// The plugin failed in this step.
    Failed { step: String },
}

/// The reason why a plugin does not start or does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginTrouble {
    /// onair runs no plugins on this system.
    NotOnThisSystem,
    /// No plugin is chosen.
    NotChosen,
    /// This program has no launcher, as in tests.
    NoLauncher,
    /// The system cannot start the process.
    NotStarted {
        reason: String,
    },
    Refused(Refusal),
    /// The process ended: it crashed, or was killed.
    Ended,
    /// The process did not answer in time.
    Hung {
        seconds: u64,
    },
    /// The process sent nonsense.
    Garbage,
}

impl PluginTrouble {
    /// Returns true if another process may do better.
    #[cfg(target_os = "linux")]
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Ended | Self::Hung { .. } | Self::Garbage | Self::NotStarted { .. })
    }
}

impl From<&PluginTrouble> for Problem {
    fn from(trouble: &PluginTrouble) -> Self {
        match trouble {
            PluginTrouble::NotOnThisSystem => problem!("plugin-no-system"),
            PluginTrouble::NotChosen => problem!("plugin-not-chosen"),
            PluginTrouble::NoLauncher => problem!("plugin-no-launcher"),
            PluginTrouble::NotStarted { reason } => {
                problem!("plugin-not-started", reason = reason.as_str())
            }
            PluginTrouble::Refused(refusal) => match refusal {
                Refusal::Unloadable { reason } => {
                    problem!("plugin-unloadable", reason = reason.as_str())
                }
                Refusal::NotAPlugin => problem!("plugin-no-plugin"),
                Refusal::NotInFile => problem!("plugin-not-in-file"),
                Refusal::NoAudio => problem!("plugin-no-audio"),
                Refusal::Failed { step } => problem!("plugin-failed", step = step.as_str()),
            },
            PluginTrouble::Ended => problem!("plugin-ended"),
            PluginTrouble::Hung { seconds } => {
                problem!("plugin-hung", seconds = seconds.to_string())
            }
            PluginTrouble::Garbage => problem!("plugin-garbage"),
        }
    }
}
