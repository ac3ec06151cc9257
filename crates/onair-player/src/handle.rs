//! The public interface of the player: opening, control, and stopping.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Full};
use crate::base::{Clock, Latest, Worker, sandbox};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::player::decode::video;
use crate::player::input::feed::InputFeed;
use crate::player::input::save::Save;
use crate::player::input::{file, live, save};
use crate::player::present::audio_dump::Dump;
use crate::player::present::measure::Measure;
use crate::player::present::speaker::{Open, Speakers};
use crate::player::present::{self, Presenter};
use crate::player::session::audio_controls::AudioControls;
use crate::player::session::config::{Config, INITIAL_AUTO_BUFFER, Source};
use crate::player::session::requests::{NewFile, TimeShiftPlace};
use crate::player::session::shared::Shared;
use crate::player::state::{Event, Failure, FailureKind, Figures, Saving, State, TimeShiftState};
use crate::text::problem::problem;

/// The minimum distance of a seek position from the end of a recording, so that its last frame is
/// shown.
const MIN_END_DISTANCE: Duration = Duration::from_millis(15);

/// A step that ends this close to the live edge goes to the live edge.
const LIVE_EDGE_TOLERANCE: Duration = Duration::from_millis(700);

/// A stream or file being played. Dropping the value stops playback without waiting.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    events: queue::Receiver<Event>,
    threads: Vec<Worker>,
    screen: Latest<VideoFrame>,
}

impl Player {
    /// Opens the source, and plays as soon as data arrives; frames go to `screen`. The call returns
    /// immediately; [`Player::state`] and [`Player::events`] report the result.
    ///
    /// # Errors
    /// Fails if an output file cannot be written, the URL is invalid, or the system cannot start
    /// threads.
    pub fn open(
        config: &Config,
        runtime: &Runtime,
        clock: Clock,
        screen: Latest<VideoFrame>,
    ) -> Result<Self, Failure> {
        Self::begin(config, runtime, clock, screen, |controls| {
            let wanted = controls.speaker();
            config.speaker.then(|| {
                Arc::new(move |rate, channels, clock| {
                    let id = wanted.lock().clone();
                    crate::player::present::speaker::open_device(
                        id.as_deref(),
                        rate,
                        channels,
                        clock,
                    )
                }) as Arc<Open>
            })
        })
    }

    /// Works like [`Player::open`], with another speaker (for tests).
    ///
    /// # Errors
    /// Fails with the same errors as [`Player::open`].
    pub fn open_with(
        config: &Config,
        runtime: &Runtime,
        clock: Clock,
        screen: Latest<VideoFrame>,
        speaker: Option<Arc<Open>>,
    ) -> Result<Self, Failure> {
        Self::begin(config, runtime, clock, screen, |_| speaker)
    }

    fn begin(
        config: &Config,
        runtime: &Runtime,
        clock: Clock,
        screen: Latest<VideoFrame>,
        speaker: impl FnOnce(&AudioControls) -> Option<Arc<Open>>,
    ) -> Result<Self, Failure> {
        let config = &Config { source: config.source.resolved(), ..config.clone() };
        let live = matches!(config.source, Source::Url(_));
        let remote = match &config.source {
            Source::Url(url) => Some(live::LiveInput::new(url, config, runtime.clone())?),
            Source::File(_) => None,
        };
        let save = config.save.as_deref().map(save::make).transpose()?;
        let dump = config.audio_dump.as_deref().map(Dump::create).transpose()?;
        let (shared, events) = Shared::new(config, clock);
        let shared = Arc::new(shared);
        if let Some((wanted, made)) = config.save.as_deref().zip(save.as_ref()) {
            save::tell_name(&shared, wanted, &made.path);
            shared.requests.filing.lock().begin(&made.path);
        }
        if let Some((wanted, dump)) = config.audio_dump.as_deref().zip(dump.as_ref()) {
            dump.tell_name(&shared.report, wanted);
        }
        let save = save.map(|made| Save::into_file(made, live));
        let (decoded, frames) =
            queue::bounded("player frames", video::MAX_WAITING_FRAMES, Full::Block);

        let mut player = Self {
            shared: Arc::clone(&shared),
            events,
            threads: Vec::new(),
            screen: screen.clone(),
        };
        let presenter = Presenter {
            shared: Arc::clone(&shared),
            frames,
            screen,
            speakers: Speakers::new(speaker(&shared.controls), clock),
            measure: config.measure.then(Measure::default),
            dump,
        };
        player.spawn("player-present", move |stop| {
            sandbox::audio_decoder();
            present::run(presenter, stop);
        })?;
        let its = Arc::clone(&shared);
        player.spawn("player-video", move |stop| {
            sandbox::video_decoder();
            video::run(&its, stop, &decoded);
        })?;
        let feed = InputFeed::new(shared, save, live);
        match (remote, config.source.clone()) {
            (Some(remote), _) => player.spawn("player-feed", move |_| remote.run(feed))?,
            (None, Source::File(path)) => {
                let (start, sequel) = (config.start, config.sequel.clone());
                player.spawn("player-feed", move |_| {
                    file::run(feed, path, start, sequel.as_ref());
                })?;
            }
            (None, Source::Url(_)) => {}
        }
        Ok(player)
    }

