//! What a source of sound gives, on the air of a mixer, and the tones in it.

use std::sync::Arc;
use std::time::Duration;

use onair::audio::speaker::SpeakerOutput;
use onair::audio::{self, AudioChoice};
use onair::base::queue::{self, Full, Receiver};
use onair::base::{Clock, Stop, Timestamp};
use onair::media::SampleBlock;
use onair::media::playback_control::EndBehavior;
use onair::media::source_status::{SourceReport, SourceStatus};
use onair::mix::{self, Mixer, Strip, StripId};

use super::{LIMIT, grid};

/// A sound source on the air.
pub struct Heard {
    pub status: Arc<SourceStatus>,
    pub changes: Receiver<SourceReport>,
    pub rx: Receiver<SampleBlock>,
    pub mixer: Mixer,
}

impl Heard {
    pub fn open(clock: Clock, choice: &AudioChoice) -> Self {
        let context = audio::Context {
            clock,
            grid: grid(),
            rate: 48_000,
            channels: 2,
            at_end: EndBehavior::Loop,
        };
        let source = audio::open(choice, &context).unwrap();
        let changes = source.status.changes().unwrap();
        let config = mix::Config { rate: 48_000, channels: 2, origin: Timestamp::ZERO, clock };
        let mixer = Mixer::spawn(config).unwrap();
        mixer.set_strip(StripId::MAIN, Strip::default());
        mixer.set_feed(StripId::MAIN, Some(source.feed));
        let (tx, rx) = queue::bounded("test", 4_096, Full::DropOldest);
        mixer.attach_encoder(tx);
        Self { status: source.status, changes, rx, mixer }
    }

    /// Waits until a tone is there from now on.
    #[track_caller]
    pub fn again(&self, hertz: f64) {
        while self.rx.try_recv().is_ok() {}
        hear(&self.rx, hertz);
    }

    /// One tone and nothing of another, for two seconds.
    pub fn holds_alone(&self, hertz: f64, other: f64) {
        while self.rx.try_recv().is_ok() {}
        let mut sound = Vec::new();
        for _ in 0..200 {
            sound.extend_from_slice(&self.rx.recv_timeout(LIMIT).unwrap().data);
        }
        let mut parts: Vec<f64> =
            sound.chunks_exact(9_600).map(|part| amplitude(part, hertz)).collect();
        parts.sort_by(f64::total_cmp);
        let (tone, leak) = (parts[parts.len() / 2], amplitude(&sound, other));
        eprintln!("  {hertz} Hz {tone:.3}, {other} Hz {leak:.5}");
        assert!((0.4..0.6).contains(&tone) && leak < 0.002, "{tone} {leak}");
    }

    pub fn close(self) {
        self.mixer.join(Duration::from_secs(30)).unwrap();
    }
}

/// Waits until the tone is there.
#[track_caller]
pub fn hear(rx: &Receiver<SampleBlock>, hertz: f64) {
    let clock = Clock::start();
    let mut sound = Vec::new();
    while clock.now() < Timestamp::ZERO + LIMIT {
        sound.extend_from_slice(&rx.recv_timeout(LIMIT).unwrap().data);
        let tail = &sound[sound.len().saturating_sub(19_200)..];
        if tail.len() == 19_200 && amplitude(tail, hertz) > 0.4 {
            return;
        }
    }
    let seconds = sound.chunks(96_000).map(|second| {
        let silent = second.iter().filter(|sample| **sample == 0.0).count() * 100 / second.len();
        let parts = second.chunks(19_200).map(|part| format!("{:.2}", amplitude(part, hertz)));
        format!("{silent} % silent, {}", parts.collect::<Vec<_>>().join(" "))
    });
    panic!("never heard {hertz} Hz: {:#?}", seconds.collect::<Vec<_>>());
}

/// Amplitude of a frequency in the left channel.
pub fn amplitude(sound: &[f32], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    let frames = sound.len() / 2;
    for (index, frame) in sound.chunks_exact(2).enumerate() {
        let phase = index as f64 * hertz / 48_000.0 * std::f64::consts::TAU;
        re += f64::from(frame[0]) * phase.cos();
        im += f64::from(frame[0]) * phase.sin();
    }
    re.hypot(im) * 2.0 / frames as f64
}

/// Keeps an output full of a 660 Hz tone until told to stop.
pub fn hum(mut output: SpeakerOutput, stop: &Stop) {
    let mut index = 0_u32;
    while !stop.wait(Duration::from_millis(5)) {
        while output.queued_time() < Duration::from_millis(250) && output.failed().is_none() {
            let block: Vec<f32> = (0..480)
                .flat_map(|_| {
                    let phase = f64::from(index % 48_000) * 660.0 / 48_000.0;
                    index += 1;
                    [(phase * std::f64::consts::TAU).sin() as f32 * 0.5; 2]
                })
                .collect();
            if output.write(&block) == 0 {
                break;
            }
        }
    }
}
