//! The health sentence, which summarizes the state of the studio in one sentence, with the most
//! severe problem first. This module is pure, so the window, the command line and the log show the
//! same sentence.

mod broadcast;
mod finding;
mod signal;
#[cfg(test)]
mod tests;

pub use broadcast::trouble_of_viewers;
pub use finding::is_possible;
pub use signal::{Readiness, readiness};

use std::collections::BTreeSet;

use crate::compose::scene::SourceId;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::{Activity, Health};
use crate::studio::notices::{Level, Notice, Remedy};
use crate::studio::snapshot::Snapshot;
use crate::studio::snapshot::health::broadcast::{
    all_is_well, is_loss_heavy, of_targets, recording_ended, too_slow,
};
use crate::studio::snapshot::health::finding::{Finding, is_broadcasting, is_used};
use crate::studio::snapshot::health::signal::{audio, audio_gone, shows_video, video};

impl Health {
    /// Computes the health of the studio.
    pub fn of(snapshot: &Snapshot) -> Self {
        let used = is_used(snapshot);
        let worst = findings(snapshot).into_iter().reduce(|worst, next| {
            // If two are equally severe, the first one is more important.
            if next.severity(used) > worst.severity(used) { next } else { worst }
        });
        let finding = worst.unwrap_or_else(|| all_is_well(snapshot));
        let is_uncovered = |notice: &&Notice| !finding.covers.contains(&notice.id);
        let more = snapshot.notices.iter().filter(is_uncovered).count();
        Self {
            activity: activity(snapshot, finding.blocks),
            level: finding.level,
            more,
            alone: finding.level > Some(Level::Info) && more == snapshot.notices.len(),
            target: finding.target,
            sentence: finding.sentence,
            details: finding.details,
            remedy: finding.remedy.filter(|remedy| is_possible(*remedy, snapshot)),
        }
    }
}

/// Returns the findings, most important first. Without findings, all is well and no notice is
/// active.
fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(of_targets(snapshot));
    if is_broadcasting(snapshot) {
        found.extend(recording_ended(snapshot));
    }
    let (video, slow) = (video(snapshot), is_used(snapshot).then(|| too_slow(snapshot)).flatten());
    // The loss of most frames is worse than one failed source of several.
    match is_loss_heavy(snapshot) && shows_video(snapshot) {
        true => found.extend(slow.into_iter().chain(video)),
        false => found.extend(video.into_iter().chain(slow)),
    }
    if is_used(snapshot) {
        found.extend(audio(snapshot));
    }
    found.extend(audio_gone(snapshot));
    // The problem of a player concerns only the operator.
    let (own, watched): (Vec<&Notice>, Vec<&Notice>) =
        snapshot.notices.iter().rev().partition(|notice| !is_watched(notice));
    let collection = &snapshot.scenes.collection;
    let names_source =
        |it: &Notice| it.remedies.iter().any(|it| matches!(it, Remedy::EditSource(_)));
    let shown: BTreeSet<SourceId> = match snapshot.notices.iter().any(names_source) {
        true => collection.program_plan(collection.current).sources().collect(),
        false => BTreeSet::new(),
    };
    let of_notice = |notice| Finding::of_notice_with(notice, &shown);
    found.extend(own.into_iter().chain(watched).map(of_notice));
    found
}

/// Returns true if the notice is about a player.
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
        LiveState::Idle if snapshot.waits_to_go_live => Activity::Connecting,
        LiveState::Idle => match &snapshot.recording {
            Some(recording) if recording.paused => Activity::RecordingPaused,
            Some(_) => Activity::Recording,
            None if snapshot.passthrough.is_some() => Activity::Connecting,
            None if blocked => Activity::NotReady,
            None => Activity::Ready,
        },
    }
}
