//! What transitions work with beside their settings: the grey picture of a wipe, the clip of a stinger.
//! It is read on a thread of its own as soon as a transition is chosen, for all scenes or for one,
//! so that it is there when scenes change; a clip that was played is opened anew. Where there is
//! none, scenes change all the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Empty, Full, Receiver};
use crate::base::{Timestamp, Worker};
use crate::capture;
use crate::compose::transition::{self, Change, Kind, Means, Transition};
use crate::media::{AudioFeed, ClipFeed, Planes};
use crate::mix::{Mixer, Strip, StripId};
use crate::player;
use crate::studio::media::Shape;
use crate::studio::message::Message;
use crate::studio::said::Said;

/// The strip on which stingers are heard. People's strips are counted from below.
const STRIP: StripId = StripId(u32::MAX);

/// A stinger's sound may last so much longer than its picture.
const TAIL: Duration = Duration::from_secs(5);

/// What is to be read.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Picture(PathBuf),
    Clip(PathBuf),
}

impl Wanted {
    fn by(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Luma(wipe) => wipe.picture().map(|path| Self::Picture(path.to_owned())),
            Kind::Stinger(stinger) => Some(Self::Clip(stinger.file.clone())),
            _ => None,
        }
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Picture(path) | Self::Clip(path) => path,
        }
    }
}

/// What was read.
enum Loaded {
    Picture(Arc<Planes>),
    Clip { pictures: Box<dyn ClipFeed>, sound: Option<Box<dyn AudioFeed>> },
}

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    Reading {
        told: Receiver<Result<Loaded, String>>,
        _worker: Worker,
    },
    Ready(Loaded),
    Failed,
}

/// Files that are kept ready at once: each clip has a thread and pictures that wait. Beyond that scenes
/// change as where there is no file.
const MOST_READY: usize = 8;

/// A file and what became of it.
struct Prepared {
    wanted: Wanted,
    state: State,
}

/// See the module.
#[derive(Default)]
pub(super) struct Changer {
    prepared: Vec<Prepared>,
    /// Until when a stinger may be heard.
    heard: Option<Timestamp>,
}

impl std::fmt::Debug for Changer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changer").field("prepared", &self.prepared.len()).finish_non_exhaustive()
    }
}

impl Changer {
    /// These are the transitions from now on, the most important first.
    pub fn sync<'a>(&mut self, all: impl Iterator<Item = &'a Transition>, shape: &Shape) {
        let mut before = std::mem::take(&mut self.prepared);
        for wanted in all.filter_map(|transition| Wanted::by(&transition.kind)) {
            let known = |it: &Prepared| it.wanted == wanted;
            if self.prepared.len() >= MOST_READY || self.prepared.iter().any(known) {
                continue;
            }
            let kept = before.iter().position(known).map(|index| before.swap_remove(index));
            self.prepared.push(kept.unwrap_or_else(|| Prepared::begin(wanted, shape)));
        }
    }

    /// Takes what was read since the last call; what a person is told where that failed.
    pub fn look(&mut self, mixer: &Mixer, now: Timestamp) -> Vec<Message> {
        if self.heard.is_some_and(|until| now > until) {
            self.heard = None;
            mixer.remove_strip(STRIP);
        }
        self.prepared.iter_mut().filter_map(Prepared::look).collect()
    }

    /// Whether what is wanted is there, or cannot be.
    #[cfg(test)]
    fn is_settled(&self) -> bool {
        !self.prepared.iter().any(|it| matches!(it.state, State::Reading { .. }))
    }

    /// Scenes change now: with what there is. A stinger's sound goes to the mixer.
    pub fn change(
        &mut self,
        transition: Transition,
        mixer: &Mixer,
        now: Timestamp,
        shape: &Shape,
    ) -> Change {
        let wanted = Wanted::by(&transition.kind);
        // Another one than was prepared, such as the cut of a scene that was removed.
        let Some(prepared) =
            self.prepared.iter_mut().find(|it| Some(&it.wanted) == wanted.as_ref())
        else {
            return transition.into();
        };
        let means = match std::mem::take(&mut prepared.state) {
            State::Ready(Loaded::Picture(picture)) => {
                prepared.state = State::Ready(Loaded::Picture(Arc::clone(&picture)));
                Means::Picture(picture)
            }
            State::Ready(Loaded::Clip { pictures, sound }) => {
                prepared.state = State::begin(&prepared.wanted, shape);
                if let (Some(sound), Kind::Stinger(stinger)) = (sound, &transition.kind) {
                    let gain_db = match stinger.volume {
                        0 => -60.0,
                        volume => 20.0 * (f32::from(volume.min(100)) / 100.0).log10(),
                    };
                    mixer.set_strip(STRIP, Strip { gain_db, ..Strip::default() });
                    mixer.set_feed(STRIP, Some(sound));
                    self.heard = Some(now + transition::MOST + TAIL);
                }
                Means::Clip(pictures)
            }
            // The file may be there by the next time.
            State::Failed => {
                prepared.state = State::begin(&prepared.wanted, shape);
                Means::Nothing
            }
            reading @ (State::Reading { .. } | State::Nothing) => {
                prepared.state = reading;
                Means::Nothing
            }
        };
        Change { transition, means }
    }
}

