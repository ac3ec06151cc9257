//! Tests of the audio decoder.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::base::Clock;
use crate::media::Track;
use crate::player::buffer::reception::Reception;
use crate::player::clock::playout::{Change, Playout};
use crate::player::session::config::{Config, Source};
use crate::wire::codec::AudioInfo;

#[test]
fn what_a_late_presenter_did_not_pass_on_is_passed_on_when_playing_goes_on() {
    let at = Timestamp::from_millis;
    let mut decoding = AudioDecoding::default();
    for ms in (0..400).step_by(20) {
        let data: Vec<f32> = (ms..ms + 20).map(|value| value as f32).collect();
        let data = data.into();
        decoding.fifo.push(crate::media::SampleBlock {
            pts: at(ms),
            rate: 1_000,
            channels: 1,
            data,
        });
    }
    let mut audio: Vec<f32> = Vec::new();
    let mut play = |decoding: &mut AudioDecoding, ms| {
        decoding.play(at(ms), at(ms), 1.0, 1.0, false, &mut |it| audio.extend_from_slice(it.data));
    };
    decoding.seek(at(0), true);
    play(&mut decoding, 100);
    // The player was not called for 200 ms, so all received audio became due, and playback held
    // there.
    decoding.seek(at(300), false);
    play(&mut decoding, 310);
    // With `skip`, audio that is late is skipped.
    decoding.seek(at(350), true);
    play(&mut decoding, 390);
    let whole: Vec<f32> = (0..320).chain(350..400).map(|value| value as f32).collect();
    assert_eq!(audio, whole);
}

#[test]
fn audio_without_a_decoder_is_reported_once_however_often_its_config_is_repeated() {
    let config = Config::new(Source::File("film.flv".into()));
    let (shared, events) = Shared::new(&config, Clock::start());
    let mut decoding = AudioDecoding::default();
    let mut configure = |channels| {
        let info = AudioInfo { sample_rate: 48_000, channels };
        let config = info.config(AudioCodec::PcmS16Le, bytes::Bytes::new());
        decoding.take(BufferedPacket::Configure(config), &shared);
        events.waiting().count()
    };
    assert_eq!((configure(6), configure(6)), (1, 0));
    assert_eq!(configure(7), 1, "it is another one");
    assert_eq!((configure(2), configure(2)), (0, 0));
    assert_eq!(configure(7), 1, "it worked in between");
}

/// A speaker with this latency, in frames at 48 kHz. The test takes the frames from its ring.
struct Headphones {
    ring: Arc<AtomicUsize>,
    latency: usize,
}

impl Speaker for Headphones {
    fn write(&mut self, data: &[f32]) -> usize {
        self.ring.fetch_add(data.len() / 2, Ordering::Relaxed);
        data.len() / 2
    }

    fn queued(&self) -> usize {
        self.waiting() + self.latency
    }

    fn waiting(&self) -> usize {
        self.ring.load(Ordering::Relaxed)
    }

    fn set_volume(&mut self, _: f32) {}

    fn underruns(&self) -> u64 {
        0
    }

    fn failed(&self) -> Option<String> {
        None
    }
}

#[test]
fn a_speaker_with_a_long_latency_plays_a_file_to_its_end() {
    let at = Timestamp::from_millis;
    let (mut decoding, ring) = (AudioDecoding::default(), Arc::new(AtomicUsize::new(0)));
    let speaker = Headphones { ring: Arc::clone(&ring), latency: 9_600 };
    decoding.attach(Box::new(speaker), 48_000, 2);
    for ms in (0..1_000).step_by(20) {
        let data = vec![0.5_f32; 960 * 2].into();
        decoding.take_decoded(SampleBlock { pts: at(ms), rate: 48_000, channels: 2, data });
    }
    let mut position = decoding.seek(at(0), false);
    let mut last = position;
    for ms in (0..1_400).step_by(10) {
        assert!(!decoding.is_drained(at(ms)) || ms >= 1_200, "{ms}");
        position = decoding.position_played().unwrap_or(position.offset(10_000));
        assert!(position >= last, "{position:?} after {last:?}");
        last = position;
        decoding.play(at(ms), position, 1.0, 1.0, true, &mut |_| {});
        // At most 150 ms wait, in addition to the latency.
        let waiting = ring.load(Ordering::Relaxed);
        assert!(waiting <= 160 * 48, "{waiting}");
        ring.store(waiting.saturating_sub(480), Ordering::Relaxed);
    }
    assert_eq!((decoding.samples, decoding.latency()), (48_000, 200_000));
    assert!(decoding.is_drained(at(1_400)) && position > at(1_000), "{position:?}");
}

#[test]
fn a_live_stream_with_a_short_buffer_plays_on_a_speaker_with_a_long_latency() {
    let at = Timestamp::from_millis;
    for (buffer, latency) in
        [(60, 40), (100, 0), (100, 40), (100, 60), (100, 100), (100, 200), (300, 300)]
    {
        let (mut decoding, ring) = (AudioDecoding::default(), Arc::new(AtomicUsize::new(0)));
        let speaker = Headphones { ring: Arc::clone(&ring), latency: latency * 48 };
        decoding.attach(Box::new(speaker), 48_000, 2);
        let mut reception = Reception::of_live(Duration::from_millis(buffer));
        let mut playout = Playout::default();
        // Frames of silence, and frames that the speaker missed.
        let (mut silent, mut missed) = (0, 0);
        for ms in (0..20_000).step_by(10) {
            let now = at(ms);
            if ms > 0 && ms % 20 == 0 {
                let (pts, data) = (at(ms - 20), vec![0.5_f32; 960 * 2].into());
                reception.arrived(Track::Audio, pts, now);
                decoding.take_decoded(SampleBlock { pts, rate: 48_000, channels: 2, data });
            }
            reception.set_speaker_latency(decoding.latency());
            let received = reception.received(now);
            match playout.step(now, &received, decoding.position_played()) {
                Change::None => {}
                Change::Started(to) | Change::Jumped(to) => {
                    playout.set_position(decoding.seek(to, true));
                }
                Change::Resumed(to) => playout.set_position(decoding.seek(to, false)),
                Change::Stalled => reception.broke(now),
            }
            if playout.is_running() {
                let (position, speed) = (playout.position(), playout.speed());
                decoding.play(now, position, speed, 1.0, false, &mut |audio| {
                    silent += audio.data.iter().filter(|sample| **sample == 0.0).count() / 2;
                });
                let waiting = ring.load(Ordering::Relaxed);
                missed += 480_usize.saturating_sub(waiting);
                ring.store(waiting.saturating_sub(480), Ordering::Relaxed);
            }
        }
        let played = decoding.samples;
        let what = format!("{buffer} and {latency} ms: {played} played, {silent}, {missed}");
        assert!(played > 19_000 * 48 && silent <= 100 * 48 && missed <= 20 * 48, "{what}");
    }
}
