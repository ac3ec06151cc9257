//! Opening and dropping speakers. Both can take a long time if an audio server does not answer, so
//! both run on separate threads, and video never waits for an audio device.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::audio::speaker::{SpeakerOutput, SpeakerPace};
use crate::base::{Clock, Timestamp, Worker};
use crate::player::decode::audio::Speaker;
use crate::player::present::upsample::{Upsampled, times};
use crate::player::session::audio_controls::AudioControls;
use crate::player::session::report::PlayerReport;
use crate::player::state::Severity;
use crate::text::Problem;
use crate::text::problem::problem;

/// Interval between attempts after a speaker failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Time limit for opening.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that a device gets to close a finished speaker, if it accepts only one.
const CLOSE_DURATION: Duration = Duration::from_millis(100);

/// Opens a speaker for a rate and a number of channels, or returns the error.
pub type Open = dyn Fn(u32, u16, Clock) -> Result<Box<dyn Speaker>, Problem> + Send + Sync;

type OpenedSpeaker = Result<Box<dyn Speaker>, Problem>;

/// See the module documentation.
pub(crate) struct Speakers {
    /// `None` means no audio output.
    open: Option<Arc<Open>>,
    clock: Clock,
    opening: Option<Opening>,
    /// The speaker of the previous format, and the time until which it plays its audio.
    finishing: Option<(Box<dyn Speaker>, Timestamp)>,
    again_at: Option<Timestamp>,
    /// True if the failure of the chosen speaker was reported.
    is_reported: bool,
    /// True if a failure was reported, and no speaker has opened since.
    is_missing: bool,
}

struct Opening {
    answer: Receiver<OpenedSpeaker>,
    format: (u32, u16),
    since: Timestamp,
    /// The end of the audio of a speaker that was still open at that time.
    other_until: Option<Timestamp>,
    /// The opening thread, abandoned if it takes too long.
    _worker: Worker,
}

impl Speakers {
    pub(crate) fn new(open: Option<Arc<Open>>, clock: Clock) -> Self {
        let (opening, finishing, again_at) = (None, None, None);
        Self { open, clock, opening, finishing, again_at, is_reported: false, is_missing: false }
    }

    /// Returns the speaker once it is open, or starts to open one. The call never waits.
    pub(crate) fn open(
        &mut self,
        report: &PlayerReport,
        controls: &AudioControls,
        rate: u32,
        channels: u16,
        now: Timestamp,
    ) -> Option<Box<dyn Speaker>> {
        let Some(opening) = &self.opening else {
            self.begin(report, rate, channels, now);
            return None;
        };
        let answer = match opening.answer.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Empty) if now.since(opening.since) < OPEN_TIMEOUT => return None,
            Err(TryRecvError::Empty) => Err(problem!("speaker-silent")),
            Err(TryRecvError::Disconnected) => Err(problem!("speaker-unavailable")),
        };
        let (format, other_until) = (opening.format, opening.other_until);
        self.opening = None;
        match answer {
            Ok(speaker) if format == (rate, channels) => {
                self.is_reported = false;
                if std::mem::take(&mut self.is_missing) {
                    report.say(problem!("player-speaker-back"), Severity::Info, "");
                }
                Some(speaker)
            }
            Ok(speaker) => {
                self.put_away(speaker);
                None
            }
            Err(reason) => {
                // The device may accept only one speaker.
                if let Some(until) = other_until {
                    self.again_at = Some(until.max(now) + CLOSE_DURATION);
                    return None;
                }
                let wanted = controls.speaker().lock().clone();
                // A requested speaker is named in the message.
                let problem = wanted.map_or_else(
                    || problem!("player-speaker-none"),
                    |id| problem!("player-speaker-unusable", id = id, reason = &reason),
                );
                self.failed(report, problem, reason.to_string(), now);
                None
            }
        }
    }

    /// Handles a failed speaker. Playback continues without it, and another speaker is opened.
    pub(crate) fn lost(
        &mut self,
        report: &PlayerReport,
        speaker: Box<dyn Speaker>,
        reason: String,
        now: Timestamp,
    ) {
        self.put_away(speaker);
        self.failed(report, problem!("player-speaker-gone"), reason, now);
    }

    /// Lets a speaker play its audio until this time while the speaker of the next format opens.
    pub(crate) fn finish(&mut self, speaker: Box<dyn Speaker>, until: Timestamp) {
        self.finishing = Some((speaker, until));
    }

    /// Returns true while the speaker of the previous format still plays. Afterwards, drops it.
    pub(crate) fn is_finishing(&mut self, now: Timestamp) -> bool {
        if let Some((speaker, _)) = self.finishing.take_if(|(_, until)| *until <= now) {
            self.put_away(speaker);
        }
        self.finishing.is_some()
    }

    /// Resets the state after another speaker was chosen.
    pub(crate) fn forget(&mut self) {
        (self.opening, self.again_at, self.is_reported) = (None, None, false);
        if let Some((speaker, _)) = self.finishing.take() {
            self.put_away(speaker);
        }
    }

    /// Drops a speaker on a separate thread, because dropping can take a long time.
    pub(crate) fn put_away(&self, speaker: Box<dyn Speaker>) {
        // If the thread cannot start, the speaker is dropped here, together with the closure.
        let _ = Worker::spawn("player-spk-drop", move |_| drop(speaker));
    }

    fn begin(&mut self, report: &PlayerReport, rate: u32, channels: u16, now: Timestamp) {
        let Some(open) = &self.open else { return };
        if self.again_at.is_some_and(|again| now < again) {
            return;
        }
        let (open, clock) = (Arc::clone(open), self.clock);
        let (tell, answer) = bounded::<OpenedSpeaker>(1);
        let worker = Worker::spawn("player-spk-open", move |_| {
            // The receiver may have given up: then the speaker is dropped here.
            let _ = tell.send(open(rate, channels, clock));
        });
        match worker {
            Ok(worker) => {
                let (format, since) = ((rate, channels), now);
                let other_until = self.finishing.as_ref().map(|(_, until)| *until);
                self.opening =
                    Some(Opening { answer, format, since, other_until, _worker: worker });
            }
            Err(error) => {
                let reason = error.to_string();
                self.failed(report, problem!("player-speaker-none"), reason, now);
            }
        }
    }

    fn failed(&mut self, report: &PlayerReport, problem: Problem, reason: String, now: Timestamp) {
        self.again_at = Some(now + RETRY_INTERVAL);
        self.is_missing = true;
        if !std::mem::replace(&mut self.is_reported, true) {
            report.say(problem!("player-no-speaker", problem = problem), Severity::Warning, reason);
        }
    }
}

