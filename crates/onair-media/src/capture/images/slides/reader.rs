//! The thread that reads slides ahead, in order or after a jump.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::Sender;
use crate::base::{Pooled, Stop};
use crate::capture::images::decode::{self, OpenedImage};
use crate::capture::images::slides::fade::centred;
use crate::capture::images::slides::skipped_files::SkippedFiles;
use crate::capture::source;
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{Size, VideoFrame};
use crate::text::problem::{Problem, problem};

/// How long to wait before a folder without a readable image is read again.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which an ended show checks whether it must continue.
const RESCAN_INTERVAL: Duration = Duration::from_millis(100);

/// A slide that has been read.
pub(super) struct Slide {
    pub frame: VideoFrame,
    /// The generation of jumps and lists for which the slide was read.
    pub generation: u32,
    /// Index of the slide.
    pub index: usize,
    /// Number of slides.
    pub count: usize,
    pub path: PathBuf,
}

/// Order and repetition of rounds.
#[derive(Copy, Clone, Debug)]
pub(super) struct SlideOrder {
    pub shuffled: bool,
    pub repeat: bool,
}

/// The current slide: its file, if any, and its position in the list.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownSlide {
    pub path: Option<PathBuf>,
    pub index: usize,
}

#[derive(Debug, Default)]
struct Inside {
    generation: u32,
    /// The slide after which the new list must be read.
    anew: Option<ShownSlide>,
    /// Index of the slide at which the round continues, from 0. Values outside the list wrap
    /// around.
    to: Option<i64>,
    /// The slide that is shown but no longer in the list.
    gone: Option<PathBuf>,
}

/// A pending jump, and a pending change of the list.
#[derive(Debug, Default)]
pub(super) struct PendingJump(Mutex<Inside>);

impl PendingJump {
    /// Jumps to the slide at this index of the round, from 0. Values outside the round wrap around.
    /// Returns the new generation.
    pub fn to(&self, index: i64) -> u32 {
        let mut inside = self.0.lock();
        inside.to = Some(index);
        inside.next_generation()
    }

    /// Records that the list has changed. Returns the new generation, because slides of the old
    /// list are obsolete.
    pub fn anew(&self, shown: ShownSlide) -> u32 {
        let mut inside = self.0.lock();
        // The destination of a jump in the old list is no longer valid.
        (inside.anew, inside.to) = (Some(shown), None);
        inside.next_generation()
    }

    /// Returns true, once, if the current slide must disappear because it is no longer in the list.
    pub fn is_gone(&self, shown: &ShownSlide) -> bool {
        let gone = self.0.lock().gone.take();
        gone.is_some() && gone == shown.path
    }

    fn is_wanted(&self) -> bool {
        let inside = self.0.lock();
        inside.anew.is_some() || inside.to.is_some()
    }

    fn generation(&self) -> u32 {
        self.0.lock().generation
    }

    /// Takes the slide after which the new list continues.
    fn take_anew(&self) -> Option<ShownSlide> {
        self.0.lock().anew.take()
    }

    /// Records that the list was unreadable. The list is still pending, and jumps are not possible.
    /// Returns the current generation.
    fn put_off(&self, shown: Option<ShownSlide>) -> u32 {
        let mut inside = self.0.lock();
        inside.to = None;
        inside.anew = inside.anew.take().or(shown);
        inside.generation
    }

    /// Returns the slide to read next, and the current generation: `index`, or the slide to which
    /// the user jumped. Returns `None` if the list must be read first.
    fn next(&self, index: usize, count: usize) -> Option<(usize, u32)> {
        let mut inside = self.0.lock();
        if inside.anew.is_some() {
            return None;
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX).max(1);
        let turned = inside.to.take().and_then(|to| usize::try_from(to.rem_euclid(count)).ok());
        Some((turned.unwrap_or(index), inside.generation))
    }
}

impl Inside {
    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }
}

