//! The presenter thread: keeps the playback position, shows frames at their times, keeps the
//! speaker filled, and counts frames and samples. It shows the first frame as soon as it is
//! decoded, while the buffer still fills.

pub(crate) mod audio_dump;
pub(crate) mod measure;
pub mod screenshot;
mod seek_search;
pub mod speaker;
mod time_shift;
pub(crate) mod upsample;

use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Empty};
use crate::base::{Clock, Latest, Stop, Timestamp};
use crate::media::{Size, VideoFrame};
use crate::player::clock::frame_pacing::{Cadence, PacingVerdict, judge};
use crate::player::clock::playout::{Change, Playout, ReceivedSpan};
use crate::player::decode::audio::{AudioDecoding, PlayedAudio};
use crate::player::decode::balance::speaker_channels;
use crate::player::decode::video::Decoded;
use crate::player::present::audio_dump::Dump;
use crate::player::present::measure::Measure;
use crate::player::present::speaker::Speakers;
use crate::player::session::shared::Shared;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{State, TimeShiftState};
use seek_search::SeekSearch;

/// Maximum sleep of the loop, because the speaker must be refilled.
const MAX_SLEEP: Duration = Duration::from_millis(8);
/// Maximum sleep in a pause, so that the figures of a live stream stay current.
const MAX_PAUSED_SLEEP: Duration = Duration::from_millis(100);
/// After this long without a shown frame, even a late frame is shown.
const LATE_FRAME_TIMEOUT: Duration = Duration::from_millis(400);

/// Minimum length of a stall that is reported.
const MIN_REPORTED_STALL: Duration = Duration::from_secs(1);

/// The state of the presenter.
pub(super) struct Presenter {
    pub(super) shared: Arc<Shared>,
    pub(super) frames: queue::Receiver<Decoded>,
    pub(super) screen: Latest<VideoFrame>,
    pub(super) speakers: Speakers,
    pub(super) measure: Option<Measure>,
    pub(super) dump: Option<Dump>,
}

/// Presents until stopped, or until everything has been shown. In the second case, the state
/// becomes `Ended`.
pub(super) fn run(presenter: Presenter, stop: &Stop) {
    let shared = Arc::clone(&presenter.shared);
    let mut run = Run::new(presenter);
    while !stop.is_set() && !shared.lifetime.stop.is_set() {
        if run.step() {
            shared.report.enter(State::Ended);
            break;
        }
    }
    run.publish_figures(shared.clock.now(), &ReceivedSpan::default());
    run.end();
    shared.halt();
}

#[derive(Default)]
struct Counts {
    shown: u64,
    dropped: u64,
    late: u64,
    skipped: u64,
    underruns: u64,
    first_frame: Option<Duration>,
}

/// The values of the counters at the start of the current second.
#[derive(Default)]
struct SecondStart {
    since: Timestamp,
    shown: u64,
    bytes: u64,
}

/// The last reading of the time-shift buffer.
#[derive(Default)]
struct ShiftReading {
    time_shift: Option<TimeShiftState>,
    behind: bool,
    at: Option<Timestamp>,
}

struct Run {
    presenter: Presenter,
    playout: Playout,
    audio: AudioDecoding,
    cadence: Cadence,
    /// The next frame to show.
    next: Option<VideoFrame>,
    video_ended: bool,
    /// The search for the frame of a seek.
    sought: Option<SeekSearch>,
    /// The media time of the start of playback. Earlier frames are not shown.
    from: Option<Timestamp>,
    previewed: bool,
    last_shown: Option<Timestamp>,
    counts: Counts,
    second: SecondStart,
    started_at: Option<Timestamp>,
    /// Restart number of playback: frames of earlier restarts are not shown, see
    /// `Packets::restart`.
    generation: u32,
    /// The number of speaker choices when the current speaker was opened.
    speaker_choices: u32,
    kept: ShiftReading,
    /// The time since which there has been nothing to play.
    stalled_since: Option<Timestamp>,
    /// Size of the last shown frame.
    size: Option<Size>,
}

