//! The active notices, newest last, and the notices that ended most recently.

use std::collections::VecDeque;

use crate::base::Clock;
use crate::studio::notices::groups;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::notices::{Level, NEXT_ATTEMPT, Notice, PastNotice};
use crate::text::Problem;

/// Maximum number of active notices.
const MAX_NOTICES: usize = 20;
/// Maximum number of ended notices.
const MAX_PAST_NOTICES: usize = 12;
/// Duration of an informational notice, or of a passing refusal, in microseconds.
const INFO_NOTICE_MICROS: u64 = 15_000_000;
/// The reasons of refusals that concern only the moment of the command.
const PASSING_REFUSALS: [&str; 2] = ["part-profile-on-air", "part-busy"];

/// Numbers notices, keeps the most severe and newest, and merges repetitions.
#[derive(Debug, Default)]
pub struct ActiveNotices {
    next: u64,
    notices: Vec<Notice>,
    past: VecDeque<PastNotice>,
}

impl ActiveNotices {
    /// Adds a message; `detail` is the system's own text. The new notice replaces an earlier one
    /// with the same message and subject.
    pub fn add(&mut self, message: &StudioMessage, detail: impl Into<String>) -> Notice {
        self.put(message.notice(0, detail))
    }

    /// Adds a notice, and ends those that it ends. Of the problems of one target or of one device,
    /// only the newest is kept.
    pub fn put(&mut self, notice: Notice) -> Notice {
        self.next += 1;
        let again = self.notices.iter().find(|old| old.is_same(&notice)).map_or(0, |old| old.times);
        let wall_micros = Clock::system_micros();
        let notice = Notice { id: self.next, wall_micros, times: again + notice.times, ..notice };
        let about = |it: &Notice| it.target.filter(|_| Group::Target.keys().contains(&it.key()));
        // A webcam can be a camera and a microphone with the same name.
        let of_device = |it: &Notice| {
            let is_down = Group::SourceDown.keys().contains(&it.key());
            let device = it.value("device").filter(|device| is_down && !device.is_empty())?;
            Some((it.key().split('-').next(), device))
        };
        let newer = |old: &Notice| {
            about(old).is_some() && about(old) == about(&notice)
                || of_device(old).is_some() && of_device(old) == of_device(&notice)
        };
        if self.notices.iter().any(|old| is_told_by(&notice, old)) {
            return notice;
        }
        self.notices.retain(|old| !is_told_by(old, &notice));
        self.close(|old| groups::ends(&notice, old));
        self.notices.retain(|old| !old.is_same(&notice) && !newer(old));
        self.past.retain(|old| !old.notice.is_same(&notice));
        self.notices.push(notice.clone());
        let is_full = self.notices.len() > MAX_NOTICES;
        // Of the least severe, this is the oldest.
        let least = self.notices.iter().min_by_key(|it| it.level).map(|it| it.id);
        if let Some(least) = least.filter(|_| is_full) {
            // It has not ended, so it is not among the ended ones. The event log contains it.
            self.notices.retain(|it| it.id != least);
        }
        notice
    }

    /// Ends the matching notices.
    fn close(&mut self, which: impl Fn(&Notice) -> bool) {
        let over_micros = Clock::system_micros();
        for notice in self.notices.extract_if(.., |notice| which(notice)) {
            self.past.push_back(PastNotice { notice, over_micros });
        }
        self.past.drain(..self.past.len().saturating_sub(MAX_PAST_NOTICES));
    }

    /// Ends old informational notices, and old refusals that need no action.
    pub fn fold_old(&mut self) {
        let now = Clock::system_micros();
        // If the system's clock was set back, a notice is from the future.
        let is_old = |it: &Notice| now.abs_diff(it.wall_micros) > INFO_NOTICE_MICROS;
        let passes = |it: &Notice| {
            it.level == Level::Info || PASSING_REFUSALS.iter().any(|id| it.problem.contains(id))
        };
        self.close(|it| passes(it) && is_old(it));
    }

    /// Withdraws notices that no longer apply.
    pub fn clear(&mut self, keys: &[&str]) {
        self.close(|notice| keys.contains(&notice.key()));
    }

    /// Withdraws notices about one device, source, scene or file.
    pub fn clear_of(&mut self, keys: &[&str], device: &str) {
        let of = |notice: &Notice| {
            let mut names = ["device", "source", "scene", "path"].into_iter();
            names.any(|name| notice.value(name).is_some_and(|value| value == device))
        };
        self.close(|notice| keys.contains(&notice.key()) && of(notice));
    }

    /// Updates a notice's time until the next attempt. A dismissed notice stays dismissed.
    pub fn renew(&mut self, message: &StudioMessage) {
        let (new, now) = (message.notice(0, ""), Clock::system_micros());
        if let Some(old) = self.notices.iter_mut().find(|old| old.is_same(&new)) {
            old.problem = new.problem;
            old.wall_micros = now;
            old.times += 1;
        }
    }

