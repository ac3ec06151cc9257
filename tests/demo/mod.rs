//! A simulated studio for every state that the window can show, with moving video and a moving
//! meter. The window's tests and `examples/window_demo.rs` use it.
#![allow(dead_code, reason = "each user takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test's")]

pub mod guests;
mod recordings;
mod scenes;
pub mod states;
mod strips;
mod tiles;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use onair::app::Studio;
use onair::audio::AudioChoice;
use onair::base::{Latest, Timestamp, Worker};
use onair::capture::camera::control::{Span, plain};
use onair::capture::text::{Scroll, ScrollDirection, Shadow};
use onair::capture::{
    Area, CameraChoice, CameraControl, CameraFormat, Properties, Rgba, ScreenInfo, VideoChoice,
    WindowInfo,
};
use onair::compose::ViewOf;
use onair::compose::filter as video;
use onair::compose::scene::{ItemId, Placement, SourceId};
use onair::media::playback_control::Position;
use onair::media::{Color, ExtraTrack, Planes, Size, VideoFrame};
use onair::mix::filter::{Filter, Slot};
use onair::mix::{MonitoringMode, Reading, Strip, StripId, StripLamp};
use onair::player::chat::ChatState;
use onair::player::{FailureKind, Figures, Saving, TimeShiftState};
use onair::studio::live::monitor::view::{MonitorView, ViewerFrame};
use onair::studio::live::view::{LiveFigures, LiveState, PassthroughView};
use onair::studio::notices::PastNotice;
use onair::studio::preflight::recommendation::{Limit, MeasuredQuality, Recommendation, Upload};
use onair::studio::snapshot::TargetView;
use onair::studio::snapshot::{
    AudioSource, Checked, Device, RecordingFigures, SceneSource, ServerFigures, SourceState,
    StripView, VideoSource,
};
use onair::studio::targets::TargetState;
use onair::studio::targets::quality::PRESETS;
use onair::studio::targets::services::ServiceList;
use onair::studio::watch::chat::ChatView;
use onair::studio::watch::view::TileView;
use onair::studio::watch::view::{WatchFigures, WatchState};
use onair::studio::{
    AudioStrip, Collection, Command, DelayFigures, DelayState, Edit, Level, Notice, Remedy,
    Snapshot, Target, TileId, WatchCommand,
};
use onair::ui::Page;
use onair::wire::chat::ChatLine;
use parking_lot::Mutex;

pub use self::states::{STATES, page_of, snapshot};

/// The measurements of a fast computer whose target is a server on the same computer.
fn measured() -> MeasuredQuality {
    let speeds = [(854, 480, 912.0), (1280, 720, 418.0), (1920, 1080, 186.0)];
    let speeds = speeds.map(|(width, height, fps)| (Size::new(width, height), fps)).to_vec();
    let [.., best] = PRESETS;
    let (bitrate, limit) = (best.video_bitrate, Limit::None);
    let recommendation = Some(Recommendation { preset: best, bitrate, limit });
    let upload = Some(Upload::Local);
    MeasuredQuality { speeds, failure: None, upload, recommendation, running: false }
}

/// Applies a player command to the snapshot.
fn play(snapshot: &mut Snapshot, playing: &WatchCommand) {
    let watch = &mut snapshot.watch_figures;
    match playing {
        WatchCommand::Pause(paused) => watch.paused = *paused,
        WatchCommand::Seek(to) => watch.position = *to,
        WatchCommand::SeekBehindLive(behind) => {
            if let Some(time_shift) = watch.time_shift.as_mut() {
                time_shift.behind = *behind;
            }
        }
        WatchCommand::Step { by, ahead } => {
            let moved = |from: Duration, ahead: bool| {
                if ahead { from + *by } else { from.saturating_sub(*by) }
            };
            match watch.time_shift.as_mut() {
                Some(time_shift) => time_shift.behind = moved(time_shift.behind, !*ahead),
                None => watch.position = moved(watch.position, *ahead),
            }
        }
        WatchCommand::GoToLive => {
            watch.paused = false;
            if let Some(time_shift) = watch.time_shift.as_mut() {
                time_shift.behind = Duration::ZERO;
            }
        }
        WatchCommand::Choose(id) => {
            for tile in &mut snapshot.tiles {
                tile.chosen = tile.id == *id;
            }
        }
        WatchCommand::Remove(id) => snapshot.tiles.retain(|tile| tile.id != *id),
        WatchCommand::SetAvOffset(millis) => snapshot.player.av_offset_ms = *millis,
        WatchCommand::StepAvOffset(millis) => snapshot.player.av_offset_ms += *millis,
        WatchCommand::SetBuffer(buffer) => snapshot.player.buffer = *buffer,
        WatchCommand::SetBalance(balance) => snapshot.player.balance = *balance,
        WatchCommand::SetViewport(id, viewport) => {
            match snapshot.tiles.iter_mut().find(|tile| tile.id == *id) {
                Some(tile) => tile.viewport = *viewport,
                None => snapshot.player.viewport = *viewport,
            }
        }
        WatchCommand::SetSpeaker(id) => snapshot.player.speaker.clone_from(id),
        WatchCommand::SetChatAddress(at) => snapshot.chat_choices.put_place(&watch.url, at),
        WatchCommand::SetNetwork(network) => snapshot.player.network = network.clone(),
        WatchCommand::StopSaving => watch.saving = None,
        WatchCommand::Forget(url) => snapshot.recent.retain(|known| known != url),
        WatchCommand::ForgetAll => snapshot.recent.clear(),
        _ => {}
    }
}