/// The thread that reads ahead.
pub(super) struct Reader {
    pub turn: Arc<PendingJump>,
    /// Returns the current files in order.
    pub listed: Box<dyn Fn() -> Result<Vec<PathBuf>, Problem> + Send>,
    pub rounds: Box<dyn Fn() -> SlideOrder + Send>,
    pub size: Size,
    pub fps: f64,
    pub status: Arc<SourceStatus>,
    pub slides: Sender<Slide>,
    /// Returns the selected files and folders.
    pub chosen: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    pub missing: SkippedFiles,
    pub seed: u64,
}

impl Reader {
    pub fn run(mut self, stop: &Stop) {
        while !stop.is_set() {
            let shown = self.turn.take_anew();
            self.missing.follow((self.chosen)());
            let mut files = match (self.listed)() {
                Ok(files) => files,
                Err(why) => {
                    let reason = problem!("source-slides-gone", reason = &why);
                    self.status.down(SourceState::Lost, reason, why.to_string());
                    let generation = self.turn.put_off(shown);
                    rest(stop, || self.turn.generation() != generation);
                    continue;
                }
            };
            let rounds = (self.rounds)();
            if rounds.shuffled {
                self.shuffle(&mut files);
            }
            let alone = files.len() == 1;
            let (mut tried, mut read) = (0, 0);
            let mut fault = Problem::default();
            let count = files.len();
            let mut at = shown.map_or(0, |shown| self.after(&shown, &mut files, rounds));
            while let Some((index, generation)) = self.turn.next(at, count) {
                let Some(path) = files.get(index) else { break };
                at = index + 1;
                tried += 1;
                match decode::open(path, Some(self.size)).and_then(OpenedImage::first) {
                    Ok(planes) => {
                        let frame = source::frame(Pooled::unpooled(centred(planes, self.size)));
                        read += 1;
                        self.status.open(SourceFormat::Video { size: self.size, fps: self.fps });
                        let path = path.clone();
                        let slide = Slide { frame, generation, index, count, path };
                        if !self.hand_on(slide) {
                            return;
                        }
                    }
                    Err(why) => {
                        tracing::warn!(path = %path.display(), %why, "skipped a slide");
                        self.missing.failed(path, &why);
                        fault = why;
                    }
                }
                if stop.is_set() {
                    return;
                }
            }
            if tried > 0 && read == 0 {
                let reason = problem!("source-slides-unreadable", reason = &fault);
                self.status.down(SourceState::Failed, reason, fault.to_string());
            }
            let failed = tried > 0 && read == 0;
            if failed || alone {
                rest(stop, || self.turn.is_wanted());
            }
            let ends = |it: &Self| !(it.rounds)().repeat && !it.turn.is_wanted();
            while !failed && ends(&self) && !stop.is_set() {
                rest(stop, || !ends(&self));
                self.missing.check();
            }
        }
    }

    /// Passes on a slide when there is room. Returns false if the receiver is gone.
    fn hand_on(&mut self, mut slide: Slide) -> bool {
        loop {
            match self.slides.offer(slide, RETRY_INTERVAL) {
                Ok(None) => return true,
                Ok(Some(back)) => slide = back,
                Err(_) => return false,
            }
            self.missing.check();
        }
    }

    /// Returns the position at which a new list continues: after the current slide, or at its old
    /// position if it was removed.
    fn after(&self, shown: &ShownSlide, files: &mut [PathBuf], rounds: SlideOrder) -> usize {
        let Some(path) = &shown.path else { return 0 };
        // An entry that is in the list several times is probably still at its old position.
        let there = files.get(shown.index).is_some_and(|it| it == path).then_some(shown.index);
        let found = there.or_else(|| files.iter().position(|it| it == path));
        if found.is_none() {
            self.turn.0.lock().gone = Some(path.clone());
        }
        let at = match found {
            Some(place) if rounds.shuffled => {
                files.swap(0, place);
                1
            }
            Some(place) => place + 1,
            None if rounds.shuffled => 0,
            None => shown.index,
        };
        match found {
            _ if at < files.len() => at,
            _ if rounds.repeat => 0,
            // The last slide stays.
            Some(_) => at,
            None => files.len().saturating_sub(1),
        }
    }