impl Run {
    fn new(presenter: Presenter) -> Self {
        let speaker_choices = presenter.shared.controls.speaker_choices();
        Self {
            presenter,
            playout: Playout::default(),
            audio: AudioDecoding::default(),
            cadence: Cadence::default(),
            next: None,
            video_ended: false,
            sought: None,
            from: None,
            previewed: false,
            last_shown: None,
            counts: Counts::default(),
            second: SecondStart::default(),
            started_at: None,
            generation: 0,
            speaker_choices,
            kept: ShiftReading::default(),
            stalled_since: None,
            size: None,
        }
    }

    /// Runs one round. Returns true once everything has been shown.
    fn step(&mut self) -> bool {
        let shared = Arc::clone(&self.presenter.shared);
        let now = shared.clock.now();
        self.follow_feed(now);
        shared.timeline.set_position(self.playout.position());
        let live = {
            let mut reception = shared.reception.lock();
            reception.set_speaker_latency(self.audio.latency());
            reception.received(now)
        };
        self.execute_seek(now, &live);
        if self.sought.is_some() {
            self.playout.hold_here(now);
            shared.timeline.set_position(self.playout.position());
            self.seek_on(now);
            self.look_back(now, &live);
            self.publish_figures(now, &ReceivedSpan::default());
            self.nap(now);
            return false;
        }
        if shared.requests.paused() && self.playout.has_started() {
            self.playout.hold_here(now);
            shared.timeline.set_position(self.playout.position());
            shared.packets.shift.lock().hold();
            shared.hold_dvr_window();
            self.show_still(now);
            self.look_back(now, &live);
            self.publish_figures(now, &ReceivedSpan::default());
            // A seek in a pause shows its frame as soon as it is decoded.
            let expects_frame = !self.previewed && self.size.is_some() && !self.video_ended;
            shared.requests.wait(if expects_frame { MAX_SLEEP } else { MAX_PAUSED_SLEEP });
            return false;
        }
        let mut received = self.received(now, live);
        if !self.playout.has_started() && self.next.is_none() && !shared.packets.video.is_empty() {
            // Frames are in the decoder: begin when one is ready.
            received.settling = true;
        }
        let prospect = self.playout.prospect(now, &received);
        self.audio.decode(&shared, prospect);
        self.tend_speaker(now);
        if !self.playout.has_started()
            && let Some(prospect) = prospect
        {
            self.audio.forget_before(prospect);
        }

        let change = self.playout.step(now, &received, self.audio.position_played());
        self.follow(change, now);
        if !received.ended
            && self.stalled_since.is_some_and(|since| now.since(since) >= MIN_REPORTED_STALL)
        {
            self.stalled_since = None;
            shared.report.report_anomaly(&Anomaly::Stalled);
        }
        if self.playout.is_running() {
            self.play_audio(now, received.ended);
        }
        self.show_due(now, &received);
        self.look_back(now, &live);
        self.publish_figures(now, &received);

        let all_read = received.ended
            && shared.packets.audio.is_finished()
            && shared.packets.video.is_finished();
        if all_read
            && self.video_ended
            && self.next.is_none()
            && self.audio.is_drained(now)
            && !self.presenter.speakers.is_finishing(now)
        {
            return true;
        }
        self.nap(now);
        false
    }

    fn follow(&mut self, change: Change, now: Timestamp) {
        match change {
            Change::None => {}
            Change::Started(at) => {
                self.started_at.get_or_insert(now);
                self.begin(at, true, now);
                self.presenter.shared.report.enter(State::Playing);
            }
            Change::Jumped(at) => {
                tracing::debug!(?at, "skipped ahead to keep the latency");
                self.presenter.shared.report.report_anomaly(&Anomaly::JumpedAhead);
                self.begin(at, true, now);
                self.presenter.shared.report.enter(State::Playing);
            }
            Change::Resumed(at) => {
                self.started_at.get_or_insert(now);
                self.begin(at, false, now);
                self.presenter.shared.report.enter(State::Playing);
            }
            Change::Stalled => {
                self.counts.underruns += 1;
                self.stalled_since = Some(now);
                self.presenter.shared.reception.lock().broke(now);
            }
        }
    }

    fn begin(&mut self, at: Timestamp, skip: bool, now: Timestamp) {
        let position = self.audio.seek(at, skip);
        self.playout.set_position(position);
        self.presenter.shared.timeline.begin_at(position);
        self.stalled_since = None;
        self.presenter.shared.reception.lock().begun(now, position);
        if skip {
            self.from = Some(at);
        }
    }

