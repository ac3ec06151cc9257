//! Loads the files that transitions need in addition to their settings: the grayscale image of a
//! wipe, or the clip of a stinger. A separate thread reads a file as soon as its transition is
//! chosen, for all scenes or for one, so that it is available when scenes change. A clip that was
//! played is opened again. Without the file, scenes change anyway.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Empty, Full, Receiver};
use crate::base::{Timestamp, Worker};
use crate::capture;
use crate::compose::transition::{self, Change, Kind, Transition, TransitionAssets};
use crate::media::playback_control::SkippedFile;
use crate::media::{AudioFeed, ClipFeed, Planes};
use crate::mix::{Mixer, Strip, StripId};
use crate::studio::notices::message::StudioMessage;
use crate::studio::sources::missing_files::FileNews;
use crate::studio::sources::open::Shape;
use crate::text::problem::{Problem, problem};

/// The id of the mixer strip for the audio of stingers. The ids of the user's strips count up from
/// the lowest value.
pub const STINGER_STRIP: StripId = StripId(u32::MAX);

/// The audio of a stinger may last this much longer than its video.
const MAX_AUDIO_TAIL: Duration = Duration::from_secs(5);

/// The file to be read.
#[derive(Clone, Debug, PartialEq)]
enum WantedAsset {
    Image(PathBuf),
    Clip(PathBuf),
}

impl WantedAsset {
    fn by(kind: &Kind) -> Option<Self> {
        let path = kind.file()?.to_owned();
        Some(if matches!(kind, Kind::Luma(_)) { Self::Image(path) } else { Self::Clip(path) })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Image(path) | Self::Clip(path) => path,
        }
    }
}

/// The content that was read.
enum Loaded {
    Image(Arc<Planes>),
    Clip { video: Box<dyn ClipFeed>, audio: Option<Box<dyn AudioFeed>> },
}

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    Reading {
        result: Receiver<Result<Loaded, Problem>>,
        _worker: Worker,
    },
    Ready(Loaded),
    /// Reading failed for this reason.
    Failed(Problem),
}

/// Maximum number of files that are kept ready at the same time, because each clip has a thread and
/// waiting frames. With further files, scenes change as if the file were missing.
const MAX_READY_FILES: usize = 8;

/// A file and the state of its loading.
struct Prepared {
    wanted: WantedAsset,
    state: State,
    /// The reason why the file could not be used at the last attempt, until it can be used.
    failed: Option<Problem>,
    /// True if the result of the next attempt is reported even if it has not changed.
    asked: bool,
    /// The problem that was reported.
    reported: Option<Problem>,
}

/// The loader of transition files; see the module documentation.
#[derive(Default)]
pub struct TransitionLoader {
    prepared: Vec<Prepared>,
    /// Files for which an earlier message no longer applies.
    gone: Vec<String>,
    /// The time until which a stinger can be audible.
    audible_until: Option<Timestamp>,
}

impl std::fmt::Debug for TransitionLoader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransitionLoader")
            .field("prepared", &self.prepared.len())
            .finish_non_exhaustive()
    }
}