impl State {
    /// Begins to read.
    fn begin(wanted: &Wanted, shape: &Shape) -> Self {
        if wanted.path().as_os_str().is_empty() {
            return Self::Nothing;
        }
        let (tell, told) = queue::bounded("transition-file", 1, Full::DropOldest);
        let (wanted, shape) = (wanted.clone(), *shape);
        let worker = Worker::spawn("transition-file", move |_| {
            // Another transition may be chosen by now.
            let _ = tell.send(read(&wanted, &shape));
        });
        match worker {
            Ok(worker) => Self::Reading { told, _worker: worker },
            Err(error) => {
                tracing::warn!(%error, "reading a transition's file");
                Self::Failed
            }
        }
    }
}

impl Prepared {
    fn begin(wanted: Wanted, shape: &Shape) -> Self {
        let state = State::begin(&wanted, shape);
        Self { wanted, state }
    }

    fn look(&mut self) -> Option<Message> {
        let State::Reading { told, .. } = &self.state else { return None };
        let read = match told.try_recv() {
            Ok(read) => read,
            Err(Empty::Waiting) => return None,
            Err(Empty::Closed) => Err("it could not be read".to_owned()),
        };
        match read {
            Ok(loaded) => {
                self.state = State::Ready(loaded);
                None
            }
            Err(reason) => {
                self.state = State::Failed;
                let path = self.wanted.path().display().to_string();
                Some(Message::Scenes(Said::TransitionFailed { path, reason }))
            }
        }
    }
}

/// Reads a file; a reason where it is not what it should be.
fn read(wanted: &Wanted, shape: &Shape) -> Result<Loaded, String> {
    match wanted {
        Wanted::Picture(path) => {
            capture::still(path).map(|planes| Loaded::Picture(Arc::new(planes)))
        }
        Wanted::Clip(path) if capture::clip::plays(path) => {
            let pictures =
                capture::clip::open(path, &shape.video).map_err(|error| error.to_string())?;
            Ok(Loaded::Clip { pictures, sound: None })
        }
        Wanted::Clip(path) => {
            let (rate, channels) = (shape.audio.rate, shape.audio.channels);
            let clip = player::clip::open(path, rate, channels).map_err(|it| it.cause)?;
            Ok(Loaded::Clip { pictures: clip.pictures, sound: clip.sound })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio;
    use crate::base::{Clock, Stop};
    use crate::compose::transition::{Order, Stinger, Wipe};
    use crate::media::{FrameGrid, FrameRate, Size};
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
                at_end: crate::media::transport::AtEnd::Loop,
            },
        }
    }

    fn mixer(clock: Clock) -> Mixer {
        let origin = clock.now();
        Mixer::spawn(mix::Config { rate: 48_000, channels: 2, origin, clock }).unwrap()
    }

    /// What is told until everything is read.
    fn settle(changer: &mut Changer, mixer: &Mixer, clock: Clock) -> Option<String> {
        for _ in 0..60_000 {
            if let Some(message) = changer.look(mixer, clock.now()).pop() {
                return Some(message.summary());
            }
            if changer.is_settled() {
                return None;
            }
            Stop::new().wait(Duration::from_millis(1));
        }
        panic!("it is still being read");
    }

    fn by(kind: Kind) -> Transition {
        Transition { kind, ..Transition::default() }
    }

    fn stinger(file: impl Into<PathBuf>) -> Transition {
        by(Kind::Stinger(Stinger { file: file.into(), ..Stinger::default() }))
    }

    #[test]
    fn pictures_and_clips_are_there_when_scenes_change_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 200])).save(&path).unwrap();
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut changer = Changer::default();
        let order = Order::Picture(path);
        let wipe = by(Kind::Luma(Wipe { order, ..Wipe::default() }));
        for transition in [wipe, stinger(folder.path())] {
            changer.sync([&transition].into_iter(), &shape);
            for _ in 0..3 {
                assert_eq!(settle(&mut changer, &mixer, clock), None);
                let change = changer.change(transition.clone(), &mixer, clock.now(), &shape);
                let fits = match change.means {
                    Means::Picture(_) => matches!(transition.kind, Kind::Luma(_)),
                    Means::Clip(_) => matches!(transition.kind, Kind::Stinger(_)),
                    Means::Nothing => false,
                };
                assert!(fits, "{transition:?}");
            }
        }
        // Another transition than the chosen one needs nothing.
        let cut = changer.change(Transition::CUT, &mixer, clock.now(), &shape);
        assert!(matches!(cut.means, Means::Nothing) && cut.transition.is_cut());
    }

    #[test]
    fn bad_files_are_told_and_scenes_change_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let bad = folder.path().join("bad.webp");
        std::fs::write(&bad, b"RIFF....WEBPVP8X and nothing").unwrap();
        let clock = Clock::start();
        let (mixer, shape) = (mixer(clock), shape(clock));
        let mut changer = Changer::default();
        for path in [bad, folder.path().join("absent.mp4"), "/dev/zero".into()] {
            let transition = stinger(&path);
            changer.sync([&transition].into_iter(), &shape);
            let told = settle(&mut changer, &mixer, clock).expect("a word");
            assert!(told.contains(&path.display().to_string()), "{told}");
            let change = changer.change(transition, &mixer, clock.now(), &shape);
            assert!(matches!(change.means, Means::Nothing));
            // It is tried again, and told again.
            assert!(settle(&mut changer, &mixer, clock).is_some());
        }
        changer.sync([&stinger("")].into_iter(), &shape);
        assert!(changer.is_settled(), "nothing is chosen yet");
    }
}