    fn play_audio(&mut self, now: Timestamp, ended: bool) {
        let Presenter { shared, measure, dump, .. } = &mut self.presenter;
        let mut on_played = |audio: PlayedAudio<'_>| {
            if let Some(measure) = measure {
                measure.on_played(&audio);
            }
            if let Some(dump) = dump {
                dump.write(&shared.report, &audio);
            }
        };
        let (position, speed) = (self.playout.position(), self.playout.speed());
        self.audio.set_balance(shared.controls.balance());
        self.audio.play(now, position, speed, shared.controls.loudness(), ended, &mut on_played);
    }

    /// Opens, changes and drops speakers.
    fn tend_speaker(&mut self, now: Timestamp) {
        let is_finishing = self.presenter.speakers.is_finishing(now);
        let shared = &self.presenter.shared;
        let choices = shared.controls.speaker_choices();
        let is_chosen = std::mem::replace(&mut self.speaker_choices, choices) != choices;
        if is_chosen || self.audio.has_moved() {
            self.presenter.speakers.forget();
            if let Some(speaker) = self.audio.detach() {
                self.presenter.speakers.put_away(speaker);
            }
        }
        if let Some(reason) = self.audio.failure() {
            if let Some(speaker) = self.audio.detach() {
                self.presenter.speakers.lost(&shared.report, speaker, reason, now);
            }
        } else if let (Some(is), Some(wanted)) = (self.audio.device_format(), self.audio.format())
            && is != wanted
            && !is_finishing
            && let Some((speaker, until)) = self.audio.detach_playing()
        {
            self.presenter.speakers.finish(speaker, until);
        }
        if self.audio.device_format().is_none()
            && let Some((rate, channels)) = self.audio.format()
            && let Some(speaker) = self.presenter.speakers.open(
                &shared.report,
                &shared.controls,
                rate,
                speaker_channels(channels),
                now,
            )
        {
            self.audio.attach(speaker, rate, channels);
            if self.playout.is_running() {
                let position = self.audio.seek(self.playout.position_at(now), true);
                self.playout.set_position(position);
            }
        }
    }

    /// Takes frames from the decoder, and shows the due one.
    fn show_due(&mut self, now: Timestamp, received: &ReceivedSpan) {
        // The limit for a burst: more frames wait for the next round, because audio has priority.
        for _ in 0..64 {
            let Some(frame) = self.next.take().or_else(|| self.receive()) else { return };
            if !self.previewed {
                // The first frame is shown at once and ignores the clock.
                self.previewed = true;
                self.show(frame, now, now, false);
                continue;
            }
            let position = self.playout.position_at(now);
            if !self.playout.has_started() {
                let prospect = self.playout.prospect(now, received);
                if prospect.is_some_and(|prospect| frame.pts < prospect) {
                    self.counts.skipped += 1;
                    continue;
                }
                self.next = Some(frame);
                return;
            }
            if self.from.is_some_and(|from| frame.pts < from) {
                self.counts.skipped += 1;
                continue;
            }
            let successor = !self.presenter.frames.is_empty();
            let speed = self.playout.speed();
            match judge(frame.pts, position, speed, self.cadence.period(), successor) {
                PacingVerdict::Wait(_) => {
                    self.next = Some(frame);
                    return;
                }
                PacingVerdict::Show { late } => {
                    self.counts.late += u64::from(late);
                    let due = now.offset(frame.pts.micros_since(position));
                    self.show(frame, due, now, true);
                }
                PacingVerdict::Drop => {
                    self.counts.late += 1;
                    let bored =
                        self.last_shown.is_some_and(|last| now.since(last) > LATE_FRAME_TIMEOUT);
                    if bored {
                        self.show(frame, now, now, true);
                    } else {
                        self.counts.dropped += 1;
                    }
                }
            }
        }
    }

    fn receive(&mut self) -> Option<VideoFrame> {
        loop {
            match self.presenter.frames.try_recv() {
                Ok(decoded) if !self.is_wanted(&decoded) => {}
                Ok(decoded) => {
                    self.cadence.note(decoded.frame.pts);
                    return Some(decoded.frame);
                }
                Err(queue::Empty::Waiting) => return None,
                Err(queue::Empty::Closed) => {
                    self.video_ended = true;
                    return None;
                }
            }
        }
    }

    /// Returns true if the frame belongs to the current position, and not to an earlier one.
    fn is_wanted(&mut self, decoded: &Decoded) -> bool {
        if decoded.generation != self.generation {
            // The feed may have moved to another position just now.
            self.follow_feed(self.presenter.shared.clock.now());
        }
        decoded.generation == self.generation
    }

    /// Shows a frame that was due at `due`.
    fn show(&mut self, mut frame: VideoFrame, due: Timestamp, now: Timestamp, timed: bool) {
        if timed && let Some(measure) = &mut self.presenter.measure {
            let shared = &self.presenter.shared;
            let came = shared.arrivals.as_ref().and_then(|arrivals| arrivals.of(frame.pts));
            measure.shown(&frame, shared.clock.now(), came, shared.clock);
        }
        let opened = self.presenter.shared.opened;
        let size = frame.size();
        let before = self.size.replace(size);
        if before != Some(size) {
            self.presenter.shared.report.figures.lock().size = Some(size);
        }
        if before.is_some_and(|it| it != size) {
            self.presenter.shared.report.report_anomaly(&Anomaly::ChangedSize(size.to_string()));
        }
        // Later users of the frame need session time.
        frame.pts = due;
        self.presenter.shared.lifetime.show(&self.presenter.screen, frame);
        self.counts.shown += 1;
        self.last_shown = Some(now);
        if self.counts.first_frame.is_none() {
            self.counts.first_frame = Some(self.presenter.shared.clock.now().since(opened));
        }
    }

    fn publish_figures(&mut self, now: Timestamp, received: &ReceivedSpan) {
        let shared = &self.presenter.shared;
        let jitter = shared.reception.lock().jitter();
        let position = self.playout.position();
        let made = shared.dated.lock().of(position).filter(|_| self.playout.has_started());
        let mut figures = shared.report.figures.lock();
        figures.jitter = jitter;
        figures.sender_latency_ms =
            made.map(|made| Clock::system_micros().saturating_sub(made) as f64 / 1_000.0);
        let counts = &self.counts;
        figures.shown = counts.shown;
        figures.dropped = counts.dropped + shared.report.dropped();
        figures.late = counts.late;
        figures.skipped = counts.skipped;
        figures.underruns = counts.underruns + self.audio.underruns;
        figures.audio_samples = self.audio.samples;
        figures.first_frame = counts.first_frame;
        figures.speed = self.playout.speed();
        figures.device = self.audio.device_format().is_some();
        figures.volume = shared.controls.volume();
        figures.muted = shared.controls.muted();
        figures.position = shared.timeline.place();
        figures.duration = shared.timeline.duration();
        // The figures report a pause only once playback holds.
        figures.paused = shared.requests.paused() && !self.playout.is_running();
        figures.time_shift = self.kept.time_shift;
        figures.playing_for = self.started_at.map_or(Duration::ZERO, |at| now.since(at));
        if let (Some(edge), false) = (received.edge, self.kept.behind) {
            figures.buffer = edge.since(self.playout.position());
        }
        if let Some(measure) = &self.presenter.measure {
            figures.latency_ms = measure.latency_ms;
            figures.arrival_ms = measure.arrival_ms;
            figures.av_offset_ms = measure.av_offset_ms();
        }
        let elapsed = now.since(self.second.since);
        if elapsed >= Duration::from_secs(1) {
            let seconds = elapsed.as_secs_f64();
            figures.fps = (counts.shown - self.second.shown) as f64 / seconds;
            let bytes = figures.received_bytes.saturating_sub(self.second.bytes);
            figures.bitrate = (bytes as f64 * 8.0 / seconds) as u32;
            self.second =
                SecondStart { since: now, shown: counts.shown, bytes: figures.received_bytes };
        }
        drop(figures);
        shared.requests.wanted_back.lock().end();
    }

    /// Sleeps until the next frame is due or the speaker needs data.
    fn nap(&mut self, now: Timestamp) {
        if let Some(next) = &self.next {
            let wait = if self.playout.is_running() {
                let position = self.playout.position_at(now);
                let period = self.cadence.period();
                match judge(next.pts, position, self.playout.speed(), period, false) {
                    PacingVerdict::Wait(wait) => wait.min(MAX_SLEEP),
                    _ => Duration::ZERO,
                }
            } else {
                Duration::from_millis(4)
            };
            if !wait.is_zero() {
                self.presenter.shared.lifetime.stop.wait(wait);
            }
            return;
        }
        if self.video_ended {
            self.presenter.shared.lifetime.stop.wait(MAX_SLEEP);
            return;
        }
        match self.presenter.frames.recv_timeout(MAX_SLEEP) {
            Ok(decoded) => {
                if self.is_wanted(&decoded) {
                    self.cadence.note(decoded.frame.pts);
                    self.next = Some(decoded.frame);
                }
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => self.video_ended = true,
        }
    }

    fn end(&mut self) {
        self.presenter.speakers.forget();
        if let Some(speaker) = self.audio.detach() {
            self.presenter.speakers.put_away(speaker);
        }
        if let Some(dump) = self.presenter.dump.take() {
            dump.finish(&self.presenter.shared.report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes};
    use crate::player::buffer::time_shift::TimeShiftDepth;
    use crate::player::session::config::{Config, Source};
    use crate::player::session::requests::TimeShiftPlace;

    /// The presenter of a broadcast with a time shift, before the first data.
    fn presenter() -> Run {
        let time_shift = Some(TimeShiftDepth { time: Duration::from_secs(20), bytes: 1 << 20 });
        let source = Source::Url("rtmp://host/app/name".into());
        let config = Config { time_shift, ..Config::new(source) };
        // The system's clock was set after the player started.
        let clock = Clock::start_at(0);
        let (shared, _events) = Shared::new(&config, clock);
        let (_decoded, frames) = queue::bounded("frames", 1, queue::Full::Block);
        Run::new(Presenter {
            shared: Arc::new(shared),
            frames,
            screen: Latest::default(),
            speakers: Speakers::new(None, clock),
            measure: None,
            dump: None,
        })
    }

    #[test]
    fn going_live_before_the_start_ends_a_pause() {
        let mut run = presenter();
        let shared = Arc::clone(&run.presenter.shared);
        shared.requests.set_paused(true);
        shared.requests.go_back(TimeShiftPlace::Live);
        run.execute_seek(Timestamp::ZERO, &ReceivedSpan::default());
        assert!(!shared.requests.paused());
    }

    #[test]
    fn a_pause_sleeps_until_something_changes() {
        const ROUNDS: u32 = 5;
        let mut run = presenter();
        let shared = Arc::clone(&run.presenter.shared);
        run.playout.move_to(Timestamp::ZERO, Timestamp::ZERO);
        shared.requests.set_paused(true);
        // The pause itself wakes the presenter once.
        assert!(!run.step());
        let begin = std::time::Instant::now();
        for _ in 0..ROUNDS {
            assert!(!run.step());
        }
        assert!(begin.elapsed() >= MAX_PAUSED_SLEEP * ROUNDS);
        assert!(shared.report.figures.lock().paused);
        shared.requests.set_paused(false);
        assert!(!run.step());
        assert!(!shared.report.figures.lock().paused);
    }

    #[test]
    fn the_latency_follows_the_clock_of_the_system() {
        let mut run = presenter();
        let shared = Arc::clone(&run.presenter.shared);
        run.playout.move_to(Timestamp::ZERO, Timestamp::ZERO);
        shared.dated.lock().note(Timestamp::ZERO, Some(Clock::system_micros()));
        run.publish_figures(Timestamp::ZERO, &ReceivedSpan::default());
        let latency = shared.report.figures.lock().sender_latency_ms.unwrap();
        assert!((0.0..60_000.0).contains(&latency), "{latency}");
    }

    #[test]
    fn the_figures_have_a_new_size_from_its_first_frame_on() {
        let (mut run, now) = (presenter(), Timestamp::ZERO);
        for width in [320, 640, 320] {
            let size = Size::new(width, 180);
            let planes = Arc::new(Pooled::unpooled(Planes::black(size)));
            let frame = VideoFrame { pts: now, color: Color::PROGRAM, surface: planes.into() };
            run.show(frame, now, now, false);
            assert_eq!(run.presenter.shared.report.figures.lock().size, Some(size));
        }
    }
}
