//! What a person is told: one summary, one piece of advice, the detail for who wants it.

pub(in crate::studio) mod active_notices;
pub mod event_log;
pub(in crate::studio) mod groups;
pub mod health;
pub mod message;
pub(in crate::studio) mod monitor;

use std::borrow::Cow;
use std::time::Duration;

use crate::base::sanitize::sanitized;
use crate::compose::scene::SourceId;
use crate::net::CertificatePin;
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// How much it matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is worse than it should be; the stream continues.
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
    /// Show this target's stream key for correction.
    EditKey(u32),
    /// Try this target again, which has given up.
    StartTarget(u32),
    /// Reach this target's service on port 443 instead.
    UsePort443(u32),
    /// Go live as before the crash.
    Resume,
    /// Send nothing to this target any more.
    SwitchOff(u32),
    /// Encode the video with this many kilobits a second.
    LowerBitrate(u32),
    /// Accept this certificate, and no other, from this target.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Accept this certificate, and no other, from the server of what this tile is to play.
    TrustStream { tile: TileId, pin: CertificatePin },
    /// Use the test pattern instead.
    UseTestSource,
    /// Let the audio be heard again.
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
    /// The connection stands; it is made again if the trouble lasts.
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
            Next::Waiting => problem!("next-waiting"),
        }
    }
}

/// Something that a person is told. It has no sentences: a [`Language`] says its problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Counts up; names the notice for dismissal.
    pub id: u64,
    /// What happened, with the values that the texts name, and what to do about it.
    pub problem: Problem,
    pub level: Level,
    /// What the machine said, verbatim, without secrets.
    pub detail: String,
    /// The buttons that help, the best first.
    pub remedies: Vec<Remedy>,
    /// The target that it is about, by its id.
    pub target: Option<u32>,
    /// When it was told last, in microseconds since the Unix epoch.
    pub wall_micros: i64,
    /// How often it was told without a break.
    pub times: u32,
}

/// A notice that has ended: what it said is no longer true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastNotice {
    pub notice: Notice,
    /// Since when, in microseconds since the Unix epoch.
    pub over_micros: i64,
}

impl Notice {
    /// Which notice it is (`camera-lost`).
    pub fn key(&self) -> &'static str {
        self.problem.id()
    }

    /// What happened, in English.
    pub fn summary(&self) -> String {
        Language::English.say(&self.problem)
    }

    /// What to do about it, in English; empty where there is nothing to do.
    pub fn advice(&self) -> String {
        Language::English.cure(&self.problem).unwrap_or_default()
    }

    /// A value that its texts name, in English.
    pub fn value(&self, name: &str) -> Option<String> {
        let found = self.problem.args().iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| Language::English.value(value))
    }

    /// Whether it says the same of the same; when the next try begins makes no difference.
    pub fn is_same(&self, other: &Self) -> bool {
        let values = |notice: &Self| {
            let args = notice.problem.args().iter().filter(|(name, _)| *name != "next");
            args.cloned().collect::<Vec<_>>()
        };
        self.key() == other.key() && self.target == other.target && values(self) == values(other)
    }

    /// What servers, files and devices said in it is shown, and steers nothing.
    pub(super) fn sanitized(mut self) -> Self {
        self.problem = self.problem.map_texts(&sanitized);
        if let Cow::Owned(clean) = sanitized(&self.detail) {
            self.detail = clean;
        }
        self
    }
}

/// A player's place: its slot among the frames that are shown.
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
        for text in [&notice.summary(), &notice.detail, &notice.value("text").unwrap()] {
            assert!(text.chars().all(crate::base::sanitize::is_harmless), "{text:?}");
        }
        assert!(notice.summary().ends_with("gone"));
    }
}
