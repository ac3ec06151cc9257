//! Tests of the commands and the end of a recording while the stream continues and audio arrives
//! later.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;

use crate::base::queue::{self, Empty, Full, Sender};
use crate::base::{Stop, Timestamp};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::gop::tests::{of_rendition, packet};
use crate::broadcast::output::Output;
use crate::broadcast::recorder::commands::note_reach;
use crate::broadcast::recorder::{
    END_GRACE, Event, POLL_INTERVAL, PendingCommand, Recorder, RecorderCommand, State,
};
use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, RenditionId, StreamConfig, Track,
};

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

/// A recording of video and audio, for which the hub waits as long as necessary.
struct Show {
    packets: Sender<EncodedPacket>,
    hub: Hub,
    recorder: Recorder,
    _folder: TempDir,
}

impl Show {
    fn begin() -> Self {
        Self::begin_with(true, TEST_TIMEOUT)
    }

    /// Begins with or without video, and with this audio delay.
    fn begin_with(has_video: bool, audio_delay: Duration) -> Self {
        let (packets, input) = queue::bounded("test", 256, Full::Block);
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let audio = AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            codec_config: Bytes::from_static(&[0x11, 0x90]),
        };
        let config = StreamConfig { video: has_video.then_some(video), audio: Some(audio) };
        let hub = Hub::spawn(config, input).unwrap();
        hub.set_audio_delay(audio_delay);
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(&folder.path().join("show.flv"), &hub).unwrap();
        assert!(matches!(recorder.events().recv(), Some(Event::Began(_))));
        Self { packets, hub, recorder, _folder: folder }
    }

    fn send(&self, packet: EncodedPacket) {
        assert!(self.packets.send(packet).unwrap());
    }

    /// Sends the frames of this time span in milliseconds.
    fn send_video(&self, from: i64, to: i64) {
        let frames = (from..to).step_by(40).map(|dts| of_rendition(RenditionId::Main, dts));
        frames.for_each(|frame| self.send(frame));
    }

    /// Sends the audio of this time span in milliseconds.
    fn send_audio(&self, from: i64, to: i64) {
        let blocks = (from..to).step_by(20).map(|dts| packet(Track::Audio, dts));
        blocks.for_each(|block| self.send(block));
    }

    /// Waits until the hub has taken all packets.
    fn settle(&self) {
        let feed = self.hub.feed();
        wait_for("taken packets", || feed.reach(feed.given()).is_some());
    }

    /// Sends the first half second of audio. Once the recorder has taken it, it knows where the file
    /// ends.
    fn send_half_a_second_of_audio(&self) {
        self.send_audio(40, 520);
        let feed = self.hub.feed();
        wait_for("frames", || feed.handed_out() >= Timestamp::from_millis(500));
        wait_for("empty queue", || self.recorder.backlog().is_zero());
    }
}

#[test]
fn a_recording_keeps_its_end_while_audio_arrives_later() {
    let show = Show::begin();
    show.send_audio(0, 40);
    show.send_video(0, 1_000);
    show.recorder.ask_to_stop(TEST_TIMEOUT);
    let event = show.recorder.events().recv_timeout(END_GRACE + 2 * POLL_INTERVAL);
    assert_eq!(event, Err(Empty::Waiting), "the recording does not wait for its audio");
    show.send_half_a_second_of_audio();
    show.send_video(1_000, 3_000);
    show.send_audio(520, 3_000);
    let figures = show.recorder.finish(TEST_TIMEOUT);
    assert_eq!((figures.state, figures.duration), (State::Finished, Duration::from_secs(1)));
}

#[test]
fn commands_apply_at_their_request_while_audio_arrives_later() {
    let mut show = Show::begin();
    let wait_paused = |show: &Show, paused| {
        wait_for("command", || show.recorder.figures().paused == paused);
    };
    show.send_audio(0, 40);
    show.send_video(0, 1_000);
    show.settle();
    show.recorder.chapter("Act");
    show.send_video(1_000, 2_000);
    show.settle();
    show.recorder.pause();
    wait_paused(&show, true);
    show.send_video(2_000, 6_000);
    show.settle();
    show.recorder.resume();
    wait_paused(&show, false);
    show.send_video(6_000, 7_000);
    show.settle();
    show.recorder.ask_to_stop(TEST_TIMEOUT);
    show.send_half_a_second_of_audio();
    show.send_video(7_000, 8_000);
    show.send_audio(520, 8_000);
    show.recorder.stop(TEST_TIMEOUT);
    let figures = show.recorder.figures();
    // The four seconds of the pause are not in the file.
    assert_eq!((figures.state, figures.duration), (State::Finished, Duration::from_secs(3)));
    let chapter = Event::Chapter { at: Duration::from_secs(1), title: "Act".into() };
    assert!(show.recorder.events().waiting().any(|event| event == chapter));
}

#[test]
fn commands_of_an_audio_recording_apply_at_their_request_while_audio_arrives_later() {
    let mut show = Show::begin_with(false, Duration::from_secs(1));
    // The audio of the next second is not in the hub yet.
    show.send_audio(0, 1_000);
    show.settle();
    show.recorder.chapter("Act");
    show.send_audio(1_000, 3_000);
    show.settle();
    drop(show.packets);
    show.hub.finish(TEST_TIMEOUT).unwrap();
    show.recorder.stop(TEST_TIMEOUT);
    let at = show.recorder.events().waiting().find_map(|event| match event {
        Event::Chapter { at, .. } => Some(at),
        _ => None,
    });
    let (at, expected) = (at.unwrap(), Duration::from_secs(2));
    assert!(at.abs_diff(expected) < Duration::from_millis(50), "{at:?}");
}

#[test]
fn a_command_behind_another_applies_at_its_request() {
    let show = Show::begin();
    let feed = show.hub.feed();
    let command = |command| PendingCommand { command, given: feed.given(), reach: None };
    show.send_video(0, 1_000);
    let mut pending = VecDeque::from([command(RecorderCommand::Pause)]);
    show.send_video(1_000, 2_000);
    pending.push_back(command(RecorderCommand::Resume));
    show.settle();
    note_reach(&mut pending, &feed);
    show.send_video(2_000, 3_000);
    show.settle();
    note_reach(&mut pending, &feed);
    let reached = pending.iter().map(|it| it.reach);
    assert!(reached.eq([Some(Timestamp::from_millis(1_960)); 2]), "{pending:?}");
}

#[test]
fn a_split_asks_for_its_keyframe_at_once_although_audio_arrives_later() {
    let show = Show::begin();
    let asked = Arc::new(AtomicUsize::new(0));
    let its_asked = Arc::clone(&asked);
    show.hub.on_keyframe_wanted(move || {
        its_asked.fetch_add(1, Ordering::SeqCst);
    });
    show.send_audio(0, 40);
    show.send_video(0, 1_000);
    show.settle();
    show.recorder.split();
    wait_for("keyframe request", || asked.load(Ordering::SeqCst) == 1);
}
