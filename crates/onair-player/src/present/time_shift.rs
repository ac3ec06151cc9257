//! The presenter's part of seeking in the time shift of a live stream. While behind the live edge,
//! the presenter takes the next packets from the time-shift buffer, and plays them like a file.

use std::sync::Arc;
use std::time::Duration;

use super::Run;
use crate::base::Timestamp;
use crate::player::clock::playout::ReceivedSpan;
use crate::player::present::seek_search::{NoFrames, SearchAction, SearchStep, SeekSearch};
use crate::player::session::packets::{Start, WaitingPackets};
use crate::player::session::report::PlayerReport;
use crate::player::session::requests::TimeShiftPlace;
use crate::player::state::TimeShiftState;

/// How far ahead of the position the decoders get packets, in µs.
const DECODER_LEAD_MICROS: i64 = 1_500_000;
/// Maximum number of items per round.
const MAX_PACKETS_PER_TURN: usize = 400;
/// A position closer to the live edge than this counts as live, in µs.
const LIVE_EDGE_TOLERANCE_MICROS: i64 = 250_000;
/// The frame for a position counts as read once this much data after the position has been read, in
/// µs.
const FRAME_READ_AHEAD_MICROS: i64 = 500_000;
/// Interval between readings of the buffer's figures.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the media time of a viewer at the live edge.
fn live_position(now: Timestamp, live: &ReceivedSpan) -> Option<Timestamp> {
    let edge = live.edge?;
    Some(live.target.map_or(edge, |target| now.offset(-target).min(edge)))
}

impl Run {
    /// Executes a seek request.
    pub(super) fn execute_seek(&mut self, now: Timestamp, live: &ReceivedSpan) {
        let shared = &self.presenter.shared;
        let Some(wanted) = shared.requests.wanted_back.lock().take() else { return };
        // The figures report the new position at once.
        self.kept.at = None;
        let only_end_pause = || {
            if matches!(wanted, TimeShiftPlace::Live) {
                shared.requests.set_paused(false);
            }
        };
        let Some(end) = live_position(now, live).filter(|_| self.playout.has_started()) else {
            // Playback begins at the live edge.
            return only_end_pause();
        };
        let mut shift = shared.packets.shift.lock();
        if !shift.is_on() {
            return;
        }
        if shared.packets.is_closed() {
            // The stream has ended, and its rest plays: the queues take nothing else.
            return only_end_pause();
        }
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let place = match wanted {
            TimeShiftPlace::Live => None,
            TimeShiftPlace::Behind(behind) => {
                let wanted = end.offset(-micros(behind));
                let forward = wanted > self.playout.position();
                shift.go_to(wanted, forward).filter(|begin| {
                    // If no keyframe is ahead, the viewer goes to the live edge.
                    begin.at < end.offset(-LIVE_EDGE_TOLERANCE_MICROS)
                })
            }
        };
        if let Some(begin) = place {
            let start = restart(&shared.packets, &shared.report, begin.units);
            drop(shift);
            self.playout.move_to(begin.at, now);
            self.forget(start, Some(begin.at));
            // The frame is shown at once, even during a pause.
            self.previewed = false;
        } else if shift.is_behind() || shared.requests.paused() {
            shared.requests.set_paused(false);
            if wanted != TimeShiftPlace::Live && shift.oldest().is_none() {
                return;
            }
            let units = shift.go_live(end);
            let start = restart(&shared.packets, &shared.report, units);
            if shift.is_over() {
                shared.packets.close();
            }
            drop(shift);
            self.playout.begin_again();
            self.forget(start, None);
        }
    }

    /// Drops decoded data of an earlier position.
    fn forget(&mut self, start: Start, from: Option<Timestamp>) {
        self.generation = start.video;
        (self.next, self.from, self.sought) = (None, from, None);
        self.audio.restart(start.audio);
    }

    /// Follows the feed to another position of the recording. Earlier decoded data is not
    /// presented, and the first frame is shown at once, even in a pause.
    pub(super) fn follow_feed(&mut self, now: Timestamp) {
        let Some(moved) = self.presenter.shared.moved.lock().take() else { return };
        let goes = moved.exact || self.playout.has_started();
        if goes {
            self.playout.move_to(moved.at, now);
        }
        self.forget(moved.start, goes.then_some(moved.at));
        self.previewed = moved.exact;
        self.sought = moved.exact.then(|| SeekSearch::new(moved.at, now));
    }

