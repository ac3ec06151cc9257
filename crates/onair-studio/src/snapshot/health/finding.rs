//! One finding about the studio, and queries of a snapshot.

use std::collections::BTreeSet;

use crate::compose::scene::SourceId;
use crate::studio::live::view::LiveState;
use crate::studio::notices::row::Group;
use crate::studio::notices::{Level, Notice, Remedy, groups};
use crate::studio::snapshot::{RecordingFigures, Snapshot};
use crate::studio::targets::services;
use crate::text::Problem;

/// One finding about the studio.
#[derive(Clone, Debug)]
pub struct Finding {
    pub level: Option<Level>,
    pub sentence: Problem,
    pub details: Vec<Problem>,
    pub remedy: Option<Remedy>,
    /// The notices about the same problem.
    pub covers: Vec<u64>,
    /// True if the finding prevents going live.
    pub blocks: bool,
    /// True if the finding is about what viewers get, or about the recording.
    pub of_program: bool,
    /// True if the finding is about a source that the program does not show.
    pub off_screen: bool,
    /// The target whose cause the sentence or the details contain.
    pub target: Option<u32>,
}

impl Finding {
    pub fn new(level: Option<Level>, sentence: Problem) -> Self {
        let (details, covers) = (Vec::new(), Vec::new());
        let (remedy, blocks, target) = (None, false, None);
        let (of_program, off_screen) = (true, false);
        Self { level, sentence, details, remedy, covers, blocks, of_program, off_screen, target }
    }

    pub fn of_notice(notice: &Notice) -> Self {
        let covers = vec![notice.id];
        let remedy = notice.remedies.first().copied();
        let target = notice.target.filter(|_| Group::Target.keys().contains(&notice.key()));
        let of_program = groups::is_about_program(notice.key());
        let finding = Self::new(Some(notice.level), notice.problem.clone());
        Self { remedy, covers, of_program, target, ..finding }
    }

    /// Works like [`Finding::of_notice`]. `shown` contains the sources of the program.
    pub fn of_notice_with(notice: &Notice, shown: &BTreeSet<SourceId>) -> Self {
        let is_hidden =
            |remedy: &Remedy| matches!(remedy, Remedy::EditSource(id) if !shown.contains(id));
        let off_screen = notice.remedies.iter().any(is_hidden);
        let finding = Self::of_notice(notice);
        Self { of_program: finding.of_program && !off_screen, off_screen, ..finding }
    }

    /// Returns the severity. While the program is `used`, its problems precede those that concern
    /// only the operator. The problem of a source that the program does not show comes last: it can
    /// wait, and what the user has just done is news.
    pub fn severity(&self, used: bool) -> (bool, bool, Option<Level>) {
        let is_first = used && self.of_program && self.level > Some(Level::Info);
        (is_first, !self.off_screen, self.level)
    }

    pub fn with_details(mut self, details: impl IntoIterator<Item = Problem>) -> Self {
        self.details.extend(details);
        self
    }

    pub fn with_remedy(mut self, remedy: impl Into<Option<Remedy>>) -> Self {
        self.remedy = remedy.into().or(self.remedy);
        self
    }

    /// Adds notices that this finding covers. A finding without a button takes the first notice's
    /// button.
    pub fn covering<'a>(mut self, notices: impl IntoIterator<Item = &'a Notice>) -> Self {
        for notice in notices {
            self.covers.push(notice.id);
            self.remedy = self.remedy.or(notice.remedies.first().copied());
        }
        self
    }

    /// Sets the target whose cause the details contain.
    pub fn of_target(mut self, id: u32) -> Self {
        self.target = Some(id);
        self
    }

    pub fn blocking(mut self) -> Self {
        self.blocks = true;
        self
    }
}

pub fn is_broadcasting(snapshot: &Snapshot) -> bool {
    !matches!(snapshot.live, LiveState::Idle | LiveState::Stopping)
}

/// Returns the recording, unless it is paused.
pub fn running_recording(snapshot: &Snapshot) -> Option<&RecordingFigures> {
    snapshot.recording.as_ref().filter(|recording| !recording.paused)
}

/// Returns true if the program is sent or recorded now.
pub fn is_used(snapshot: &Snapshot) -> bool {
    let records = snapshot.live == LiveState::Idle && running_recording(snapshot).is_some();
    is_broadcasting(snapshot) || records
}

/// Returns the notices with one of these keys.
pub fn named<'a>(snapshot: &'a Snapshot, names: &'a [&str]) -> impl Iterator<Item = &'a Notice> {
    snapshot.notices.iter().rev().filter(|notice| names.contains(&notice.key()))
}

/// Returns true if a remedy would have an effect now.
pub fn is_possible(remedy: Remedy, snapshot: &Snapshot) -> bool {
    let target = |id: u32| snapshot.targets.iter().find(|entry| entry.target.id == id);
    match remedy {
        Remedy::RetryNow => {
            snapshot.targets.iter().any(|entry| entry.retry_in.is_some())
                || matches!(snapshot.live, LiveState::Reconnecting { .. })
        }
        Remedy::StartTarget(id) => snapshot.live != LiveState::Idle && target(id).is_some(),
        Remedy::Resume => snapshot.live == LiveState::Idle,
        Remedy::UsePort443(id) => {
            target(id).is_some_and(|entry| services::on_port_443(entry.target.server()).is_some())
        }
        Remedy::SwitchOff(id) => target(id).is_some_and(|entry| entry.target.enabled),
        Remedy::EditTarget(id) | Remedy::EditKey(id) => target(id).is_some(),
        Remedy::ShowViewers(id) => target(id).is_some_and(|entry| entry.monitor.is_some()),
        Remedy::LowerBitrate(kbps) => snapshot.quality.video_bitrate.0 > kbps * 1_000,
        Remedy::EditQuality => !snapshot.is_live_or_recording(),
        Remedy::Unmute => snapshot.audio.as_ref().is_some_and(|audio| audio.muted),
        _ => true,
    }
}