    /// Shuffles the files (Fisher–Yates).
    fn shuffle(&mut self, files: &mut [PathBuf]) {
        for last in (1..files.len()).rev() {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = (self.seed >> 33) as usize % (last + 1);
            files.swap(last, draw);
        }
    }
}

/// Waits for a while, or until a request.
fn rest(stop: &Stop, is_wanted: impl Fn() -> bool) {
    let mut left = RETRY_INTERVAL;
    while !left.is_zero() && !is_wanted() && !stop.wait(RESCAN_INTERVAL) {
        left = left.saturating_sub(RESCAN_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full};
    use crate::media::Transport;

    #[test]
    fn a_jump_in_a_list_that_is_to_be_reread_applies_to_the_new_list() {
        let turn = PendingJump::default();
        let shown = || ShownSlide { path: Some("a.png".into()), index: 4 };
        assert_eq!(turn.next(1, 3), Some((1, 0)));
        turn.to(-1);
        let before = turn.anew(shown());
        let generation = turn.to(-2);
        assert_ne!(before, generation);
        assert_eq!(turn.next(1, 3), None, "the new list comes first");
        assert_eq!(turn.take_anew().map(|shown| shown.index), Some(4));
        assert_eq!(turn.next(1, 5), Some((3, generation)), "counted in the new one");
        assert_eq!(turn.next(4, 5), Some((4, generation)));
        // In the reverse order, the jump is no longer valid.
        turn.to(2);
        let generation = turn.anew(shown());
        turn.take_anew();
        assert_eq!(turn.next(1, 5), Some((1, generation)));
    }

    #[test]
    fn where_the_list_cannot_be_read_nobody_turns_it_and_it_is_to_be_read_still() {
        let turn = Arc::new(PendingJump::default());
        turn.anew(ShownSlide { path: None, index: 7 });
        turn.to(-1);
        let stop = Stop::new();
        let (slides, _ready) = queue::bounded("test", 1, Full::Block);
        let ends = stop.clone();
        let reader = Reader {
            turn: Arc::clone(&turn),
            listed: Box::new(move || {
                // The show ends after this check.
                ends.set();
                Err("gone".into())
            }),
            rounds: Box::new(|| SlideOrder { shuffled: false, repeat: true }),
            size: Size::new(2, 2),
            fps: 30.0,
            status: SourceStatus::new("", ""),
            slides,
            chosen: Box::new(Vec::new),
            missing: SkippedFiles::new(Transport::default()),
            seed: 3,
        };
        reader.run(&stop);
        // A remaining request would cause checks without a pause.
        assert_eq!(turn.0.lock().to, None);
        assert_eq!(turn.take_anew().map(|shown| shown.index), Some(7));
    }

    #[test]
    fn shuffling_keeps_every_slide() {
        let (slides, _ready) = queue::bounded("test", 1, Full::Block);
        let status = SourceStatus::new("", "");
        let listed = Box::new(|| Err("nothing".into()));
        let rounds = Box::new(|| SlideOrder { shuffled: true, repeat: true });
        let size = Size::new(2, 2);
        let turn = Arc::default();
        let mut reader = Reader {
            turn,
            listed,
            rounds,
            size,
            fps: 30.0,
            status,
            slides,
            chosen: Box::new(Vec::new),
            missing: SkippedFiles::new(Transport::default()),
            seed: 3,
        };
        let files: Vec<PathBuf> = (0..20).map(|n| format!("{n:02}").into()).collect();
        let mut drawn = files.clone();
        reader.shuffle(&mut drawn);
        assert_ne!(drawn, files);
        drawn.sort();
        assert_eq!(drawn, files);
    }
}
