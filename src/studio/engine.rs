//! The studio's thread: takes commands, looks at every part, tells events, draws the snapshot.
//! Nothing here waits for a device, a socket or a disk; what takes time has a thread of its own.

use std::path::PathBuf;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::queue::{Empty, Receiver, Sender};
use crate::base::{Clock, Latest, Timestamp};
use crate::capture::VideoChoice;
use crate::encode;
use crate::media::source::{Format, Report, State};
use crate::media::{Track, VideoFrame};
use crate::net::{self, Runtime};
use crate::studio::built_in::BuiltIn;
use crate::studio::devices::Devices;
use crate::studio::event::{self, Event, TargetState};
use crate::studio::history::History;
use crate::studio::ledger::Ledger;
use crate::studio::message::Message;
use crate::studio::on_air::OnAir;
use crate::studio::process::Process;
use crate::studio::program::Program;
use crate::studio::snapshot::{
    AudioSource, LiveFigures, LiveState, RecordingFigures, ServerFigures, SourceState, VideoSource,
};
use crate::studio::targets;
use crate::studio::watch::Watch;
use crate::studio::{Command, Quality, Settings, Snapshot, TargetChoice, Wanted};

/// How often the studio looks at its parts: as often as a meter needs to move smoothly.
const TICK: Duration = Duration::from_millis(33);

/// Settings are written this long after the last change.
const SAVE_AFTER: Duration = Duration::from_millis(800);

/// What the engine is made of.
pub(super) struct Engine {
    pub(super) clock: Clock,
    pub(super) runtime: Runtime,
    pub(super) commands: Receiver<Command>,
    pub(super) events: Sender<Event>,
    pub(super) output: Latest<Snapshot>,
    pub(super) preview: Latest<VideoFrame>,
    pub(super) settings: Settings,
    pub(super) settings_path: Option<PathBuf>,
    pub(super) encoder: encode::Choice,
    pub(super) options: net::rtmp::Options,
    pub(super) retry_for: Option<Duration>,
    pub(super) built_in: BuiltIn,
    pub(super) watch: Watch,
    /// What a broadcast that is being ended in the background still has to tell.
    pub(super) last_words: (Sender<Event>, Receiver<Event>),
    pub(super) state: Engaged,
}

/// What changes while it runs.
#[derive(Default)]
pub(super) struct Engaged {
    program: Option<Program>,
    on_air: Option<OnAir>,
    ending: Option<crate::base::Worker>,
    devices: Devices,
    ledger: Ledger,
    history: History,
    process: Option<Process>,
    usage: (f32, u64),
    quality: Quality,
    targets: Vec<Wanted>,
    target_choice: Option<TargetChoice>,
    key: crate::base::Secret,
    next_second: Timestamp,
    save_at: Option<Timestamp>,
    stopping: bool,
    quitting: bool,
    /// A source was not chosen by a person and follows what devices there are.
    undecided: (bool, bool),
}

impl Engine {
    /// Runs to the end: after [`Command::Quit`], or when nobody can send commands any more.
    pub(super) fn run(mut self, warnings: Vec<String>) {
        self.state.quality = self.settings.quality.clone();
        self.state.process = Some(Process::new());
        for reason in warnings {
            self.tell(&Message::SettingsBad { reason }, "");
        }
        if self.built_in.wanted_at_once() {
            self.start_built_in();
        }
        self.begin_program();
        self.state.next_second = self.clock.now() + Duration::from_secs(1);
        loop {
            match self.commands.recv_timeout(TICK) {
                Ok(command) => {
                    self.obey(command);
                    while let Ok(command) = self.commands.try_recv() {
                        self.obey(command);
                    }
                }
                Err(Empty::Waiting) => {}
                Err(Empty::Closed) => self.obey(Command::Quit),
            }
            self.look();
            if self.clock.now() >= self.state.next_second {
                self.second();
            }
            let ended = self.state.quitting
                && self.state.on_air.is_none()
                && self.state.ending.as_ref().is_none_or(crate::base::Worker::is_finished);
            if ended {
                break;
            }
            self.output.publish(self.snapshot(false));
        }
        self.watch.close();
        if let Some(program) = self.state.program.take() {
            program.end();
        }
        self.built_in.shutdown();
        self.save(true);
        self.output.publish(self.snapshot(true));
    }