    /// Replaces the values of the same notice about this host, or about any host if `host` is
    /// empty. This is no new report, and a dismissed notice stays dismissed.
    pub fn correct(&mut self, message: &StudioMessage, host: &str) {
        let new = message.notice(0, "");
        for old in self.notices.iter_mut().filter(|old| old.key() == new.key()) {
            if host.is_empty() || old.value("host").as_deref() == Some(host) {
                old.problem = new.problem.clone();
            }
        }
    }

    /// Withdraws notices about this target.
    pub fn clear_target(&mut self, keys: &[&str], target: u32) {
        self.close(|it| it.target == Some(target) && keys.contains(&it.key()));
    }

    /// Withdraws notices that announce another attempt for this target.
    pub fn clear_attempts(&mut self, target: u32) {
        let announces = |it: &Notice| it.problem.inner().any(|part| part.id() == NEXT_ATTEMPT);
        self.close(|it| it.target == Some(target) && announces(it));
    }

    /// Withdraws notices about this host.
    pub fn clear_at(&mut self, key: &str, host: &str) {
        let about = |notice: &Notice| notice.value("host").is_some_and(|it| it == host);
        self.close(|notice| notice.key() == key && about(notice));
    }

    /// Ends the notices with these ids.
    pub fn end(&mut self, ids: &[u64]) {
        self.close(|notice| ids.contains(&notice.id));
    }

    /// Dismisses the notice with this id.
    pub fn dismiss(&mut self, id: u64) {
        self.notices.retain(|notice| notice.id != id);
    }

    /// Returns the notices that are active now.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Returns the ended notices, newest last.
    pub fn past(&self) -> impl Iterator<Item = &PastNotice> {
        self.past.iter()
    }
}