/// Opens the speaker with this id, or the system's default.
pub(crate) fn open_device(
    id: Option<&str>,
    rate: u32,
    channels: u16,
    clock: Clock,
) -> Result<Box<dyn Speaker>, Problem> {
    let times = times(rate);
    let output =
        SpeakerOutput::open(id, (rate.saturating_mul(times), channels), SpeakerPace::Calm, clock)
            .map_err(|error| Problem::from(&error))?;
    let device = Device(output);
    Ok(if times > 1 {
        Box::new(Upsampled::new(device, times as usize, channels))
    } else {
        Box::new(device)
    })
}

struct Device(SpeakerOutput);

impl Speaker for Device {
    fn write(&mut self, data: &[f32]) -> usize {
        self.0.write(data)
    }

    fn queued(&self) -> usize {
        self.0.queued()
    }

    fn waiting(&self) -> usize {
        self.0.waiting()
    }

    fn set_volume(&mut self, volume: f32) {
        self.0.set_volume(volume);
    }

    fn underruns(&self) -> u64 {
        self.0.underruns()
    }

    fn failed(&self) -> Option<String> {
        self.0.failed()
    }

    fn has_moved(&self) -> bool {
        self.0.has_moved()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

    use crossbeam_channel::Sender;
    use parking_lot::Mutex;

    use super::*;
    use crate::base::{Latest, Stop, queue};
    use crate::media::SampleBlock;
    use crate::player::clock::playout::ReceivedSpan;
    use crate::player::present::{Presenter, Run};
    use crate::player::session::config::{Config, Source};
    use crate::player::session::shared::Shared;
    use crate::player::state::Event;

    /// The time of the test in µs, and the events of its speakers.
    #[derive(Default)]
    struct Bench {
        now: AtomicI64,
        open: AtomicUsize,
        /// The rate of each speaker, and the time at which its first sound plays in µs.
        first_sounds: Mutex<Vec<(u32, i64)>>,
    }

    /// A speaker that plays by the time of the test.
    struct Fake {
        bench: Arc<Bench>,
        rate: u32,
        /// The time at which all written audio has been played.
        end: i64,
        has_sound: bool,
        /// Receives the rate and the unplayed audio in µs when this speaker is dropped.
        dropped: Sender<(u32, i64)>,
    }

    impl Fake {
        fn left(&self) -> i64 {
            self.end - self.bench.now.load(Ordering::SeqCst)
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            self.bench.open.fetch_sub(1, Ordering::SeqCst);
            let _ = self.dropped.send((self.rate, self.left()));
        }
    }

    impl Speaker for Fake {
        fn write(&mut self, data: &[f32]) -> usize {
            self.end = self.end.max(self.bench.now.load(Ordering::SeqCst));
            if data.iter().any(|sample| *sample != 0.0) && !self.has_sound {
                self.has_sound = true;
                self.bench.first_sounds.lock().push((self.rate, self.end));
            }
            self.end += data.len() as i64 / 2 * 1_000_000 / i64::from(self.rate);
            data.len() / 2
        }

        fn queued(&self) -> usize {
            (self.left().max(0) * i64::from(self.rate) / 1_000_000) as usize
        }

        fn set_volume(&mut self, _: f32) {}

        fn underruns(&self) -> u64 {
            0
        }

        fn failed(&self) -> Option<String> {
            None
        }
    }

    /// Runs one round of a player of a file at this time. The opening of a speaker takes no time.
    fn round(run: &mut Run, bench: &Bench, ms: i64) {
        bench.now.store(ms * 1_000, Ordering::SeqCst);
        let now = Timestamp::from_millis(ms);
        run.tend_speaker(now);
        let mut tries = 0;
        while run.presenter.speakers.opening.is_some() {
            tries += 1;
            assert!(tries < 10_000, "no answer at {ms} ms");
            Stop::new().wait(Duration::from_millis(1));
            run.tend_speaker(now);
        }
        let (first, edge) = (Some(Timestamp::ZERO), Some(Timestamp::from_millis(10_000)));
        let received = ReceivedSpan { first, edge, ..ReceivedSpan::default() };
        let change = run.playout.step(now, &received, run.audio.position_played());
        run.follow(change, now);
        run.play_audio(now, false);
    }

    #[test]
    fn audio_before_a_format_change_plays_to_its_end() {
        // Some devices accept only one speaker.
        for is_exclusive in [false, true] {
            let bench = Arc::new(Bench::default());
            let (dropped, drops) = bounded(8);
            let its = Arc::clone(&bench);
            let open: Arc<Open> = Arc::new(move |rate: u32, _, _| {
                if its.open.fetch_add(1, Ordering::SeqCst) > 0 && is_exclusive {
                    its.open.fetch_sub(1, Ordering::SeqCst);
                    return Err("busy".into());
                }
                let (bench, dropped) = (Arc::clone(&its), dropped.clone());
                let fake = Fake { bench, rate, end: 0, has_sound: false, dropped };
                Ok(Box::new(fake) as Box<dyn Speaker>)
            });
            let clock = Clock::start();
            let config = Config::new(Source::File("film.flv".into()));
            let (shared, events) = Shared::new(&config, clock);
            let (_decoded, frames) = queue::bounded("frames", 1, queue::Full::Block);
            let mut run = Run::new(Presenter {
                shared: Arc::new(shared),
                frames,
                screen: Latest::default(),
                speakers: Speakers::new(Some(open), clock),
                measure: None,
                dump: None,
            });
            for ms in (0..800).step_by(20) {
                let rate = if ms < 200 { 48_000 } else { 44_100 };
                let data = vec![0.5_f32; rate as usize / 50 * 2].into();
                let pts = Timestamp::from_millis(ms);
                run.audio.take_decoded(SampleBlock { pts, rate, channels: 2, data });
            }
            for ms in (0..=200).step_by(10) {
                round(&mut run, &bench, ms);
            }
            let limit = Duration::from_secs(10);
            assert_eq!(drops.recv_timeout(limit), Ok((48_000, 0)));
            for ms in (210..=400).step_by(10) {
                round(&mut run, &bench, ms);
            }
            let sounds = bench.first_sounds.lock().clone();
            assert_eq!(sounds.first(), Some(&(48_000, 0)));
            // An exclusive device is opened again some time after its first speaker has finished.
            let second = if is_exclusive { 300_000 } else { 200_000 };
            assert_eq!(sounds.get(1), Some(&(44_100, second)));
            let is_message = |event: &Event| matches!(event, Event::Message(_));
            assert_eq!(events.waiting().filter(is_message).count(), 0);
        }
    }

    #[test]
    fn another_speaker_that_works_is_reported_as_the_end_of_the_failure() {
        let (bench, is_broken) = (Arc::new(Bench::default()), Arc::new(AtomicBool::new(true)));
        let (dropped, _drops) = bounded(1);
        let breaks = Arc::clone(&is_broken);
        let open: Arc<Open> = Arc::new(move |rate: u32, _, _| {
            if breaks.load(Ordering::SeqCst) {
                return Err("busy".into());
            }
            let (bench, dropped) = (Arc::clone(&bench), dropped.clone());
            let fake = Fake { bench, rate, end: 0, has_sound: false, dropped };
            Ok(Box::new(fake) as Box<dyn Speaker>)
        });
        let clock = Clock::start();
        let controls = AudioControls::new(&Config::new(Source::File("film.flv".into())));
        let (report, events) = PlayerReport::new(clock);
        let mut speakers = Speakers::new(Some(open), clock);
        for opens in [false, false, true] {
            is_broken.store(!opens, Ordering::SeqCst);
            speakers.forget();
            let opened = loop {
                let opened = speakers.open(&report, &controls, 48_000, 2, Timestamp::ZERO);
                if opened.is_some() || speakers.opening.is_none() {
                    break opened;
                }
                Stop::new().wait(Duration::from_millis(1));
            };
            assert_eq!(opened.is_some(), opens);
        }
        let keys: Vec<_> = events
            .waiting()
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.key()),
                _ => None,
            })
            .collect();
        // Each failure has its own reason.
        assert_eq!(keys, ["player-no-speaker", "player-no-speaker", "player-speaker-back"]);
    }
}