    fn begin_program(&mut self) {
        let muted = self.settings.muted;
        match Program::start(self.clock, &self.state.quality, self.preview.clone()) {
            Ok(program) => {
                program.mixer().set_gain_db(self.settings.gain_db);
                program.mixer().set_muted(muted);
                self.state.program = Some(program);
            }
            Err(error) => {
                self.tell(&Message::EncoderFailed { reason: error.to_string() }, "");
                return;
            }
        }
        let video = self.settings.video.clone();
        let audio = self.settings.audio.clone();
        self.state.undecided = (video.is_none(), audio.is_none());
        if video.is_none() || audio.is_none() || self.settings_path.is_some() {
            self.state.devices.refresh();
        }
        if let Some(video) = video {
            self.select_video(video);
        }
        if let Some(audio) = audio {
            self.select_audio(audio);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::SelectVideo(choice) => {
                self.state.undecided.0 = false;
                self.settings.video = Some(choice.clone());
                self.select_video(choice);
                self.changed();
            }
            Command::SelectAudio(choice) => {
                self.state.undecided.1 = false;
                self.settings.audio = Some(choice.clone());
                self.select_audio(choice);
                self.changed();
            }
            Command::SetQuality(quality) => self.set_quality(quality),
            Command::SetTarget(choice) => self.set_target(choice),
            Command::SetTargets(wanted) => self.state.targets = wanted,
            Command::GoLive => self.go_live(),
            Command::StopLive => self.stop_live(),
            Command::RetryNow => {
                if let Some(on_air) = &self.state.on_air {
                    on_air.retry_now();
                }
            }
            Command::StartRecording(path) => self.start_recording(path),
            Command::StopRecording => self.stop_recording(),
            Command::SetGain(gain) => {
                self.settings.gain_db =
                    if gain.is_finite() { gain.clamp(-60.0, 20.0) } else { 0.0 };
                if let Some(program) = &self.state.program {
                    program.mixer().set_gain_db(self.settings.gain_db);
                }
                self.changed();
            }
            Command::SetMuted(muted) => {
                self.settings.muted = muted;
                if let Some(program) = &self.state.program {
                    program.mixer().set_muted(muted);
                }
                self.changed();
            }
            Command::ClearClip => {
                if let Some(program) = &self.state.program {
                    program.mixer().clear_clip();
                }
            }
            Command::Watch { url } => {
                self.settings.watch_url.clone_from(&url);
                self.state.ledger.clear(WATCH_KEYS);
                if let Some(message) = self.watch.open(url, &self.runtime, self.clock) {
                    self.tell(&message, "");
                }
                self.changed();
            }
            Command::StopWatching => {
                self.state.ledger.clear(WATCH_KEYS);
                self.watch.close();
            }
            Command::SetVolume(volume) => {
                self.watch.set_volume(volume);
                self.settings.volume = Some(self.watch.figures().volume);
                self.changed();
            }
            Command::SetPlayerMuted(muted) => {
                self.watch.set_muted(muted);
                self.settings.player_muted = muted;
                self.changed();
            }
            Command::SetPreferences(preferences) => {
                self.settings.preferences = preferences;
                self.changed();
            }
            Command::RefreshDevices => {
                self.state.ledger.clear(&["no-camera", "no-microphone"]);
                self.state.devices.refresh();
            }
            Command::Dismiss(id) => self.state.ledger.dismiss(id),
            Command::Quit => {
                self.state.quitting = true;
                self.end_broadcast();
            }
        }
    }

    fn select_video(&mut self, choice: VideoChoice) {
        self.state.ledger.clear(&["camera-lost", "camera-stalled", "camera-failed", "no-camera"]);
        let message = self.state.program.as_mut().and_then(|it| it.select_video(choice));
        self.tell_some(message);
    }

    fn select_audio(&mut self, choice: AudioChoice) {
        self.state.ledger.clear(&[
            "microphone-lost",
            "microphone-stalled",
            "microphone-failed",
            "no-microphone",
        ]);
        let message = self.state.program.as_mut().and_then(|it| it.select_audio(choice));
        self.tell_some(message);
    }