impl TransitionLoader {
    /// Sets the transitions, the most important first.
    pub fn sync<'a>(&mut self, all: impl Iterator<Item = &'a Transition>, shape: &Shape) {
        let mut before = std::mem::take(&mut self.prepared);
        for wanted in all.filter_map(|transition| WantedAsset::by(&transition.kind)) {
            let known = |it: &Prepared| it.wanted == wanted;
            if self.prepared.len() >= MAX_READY_FILES || self.prepared.iter().any(known) {
                continue;
            }
            let kept = before.iter().position(known).map(|index| before.swap_remove(index));
            self.prepared.push(kept.unwrap_or_else(|| Prepared::begin(wanted, shape)));
        }
        let reported = before.iter().filter(|it| it.reported.is_some());
        self.gone.extend(reported.map(|it| it.wanted.path().display().to_string()));
    }

    /// Takes the files that were read since the last call, and returns the messages.
    pub fn poll(&mut self, mixer: &Mixer, now: Timestamp) -> FileNews {
        if self.audible_until.is_some_and(|until| now > until) {
            self.audible_until = None;
            mixer.remove_strip(STINGER_STRIP);
        }
        let mut news = FileNews { gone: std::mem::take(&mut self.gone), messages: Vec::new() };
        for prepared in &mut self.prepared {
            prepared.poll();
            let again = prepared.asked && !matches!(prepared.state, State::Reading { .. });
            if prepared.reported == prepared.failed && !again {
                continue;
            }
            prepared.asked &= !again;
            let path = prepared.wanted.path().display().to_string();
            if prepared.reported.is_some() {
                news.gone.push(path.clone());
            }
            prepared.reported.clone_from(&prepared.failed);
            let message = prepared
                .failed
                .clone()
                .map(|reason| StudioMessage::TransitionFailed { path, reason });
            news.messages.extend(message);
        }
        news
    }

    /// Returns the files that cannot be used, with the reasons.
    pub fn skipped_files(&self) -> impl Iterator<Item = SkippedFile> {
        self.prepared.iter().filter_map(|it| {
            let reason = it.failed.clone()?;
            Some(SkippedFile { path: it.wanted.path().to_owned(), reason })
        })
    }

    /// Reads again the files that are due, or all files at the user's request.
    pub fn retry(&mut self, due: Option<&BTreeSet<PathBuf>>, shape: &Shape) {
        for prepared in &mut self.prepared {
            let is_due = due.is_none_or(|due| due.contains(prepared.wanted.path()));
            if !is_due || prepared.failed.is_none() {
                continue;
            }
            prepared.asked |= due.is_none();
            if matches!(prepared.state, State::Failed(_)) {
                prepared.state = State::begin(&prepared.wanted, shape);
            }
        }
    }

    /// Returns true if every file is loaded or cannot be loaded.
    #[cfg(test)]
    fn is_settled(&self) -> bool {
        !self.prepared.iter().any(|it| matches!(it.state, State::Reading { .. }))
    }

    /// Starts a scene change with the available files. The audio of a stinger goes to the mixer.
    /// Returns the grayscale image of a wipe, if it is loaded.
    pub fn image(&self, kind: &Kind) -> Option<Arc<Planes>> {
        let wanted = WantedAsset::by(kind)?;
        let prepared = self.prepared.iter().find(|it| it.wanted == wanted)?;
        match &prepared.state {
            State::Ready(Loaded::Image(image)) => Some(Arc::clone(image)),
            _ => None,
        }
    }

    pub fn change(
        &mut self,
        transition: Transition,
        mixer: &Mixer,
        now: Timestamp,
        shape: &Shape,
    ) -> Change {
        // This change interrupts an earlier stinger, so its audio ends as well.
        if self.audible_until.take().is_some() {
            mixer.remove_strip(STINGER_STRIP);
        }
        let wanted = WantedAsset::by(&transition.kind);
        // A transition that was not prepared, such as the cut when a scene is removed.
        let Some(prepared) =
            self.prepared.iter_mut().find(|it| Some(&it.wanted) == wanted.as_ref())
        else {
            return transition.into();
        };
        let means = match std::mem::take(&mut prepared.state) {
            State::Ready(Loaded::Image(image)) => {
                prepared.state = State::Ready(Loaded::Image(Arc::clone(&image)));
                TransitionAssets::Image(image)
            }
            State::Ready(Loaded::Clip { video, audio }) => {
                prepared.state = State::begin(&prepared.wanted, shape);
                if let (Some(audio), Kind::Stinger(stinger)) = (audio, &transition.kind) {
                    let gain_db = match stinger.volume {
                        0 => -60.0,
                        volume => 20.0 * (f32::from(volume.min(100)) / 100.0).log10(),
                    };
                    mixer.set_strip(STINGER_STRIP, Strip { gain_db, ..Strip::default() });
                    mixer.set_feed(STINGER_STRIP, Some(audio));
                    self.audible_until =
                        Some(now + transition::MAX_STINGER_DURATION + MAX_AUDIO_TAIL);
                }
                TransitionAssets::Clip(video)
            }
            // The file may be available the next time.
            State::Failed(_) => {
                prepared.asked = true;
                prepared.state = State::begin(&prepared.wanted, shape);
                TransitionAssets::Nothing
            }
            reading @ (State::Reading { .. } | State::Nothing) => {
                prepared.state = reading;
                TransitionAssets::Nothing
            }
        };
        Change { transition, means }
    }
}

impl State {
    /// Begins to read the file.
    fn begin(wanted: &WantedAsset, shape: &Shape) -> Self {
        if wanted.path().as_os_str().is_empty() {
            return Self::Nothing;
        }
        let (tell, result) = queue::bounded("transition-file", 1, Full::DropOldest);
        let (wanted, shape) = (wanted.clone(), *shape);
        let worker = Worker::spawn("transition-file", move |_| {
            // Another transition may have been chosen in the meantime.
            let _ = tell.send(read(&wanted, &shape));
        });
        match worker {
            Ok(worker) => Self::Reading { result, _worker: worker },
            Err(error) => Self::Failed(problem!("source-no-thread", reason = error.to_string())),
        }
    }
}

