//! Handles passthrough, which sends a media file instead of the program.

use std::path::Path;

use crate::studio::engine::Engine;
use crate::studio::event::Event;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::passthrough::{Opened, Opening};
use crate::studio::live::series::BroadcastSeries;
use crate::studio::notices::message::StudioMessage;
use crate::text::Problem;
use crate::text::problem::problem;

/// Keys of the notices about an earlier file.
const PASSTHROUGH_NOTICE_KEYS: &[&str] =
    &["passthrough-failed", "passthrough-ended", "passthrough-without", "passthrough-left-out"];

impl Engine {
    /// Sends this file to the enabled targets, after it has been inspected.
    pub fn send_file(&mut self, path: &Path, again: bool) {
        let state = &self.state;
        let busy = self.live.is_busy() || self.live.opening.is_some();
        if state.quitting || self.live.stopping {
            return;
        }
        self.notices.active.clear(PASSTHROUGH_NOTICE_KEYS);
        if busy {
            self.passthrough_failed(path, problem!("passthrough-while-live"));
            return;
        }
        match Opening::start(path.to_owned(), again) {
            Ok(opening) => self.live.opening = Some(opening),
            Err(error) => self.passthrough_failed(path, error.into()),
        }
    }

    /// Starts the passthrough when onair has inspected the file, and has the keys of the targets.
    pub fn poll_passthrough(&mut self) {
        let opening = self.live.opening.as_ref().filter(|_| !self.secrets.pending);
        if let Some(opened) = opening.and_then(Opening::poll) {
            self.live.opening = None;
            self.begin_passthrough(opened);
        }
        self.report_passthrough();
    }

    /// Reports once that the file on air has ended.
    pub fn report_passthrough(&mut self) {
        let over = self.live.on_air.as_ref().and_then(OnAir::passthrough_over);
        if let Some((name, failure)) = over.filter(|_| !self.live.passthrough_end_reported) {
            self.live.passthrough_end_reported = true;
            match failure {
                Some(reason) => {
                    let reason = reason.with_cure(problem!("passthrough-cure-file"));
                    let failed = StudioMessage::PassthroughFailed { path: name, reason };
                    self.notices.raise(&failed, "");
                }
                None => self.notices.raise(&StudioMessage::PassthroughEnded { path: name }, ""),
            }
        }
    }

    fn begin_passthrough(&mut self, opened: Opened) {
        let Opened { path, again, file } = opened;
        let file = match file {
            Ok(file) => file,
            Err(reason) if reason.own_cure().is_some() => {
                return self.passthrough_failed(&path, reason);
            }
            Err(reason) => {
                let cure = problem!("passthrough-cure-file");
                return self.passthrough_failed(&path, reason.with_cure(cure));
            }
        };
        self.clear_broadcast_notices();
        let resolved = self.resolve_enabled();
        if resolved.is_empty() {
            self.notices.send_event(Event::Stopped);
            return;
        }
        if self.live.on_air.is_some() {
            // Only the replay buffer used the encoders.
            self.end_broadcast();
        }
        self.end_checks();
        self.begin_summary();
        let missing = file.missing().cloned();
        let (clock, delay) = (self.clock, self.settings.delay);
        let begun = OnAir::of_passthrough(file, &path, again, &self.state.quality, clock);
        let begun = begun.and_then(|mut on_air| {
            if !delay.is_zero() {
                on_air.start_stream_delay(delay, self.config.delay_folder.clone(), clock)?;
            }
            drop(on_air.publish(&self.runtime, clock, resolved));
            Ok(on_air)
        });
        match begun {
            Ok(on_air) => {
                self.live.on_air = Some(on_air);
                self.live.passthrough_end_reported = false;
                self.live.series = BroadcastSeries::default();
                if let Some(track) = missing {
                    let path = path.display().to_string();
                    self.notices.raise(&StudioMessage::PassthroughWithout { path, track }, "");
                }
            }
            Err(error) => self.passthrough_failed(&path, error.into()),
        }
    }