    /// Devices were looked for: decide what was left to us.
    fn decide(&mut self) {
        let (video, audio) = self.state.undecided;
        let (cameras, microphones) = (
            !self.state.devices.cameras().is_empty(),
            !self.state.devices.microphones().is_empty(),
        );
        if video {
            self.state.undecided.0 = false;
            if cameras {
                self.select_video(VideoChoice::Camera(None));
            } else {
                self.select_video(VideoChoice::Test);
                self.tell(&Message::NoCamera, "");
            }
        }
        if audio {
            self.state.undecided.1 = false;
            let test =
                self.state.program.as_ref().map(Program::video_choice) == Some(&VideoChoice::Test);
            if microphones {
                self.select_audio(AudioChoice::Mic(None));
            } else {
                let instead = if test { AudioChoice::Tone } else { AudioChoice::Silence };
                self.select_audio(instead);
                self.tell(&Message::NoMicrophone, "");
            }
        }
    }

    fn set_quality(&mut self, quality: Quality) {
        if quality == self.settings.quality {
            return;
        }
        self.settings.quality = quality.clone();
        self.changed();
        if let Some(on_air) = &self.state.on_air {
            on_air.set_bitrate(quality.video_bitrate);
            self.state.quality.video_bitrate = quality.video_bitrate;
            return;
        }
        self.apply_quality();
    }

    /// Takes over the chosen quality; the program starts anew where its shape changes.
    fn apply_quality(&mut self) {
        let old = std::mem::replace(&mut self.state.quality, self.settings.quality.clone());
        let new = &self.state.quality;
        let same = (old.size, old.frame_rate, old.sample_rate, old.channels)
            == (new.size, new.frame_rate, new.sample_rate, new.channels);
        if same || self.state.undecided.0 || self.state.undecided.1 {
            return;
        }
        if let Some(program) = self.state.program.take() {
            let (video, audio) = (program.video_choice().clone(), program.audio_choice().clone());
            program.end();
            let kept = (self.settings.video.clone(), self.settings.audio.clone());
            (self.settings.video, self.settings.audio) = (Some(video), Some(audio));
            self.begin_program();
            (self.settings.video, self.settings.audio) = kept;
        }
    }

    fn set_target(&mut self, choice: TargetChoice) {
        if let TargetChoice::Custom { server, key } = &choice {
            // A whole URL in the server field holds the key: it is not remembered.
            self.settings.server = targets::without_key(server, key);
            self.state.key = key.clone();
        }
        self.settings.custom_target = matches!(choice, TargetChoice::Custom { .. });
        self.state.target_choice = Some(choice);
        self.changed();
    }

    fn chosen_target(&self) -> TargetChoice {
        match &self.state.target_choice {
            Some(choice) => choice.clone(),
            None if self.settings.custom_target => TargetChoice::Custom {
                server: self.settings.server.clone(),
                key: self.state.key.clone(),
            },
            None => TargetChoice::BuiltIn,
        }
    }

    fn start_built_in(&mut self) {
        match self.built_in.start(&self.runtime, self.clock) {
            Ok(messages) => {
                for message in messages {
                    self.tell(&message, "");
                }
                let ready = self.built_in.ready();
                self.happened(Event::Ready(ready));
            }
            Err(message) => self.tell(&message, ""),
        }
    }

    fn go_live(&mut self) {
        if self.state.stopping || self.state.quitting {
            return;
        }
        if self.state.on_air.as_ref().is_some_and(OnAir::is_publishing) {
            return;
        }
        self.state.ledger.clear(TARGET_KEYS);
        let mut wanted = std::mem::take(&mut self.state.targets);
        if wanted.is_empty() {
            wanted.push(Wanted::from(self.chosen_target()));
        }
        if wanted.iter().any(|target| matches!(target, Wanted::BuiltIn)) {
            self.start_built_in_if_needed();
        }
        let mut resolved = Vec::new();
        for (index, target) in wanted.iter().enumerate() {
            match targets::resolve(target, self.built_in.rtmp(), &self.options, self.retry_for) {
                Ok(resolved_target) => {
                    resolved.push((index, *target == Wanted::BuiltIn, resolved_target));
                }
                Err(reason) => {
                    let message = Message::TargetInvalid { reason: reason.clone() };
                    self.tell(&message, "");
                    self.happened(Event::Target(event::Target {
                        index,
                        url: targets::shown(target),
                        state: TargetState::Failed,
                        cause: Some(reason),
                        advice: Some(message.advice()),
                        exit: Some(2),
                        ..event::Target::default()
                    }));
                }
            }
        }
        if resolved.is_empty() || !self.begin_broadcast() {
            self.happened(Event::Stopped);
            return;
        }
        if let Some(on_air) = &mut self.state.on_air {
            on_air.publish(&self.runtime, self.clock, resolved);
        }
        self.state.history = History::default();
    }