    fn spawn(
        &mut self,
        name: &str,
        body: impl FnOnce(&crate::base::Stop) + Send + 'static,
    ) -> Result<(), Failure> {
        match Worker::spawn(name, body) {
            Ok(worker) => {
                self.threads.push(worker);
                Ok(())
            }
            Err(error) => {
                self.shared.halt();
                Err(no_threads(&error))
            }
        }
    }

    /// Returns the current state.
    pub fn state(&self) -> State {
        self.shared.report.state()
    }

    /// Returns the current figures. `saving` describes the requested file, even before its first
    /// data arrives.
    pub fn figures(&self) -> Figures {
        let wanted = self.shared.requests.filing.lock().path().map(Path::to_owned);
        let mut figures = self.shared.report.figures.lock().clone();
        let written = figures.saving.take();
        figures.saving = wanted.map(|path| {
            let written = written.filter(|written| written.path == path);
            written.unwrap_or_else(|| Saving { path, ..Saving::default() })
        });
        figures
    }

    /// Returns the events in order. If too many events are unread, the oldest ones are dropped.
    pub fn events(&self) -> &queue::Receiver<Event> {
        &self.events
    }

    /// Returns the last shown frame.
    pub fn last_frame(&self) -> Option<VideoFrame> {
        self.screen.get()
    }

    /// Returns the reason why a requested file (`save`, `audio_dump`) is incomplete, if it is.
    pub fn output_failure(&self) -> Option<Failure> {
        self.shared.report.output_failure.lock().clone()
    }

    /// Sets the volume, 0…1.
    pub fn set_volume(&self, volume: f32) {
        self.shared.controls.set_volume(volume);
    }

    /// Sets the time, in milliseconds, by which audio plays after its timestamps, or before them if
    /// the value is negative.
    pub fn set_av_offset(&self, millis: i32) {
        self.shared.set_av_offset(millis);
    }

    /// Mutes or unmutes the audio.
    pub fn set_muted(&self, muted: bool) {
        self.shared.controls.set_muted(muted);
    }

    /// Pauses or resumes. A recording resumes at the same position, and so does a broadcast if the
    /// time shift still contains that position. Without a time shift, a broadcast resumes at its
    /// current position.
    pub fn pause(&self, paused: bool) {
        self.shared.requests.set_paused(paused);
    }

    /// Returns true if playback is paused.
    pub fn is_paused(&self) -> bool {
        self.shared.requests.paused()
    }

    /// Seeks in a recording: in a file (also on a web server) to the exact frame, in a playlist to
    /// the position, and otherwise to the keyframe before the position. Returns false if seeking is
    /// impossible, as in a broadcast, on a web server without range requests, or after the last data
    /// has arrived.
    pub fn seek(&self, to: Duration) -> bool {
        let to = self.seek_position(to).filter(|_| !self.state().is_final());
        to.is_some_and(|to| self.shared.seek(to))
    }

    /// Returns the position in a recording that a seek to `to` reaches, even after the recording has
    /// ended. Returns `None` if the length is unknown or seeking is impossible.
    pub fn seek_position(&self, to: Duration) -> Option<Duration> {
        Some(to.min(self.duration()?.saturating_sub(MIN_END_DISTANCE)))
    }

    /// Seeks to a distance behind the live edge within the time shift: to the keyframe before that
    /// position, or to the one after it when seeking forward. Returns false if there is no time
    /// shift, or if the last data of the broadcast plays.
    pub fn seek_behind_live(&self, behind: Duration) -> bool {
        if self.state().is_final() || self.shared.packets.is_closed() {
            return false;
        }
        if self.shared.seek_dvr_window(behind) {
            return true;
        }
        let can = self.shared.packets.shift.lock().is_on();
        if can {
            self.shared.requests.go_back(TimeShiftPlace::Behind(behind));
        }
        can
    }

