//! The player as others hold it: opened, asked, stopped.

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
use crate::player::session::config::{Config, Source};
use crate::player::session::requests::NewFile;
use crate::player::session::requests::TimeShiftPlace;
use crate::player::session::shared::Shared;
use crate::player::state::{Event, Failure, FailureKind, Figures, Rewind, Saving, State};
use crate::text::problem::problem;

/// Nobody goes nearer to the end of a recording than this: to its last frame.
const NEAR_THE_END: Duration = Duration::from_millis(15);

/// A step that ends so close to the live end of a broadcast leads there.
const AT_THE_END: Duration = Duration::from_millis(700);

/// An automatic buffer begins with this.
const AUTO_BEGINS: Duration = Duration::from_millis(300);

/// A stream or file being played. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    events: queue::Receiver<Event>,
    threads: Vec<Worker>,
    screen: Latest<VideoFrame>,
}

impl Player {
    /// Opens the source and begins to play as soon as something comes; frames go into `screen`.
    /// Returns at once: what happens is told by [`Player::state`] and [`Player::events`].
    ///
    /// # Errors
    /// When an output file cannot be written, the URL makes no sense, or the system grants no
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

    /// As [`Player::open`], with another way to a speaker (tests).
    ///
    /// # Errors
    /// As [`Player::open`].
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
        let (decoded, pictures) = queue::bounded("player pictures", video::DEPTH, Full::Block);

        let mut player = Self {
            shared: Arc::clone(&shared),
            events,
            threads: Vec::new(),
            screen: screen.clone(),
        };
        let presenter = Presenter {
            shared: Arc::clone(&shared),
            pictures,
            screen,
            speakers: Speakers::new(speaker(&shared.controls), clock),
            measure: config.measure.then(Measure::new),
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

    /// What it is doing.
    pub fn state(&self) -> State {
        self.shared.report.state()
    }

    /// How it fares. The file that is being written is the one that is wanted, also before anything has
    /// come for it.
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

    /// What happens, in order. Older events go when nobody takes them.
    pub fn events(&self) -> &queue::Receiver<Event> {
        &self.events
    }

    /// The frame shown last.
    pub fn last_frame(&self) -> Option<VideoFrame> {
        self.screen.get()
    }

    /// Why a file that was to be written (`save`, `audio_dump`) is not whole, if so.
    pub fn output_failure(&self) -> Option<Failure> {
        self.shared.report.output_failure.lock().clone()
    }

    /// 0…1.
    pub fn set_volume(&self, volume: f32) {
        self.shared.controls.set_volume(volume);
    }

    /// Audio is heard this many milliseconds later than its timestamps say (sooner, where negative).
    pub fn set_av_offset(&self, millis: i32) {
        self.shared.set_av_offset(millis);
    }

    /// Silences it.
    pub fn set_muted(&self, muted: bool) {
        self.shared.controls.set_muted(muted);
    }

    /// Holds where it is, or continues: at the same place in a recording, and in a broadcast as far as
    /// it is kept (`time_shift`); where nothing is, a broadcast continues where it is by then.
    pub fn pause(&self, paused: bool) {
        self.shared.requests.set_paused(paused);
    }

    /// Whether it was asked to hold.
    pub fn is_paused(&self) -> bool {
        self.shared.requests.paused()
    }

    /// Goes on at another place of a recording: in a file, on a web server too, at the very frame and
    /// audio of it, elsewhere at the keyframe before it. False where that cannot be done: a broadcast, or
    /// a file of a web server that gives no parts of it.
    pub fn seek(&self, to: Duration) -> bool {
        let can = self.duration().is_some() && !self.state().is_final();
        if can {
            let last = self.duration().unwrap_or_default().saturating_sub(NEAR_THE_END);
            self.shared.seek(to.min(last));
        }
        can
    }

    /// Goes to the place in what is kept of a broadcast that is this far behind its live end, at the
    /// keyframe before it, or after it where that is ahead. False where nothing is kept.
    pub fn rewind(&self, behind: Duration) -> bool {
        if self.state().is_final() {
            return false;
        }
        if self.shared.rewind_list(behind) {
            return true;
        }
        let can = self.shared.packets.shift.lock().is_on();
        if can {
            self.shared.requests.go_back(TimeShiftPlace::Behind(behind));
        }
        can
    }

    /// Goes so far ahead or back from where it is, or from the place that it is still on its way to, and no
    /// further than there is something. False where that cannot be done.
    pub fn step(&self, by: Duration, ahead: bool) -> bool {
        if self.duration().is_some() {
            let from = self.shared.aimed();
            return self.seek(if ahead {
                from.saturating_add(by)
            } else {
                from.saturating_sub(by)
            });
        }
        let Some(Rewind { range, behind, .. }) = self.shared.aimed_back() else { return false };
        let to =
            if ahead { behind.saturating_sub(by) } else { behind.saturating_add(by).min(range) };
        if to > AT_THE_END {
            return self.rewind(to);
        }
        // Who is at the live end stays there.
        if !behind.is_zero() {
            self.go_live();
        }
        !self.state().is_final()
    }

    /// Goes to the live end of a broadcast; a pause ends.
    pub fn go_live(&self) {
        if self.shared.rewind_list(Duration::ZERO) {
            return;
        }
        if self.shared.packets.shift.lock().is_on() {
            self.shared.requests.go_back(TimeShiftPlace::Live);
        } else {
            self.shared.requests.set_paused(false);
        }
    }

    /// Keeps at most this many bytes of a broadcast to go back in.
    pub fn set_time_shift_bytes(&self, bytes: usize) {
        self.shared.packets.shift.lock().set_bytes(bytes);
    }

    /// -1 (left alone) … 1 (right alone).
    pub fn set_balance(&self, balance: f32) {
        self.shared.controls.set_balance(balance);
    }

    /// Plays on this speaker, or on the system's.
    pub fn set_speaker(&self, id: Option<String>) {
        self.shared.controls.choose_speaker(id);
    }

    /// Keeps back this much of what comes as it happens; `None`: as little as the network allows.
    pub fn set_buffer(&self, buffer: Option<Duration>) {
        // Of what is followed by playlists it holds with what is read next.
        self.shared.buffer.set(buffer.unwrap_or(AUTO_BEGINS));
        let mut reception = self.shared.reception.lock();
        reception.jitter.set_buffer(buffer.unwrap_or(AUTO_BEGINS), buffer.is_none());
    }

    /// Writes what is received from here on into this FLV file, from the next keyframe; where there is one
    /// of that name already, into another, which is told.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn start_saving(&self, path: &Path) -> Result<(), Failure> {
        if self.shared.requests.filing.lock().is_over() {
            return Err(Failure::new(FailureKind::File, problem!("play-nothing-to-record")));
        }
        let made = save::make(path)?;
        save::tell_name(&self.shared, path, &made.path);
        self.want_save(Some(made));
        Ok(())
    }

