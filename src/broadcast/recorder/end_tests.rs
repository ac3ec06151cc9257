//! Tests of the end of a recording while the stream continues.

use std::time::Duration;

use bytes::Bytes;

use crate::base::queue::{self, Empty, Full};
use crate::base::{Stop, Timestamp};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::gop::tests::{of_rendition, packet};
use crate::broadcast::output::Output;
use crate::broadcast::recorder::{END_GRACE, Event, POLL_INTERVAL, Recorder, State};
use crate::media::{AudioCodec, AudioConfig, BitsPerSecond, RenditionId, StreamConfig, Track};

const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until the condition is true.
fn wait_for(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..TEST_TIMEOUT.as_millis() {
        if is_true() {
            return;
        }
        Stop::new().wait(Duration::from_millis(1));
    }
    panic!("no {what}");
}

#[test]
fn a_recording_keeps_its_end_while_audio_arrives_later() {
    let (packets, input) = queue::bounded("test", 256, Full::Block);
    let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
    let audio = AudioConfig {
        codec: AudioCodec::Aac,
        sample_rate: 48_000,
        channels: 2,
        bitrate: BitsPerSecond(128_000),
        codec_config: Bytes::from_static(&[0x11, 0x90]),
    };
    let hub = Hub::spawn(StreamConfig { video: Some(video), audio: Some(audio) }, input).unwrap();
    hub.set_audio_delay(TEST_TIMEOUT);
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(&folder.path().join("show.flv"), &hub).unwrap();
    assert!(matches!(recorder.events().recv(), Some(Event::Began(_))));
    let send = |packet| assert!(packets.send(packet).unwrap());
    let frames = |from: i64, to: i64| {
        let frames = (from..to).step_by(40).map(|dts| of_rendition(RenditionId::Main, dts));
        frames.for_each(send);
    };
    let blocks = |from: i64, to: i64| {
        let blocks = (from..to).step_by(20).map(|dts| packet(Track::Audio, dts));
        blocks.for_each(send);
    };
    blocks(0, 40);
    frames(0, 1_000);
    recorder.ask_to_stop(TEST_TIMEOUT);
    let event = recorder.events().recv_timeout(END_GRACE + 2 * POLL_INTERVAL);
    assert_eq!(event, Err(Empty::Waiting), "the recording does not wait for its audio");
    // Once the recorder has taken these packets, it knows where the file ends.
    blocks(40, 520);
    wait_for("frames", || hub.feed().handed_out() >= Timestamp::from_millis(500));
    wait_for("empty queue", || recorder.backlog().is_zero());
    frames(1_000, 3_000);
    blocks(520, 3_000);
    let figures = recorder.finish(TEST_TIMEOUT);
    assert_eq!((figures.state, figures.duration), (State::Finished, Duration::from_secs(1)));
}
