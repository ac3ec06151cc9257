//! A notice for the user: one summary, one cure, and the system's text as a detail.

pub(crate) mod active_notices;
pub mod event_log;
pub(crate) mod groups;
pub mod health;
pub mod message;
pub(crate) mod row;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::sanitize::sanitized;
use crate::compose::scene::SourceId;
use crate::net::CertificatePin;
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// The level of a notice.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Useful information.
    Info,
    /// Something works worse than it should; the stream continues.
    Warning,
    /// Something that the user requested does not happen.
    Error,
}

/// The action of a notice's button.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Retry the lost target now.
    RetryNow,
    /// Show this target's address and key for correction.
    EditTarget(u32),
    /// Show this target's stream key for correction.
    EditKey(u32),
    /// Show the viewer monitor of this target.
    ShowViewers(u32),
    /// Retry this target after it has failed.
    StartTarget(u32),
    /// Reach this target's service on port 443 instead.
    UsePort443(u32),
    /// Go live as before the crash.
    Resume,
    /// Disable this target.
    SwitchOff(u32),
    /// Encode the video with this bitrate in kbit/s.
    LowerBitrate(u32),
    /// Accept only this certificate from this target.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Accept only this certificate from the server of this tile's stream.
    TrustStream { tile: TileId, pin: CertificatePin },
    /// Use the test pattern instead.
    UseTestSource,
    /// Unmute the audio.
    Unmute,
    /// Search for devices again.
    RefreshDevices,
    /// Choose another recording folder.
    ChooseFolder,
    /// Edit this source.
    EditSource(SourceId),
    /// Show the filters of this source, so that another file can be chosen.
    EditFilters(SourceId),
    /// Show the options of the transition, so that another file can be chosen.
    EditTransition,
    /// Show the settings of the frame size and the frame rate.
    EditQuality,
    /// Show the audio mixer.
    OpenMixer,
    /// Retry failed sources and files now.
    TryAgain,
    /// Play the file that the notice names.
    PlayRecording,
    /// Show the file that the notice names in the list of recordings.
    ShowRecording,
    /// Show the file that the notice names in the file manager.
    ShowInFolder,
}

/// The name of the problem of a settings file that cannot be used at all.
const UNREADABLE_SETTINGS: &str = "settings-unreadable";

/// The text about the next attempt.
const NEXT_ATTEMPT: &str = "next-retry";

/// The next step for a failed target.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// onair retries the target after this time.
    Retry(Duration),
    /// onair does not retry the target.
    GivenUp,
    /// onair has retried the target for this time, which is the limit.
    TimeOver(Duration),
    /// The connection is open. onair restarts it if the problem persists.
    Waiting,
}

impl From<Next> for Problem {
    fn from(next: Next) -> Self {
        match next {
            Next::Retry(wait) => {
                let tenths = (wait.as_secs_f64() * 10.0).round() / 10.0;
                problem!("next-retry", seconds = tenths.to_string())
            }
            Next::GivenUp => problem!("next-given-up"),
            Next::TimeOver(limit) => {
                problem!("next-time-over", seconds = limit.as_secs_f64().to_string())
            }
            Next::Waiting => problem!("next-waiting"),
        }
    }
}

/// A message for the user. It contains no sentences: a [`Language`] formats its problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A unique number, with which the notice is dismissed.
    pub id: u64,
    /// The problem with its values and its cure.
    pub problem: Problem,
    pub level: Level,
    /// The unchanged text of the system, without secrets.
    pub detail: String,
    /// The exact path of the file that the texts name, for the buttons that open the file.
    pub file: Option<PathBuf>,
    /// The buttons with remedies, the best first.
    pub remedies: Vec<Remedy>,
    /// The id of the target.
    pub target: Option<u32>,
    /// The time of the last report, in microseconds since the Unix epoch.
    pub wall_micros: i64,
    /// The number of consecutive reports.
    pub times: u32,
}

/// A notice that has ended and no longer applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastNotice {
    pub notice: Notice,
    /// The time at which the notice ended, in microseconds since the Unix epoch.
    pub over_micros: i64,
}

