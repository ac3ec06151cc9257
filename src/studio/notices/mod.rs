//! What a person is told: one summary, one piece of advice, the detail for who wants it.

pub(in crate::studio) mod active_notices;
pub mod adaptation;
pub mod event_log;
pub mod import_report;
pub mod message;
pub(in crate::studio) mod monitor;
pub mod scenes;
pub mod settings_warnings;

use std::borrow::Cow;
use std::time::Duration;

use crate::base::sanitize::sanitized;
use crate::compose::scene::SourceId;
use crate::net::CertificatePin;

/// How much it matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is worse than it should be; the stream goes on.
    Warning,
    /// Something that was asked for does not happen.
    Error,
}

/// What a button beside the notice does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Try the lost target again now.
    RetryNow,
    /// Show this target's address and key for correction.
    EditTarget(u32),
    /// Accept this certificate, and no other, from this target.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Accept this certificate, and no other, from the server of what this tile is to play.
    TrustStream { tile: TileId, pin: CertificatePin },
    /// Use the test picture instead.
    UseTestSource,
    /// Let the sound be heard again.
    Unmute,
    /// Look for devices again.
    RefreshDevices,
    /// Choose another recording folder.
    ChooseFolder,
    /// Show what this source shows, for correction.
    EditSource(SourceId),
    /// Show the filters of this source, for another file.
    EditFilters(SourceId),
    /// Show the options of the transition, for another file.
    EditTransition,
    /// Open at once what could not be opened.
    TryAgain,
}

/// What becomes of a target in trouble.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again after this.
    Retry(Duration),
    /// It is not tried again.
    GivenUp,
    /// The connection stands; it is made anew if the trouble lasts.
    Waiting,
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Retry(wait) => {
                let tenths = (wait.as_secs_f64() * 10.0).round() / 10.0;
                write!(f, "Retrying in {tenths} s")
            }
            Self::GivenUp => f.write_str("onair does not try again"),
            Self::Waiting => f.write_str("onair connects again if that lasts"),
        }
    }
}

/// A message to the person. Texts are complete sentences in the language of the window; `key` names
/// the message independent of language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Counts up; names the notice for dismissal.
    pub id: u64,
    /// Which message it is, in Fluent's spelling (`camera-lost`). The window looks the texts up by
    /// it; the command line prints the English ones below.
    pub key: &'static str,
    /// Values that the texts name, in Fluent's spelling (`device`, `seconds`).
    pub args: Vec<(&'static str, String)>,
    pub level: Level,
    /// What happened, in English.
    pub summary: String,
    /// What to do about it, in English. Empty where there is nothing to do.
    pub advice: String,
    /// What the machine said, verbatim, without secrets.
    pub detail: String,
    /// The button that helps, if one does.
    pub remedy: Option<Remedy>,
    /// The target that it is about, by its id.
    pub target: Option<u32>,
}

impl Notice {
    /// Whether it says the same of the same; when the next try begins makes no difference.
    pub fn is_same(&self, other: &Self) -> bool {
        let said = |notice: &Self| {
            let args = notice.args.iter().filter(|(name, _)| *name != "next");
            args.cloned().collect::<Vec<_>>()
        };
        self.key == other.key && self.target == other.target && said(self) == said(other)
    }

    /// What servers, files and devices said in it is shown, and steers nothing.
    pub(super) fn sanitized(mut self) -> Self {
        let args = self.args.iter_mut().map(|(_, value)| value);
        for text in args.chain([&mut self.summary, &mut self.advice, &mut self.detail]) {
            if let Cow::Owned(clean) = sanitized(text) {
                *text = clean;
            }
        }
        self
    }
}

/// A player's place: its slot among the pictures that are shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId(pub u8);

impl TileId {
    /// The number of its slot.
    pub fn slot(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::studio::notices::message::StudioMessage;

    #[test]
    fn what_a_server_says_steers_nothing() {
        let text = "\u{1B}[2J\u{9B}31m\u{202E}gone".to_owned();
        let notice = StudioMessage::ServerSays { host: "a:1".into(), text }.notice(1, "\u{7}");
        for text in [&notice.summary, &notice.detail, &notice.args[0].1] {
            assert!(text.chars().all(crate::base::sanitize::is_harmless), "{text:?}");
        }
        assert!(notice.summary.ends_with("gone"));
    }
}