    /// Seeks forward or back relative to the current or pending position, as far as possible.
    /// Returns false if seeking is impossible.
    pub fn step(&self, by: Duration, ahead: bool) -> bool {
        if self.duration().is_some() {
            let from = self.shared.pending_position();
            return self.seek(if ahead {
                from.saturating_add(by)
            } else {
                from.saturating_sub(by)
            });
        }
        let Some(TimeShiftState { range, behind, .. }) = self.shared.pending_time_shift() else {
            return false;
        };
        let to =
            if ahead { behind.saturating_sub(by) } else { behind.saturating_add(by).min(range) };
        if to > LIVE_EDGE_TOLERANCE {
            return self.seek_behind_live(to);
        }
        // A viewer at the live edge stays there.
        if !behind.is_zero() {
            self.go_live();
        }
        !self.state().is_final()
    }

    /// Seeks to the live edge of a broadcast, and ends a pause.
    pub fn go_live(&self) {
        if self.shared.seek_dvr_window(Duration::ZERO) {
            return;
        }
        if self.shared.packets.shift.lock().is_on() {
            self.shared.requests.go_back(TimeShiftPlace::Live);
        } else {
            self.shared.requests.set_paused(false);
        }
    }

    /// Sets the maximum size of the time shift, in bytes.
    pub fn set_time_shift_bytes(&self, bytes: usize) {
        self.shared.packets.shift.lock().set_bytes(bytes);
    }

    /// Sets the balance: −1 (left only) … 1 (right only).
    pub fn set_balance(&self, balance: f32) {
        self.shared.controls.set_balance(balance);
    }

    /// Selects a speaker; `None` is the system's default.
    pub fn set_speaker(&self, id: Option<String>) {
        self.shared.controls.choose_speaker(id);
    }

    /// Sets the buffer of a live stream. `None` means the smallest buffer that the network allows.
    pub fn set_buffer(&self, buffer: Option<Duration>) {
        // A stream in segments uses the new buffer from its next read on.
        self.shared.buffer.set(buffer.unwrap_or(INITIAL_AUTO_BUFFER));
        let mut reception = self.shared.reception.lock();
        reception.jitter.set_buffer(buffer.unwrap_or(INITIAL_AUTO_BUFFER), buffer.is_none());
    }

    /// Saves the received stream to this FLV file from the next keyframe on. If the file exists,
    /// the new file gets another name, which is reported.
    ///
    /// # Errors Fails if the file cannot be created, or if the stream has ended.
    pub fn start_saving(&self, path: &Path) -> Result<(), Failure> {
        if self.shared.requests.filing.lock().is_over() {
            return Err(Failure::new(FailureKind::File, problem!("play-nothing-to-record")));
        }
        let made = save::make(path)?;
        save::tell_name(&self.shared, path, &made.path);
        self.want_save(Some(made));
        Ok(())
    }

    /// Completes the file in progress.
    pub fn stop_saving(&self) {
        self.want_save(None);
    }

    /// Sets the file that the feed writes to, or none. A previous file that the feed has not begun
    /// is completed here.
    fn want_save(&self, file: Option<NewFile>) {
        let left = self.shared.requests.filing.lock().want(file);
        if let Some(left) = left {
            Save::into_file(left, true).telling().finish(&self.shared);
        }
    }

    /// Returns the length of a recording, if it is known and seeking is possible.
    pub fn duration(&self) -> Option<Duration> {
        self.shared.timeline.duration()
    }

    /// Sets the length, because another file of a list plays now.
    pub(super) fn set_duration(&self, duration: Duration) {
        self.shared.timeline.set_duration(duration);
    }

    /// Returns the position in a recording.
    pub fn position(&self) -> Duration {
        self.shared.timeline.place()
    }

    /// Returns true if the next pass through a looped file is already being read.
    pub(super) fn is_read_beyond(&self) -> bool {
        self.shared.timeline.is_read_beyond()
    }

    /// Returns true if all threads have ended, as they do after a final state.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(Worker::is_finished)
    }

    /// Requests the end of playback without waiting. From then on, no frames go to the screen.
    pub fn leave(&self) {
        self.shared.halt();
    }

    /// Stops playback, completes the files in progress and waits for the threads, at most `limit`
    /// in total. Returns false if one of them did not end in time; it continues in the background.
    pub fn stop(&mut self, limit: Duration) -> bool {
        self.shared.halt();
        let until = self.shared.clock.now() + limit;
        let mut all = true;
        for mut thread in self.threads.drain(..) {
            let left = until.since(self.shared.clock.now());
            if let Err(stuck) = thread.wait(left) {
                tracing::warn!(%stuck, "the player did not end in time");
                all = false;
            }
        }
        all
    }
}

pub(super) fn no_threads(error: &std::io::Error) -> Failure {
    let reason = error.to_string();
    Failure::new(FailureKind::System, problem!("play-no-threads", reason = reason))
}

impl Drop for Player {
    fn drop(&mut self) {
        self.shared.halt();
    }
}
