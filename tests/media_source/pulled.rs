//! A media source pulled in real time, as the compositor and the mixer do it, and test films whose
//! frames carry their number.

use super::*;

/// A film of 25 frames per second that show their number as eight bright or dark columns, with the
/// lowest bit on the left. It has B-frames as references, and a keyframe every four seconds.
pub const NUMBERED: &str = "color=0x1c1c1c:s=320x192:r=25,format=yuv420p,\
     drawbox=x=0:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,1),\
     drawbox=x=40:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,2),\
     drawbox=x=80:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,4),\
     drawbox=x=120:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,8),\
     drawbox=x=160:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,16),\
     drawbox=x=200:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,32),\
     drawbox=x=240:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,64),\
     drawbox=x=280:w=40:h=ih:color=0xd6d6d6:t=fill:enable=bitand(n\\,128)";
const RATE: f64 = 25.0;

pub fn numbered(path: &Path, seconds: &str, sound: &str, codec: &[&str]) {
    let mut words =
        vec!["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", NUMBERED];
    words.extend(["-f", "lavfi", "-i", sound, "-t", seconds]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-b_strategy", "0"]);
    words.extend(["-g", "100", "-sc_threshold", "0", "-pix_fmt", "yuv420p"]);
    words.extend(codec);
    words.push(path.to_str().unwrap());
    Peer::start("ffmpeg", words).wait_success(LIMIT);
}

/// Returns the number that a frame shows.
fn number(frame: &VideoFrame) -> u64 {
    let planes = frame.planes();
    let row = planes.luma_stride() * 96;
    (0..8).filter(|bit| planes.y[row + bit * 40 + 20] > 120).map(|bit| 1 << bit).sum()
}

/// A source that is pulled in real time, as the compositor and the mixer do it.
pub struct Pulled {
    pub media: MediaSource,
    pub clock: Clock,
    pub next: Timestamp,
    /// The numbers of the frames, without repetitions.
    pub shown: Vec<u64>,
    /// The audio samples (one channel), silence included.
    pub samples: Vec<f32>,
    pub silent: bool,
}

impl Pulled {
    pub fn open(path: &Path, at_end: EndBehavior) -> (Self, Runtime) {
        let clock = Clock::start();
        let runtime = Runtime::start().unwrap();
        let context = Context { clock, rate: 48_000, channels: 1, at_end };
        let config = Config::new(Source::File(path.to_owned()));
        let media = source::open(&config, &context, &runtime).unwrap();
        let next = clock.now();
        let (shown, samples) = (Vec::new(), Vec::new());
        (Self { media, clock, next, shown, samples, silent: true }, runtime)
    }

    /// Pulls ten milliseconds of audio, and the frame of that time.
    pub fn step(&mut self) {
        let mut block = [0.0; 480];
        self.silent = self.media.audio.pull(self.next, &mut block) == Filled::Silence;
        self.samples.extend(block);
        if let Some(frame) = self.media.video.frame(self.next) {
            let number = number(&frame);
            if self.shown.last() != Some(&number) {
                self.shown.push(number);
            }
        }
        self.next += Duration::from_millis(10);
        let ahead = self.next.since(self.clock.now());
        onair::base::Stop::new().wait(ahead);
    }

    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let limit = self.clock.now() + LIMIT;
        while !is_so(self) {
            assert!(self.clock.now() < limit, "never: {what}; {:?}", self.shown);
            self.step();
        }
    }

    /// Seeks while the source is paused. The frame at this position appears and stays, and the
    /// audio is silent.
    pub fn stand_at(&mut self, name: &str, place: Duration) {
        let before = self.shown.len();
        let last = self.shown[before - 1];
        self.media.transport.ask(TransportCommand::To(place));
        self.until(&format!("another picture in {name} at {place:?}"), |it| {
            it.shown.len() > before || last == at(place)
        });
        let first = self.shown.get(before).copied().unwrap_or(last);
        assert_eq!(first, at(place), "{name} at {place:?}");
        let start = self.samples.len();
        (0..20).for_each(|_| self.step());
        assert_eq!(self.shown.last(), Some(&at(place)), "{name} at {place:?}");
        assert!(self.samples[start..].iter().all(|it| *it == 0.0), "{name} at {place:?}");
    }

    pub fn paused(&self) -> bool {
        self.media.transport.position().is_some_and(|it| it.paused)
    }

    /// Pauses, and waits until earlier audio and video have been played.
    pub fn pause(&mut self) {
        self.media.transport.ask(TransportCommand::Pause);
        self.until("the pause", Self::paused);
        let since = self.clock.now();
        self.until("stillness", |it| {
            it.silent && it.clock.now().since(since) > Duration::from_millis(400)
        });
    }
}

/// Returns the number of the frame that is shown at a position.
pub fn at(place: Duration) -> u64 {
    (place.as_secs_f64() * RATE + 1e-6) as u64
}

/// Returns the lowest peak of all windows of this many samples.
pub fn quietest(sound: &[f32], samples: usize) -> f32 {
    let peaks = sound.windows(samples).map(|it| it.iter().copied().fold(0.0, f32::max));
    peaks.fold(1.0, f32::min)
}