    fn start_built_in_if_needed(&mut self) {
        if !self.built_in.is_running() {
            self.start_built_in();
        }
    }

    /// Encoders and hub run from here on. False, with a notice, when they cannot.
    fn begin_broadcast(&mut self) -> bool {
        if self.state.on_air.is_some() {
            return true;
        }
        self.apply_quality();
        let Some(program) = &self.state.program else { return false };
        match OnAir::begin(program, &self.state.quality, self.encoder, self.clock) {
            Ok((on_air, events)) => {
                self.state.on_air = Some(on_air);
                for event in events {
                    self.happened(event);
                }
                true
            }
            Err(reason) => {
                self.tell(&Message::EncoderFailed { reason }, "");
                false
            }
        }
    }

    fn stop_live(&mut self) {
        let Some(on_air) = &mut self.state.on_air else { return };
        if on_air.is_recording() && on_air.is_publishing() {
            let publishers = on_air.take_publishers();
            self.state.stopping = true;
            self.state.ending = on_air.end_publishers(publishers, self.last_words.0.clone());
        } else {
            self.end_broadcast();
        }
    }

    fn start_recording(&mut self, path: PathBuf) {
        if self.state.stopping || self.state.quitting {
            return;
        }
        if self.state.on_air.as_ref().is_some_and(OnAir::is_recording) {
            return;
        }
        self.state.ledger.clear(&["recording-failed", "recording-saved", "recording-renamed"]);
        let shown = path.display().to_string();
        if !self.begin_broadcast() {
            return;
        }
        let Some(on_air) = &mut self.state.on_air else { return };
        match on_air.record(&path) {
            Ok(started) => {
                let renamed = (started.path != path).then(|| Message::RecordingRenamed {
                    path: started.path.display().to_string(),
                });
                self.happened(Event::Recording(started));
                self.tell_some(renamed);
            }
            Err(reason) => {
                self.happened(Event::Recording(event::Recording {
                    path,
                    state: event::RecordingState::Failed,
                    duration: Duration::ZERO,
                    bytes: 0,
                    reason: Some(reason.clone()),
                }));
                self.tell(&Message::RecordingFailed { path: shown, reason }, "");
                self.end_if_idle();
            }
        }
    }

    fn stop_recording(&mut self) {
        let Some(on_air) = &mut self.state.on_air else { return };
        if on_air.is_publishing() {
            let finished = on_air.finish_recording();
            self.recording_over(finished);
        } else {
            self.end_broadcast();
        }
    }

    fn recording_over(&mut self, recording: Option<event::Recording>) {
        let Some(recording) = recording else { return };
        let path = recording.path.display().to_string();
        let message = match (&recording.state, &recording.reason) {
            (event::RecordingState::Failed, reason) => {
                Message::RecordingFailed { path, reason: reason.clone().unwrap_or_default() }
            }
            _ => Message::RecordingSaved { path },
        };
        self.happened(Event::Recording(recording));
        self.tell(&message, "");
    }

    /// Ends encoders, outputs and hub in the background, in that order.
    fn end_broadcast(&mut self) {
        let Some(on_air) = self.state.on_air.take() else { return };
        if let Some(program) = &self.state.program {
            program.detach();
        }
        self.state.stopping = true;
        self.state.ending = on_air.end(self.last_words.0.clone());
    }

    fn end_if_idle(&mut self) {
        let idle = self
            .state
            .on_air
            .as_ref()
            .is_some_and(|on_air| !on_air.is_publishing() && !on_air.is_recording());
        if idle {
            self.end_broadcast();
        }
    }

    /// Looks at every part.
    fn look(&mut self) {
        if self.state.devices.poll() {
            self.decide();
        }
        self.look_at_sources();
        for message in self.watch.poll() {
            self.tell(&message, "");
        }
        for event in self.built_in.poll() {
            self.happened(Event::Server(event));
        }
        if let Some(on_air) = &mut self.state.on_air {
            let looked = on_air.look(self.clock);
            for happening in looked {
                match happening {
                    broadcast_happening @ crate::studio::on_air::Happening::Target(_) => {
                        self.target_happened(broadcast_happening);
                    }
                    crate::studio::on_air::Happening::Said(text) => {
                        self.tell(&Message::ServerSays { text }, "");
                    }
                    crate::studio::on_air::Happening::Recording(recording) => {
                        self.recording_over(Some(recording));
                    }
                    crate::studio::on_air::Happening::Encoder(reason) => {
                        self.tell(&Message::EncoderFailed { reason }, "");
                    }
                }
            }
            self.end_if_idle();
        }
        let over = self.state.ending.as_ref().is_some_and(crate::base::Worker::is_finished);
        while let Ok(event) = self.last_words.1.try_recv() {
            match event {
                Event::Recording(recording) => self.recording_over(Some(recording)),
                event => self.happened(event),
            }
        }
        if over {
            self.state.ending = None;
            self.state.stopping = false;
            if self.state.on_air.is_none() {
                self.happened(Event::Stopped);
            }
        }
        if self.state.save_at.is_some_and(|at| self.clock.now() >= at) {
            self.save(false);
        }
    }