/// A simulated studio: its state, the commands that it has received, and its frames.
#[derive(Clone)]
pub struct Demo {
    pub snapshot: Arc<Mutex<Snapshot>>,
    pub commands: Arc<Mutex<Vec<Command>>>,
    pub program: Latest<VideoFrame>,
    pub watched: Latest<VideoFrame>,
    /// Draws a frame of the program.
    draws: fn(u32) -> VideoFrame,
    _painter: Arc<Mutex<Option<Worker>>>,
}

impl Demo {
    /// Creates a studio in the state `name`, with a still frame.
    pub fn new(name: &str) -> Self {
        let demo = Self {
            snapshot: Arc::new(Mutex::new(snapshot(name))),
            commands: Arc::default(),
            program: Latest::default(),
            watched: Latest::default(),
            draws: match name {
                "building" => picture_with_banner,
                // The camera is lost, and no other source is in the program.
                "notices" => placeholder,
                _ => picture,
            },
            _painter: Arc::default(),
        };
        let frame = (demo.draws)(0);
        demo.program.publish(frame.clone());
        demo.watched.publish(frame);
        demo
    }

    /// Moves the video, the meter and the timer, `fps` times a second.
    pub fn moving(self, fps: u32) -> Self {
        let demo = self.clone();
        let frames: Vec<VideoFrame> = (0..30).map(demo.draws).collect();
        let worker = Worker::spawn("demo-program", move |stop| {
            let mut index = 0_u64;
            while !stop.wait(Duration::from_secs(1) / fps) {
                let frame = &frames[index as usize % frames.len()];
                demo.program.publish(frame.clone());
                demo.watched.publish(frame.clone());
                index += 1;
                let mut snapshot = demo.snapshot.lock();
                let period = Duration::from_secs(1) / fps;
                if snapshot.live == LiveState::OnAir {
                    snapshot.figures.on_air_for += period;
                }
                if let Some(audio) = snapshot
                    .audio
                    .as_mut()
                    .filter(|audio| !audio.clipped && audio.state == SourceState::Open)
                {
                    let wave = (index as f32 * 0.21).sin() * (index as f32 * 0.037).cos();
                    audio.peak_dbfs = -18.0 + 8.0 * wave;
                    audio.channels_dbfs = Some([audio.peak_dbfs, audio.peak_dbfs - 2.7]);
                    let peak_dbfs = audio.peak_dbfs + 1.1;
                    let loudness = &mut snapshot.loudness;
                    loudness.peak_dbfs = peak_dbfs;
                    loudness.channels_dbfs = Some([peak_dbfs, peak_dbfs - 2.0]);
                    loudness.short_term_lufs = Some(-17.0 + 2.0 * wave);
                }
            }
        });
        *self._painter.lock() = Some(worker.expect("a thread"));
        self
    }

    /// Takes the commands that were sent since the last call.
    pub fn taken(&self) -> Vec<Command> {
        std::mem::take(&mut self.commands.lock())
    }

    /// Changes the snapshot of the studio.
    pub fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.snapshot.lock());
    }
}