    fn passthrough_failed(&mut self, path: &Path, reason: Problem) {
        let path = path.display().to_string();
        self.notices.raise(&StudioMessage::PassthroughFailed { path, reason }, "");
        self.notices.send_event(Event::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::BytesMut;

    use super::*;
    use crate::studio::command::Command;
    use crate::studio::engine::handlers::live::tests::{at_rest, until};
    use crate::studio::live::view::BroadcastSummary;
    use crate::studio::notices::Notice;
    use crate::studio::preflight::Preflight;
    use crate::studio::targets::Target;
    use crate::wire::container::flv::{TagKind, file_header, write_tag};

    #[test]
    fn a_file_is_sent_once_the_keys_of_the_targets_are_loaded() {
        let (mut engine, _ends) = at_rest(None);
        let folder = tempfile::tempdir().unwrap();
        engine.send_file(&folder.path().join("none.mp4"), false);
        engine.secrets.pending = true;
        let opening = engine.live.opening.take().unwrap();
        let mut opened = None;
        until("inspected file", || {
            opened = opening.poll();
            opened.is_some()
        });
        engine.live.opening = Some(opening);
        assert!(opened.unwrap().file.is_err());
        engine.poll_passthrough();
        assert!(engine.live.opening.is_some());
        engine.secrets.pending = false;
        // The thread that inspected the file may still be ending.
        until("opened file", || {
            engine.poll_passthrough();
            engine.live.opening.is_none()
        });
    }

    /// Sends a short file to a target that cannot be reached. Returns its folder.
    fn send_short_file(engine: &mut Engine) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.flv");
        let mut film = BytesMut::from(&file_header(false, true)[..]);
        write_tag(TagKind::Video, 0, b"\x90av01\x81\0\0\0", &mut film);
        write_tag(TagKind::Video, 0, b"\x91av01\x07", &mut film);
        std::fs::write(&path, &film).unwrap();
        engine.targets.list = vec![Target::custom(1, "rtmp://127.0.0.1:1/app", "key".into())];
        engine.send_file(&path, true);
        folder
    }

    #[test]
    fn the_summary_of_an_earlier_broadcast_ends_when_a_file_is_sent() {
        let (mut engine, _ends) = at_rest(None);
        let earlier = BroadcastSummary { number: 1, sent_bytes: 7, ..BroadcastSummary::default() };
        (engine.live.summary, engine.live.is_summarized) = (earlier, true);
        let _folder = send_short_file(&mut engine);
        engine.state.preflight = Some(Preflight::endless().unwrap());
        until("broadcast of the file", || {
            engine.poll_passthrough();
            engine.live.on_air.is_some()
        });
        assert!(engine.state.preflight.is_none(), "a test stream beside the file");
        assert!(engine.snapshot(false).last_broadcast.is_none());
        let new = BroadcastSummary { number: 2, ..BroadcastSummary::default() };
        assert_eq!(engine.live.summary, new);
        engine.end_broadcast();
    }

    #[test]
    fn a_file_that_is_sent_has_no_replay_buffer() {
        let (mut engine, _ends) = at_rest(None);
        let _folder = send_short_file(&mut engine);
        until("broadcast of the file", || {
            engine.poll_passthrough();
            engine.live.on_air.is_some()
        });
        let mut preferences = engine.settings.preferences.clone();
        preferences.recording.replay = Some(Duration::from_secs(10));
        engine.handle(Command::SetPreferences { preferences, part_changes: 0 });
        assert!(engine.live.is_passthrough());
        assert!(engine.live.on_air.as_ref().is_some_and(|on_air| on_air.replay().is_none()));
        engine.end_broadcast();
    }

    #[test]
    fn while_a_file_is_inspected_no_other_broadcast_begins() {
        let (mut engine, _ends) = at_rest(None);
        let folder = tempfile::tempdir().unwrap();
        engine.send_file(&folder.path().join("film.mp4"), false);
        assert!(engine.live.opening.is_some());
        engine.go_live();
        assert_eq!(engine.live.summary.number, 0, "a broadcast that the file would end");
        engine.start_recording(folder.path().join("show.mp4"));
        let keys = engine.notices.active.notices().iter().map(Notice::key);
        assert_eq!(keys.collect::<Vec<_>>(), ["recording-not-started"]);
        // Nothing goes live after the studio was ended.
        engine.handle(Command::Quit);
        assert!(engine.live.opening.is_none());
    }
}