    fn target_happened(&mut self, happening: crate::studio::on_air::Happening) {
        let crate::studio::on_air::Happening::Target(told) = happening else { return };
        if let Some(message) = targets::message(&told) {
            self.tell(&message, told.code.clone().unwrap_or_default());
        }
        if told.state == TargetState::Live {
            self.state.ledger.clear(TARGET_KEYS);
            if let Some(message) = self.state.history.live_again(&told, self.clock.now()) {
                self.tell(&message, "");
            }
        } else {
            self.state.history.lost(&told, self.clock.now());
        }
        self.happened(Event::Target(told));
    }

    fn look_at_sources(&mut self) {
        let Some(program) = &mut self.state.program else { return };
        let video = program.video_change().map(|change| (change, program.video_choice().clone()));
        let audio = program.audio_change().map(|change| (change, program.audio_choice().clone()));
        if let Some(((report, before), choice)) = video {
            let (kind, device) = targets::video_kind(&choice);
            if device {
                let message = device_message(&report, &before, true);
                self.tell_some(message.map(|message| (message, report.detail.clone())));
            }
            let back = is_back(&report, &before);
            self.happened(Event::Source(event::Source { track: Track::Video, kind, back, report }));
        }
        if let Some(((report, before), choice)) = audio {
            let (kind, device) = targets::audio_kind(&choice);
            if device {
                let message = device_message(&report, &before, false);
                self.tell_some(message.map(|message| (message, report.detail.clone())));
            }
            let back = is_back(&report, &before);
            self.happened(Event::Source(event::Source { track: Track::Audio, kind, back, report }));
        }
    }

    /// Once a second: figures.
    fn second(&mut self) {
        let now = self.clock.now();
        self.state.next_second =
            self.state.next_second.max(now - Duration::from_secs(1)) + Duration::from_secs(1);
        if let Some(process) = &mut self.state.process {
            self.state.usage = process.read();
        }
        let Some(program) = &self.state.program else { return };
        let Some(on_air) = &mut self.state.on_air else { return };
        let stats = on_air.stats(program, self.state.usage, now);
        self.state.history.second(&stats);
        let slow = self.state.history.slow(&stats);
        self.happened(Event::Stats(Box::new(stats)));
        self.tell_some(slow);
    }

    fn snapshot(&self, ended: bool) -> Snapshot {
        let state = &self.state;
        let (live, mut figures) = match &state.on_air {
            Some(on_air) => (on_air.live_state(self.clock), on_air.live_figures(self.clock)),
            None => (LiveState::Idle, LiveFigures::default()),
        };
        figures.bitrate_history = state.history.bitrates().collect();
        let live =
            if state.stopping && live == LiveState::Idle { LiveState::Stopping } else { live };
        let recording = state.on_air.as_ref().and_then(OnAir::recording);
        let program = state.program.as_ref();
        Snapshot {
            cameras: state.devices.cameras().to_vec(),
            microphones: state.devices.microphones().to_vec(),
            video: program.map(video_source),
            audio: program.map(|program| self.audio_source(program)),
            quality: self.settings.quality.clone(),
            target: Some(self.chosen_target()),
            live,
            figures,
            recording: recording.map(|(path, duration, bytes)| RecordingFigures {
                path,
                duration,
                bytes,
            }),
            watch: self.watch.state(),
            watch_figures: self.watch.figures(),
            server: self.server_figures(),
            preferences: self.settings.preferences.clone(),
            watch_url: self.settings.watch_url.clone(),
            notices: state.ledger.notices().to_vec(),
            cpu: state.usage.0,
            rss_bytes: state.usage.1,
            ended,
        }
    }