impl Studio for Demo {
    fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().clone()
    }

    fn send(&self, command: Command) {
        let mut snapshot = self.snapshot.lock();
        match &command {
            Command::GoLive => {
                *snapshot = Snapshot { notices: Vec::new(), ..self::snapshot("on-air") }
            }
            Command::SendFile { path, again } => {
                *snapshot = self::snapshot("film");
                if let Some(passthrough) = &mut snapshot.passthrough {
                    (passthrough.path, passthrough.again) = (path.clone(), *again);
                }
            }
            Command::LookAt(views) => {
                let slot = |of: &ViewOf| {
                    let slot = Latest::default();
                    slot.publish(match of {
                        ViewOf::Scene(id) => picture(id.0 * 8),
                        ViewOf::Source(id) => picture(id.0 * 8 + 4),
                        ViewOf::BeforeFilter(..) => green_and_gray(),
                    });
                    slot
                };
                let pictures = views.keys().map(|of| (*of, slot(of)));
                snapshot.scenes.views = Arc::new(pictures.collect());
            }
            Command::SetSuccessor(url) => snapshot.server.successor.clone_from(url),
            Command::PutService { was, service } => {
                let mut own = snapshot.services.own().to_vec();
                own.retain(|known| Some(&*known.id) != was.as_deref());
                own.push(service.clone());
                snapshot.services = ServiceList::with_own(own);
            }
            Command::RemoveService(id) => {
                let mut own = snapshot.services.own().to_vec();
                own.retain(|known| known.id != *id);
                snapshot.services = ServiceList::with_own(own);
            }
            Command::StopLive => {
                snapshot.live = LiveState::Idle;
                snapshot.passthrough = None;
            }
            Command::SetMuted(muted) => {
                if let Some(audio) = snapshot.audio.as_mut() {
                    audio.muted = *muted;
                }
            }
            Command::SetGain(gain) => {
                if let Some(audio) = snapshot.audio.as_mut() {
                    audio.gain_db = *gain;
                }
            }
            Command::SetStrip { id, before, strip } => {
                if let Some(view) = snapshot.strips.iter_mut().find(|it| it.audio.id == *id) {
                    view.audio.strip.merge(before, strip.clone());
                }
            }
            Command::PushToTalkKeys(held) => {
                snapshot.strips.iter_mut().for_each(|it| it.held = *held);
            }
            Command::ClearClip(lamp) => {
                let is = |which: StripLamp| *lamp == StripLamp::All || *lamp == which;
                if let Some(audio) = snapshot.audio.as_mut().filter(|_| is(StripLamp::All)) {
                    audio.clipped = false;
                }
                snapshot.loudness.clipped &= !is(StripLamp::Program);
                for strip in &mut snapshot.strips {
                    strip.meter.clipped &= !is(StripLamp::Strip(strip.audio.id));
                }
            }
            Command::SetVolume(volume) => snapshot.watch_figures.volume = *volume,
            Command::StepVolume(by) => snapshot.watch_figures.volume += *by,
            Command::SetPlayerMuted(muted) => snapshot.watch_figures.muted = *muted,
            Command::SetQuality(quality) => snapshot.quality = quality.clone(),
            Command::PutTarget(target) => {
                match snapshot.targets.iter_mut().find(|view| view.target.id == target.id) {
                    Some(view) => view.target = target.clone(),
                    None => snapshot.targets.push(TargetView::idle(target.clone())),
                }
            }
            Command::RemoveTarget(id) => snapshot.targets.retain(|view| view.target.id != *id),
            Command::SelectVideo(choice) => {
                let mut video = self::snapshot("idle").video;
                if let Some(video) = video.as_mut() {
                    video.choice = choice.clone();
                }
                snapshot.video = video;
            }
            Command::SelectAudio(choice) => {
                let mut audio = self::snapshot("idle").audio;
                if let Some(audio) = audio.as_mut() {
                    audio.choice = choice.clone();
                }
                snapshot.audio = audio;
                if let Some(main) = snapshot.strips.first_mut() {
                    main.audio.choice = choice.clone();
                }
            }
            Command::StartRecording(path) => {
                let Snapshot { recording, figures, .. } = self::snapshot("recording");
                if snapshot.live == LiveState::Idle {
                    snapshot.figures = figures;
                }
                let path = path.clone();
                snapshot.recording = recording.map(|it| RecordingFigures { path, ..it });
            }
            Command::StopRecording => snapshot.recording = None,
            Command::Watch { url } => {
                snapshot.watch_attempts += 1;
                snapshot.watch = WatchState::Playing;
                snapshot.watch_figures = self::snapshot("watching").watch_figures;
                snapshot.watch_figures.url.clone_from(url);
            }
            Command::StopWatching => snapshot.watch = WatchState::Idle,
            Command::Player(playing) => play(&mut snapshot, playing),
            Command::Dismiss(id) => snapshot.notices.retain(|notice| notice.id != *id),
            Command::Quit => snapshot.ended = true,
            Command::Check { .. } => snapshot.checked = Some(states::checked()),
            Command::MeasureQuality { .. } => snapshot.measured = Some(self::measured()),
            Command::RetryNow | Command::RefreshDevices => {}
            #[allow(unreachable_patterns, reason = "commands are added over time")]
            _ => {}
        }
        self.commands.lock().push(command);
    }

    fn sender(&self) -> Box<dyn Fn(Command) + Send + Sync> {
        let demo = self.clone();
        Box::new(move |command| demo.send(command))
    }

    fn watcher(&self) -> Box<dyn Fn() -> Option<Snapshot> + Send + Sync> {
        let snapshot = Arc::clone(&self.snapshot);
        Box::new(move || Some(snapshot.lock().clone()))
    }

    fn program(&self) -> Latest<VideoFrame> {
        self.program.clone()
    }

    fn watched(&self) -> Vec<Latest<VideoFrame>> {
        vec![self.watched.clone(); onair::studio::watch::choices::MAX_TILES]
    }
}

