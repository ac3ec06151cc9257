//! Tests of the audio decoder.

use super::*;
use crate::base::Clock;
use crate::media::BitsPerSecond;
use crate::player::session::config::{Config, Source};

#[test]
fn what_a_late_presenter_did_not_pass_on_is_passed_on_when_playing_goes_on() {
    let at = Timestamp::from_millis;
    let mut decoding = AudioDecoding::new();
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
    let mut decoding = AudioDecoding::new();
    let mut configure = |channels| {
        let parameters = AudioConfig {
            codec: AudioCodec::PcmS16Le,
            sample_rate: 48_000,
            channels,
            bitrate: BitsPerSecond(0),
            config: bytes::Bytes::new(),
        };
        decoding.take(BufferedPacket::Configure(parameters), &shared);
        events.waiting().count()
    };
    assert_eq!((configure(6), configure(6)), (1, 0));
    assert_eq!(configure(7), 1, "it is another one");
    assert_eq!((configure(2), configure(2)), (0, 0));
    assert_eq!(configure(7), 1, "it worked in between");
}