    /// Decodes up to the position of a seek, whose frame is shown first.
    pub(super) fn seek_on(&mut self, now: Timestamp) {
        let shared = Arc::clone(&self.presenter.shared);
        self.audio.decode(&shared, Some(self.playout.position()));
        for _ in 0..64 {
            let Some(frame) = self.next.take().or_else(|| self.receive()) else { break };
            // The received data may include another seek.
            let Some(sought) = &mut self.sought else { return self.next = Some(frame) };
            match sought.take(frame, now) {
                SearchStep::Before { skipped } => self.counts.skipped += u64::from(skipped),
                SearchStep::Beyond { show, next } => {
                    (self.sought, self.next) = (None, next);
                    if let Some(frame) = show {
                        self.show(frame, now, now, false);
                    }
                    return;
                }
            }
        }
        // Perhaps no frame follows, the decoder is slow, or the file has no more data.
        let Some(sought) = &mut self.sought else { return };
        let read = shared.packets.video.is_empty() && {
            let edge = shared.reception.lock().received(now).edge;
            edge.is_some_and(|edge| edge.micros_since(sought.at()) > FRAME_READ_AHEAD_MICROS)
        };
        let lull = NoFrames { paused: shared.requests.paused(), ended: self.video_ended, read };
        match sought.lull(now, lull) {
            SearchAction::Waits => {}
            SearchAction::Meanwhile(frame) => self.show(frame, now, now, false),
            SearchAction::Over(found) => {
                self.sought = None;
                if let Some(found) = found {
                    self.show(found, now, now, false);
                }
            }
        }
    }

    /// Returns the available data. While the viewer is behind, the available data is the stored
    /// part, which plays at its own speed.
    pub(super) fn received(&mut self, now: Timestamp, live: ReceivedSpan) -> ReceivedSpan {
        let shared = &self.presenter.shared;
        let mut shift = shared.packets.shift.lock();
        self.kept.behind = shift.is_behind();
        if !self.kept.behind {
            return live;
        }
        if shift.is_lost()
            && let Some(oldest) = shift.oldest()
            && let Some(begin) = shift.go_to(oldest, false)
        {
            let start = restart(&shared.packets, &shared.report, begin.units);
            drop(shift);
            self.playout.move_to(begin.at, now);
            self.forget(start, Some(begin.at));
            return self.received(now, live);
        }
        let position = self.playout.position();
        let near = live_position(now, &live).is_some_and(|end| {
            live.target.is_some() && end.micros_since(position) < LIVE_EDGE_TOLERANCE_MICROS
        });
        let ahead = if near && !shared.requests.paused() && !live.ended {
            shift.catch_up()
        } else {
            // Audio that plays earlier is needed earlier.
            let ahead = DECODER_LEAD_MICROS - shared.controls.av_offset().min(0);
            shift.take_until(position.offset(ahead), MAX_PACKETS_PER_TURN)
        };
        for kept in ahead {
            let dropped = shared.packets.hand_over(kept);
            shared.report.add_dropped(dropped);
        }
        if shift.is_over() {
            shared.packets.close();
        }
        if shift.is_behind() {
            ReceivedSpan { first: Some(position), target: None, settling: false, ..live }
        } else {
            live
        }
    }

    /// Shows the frame of a seek during a pause.
    pub(super) fn show_still(&mut self, now: Timestamp) {
        if self.previewed {
            return;
        }
        let received = self.received(now, ReceivedSpan::default());
        self.audio.decode(&self.presenter.shared, Some(self.playout.position()));
        self.show_due(now, &received);
    }

    /// Reads the buffer for the figures, at intervals.
    pub(super) fn look_back(&mut self, now: Timestamp, live: &ReceivedSpan) {
        if self.kept.at.is_some_and(|at| now.since(at) < POLL_INTERVAL) {
            return;
        }
        self.kept.at = Some(now);
        let shared = &self.presenter.shared;
        if let Some(time_shift) = shared.packets.dvr_window.state_at(shared.timeline.place(), now) {
            self.kept.time_shift = Some(time_shift);
            return;
        }
        let shift = shared.packets.shift.lock();
        self.kept.behind = shift.is_behind();
        let (Some(end), Some(oldest)) = (live_position(now, live), shift.oldest()) else {
            self.kept.time_shift = None;
            return;
        };
        let behind =
            if shift.is_behind() { end.since(self.playout.position()) } else { Duration::ZERO };
        self.kept.time_shift = Some(TimeShiftState {
            range: end.since(oldest).max(behind),
            behind,
            bytes: shift.bytes() as u64,
        });
    }
}

/// Replaces the decoders' queues with these items.
fn restart(
    packets: &WaitingPackets,
    report: &PlayerReport,
    units: Vec<crate::player::buffer::time_shift::KeptPacket>,
) -> Start {
    let start = Start { video: packets.video.restart(), audio: packets.audio.restart() };
    for kept in units {
        let dropped = packets.hand_over(kept);
        report.add_dropped(dropped);
    }
    start
}