/// True to draw large frames.
static IS_LARGE: AtomicBool = AtomicBool::new(false);

/// Draws frames of 1280×720 from now on. Tests do with small ones, which cost little time.
pub fn draw_large() {
    IS_LARGE.store(true, Ordering::Relaxed);
}

/// Draws a frame of a person in a room, who sways a little.
fn picture(step: u32) -> VideoFrame {
    frame(step, person(step))
}

/// Left, top, width and height of the banner of the state `building`, in pixels of a large frame.
const BANNER: [usize; 4] = [64, 562, 512, 100];

/// Draws the same person with a banner, which has a bright stripe on the left.
fn picture_with_banner(step: u32) -> VideoFrame {
    let mut planes = person(step);
    let row = 320 * usize::from(scale());
    let [left, top, width, height] = BANNER.map(|it| it * usize::from(scale()) / 4);
    for y in top..top + height {
        for x in left..left + width {
            let stripe = x < left + 4 * usize::from(scale());
            planes.y[y * row + x] = if stripe { 170 } else { 70 };
            let chroma = y / 2 * (row / 2) + x / 2;
            (planes.u[chroma], planes.v[chroma]) = if stripe { (70, 165) } else { (170, 105) };
        }
    }
    frame(step, planes)
}

/// Draws a dull green, `#35933E`, on the left and gray on the right.
fn green_and_gray() -> VideoFrame {
    let mut planes = Planes::black(Size::new(320, 180));
    for row in planes.y.chunks_exact_mut(320) {
        row[..160].fill(120);
        row[160..].fill(126);
    }
    for (plane, green) in [(&mut planes.u, 100), (&mut planes.v, 90)] {
        for row in plane.chunks_exact_mut(160) {
            row[..80].fill(green);
        }
    }
    frame(0, planes)
}

/// Draws the frame of a program whose only source is lost.
fn placeholder(_step: u32) -> VideoFrame {
    let scale = u32::from(scale());
    onair::compose::placeholder::frame(Size::new(320 * scale, 180 * scale))
}

/// The size of frames in 320×180.
fn scale() -> u16 {
    if IS_LARGE.load(Ordering::Relaxed) { 4 } else { 1 }
}

fn person(step: u32) -> Planes {
    let scale = scale();
    let size = Size::new(320 * u32::from(scale), 180 * u32::from(scale));
    let mut planes = Planes::black(size);
    let (width, height) = (size.width as usize, size.height as usize);
    let pixel = 4.0 / f32::from(scale);
    let sway = (step as f32 / 30.0 * std::f32::consts::TAU).sin() * 12.0;
    let inside = |x: f32, y: f32| {
        let (dx, dy) = (x - 640.0 - sway, y - 320.0);
        (dx.powi(2) / 200.0_f32.powi(2) + dy.powi(2) / 210.0_f32.powi(2) < 1.0)
            || (dx.abs() < 330.0 && y > 520.0 + dx.abs().powi(2) / 1800.0)
    };
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (x as f32 * pixel, y as f32 * pixel);
            let ground = 60.0 + 40.0 * (fx / 1280.0) + 20.0 * (fy / 720.0);
            planes.y[y * width + x] = if !inside(fx, fy) {
                ground as u8
            } else if fy > 505.0 {
                54
            } else {
                165 - (fy / 18.0) as u8
            };
        }
    }
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let (fx, fy) = (x as f32 * 2.0 * pixel, y as f32 * 2.0 * pixel);
            let (u, v) = if !inside(fx, fy) {
                (140.0 - fx / 80.0 - fy / 60.0, 118.0 + fx / 60.0 + fy / 90.0)
            } else if fy > 505.0 {
                (138.0, 124.0)
            } else {
                (110.0, 148.0)
            };
            planes.u[y * width / 2 + x] = u as u8;
            planes.v[y * width / 2 + x] = v as u8;
        }
    }
    planes
}

fn frame(step: u32, planes: Planes) -> VideoFrame {
    VideoFrame {
        pts: Timestamp::from_millis(i64::from(step) * 33),
        color: Color::PROGRAM,
        surface: Arc::new(onair::base::Pooled::unpooled(planes)).into(),
    }
}
