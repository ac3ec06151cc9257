//! The health sentence: everything that is known of the studio, judged in one sentence, worst first. Pure: the
//! window, the command line and the log say the same.

mod broadcast;
mod finding;
mod signal;
#[cfg(test)]
mod tests;

pub use broadcast::trouble_of_viewers;
pub use finding::is_possible;

use crate::studio::live::view::LiveState;
use crate::studio::notices::health::broadcast::{
    all_is_well, of_targets, recording_ended, too_slow,
};
use crate::studio::notices::health::finding::{Finding, is_broadcasting};
use crate::studio::notices::health::signal::{audio, video};
use crate::studio::notices::{Level, Notice, Remedy};
use crate::studio::snapshot::Snapshot;
use crate::text::problem::problem;
use crate::text::{Language, Problem};

/// What the studio is doing, in one word.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// *Go Live* would work.
    Ready,
    /// Something stands in the way of going live.
    NotReady,
    Connecting,
    OnAir,
    /// It was on air, and is not.
    Reconnecting,
    /// Recording, and not on air.
    Recording,
    RecordingPaused,
    Stopping,
}

impl Activity {
    /// Its word for people.
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

    /// Its word in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not_ready",
            Self::Connecting => "connecting",
            Self::OnAir => "on_air",
            Self::Reconnecting => "reconnecting",
            Self::Recording => "recording",
            Self::RecordingPaused => "recording_paused",
            Self::Stopping => "stopping",
        }
    }
}

/// How the studio is, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub activity: Activity,
    /// How bad it is; `None`: nothing is wrong, and no notice holds.
    pub level: Option<Level>,
    pub sentence: Problem,
    /// What belongs to the sentence: causes, what comes next, what goes on well.
    pub details: Vec<Problem>,
    /// The one button that helps.
    pub remedy: Option<Remedy>,
    /// How many notices hold that the sentence does not speak of.
    pub more: usize,
}

impl Health {
    /// How the studio is.
    pub fn of(snapshot: &Snapshot) -> Self {
        let worst = findings(snapshot).into_iter().reduce(|worst, next| {
            // Of two that are as bad the first one matters more.
            if next.level > worst.level { next } else { worst }
        });
        let finding = worst.unwrap_or_else(|| all_is_well(snapshot));
        let told = |notice: &&Notice| !finding.covers.contains(&notice.id);
        Self {
            activity: activity(snapshot, finding.blocks),
            level: finding.level,
            more: snapshot.notices.iter().filter(told).count(),
            sentence: finding.sentence,
            details: finding.details,
            remedy: finding.remedy.filter(|remedy| is_possible(*remedy, snapshot)),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.level.is_none()
    }

    /// Whether something is worse than it should be.
    pub fn is_trouble(&self) -> bool {
        self.level > Some(Level::Info)
    }

    /// The sentence, and what is said beside it: the details, else what helps.
    pub fn words(&self, language: Language) -> (String, String) {
        let details: Vec<String> =
            self.details.iter().map(|detail| capitalized(language.say(detail))).collect();
        let beside = match details.is_empty() {
            true => language.cure(&self.sentence).unwrap_or_default(),
            false => details.join(" · "),
        };
        (capitalized(language.say(&self.sentence)), beside)
    }

    /// Which sentence it is, whatever figures stand in it.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        let kind = |health: &Self| (health.activity, health.level, health.sentence.id());
        kind(self) == kind(other)
    }
}

/// With a capital where it begins with an ordinary word: hosts stay as they are.
fn capitalized(text: String) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word == "onair" || !word.chars().all(char::is_alphabetic) {
        return text;
    }
    let mut signs = text.chars();
    match signs.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(signs).collect(),
        _ => text,
    }
}

/// What is found, those that matter more first. Empty: nothing is wrong, and no notice holds.
fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    let mut found = Vec::new();
    let broadcasting = is_broadcasting(snapshot);
    found.extend(of_targets(snapshot));
    if broadcasting {
        found.extend(recording_ended(snapshot));
    }
    found.extend(video(snapshot));
    if broadcasting {
        found.extend(too_slow(snapshot));
        found.extend(audio(snapshot));
    }
    // A player's trouble is nobody's but the operator's.
    let (own, watched): (Vec<&Notice>, Vec<&Notice>) =
        snapshot.notices.iter().rev().partition(|notice| !is_watched(notice));
    found.extend(own.into_iter().chain(watched).map(Finding::of_notice));
    found
}

/// Whether it is about what is watched.
fn is_watched(notice: &Notice) -> bool {
    ["watch-", "player-"].iter().any(|family| notice.key().starts_with(family))
}

fn activity(snapshot: &Snapshot, blocked: bool) -> Activity {
    match &snapshot.live {
        LiveState::Stopping => Activity::Stopping,
        LiveState::OnAir => Activity::OnAir,
        LiveState::Connecting { .. } => Activity::Connecting,
        LiveState::Reconnecting { .. } if snapshot.figures.was_live() => Activity::Reconnecting,
        LiveState::Reconnecting { .. } => Activity::Connecting,
        LiveState::Idle => match &snapshot.recording {
            Some(recording) if recording.paused => Activity::RecordingPaused,
            Some(_) => Activity::Recording,
            None if snapshot.passthrough.is_some() => Activity::Connecting,
            None if blocked => Activity::NotReady,
            None => Activity::Ready,
        },
    }
}
