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

/// Opens a speaker for a rate and a number of channels, or returns the error.
pub type Open = dyn Fn(u32, u16, Clock) -> Result<Box<dyn Speaker>, Problem> + Send + Sync;

type OpenedSpeaker = Result<Box<dyn Speaker>, Problem>;

/// See the module documentation.
pub(in crate::player) struct Speakers {
    /// `None` means no audio output.
    open: Option<Arc<Open>>,
    clock: Clock,
    opening: Option<Opening>,
    again_at: Option<Timestamp>,
    is_reported: bool,
}

struct Opening {
    answer: Receiver<OpenedSpeaker>,
    format: (u32, u16),
    since: Timestamp,
    /// The opening thread, abandoned if it takes too long.
    _worker: Worker,
}

impl Speakers {
    pub(in crate::player) fn new(open: Option<Arc<Open>>, clock: Clock) -> Self {
        Self { open, clock, opening: None, again_at: None, is_reported: false }
    }

    /// Returns the speaker once it is open, or starts to open one. The call never waits.
    pub(in crate::player) fn open(
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
        let format = opening.format;
        self.opening = None;
        match answer {
            Ok(speaker) if format == (rate, channels) => {
                if std::mem::replace(&mut self.is_reported, false) {
                    report.say(problem!("player-speaker-back"), Severity::Info, "");
                }
                Some(speaker)
            }
            Ok(speaker) => {
                self.put_away(speaker);
                None
            }
            Err(reason) => {
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
    pub(in crate::player) fn lost(
        &mut self,
        report: &PlayerReport,
        speaker: Box<dyn Speaker>,
        reason: String,
        now: Timestamp,
    ) {
        self.put_away(speaker);
        self.failed(report, problem!("player-speaker-gone"), reason, now);
    }

    /// Resets the state after another speaker was chosen.
    pub(in crate::player) fn forget(&mut self) {
        (self.opening, self.again_at, self.is_reported) = (None, None, false);
    }

    /// Drops a speaker on a separate thread, because dropping can take a long time.
    pub(in crate::player) fn put_away(&self, speaker: Box<dyn Speaker>) {
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
                self.opening =
                    Some(Opening { answer, format: (rate, channels), since: now, _worker: worker });
            }
            Err(error) => {
                let reason = error.to_string();
                self.failed(report, problem!("player-speaker-none"), reason, now);
            }
        }
    }

    fn failed(&mut self, report: &PlayerReport, problem: Problem, reason: String, now: Timestamp) {
        self.again_at = Some(now + RETRY_INTERVAL);
        if !std::mem::replace(&mut self.is_reported, true) {
            report.say(problem!("player-no-speaker", problem = problem), Severity::Warning, reason);
        }
    }
}

/// Opens the speaker with this id, or the system's default.
pub(in crate::player) fn open_device(
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

    fn set_volume(&mut self, volume: f32) {
        self.0.set_volume(volume);
    }

    fn underruns(&self) -> u64 {
        self.0.underruns()
    }

    fn failed(&self) -> Option<String> {
        self.0.failed()
    }
}
