//! The thread that reads slides ahead, one after the other or where somebody turned to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::mix::centred;
use crate::base::queue::Sender;
use crate::base::{Pooled, Stop};
use crate::capture::board;
use crate::capture::image::decode::{self, Opened};
use crate::media::source::{Format, State, Status};
use crate::media::{Size, VideoFrame};

/// How long a folder without a readable picture is left alone.
const LOOK: Duration = Duration::from_secs(2);
/// How often a show that is over looks whether it is to go on.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A slide that was read.
pub(super) struct Slide {
    pub frame: VideoFrame,
    /// How often the show was turned before it was read.
    pub generation: u32,
    /// Which one it is, and of how many.
    pub index: usize,
    pub count: usize,
}

/// How rounds follow each other.
#[derive(Copy, Clone, Debug)]
pub(super) struct Rounds {
    pub shuffled: bool,
    pub repeat: bool,
}

/// Where somebody turned the show to.
#[derive(Default)]
pub(super) struct Turn(Mutex<(u32, Option<i64>)>);

impl Turn {
    /// To this slide of the round, counted from 0; from before the first one to the last. Slides of
    /// other generations than the one that is given back are not wanted any more.
    pub fn to(&self, index: i64) -> u32 {
        let mut inside = self.0.lock();
        *inside = (inside.0.wrapping_add(1), Some(index));
        inside.0
    }

    fn is_wanted(&self) -> bool {
        self.0.lock().1.is_some()
    }

    /// The slide that is to be read after one, and its generation.
    fn next(&self, index: usize, count: usize) -> (usize, u32) {
        let mut inside = self.0.lock();
        let count_signed = i64::try_from(count).unwrap_or(i64::MAX).max(1);
        let turned = inside.1.take().map(|to| to.rem_euclid(count_signed));
        (turned.and_then(|to| usize::try_from(to).ok()).unwrap_or(index), inside.0)
    }
}

/// The thread that reads ahead.
pub(super) struct Reader {
    pub turn: Arc<Turn>,
    /// The files as they are now, in order.
    pub listed: Box<dyn Fn() -> Result<Vec<PathBuf>, String> + Send>,
    pub rounds: Box<dyn Fn() -> Rounds + Send>,
    pub size: Size,
    pub fps: f64,
    pub status: Arc<Status>,
    pub slides: Sender<Slide>,
    pub seed: u64,
}

impl Reader {
    pub fn run(mut self, stop: &Stop) {
        while !stop.is_set() {
            let mut files = match (self.listed)() {
                Ok(files) => files,
                Err(why) => {
                    self.status.down(State::Lost, "The slides are gone; the last one stays", why);
                    stop.wait(LOOK);
                    continue;
                }
            };
            if (self.rounds)().shuffled {
                self.shuffle(&mut files);
            }
            let alone = files.len() == 1;
            let mut read = 0;
            let mut fault = String::new();
            let (count, mut at) = (files.len(), 0);
            loop {
                let (index, generation) = self.turn.next(at, count);
                let Some(path) = files.get(index) else { break };
                at = index + 1;
                match decode::open(path, Some(self.size)).and_then(Opened::first) {
                    Ok(planes) => {
                        let frame = board::frame(Pooled::unpooled(centred(&planes, self.size)));
                        read += 1;
                        self.status.open(Format::Video { size: self.size, fps: self.fps });
                        if self.slides.send(Slide { frame, generation, index, count }).is_err() {
                            return;
                        }
                    }
                    Err(why) => {
                        tracing::warn!(path = %path.display(), why, "a slide is left out");
                        fault = why;
                    }
                }
                if stop.is_set() {
                    return;
                }
            }
            if read == 0 {
                let reason = "None of the slides can be read; the last one stays";
                self.status.down(State::Failed, reason, fault);
            }
            if read == 0 || alone {
                stop.wait(LOOK);
            }
            let ends = || !(self.rounds)().repeat && !self.turn.is_wanted();
            while read > 0 && ends() && !stop.wait(LOOK_AGAIN) {}
        }
    }

    /// Fisher and Yates.
    fn shuffle(&mut self, files: &mut [PathBuf]) {
        for last in (1..files.len()).rev() {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = (self.seed >> 33) as usize % (last + 1);
            files.swap(last, draw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full};

    #[test]
    fn shuffling_keeps_every_slide() {
        let (slides, _ready) = queue::bounded("test", 1, Full::Block);
        let status = Status::new("", "");
        let listed = Box::new(|| Err("nothing".to_owned()));
        let rounds = Box::new(|| Rounds { shuffled: true, repeat: true });
        let size = Size::new(2, 2);
        let turn = Arc::default();
        let mut reader = Reader { turn, listed, rounds, size, fps: 30.0, status, slides, seed: 3 };
        let files: Vec<PathBuf> = (0..20).map(|n| format!("{n:02}").into()).collect();
        let mut drawn = files.clone();
        reader.shuffle(&mut drawn);
        assert_ne!(drawn, files);
        drawn.sort();
        assert_eq!(drawn, files);
    }
}