/// Returns true if `other` says the same about the source whose audio strip `notice` is about. A
/// file is a source of a scene and a strip, and is only told once. A reason without a name could be
/// that of another source.
fn is_told_by(notice: &Notice, other: &Notice) -> bool {
    let is_named = |reason: &&Problem| {
        reason.args().iter().any(|(name, _)| ["file", "name", "path"].contains(name))
    };
    let named =
        |of: &Notice| -> Vec<Problem> { of.problem.inner().filter(is_named).cloned().collect() };
    notice.key() == "source-trouble"
        && ["scene-source-failed", "scene-source-lost"].contains(&other.key())
        && named(notice).iter().any(|reason| named(other).contains(reason))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::compose::scene::SourceId;
    use crate::studio::notices::Next;
    use crate::text::problem::problem;

    #[test]
    fn a_target_has_one_trouble_and_takes_back_only_its_own() {
        let mut active_notices = ActiveNotices::default();
        let trouble = |key, id, tenths: u64| StudioMessage::Target {
            key,
            id,
            pin: None,
            host: format!("Target {id} (same:1935)"),
            cause: "connection refused".into(),
            next: Next::Retry(Duration::from_millis(tenths * 100)),
        };
        active_notices.add(&trouble("target-silent", 1, 5), "");
        active_notices.add(&trouble("target-unreachable", 2, 5), "");
        active_notices.add(&trouble("target-lost", 1, 5), "");
        active_notices.renew(&trouble("target-unreachable", 2, 30));
        let of = |active_notices: &ActiveNotices| {
            let notices = active_notices.notices().iter();
            notices.map(|it| (it.key(), it.target, it.summary())).collect::<Vec<_>>()
        };
        let second = "Target 2 (same:1935): connection refused. Retrying in 3 s.".to_owned();
        let first = "Target 1 (same:1935): connection refused. Retrying in 0.5 s.".to_owned();
        let second = ("target-unreachable", Some(2), second);
        assert_eq!(of(&active_notices), [second.clone(), ("target-lost", Some(1), first)]);
        active_notices.clear_target(Group::Target.keys(), 1);
        assert_eq!(of(&active_notices), [second]);
        active_notices.renew(&trouble("target-lost", 1, 1));
        assert_eq!(active_notices.notices().len(), 1);
        // The same notice again increases its count; an ended notice is kept separately until it
        // applies again.
        active_notices.add(&trouble("target-unreachable", 2, 40), "");
        assert_eq!(active_notices.notices()[0].times, 3);
        let past: Vec<_> = active_notices.past().map(|it| it.notice.key()).collect();
        assert_eq!(past, ["target-lost"]);
        active_notices.add(&trouble("target-lost", 1, 5), "");
        assert_eq!(active_notices.past().count(), 0);
    }

    #[test]
    fn information_ends_also_after_the_clock_was_set() {
        let mut active_notices = ActiveNotices::default();
        for device in ["now", "before", "after"] {
            active_notices.add(&StudioMessage::CameraBack { device: device.into() }, "");
        }
        active_notices.notices[1].wall_micros -= 3_600_000_000;
        active_notices.notices[2].wall_micros += 3_600_000_000;
        active_notices.fold_old();
        let [notice] = active_notices.notices() else { panic!("{active_notices:?}") };
        assert_eq!(notice.value("device").as_deref(), Some("now"));
    }

    #[test]
    fn a_refusal_that_concerns_only_the_moment_ends_like_information() {
        for (reason, remains) in
            [(problem!("part-profile-on-air"), false), ("the disk is full".into(), true)]
        {
            let mut active_notices = ActiveNotices::default();
            active_notices.add(&StudioMessage::PartFailed { reason }, "");
            active_notices.fold_old();
            assert_eq!(active_notices.notices().len(), 1);
            active_notices.notices[0].wall_micros -= 3_600_000_000;
            active_notices.fold_old();
            assert_eq!(active_notices.notices().len(), usize::from(remains));
        }
    }

    #[test]
    fn a_device_has_one_trouble() {
        let mut active_notices = ActiveNotices::default();
        let device = || "C920".to_owned();
        let failed = |reason: &str| {
            let reason = reason.to_owned().into();
            StudioMessage::MicrophoneFailed { device: device(), reason }
        };
        active_notices.add(&StudioMessage::MicrophoneStalled { device: device() }, "");
        active_notices.add(&StudioMessage::CameraLost { device: device() }, "");
        active_notices.add(&StudioMessage::MicrophoneLost { device: "Yeti".into() }, "");
        active_notices.add(&failed("busy"), "");
        active_notices.add(&failed("gone"), "");
        let keys: Vec<_> = active_notices.notices().iter().map(Notice::key).collect();
        assert_eq!(keys, ["camera-lost", "microphone-lost", "microphone-failed"]);
        assert_eq!(active_notices.notices()[2].value("reason").as_deref(), Some("gone"));
    }

    #[test]
    fn a_failed_file_with_video_and_audio_is_reported_once() {
        let reason = || problem!("source-file-gone", file = "a.mp4");
        let scene = |reason| StudioMessage::SourceFailed {
            id: SourceId(2),
            source: "Intro".into(),
            reason,
        };
        let strip = |reason| StudioMessage::SourceTrouble { device: "a.mp4".into(), reason };
        for messages in [[scene(reason()), strip(reason())], [strip(reason()), scene(reason())]] {
            let mut active_notices = ActiveNotices::default();
            for message in messages {
                active_notices.add(&message, "");
            }
            let keys: Vec<_> = active_notices.notices().iter().map(Notice::key).collect();
            assert_eq!(keys, ["scene-source-failed"]);
        }
        let mut active_notices = ActiveNotices::default();
        active_notices.add(&scene("busy".into()), "");
        active_notices.add(&strip("busy".into()), "");
        assert_eq!(active_notices.notices().len(), 2, "these may be two sources");
    }

    #[test]
    fn the_newest_are_kept_and_repetitions_are_not() {
        let mut active_notices = ActiveNotices::default();
        let lost = StudioMessage::CameraLost { device: "C920".into() };
        active_notices.add(&lost, "");
        let second = active_notices.add(&lost, "again");
        assert_eq!(active_notices.notices().len(), 1);
        for number in 0..30 {
            active_notices.add(&StudioMessage::CameraLost { device: number.to_string() }, "");
        }
        assert_eq!(active_notices.notices().len(), MAX_NOTICES);
        active_notices.dismiss(second.id);
        active_notices.clear(&["camera-lost"]);
        assert_eq!(active_notices.notices(), []);
    }

    #[test]
    fn the_least_severe_is_dropped_first_and_not_called_resolved() {
        let mut active_notices = ActiveNotices::default();
        let (path, reason) = ("a.mp4".into(), "the disk is full".into());
        active_notices.add(&StudioMessage::RecordingFailed { path, reason }, "");
        active_notices.add(&StudioMessage::CameraLost { device: "C920".into() }, "");
        active_notices.add(&StudioMessage::CameraBack { device: "other".into() }, "");
        for number in 3..MAX_NOTICES + 2 {
            active_notices.add(&StudioMessage::CameraLost { device: number.to_string() }, "");
        }
        let notices = active_notices.notices();
        assert_eq!((notices.len(), notices[0].key()), (MAX_NOTICES, "recording-failed"));
        // The information was dropped, and then the oldest warning.
        assert_eq!(notices[1].summary(), "Camera 3 is disconnected.");
        active_notices.add(&StudioMessage::CameraBack { device: "new".into() }, "");
        assert_eq!(active_notices.notices()[1].summary(), "Camera 3 is disconnected.");
        assert_eq!(active_notices.past().count(), 0);
    }
}
