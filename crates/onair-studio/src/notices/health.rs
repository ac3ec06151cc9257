//! The health sentence as a value: the activity, the level, and the texts for each language.

use crate::base::named;
use crate::studio::notices::{Level, Remedy};
use crate::text::problem::problem;
use crate::text::{Language, Problem, sentence};

named! {
    /// The activity of the studio in one word.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub enum Activity {
        /// *Go Live* is possible.
        Ready = "ready",
        /// A problem prevents going live.
        NotReady = "not_ready",
        Connecting = "connecting",
        OnAir = "on_air",
        /// The broadcast was interrupted.
        Reconnecting = "reconnecting",
        /// Recording, but not on air.
        Recording = "recording",
        RecordingPaused = "recording_paused",
        Stopping = "stopping",
    }
    /// Returns the name of the activity in events.
    fn name;
}

impl Activity {
    /// Returns the activity as a text for users.
    pub fn problem(self) -> Problem {
        match self {
            Self::Ready => problem!("activity-ready"),
            Self::NotReady => problem!("activity-not-ready"),
            Self::Connecting => problem!("activity-connecting"),
            Self::OnAir => problem!("activity-on-air"),
            Self::Reconnecting => problem!("activity-reconnecting"),
            Self::Recording => problem!("activity-recording"),
            Self::RecordingPaused => problem!("activity-recording-paused"),
            Self::Stopping => problem!("activity-stopping"),
        }
    }
}

/// The health of the studio for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub activity: Activity,
    /// The level; `None` if all is well and no notice is active.
    pub level: Option<Level>,
    pub sentence: Problem,
    /// Further texts: causes, the next step, parts that still work.
    pub details: Vec<Problem>,
    /// The button with the remedy.
    pub remedy: Option<Remedy>,
    /// The target whose cause the sentence or the details contain.
    pub target: Option<u32>,
    /// The number of active notices that the sentence does not cover.
    pub more: usize,
    /// True if the sentence is about a problem that no active notice reports.
    pub alone: bool,
}

/// Texts that contain the stream delay.
const DELAY_TEXTS: [&str; 4] =
    ["health-delay", "health-delay-begins", "health-delay-ending", "delay-short"];

impl Health {
    /// Returns true if the sentence or a detail contains the stream delay.
    pub fn is_about_delay(&self) -> bool {
        let mut texts = std::iter::once(&self.sentence).chain(&self.details);
        texts.any(|text| DELAY_TEXTS.contains(&text.id()))
    }

    /// Returns true if there is a warning or an error.
    pub fn is_trouble(&self) -> bool {
        self.level > Some(Level::Info)
    }

    /// Returns the sentence and its details. Without details, the second text is the cure.
    pub fn words(&self, language: Language) -> (String, String) {
        let details: Vec<String> =
            self.details.iter().map(|detail| sentence(&language.say(detail))).collect();
        let beside = match details.is_empty() {
            true => language.cure(&self.sentence).unwrap_or_default(),
            false => details.join(" · "),
        };
        (sentence(&language.say(&self.sentence)), beside)
    }

    /// Returns true if both are the same sentence, apart from figures.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        let kind = |health: &Self| (health.activity, health.level, health.sentence.id());
        kind(self) == kind(other)
    }
}