impl Notice {
    /// Returns the key of the notice, such as `camera-lost`.
    pub fn key(&self) -> &'static str {
        self.problem.id()
    }

    /// Returns the summary in English.
    pub fn summary(&self) -> String {
        Language::English.say(&self.problem)
    }

    /// Returns the cure in English; empty if there is none.
    pub fn advice(&self) -> String {
        Language::English.cure(&self.problem).unwrap_or_default()
    }

    /// Returns a value that the texts contain, in English.
    pub fn value(&self, name: &str) -> Option<String> {
        value_of(&self.problem, name)
    }

    /// Returns the path of the settings file that cannot be used at all, if the notice is about one.
    fn unreadable_settings(&self) -> Option<String> {
        let problem = self.problem.inner().find(|it| it.id() == UNREADABLE_SETTINGS)?;
        value_of(problem, "path")
    }

    /// Returns true if the other notice has the same message and subject, regardless of the time
    /// until the next attempt.
    pub fn is_same(&self, other: &Self) -> bool {
        let values = |notice: &Self| {
            let args = notice.problem.args().iter().filter(|(name, _)| *name != "next");
            args.cloned().collect::<Vec<_>>()
        };
        self.key() == other.key() && self.target == other.target && values(self) == values(other)
    }

    /// Removes harmful characters from texts of servers, files and devices. The path of the file
    /// stays exact.
    pub(super) fn sanitized(mut self) -> Self {
        let file = self.value("path").or_else(|| self.value("detail"));
        self.file = file.or_else(|| self.unreadable_settings()).map(PathBuf::from);
        self.problem = self.problem.map_texts(&sanitized);
        if let Cow::Owned(clean) = sanitized(&self.detail) {
            self.detail = clean;
        }
        self
    }
}

/// Returns a value of a problem, in English.
fn value_of(problem: &Problem, name: &str) -> Option<String> {
    let found = problem.args().iter().find(|(it, _)| *it == name);
    found.map(|(_, value)| Language::English.value(value))
}

/// Identifies the tile of a player, and thus the slot of its frames.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId(pub u8);

impl TileId {
    /// Returns the index of the slot.
    pub fn slot(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::studio::notices::Remedy;
    use crate::studio::notices::message::StudioMessage;
    use crate::text::problem::problem;

    #[test]
    fn what_a_server_says_steers_nothing() {
        let text = "\u{1B}[2J\u{9B}31m\u{202E}gone".to_owned();
        let notice = StudioMessage::ServerSays { host: "a:1".into(), text }.notice(1, "\u{7}");
        for text in [&notice.summary(), &notice.detail, &notice.value("text").unwrap()] {
            assert!(text.chars().all(crate::base::sanitize::is_harmless), "{text:?}");
        }
        assert!(notice.summary().ends_with("gone"));
    }

    #[test]
    fn the_path_of_a_file_is_safe_in_the_texts_and_exact_beside_them() {
        let path = "/videos/\u{200F}\u{5E9}.mkv";
        let notice = StudioMessage::RecordingSaved { path: path.into() }.notice(1, "");
        assert_eq!(notice.value("path").as_deref(), Some("/videos/\u{FFFD}\u{5E9}.mkv"));
        assert_eq!(notice.file.as_deref(), Some(Path::new(path)));
    }

    #[test]
    fn a_broken_settings_file_is_named_and_can_be_shown() {
        let (path, reason) = ("/home/ada/settings.toml", problem!("syntax-no-text"));
        let whole = problem!("settings-unreadable", path = path, reason = &reason);
        let one = problem!("settings-ignored", path = "delay_ms", reason = reason);
        for (reason, file, remedies) in
            [(whole, Some(Path::new(path)), vec![Remedy::ShowInFolder]), (one, None, Vec::new())]
        {
            let notice = StudioMessage::SettingsBad { reason }.notice(1, "");
            assert_eq!((notice.file.as_deref(), &notice.remedies), (file, &remedies));
            assert_eq!(notice.summary().contains(path), file.is_some(), "{}", notice.summary());
        }
    }
}