    fn audio_source(&self, program: &Program) -> AudioSource {
        let report = program.audio_report();
        let meter = program.mixer().meter();
        AudioSource {
            choice: program.audio_choice().clone(),
            state: source_state(report.state),
            name: report.name,
            gain_db: self.settings.gain_db,
            muted: self.settings.muted,
            peak_dbfs: meter.peak_dbfs,
            held_dbfs: meter.held_dbfs,
            clipped: meter.clipped,
            drift_ppm: report.drift_ppm,
        }
    }

    fn server_figures(&self) -> ServerFigures {
        let ready = self.built_in.ready();
        ServerFigures {
            rtmp: ready.rtmp,
            http: ready.http.unwrap_or_default(),
            play_url: ready.play.unwrap_or_default(),
            viewers: self.built_in.viewers(),
        }
    }

    fn changed(&mut self) {
        if self.settings_path.is_some() {
            self.state.save_at = Some(self.clock.now() + SAVE_AFTER);
        }
    }

    fn save(&mut self, last: bool) {
        let due = self.state.save_at.take().is_some();
        let Some(path) = self.settings_path.clone().filter(|_| due) else { return };
        if let Err(error) = self.settings.write(&path) {
            if last {
                tracing::warn!(%error, "saving the settings");
            } else {
                self.tell(&Message::SettingsNotSaved { reason: error.cause.to_string() }, "");
            }
        }
    }

    fn tell(&mut self, message: &Message, detail: impl Into<String>) {
        let notice = self.state.ledger.add(message, detail);
        self.happened(Event::Notice(notice));
    }

    fn tell_some(&mut self, message: impl Into<Told>) {
        if let Told(Some((message, detail))) = message.into() {
            self.tell(&message, detail);
        }
    }

    fn happened(&mut self, event: Event) {
        // Nobody need listen.
        let _ = self.events.send(event);
    }
}

/// A message, with or without what the machine said.
struct Told(Option<(Message, String)>);

impl From<Option<Message>> for Told {
    fn from(message: Option<Message>) -> Self {
        Self(message.map(|message| (message, String::new())))
    }
}

impl From<Option<(Message, String)>> for Told {
    fn from(message: Option<(Message, String)>) -> Self {
        Self(message)
    }
}

const WATCH_KEYS: &[&str] = &[
    "watch-no-stream",
    "watch-unreachable",
    "watch-refused",
    "watch-lost",
    "watch-codec",
    "watch-file",
    "watch-failed",
];

const TARGET_KEYS: &[&str] = &[
    "target-invalid",
    "target-no-such-host",
    "target-unreachable",
    "target-timeout",
    "target-certificate",
    "target-not-rtmp",
    "target-refused",
    "target-busy",
    "target-lost",
    "target-failed",
];

/// What a change of a device's state is to a person.
fn device_message(report: &Report, before: &Report, camera: bool) -> Option<Message> {
    let device = if report.name.is_empty() { report.id.clone() } else { report.name.clone() };
    let reason = report.reason.clone();
    match (report.state, camera) {
        (State::Stalled, true) => Some(Message::CameraStalled { device }),
        (State::Stalled, false) => Some(Message::MicrophoneStalled { device }),
        (State::Lost, true) => Some(Message::CameraLost { device }),
        (State::Lost, false) => Some(Message::MicrophoneLost { device }),
        (State::Failed, true) => Some(Message::CameraFailed { device, reason }),
        (State::Failed, false) => Some(Message::MicrophoneFailed { device, reason }),
        (State::Open, _) if is_back(report, before) => Some(if camera {
            Message::CameraBack { device }
        } else {
            Message::MicrophoneBack { device }
        }),
        _ => None,
    }
}

fn source_state(state: State) -> SourceState {
    match state {
        State::Opening => SourceState::Opening,
        State::Open => SourceState::Open,
        State::Stalled => SourceState::Stalled,
        State::Lost => SourceState::Lost,
        State::Failed => SourceState::Failed,
    }
}

fn video_source(program: &Program) -> VideoSource {
    let report = program.video_report();
    VideoSource {
        choice: program.video_choice().clone(),
        state: source_state(report.state),
        name: report.name,
        format: match report.format {
            Format::Video { size, fps } => Some((size, fps)),
            _ => None,
        },
    }
}

fn is_back(report: &Report, before: &Report) -> bool {
    report.state == State::Open
        && matches!(before.state, State::Stalled | State::Lost | State::Failed)
}