    /// Completes the file that is being written.
    pub fn stop_saving(&self) {
        self.want_save(None);
    }

    /// The feed writes into this file from here on, or into none. One that it had not taken up yet is
    /// complete as it is.
    fn want_save(&self, file: Option<NewFile>) {
        let left = self.shared.requests.filing.lock().want(file);
        if let Some(left) = left {
            Save::into_file(left, true).telling().finish(&self.shared);
        }
    }

    /// How long a recording is, where that is known and one can go about in it.
    pub fn duration(&self) -> Option<Duration> {
        self.shared.timeline.duration()
    }

    /// It is as long as that: another file of several is played now.
    pub(super) fn set_duration(&self, duration: Duration) {
        self.shared.timeline.set_duration(duration);
    }

    /// Where in a recording it is.
    pub fn position(&self) -> Duration {
        self.shared.timeline.place()
    }

    /// Whether the next round through a file that goes around is being read already.
    pub(super) fn is_read_beyond(&self) -> bool {
        self.shared.timeline.is_read_beyond()
    }

    /// Whether all its threads have ended, as they do after a final state.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(Worker::is_finished)
    }

    /// Asks it to end without waiting: it puts no more frames into the slot.
    pub fn leave(&self) {
        self.shared.halt();
    }

    /// Stops playing, completes the files being written and waits for the threads, at most `limit`
    /// altogether. False when one of them did not end by then; it is left to itself.
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