impl Prepared {
    fn begin(wanted: WantedAsset, shape: &Shape) -> Self {
        let state = State::begin(&wanted, shape);
        Self { wanted, state, failed: None, asked: false, reported: None }
    }

    fn poll(&mut self) {
        if let State::Reading { result, .. } = &self.state {
            self.state = match result.try_recv() {
                Ok(Ok(loaded)) => State::Ready(loaded),
                Ok(Err(reason)) => State::Failed(reason),
                Err(Empty::Waiting) => return,
                Err(Empty::Closed) => State::Failed(problem!("file-unread")),
            };
        }
        match &self.state {
            State::Failed(reason) if self.failed.as_ref() != Some(reason) => {
                self.failed = Some(reason.clone());
            }
            State::Ready(_) => self.failed = None,
            _ => {}
        }
    }
}

/// Reads a file. Fails with a reason if its content is not as expected.
fn read(wanted: &WantedAsset, shape: &Shape) -> Result<Loaded, Problem> {
    match wanted {
        WantedAsset::Image(path) => {
            capture::still(path).map(|planes| Loaded::Image(Arc::new(planes)))
        }
        WantedAsset::Clip(path) if crate::capture::images::clip::plays(path) => {
            let video = crate::capture::images::clip::open(path, &shape.video)
                .map_err(|error| Problem::from(&error))?;
            Ok(Loaded::Clip { video, audio: None })
        }
        WantedAsset::Clip(path) => {
            let (rate, channels) = (shape.audio.rate, shape.audio.channels);
            let clip =
                crate::player::source::clip::open(path, rate, channels).map_err(|it| it.problem)?;
            Ok(Loaded::Clip { video: clip.video, audio: clip.audio })
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Weak;

    use super::*;
    use crate::audio;
    use crate::base::{Clock, Stop};
    use crate::compose::transition::{Order, Stinger, Wipe};
    use crate::media::{FrameGrid, FrameRate, Moment, Pulled, Size};
    use crate::mix;

    fn shape(clock: Clock) -> Shape {
        let grid = FrameGrid { origin: clock.now(), rate: FrameRate::FPS_30 };
        let (rate, channels) = (48_000, 2);
        Shape {
            video: capture::Context { clock, grid, size: Size::new(64, 36) },
            audio: audio::Context {
                clock,
                grid,
                rate,
                channels,
                at_end: crate::media::playback_control::EndBehavior::Loop,
            },
        }
    }

    fn mixer(clock: Clock) -> Mixer {
        let origin = clock.now();
        Mixer::spawn(mix::Config { rate: 48_000, channels: 2, origin, clock }).unwrap()
    }

    /// Returns the messages until everything is read.
    fn settle(
        transition_assets: &mut TransitionLoader,
        mixer: &Mixer,
        clock: Clock,
    ) -> Option<String> {
        for _ in 0..60_000 {
            if let Some(message) = transition_assets.poll(mixer, clock.now()).messages.pop() {
                return Some(message.notice(0, "").summary());
            }
            if transition_assets.is_settled() {
                return None;
            }
            Stop::new().wait(Duration::from_millis(1));
        }
        panic!("it is still being read");
    }

    fn by(kind: Kind) -> Transition {
        Transition { kind, ..Transition::default() }
    }

    pub fn stinger(file: impl Into<PathBuf>) -> Transition {
        by(Kind::Stinger(Stinger { file: file.into(), ..Stinger::default() }))
    }

    #[test]
    fn images_and_clips_are_there_when_scenes_change_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 200])).save(&path).unwrap();
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut transition_assets = TransitionLoader::default();
        let order = Order::Image(path);
        let wipe = by(Kind::Luma(Wipe { order, ..Wipe::default() }));
        for transition in [wipe, stinger(folder.path())] {
            transition_assets.sync([&transition].into_iter(), &shape);
            for _ in 0..3 {
                assert_eq!(settle(&mut transition_assets, &mixer, clock), None);
                let change =
                    transition_assets.change(transition.clone(), &mixer, clock.now(), &shape);
                let fits = match change.means {
                    TransitionAssets::Image(_) => matches!(transition.kind, Kind::Luma(_)),
                    TransitionAssets::Clip(_) => matches!(transition.kind, Kind::Stinger(_)),
                    TransitionAssets::Nothing => false,
                };
                assert!(fits, "{transition:?}");
            }
        }
        // A transition other than the chosen one needs no file.
        let cut = transition_assets.change(Transition::CUT, &mixer, clock.now(), &shape);
        assert!(matches!(cut.means, TransitionAssets::Nothing) && cut.transition.is_cut());
    }

    /// The audio of a clip, which lasts forever; the token is dropped with it.
    struct EndlessTone {
        _open: Arc<()>,
    }

    impl AudioFeed for EndlessTone {
        fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
            out.fill(0.5);
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    struct EndlessClip;

    impl ClipFeed for EndlessClip {
        fn moment(&mut self, _: Timestamp) -> Moment {
            Moment::Waiting
        }
    }

    /// Makes the first clip ready, with audio that lasts forever. Returns the token of the audio.
    pub fn make_ready(transition_assets: &mut TransitionLoader) -> Weak<()> {
        let token = Arc::new(());
        let open = Arc::downgrade(&token);
        let audio: Box<dyn AudioFeed> = Box::new(EndlessTone { _open: token });
        let (video, audio) = (Box::new(EndlessClip), Some(audio));
        transition_assets.prepared[0].state = State::Ready(Loaded::Clip { video, audio });
        open
    }

    #[test]
    fn the_audio_of_a_stinger_ends_when_another_change_interrupts_it() {
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut transition_assets = TransitionLoader::default();
        let transition = stinger("");
        transition_assets.sync([&transition].into_iter(), &shape);
        let begin = |transition_assets: &mut TransitionLoader| {
            let open = make_ready(transition_assets);
            transition_assets.change(transition.clone(), &mixer, clock.now(), &shape);
            open
        };
        let ends = |open: &Weak<()>| {
            (0..30_000).any(|_| {
                let ended = open.strong_count() == 0;
                if !ended {
                    Stop::new().wait(Duration::from_millis(1));
                }
                ended
            })
        };
        let first = begin(&mut transition_assets);
        let second = begin(&mut transition_assets);
        assert!(ends(&first), "another stinger");
        assert!(mixer.strip_meter(STINGER_STRIP).is_some());
        transition_assets.change(Transition::CUT, &mixer, clock.now(), &shape);
        assert!(ends(&second), "a cut");
        assert!(mixer.strip_meter(STINGER_STRIP).is_none());
    }

    #[test]
    fn bad_files_are_reported_and_scenes_change_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let bad = folder.path().join("bad.webp");
        std::fs::write(&bad, b"RIFF....WEBPVP8X and nothing").unwrap();
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut transition_assets = TransitionLoader::default();
        for path in [bad, folder.path().join("absent.mp4"), "/dev/zero".into()] {
            let transition = stinger(&path);
            transition_assets.sync([&transition].into_iter(), &shape);
            let message = settle(&mut transition_assets, &mixer, clock).expect("a word");
            assert!(message.contains(&path.display().to_string()), "{message}");
            let change = transition_assets.change(transition, &mixer, clock.now(), &shape);
            assert!(matches!(change.means, TransitionAssets::Nothing));
            // The file is tried again and reported again.
            assert!(settle(&mut transition_assets, &mixer, clock).is_some());
            assert_eq!(
                transition_assets.skipped_files().map(|it| it.path).collect::<Vec<_>>(),
                [path]
            );
        }
        transition_assets.sync([&stinger("")].into_iter(), &shape);
        assert!(transition_assets.is_settled(), "nothing is chosen yet");
        let news = transition_assets.poll(&mixer, clock.now());
        assert_eq!((news.gone, news.messages.len()), (vec!["/dev/zero".to_owned()], 0));
    }

    #[test]
    fn a_file_that_appears_is_used_and_its_report_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.png");
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut transition_assets = TransitionLoader::default();
        let wipe = Wipe { order: Order::Image(path.clone()), ..Wipe::default() };
        transition_assets.sync([&by(Kind::Luma(wipe))].into_iter(), &shape);
        assert!(settle(&mut transition_assets, &mixer, clock).is_some());
        // The same problem is not reported again, except at the user's request.
        transition_assets.retry(Some(&[path.clone()].into()), &shape);
        assert_eq!(settle(&mut transition_assets, &mixer, clock), None);
        transition_assets.retry(None, &shape);
        assert!(settle(&mut transition_assets, &mixer, clock).is_some());
        image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 200])).save(&path).unwrap();
        transition_assets.retry(Some(&BTreeSet::new()), &shape);
        assert!(
            transition_assets.is_settled() && transition_assets.skipped_files().count() == 1,
            "it is not due"
        );
        transition_assets.retry(Some(&[path.clone()].into()), &shape);
        while !transition_assets.is_settled() {
            let news = transition_assets.poll(&mixer, clock.now());
            if transition_assets.is_settled() {
                assert_eq!((news.gone, news.messages.len()), (vec![path.display().to_string()], 0));
            }
            Stop::new().wait(Duration::from_millis(1));
        }
        assert_eq!(transition_assets.skipped_files().count(), 0);
    }
}
