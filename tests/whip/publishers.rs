//! Many publishers at once: the server takes all of them, and their memory comes back.

use std::time::Duration;

use bytes::Bytes;

use crate::peers::resources::Resources;
use crate::peers::{self, LIMIT, Onair};
use onair::base::{Clock, Timestamp, queue};
use onair::broadcast::{Hub, Publisher, State, Target, TargetAddress};
use onair::media::{
    BitsPerSecond, EncodedPacket, FrameRate, Priority, Rotation, Size, StreamConfig, Track,
    VideoCodec, VideoConfig,
};
use onair::wire::codec::h264::DecoderConfig;

const PUBLISHERS: usize = 100;
const SPS: &[u8] =
    b"\x67\x64\0\x20\xac\xd9\x40\xc0\x29\xb0\x11\0\0\x03\0\x01\0\0\x03\0\x32\x0f\x18\x31\x96";
const PPS: &[u8] = b"\x68\xeb\xe3\xcb\x22\xc0";
/// Time of the frames, in which every publisher has a keyframe each second.
const FRAME_MILLIS: i64 = 40;

fn config() -> StreamConfig {
    let record = DecoderConfig::new(Bytes::from_static(SPS), Bytes::from_static(PPS)).unwrap();
    let video = VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(768, 644),
        frame_rate: FrameRate::new(25, 1).unwrap(),
        bitrate: BitsPerSecond(100_000),
        codec_config: record.build().unwrap(),
        pixel_aspect: None,
        rotation: Rotation::None,
    };
    StreamConfig { video: Some(video), audio: None }
}

/// Makes a frame with a slice that nobody decodes.
fn frame(number: i64, clock: Clock) -> EncodedPacket {
    let keyframe = number % 25 == 0;
    let mut data = vec![0, 0, 0x01, 0x90, if keyframe { 0x65 } else { 0x41 }];
    data.resize(4 + 0x190, 0xA5);
    EncodedPacket {
        track: Track::Video,
        pts: Timestamp::from_millis(number * FRAME_MILLIS),
        dts: Timestamp::from_millis(number * FRAME_MILLIS),
        keyframe,
        priority: if keyframe { Priority::Key } else { Priority::Inter },
        data: data.into(),
        captured: clock.now(),
        rendition: None,
    }
}

#[test]
fn a_hundred_publishers_are_served_and_leave_no_memory_behind() {
    peers::in_real_time!(a_hundred_publishers_are_served_and_leave_no_memory_behind);
    let any = "127.0.0.1:0";
    let mut server = Onair::start(&[
        "serve",
        "--rtmp",
        any,
        "--http",
        any,
        "--webrtc",
        any,
        "--max-per-address",
        "1000",
    ]);
    let ready = server.wait_named("ready");
    let http = ready["http"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let start = Resources::of(server.peer.id());
    let (clock, runtime) = (Clock::start(), onair::net::Runtime::start().unwrap());
    let (packets, input) = queue::bounded("packets", 64, queue::Full::Block);
    let hub = Hub::spawn(config(), input).unwrap();
    let publishers: Vec<Publisher> = (0..PUBLISHERS)
        .map(|number| {
            let url = format!("whip://{http}/live/show{number}/whip");
            let target = Target::new(TargetAddress::parse(&url, None).unwrap());
            Publisher::start(&runtime, target, &hub, clock)
        })
        .collect();
    let mut number = 0;
    let mut send = |seconds: i64| {
        for _ in 0..seconds * 1_000 / FRAME_MILLIS {
            packets.send(frame(number, clock)).unwrap();
            number += 1;
            std::thread::sleep(Duration::from_millis(FRAME_MILLIS as u64));
        }
    };
    let live =
        |state: State| publishers.iter().filter(|publisher| publisher.state() == state).count();
    let mut seconds = 0;
    while live(State::Live) < PUBLISHERS {
        send(1);
        seconds += 1;
        assert!(seconds < 60, "{} of {PUBLISHERS} are live", live(State::Live));
    }
    send(3);
    let frames = publishers.iter().map(|it| it.figures().total_frames);
    let least = frames.min().unwrap();
    println!("{PUBLISHERS} publishers live after {seconds} s, at least {least} frames each");
    assert!(least >= 60, "{least} frames");
    assert_eq!(live(State::Live), PUBLISHERS, "all stay");
    println!("{} MiB more while they publish", start.growth() >> 20);
    for publisher in &publishers {
        publisher.ask_to_stop(LIMIT);
    }
    peers::wait_for("the end of all", LIMIT, || live(State::Stopped) == PUBLISHERS);
    drop((publishers, packets, hub));
    runtime.shutdown(Duration::from_secs(5));
    let events = server.events();
    let count = |name: &str| {
        events.iter().filter(|it| it["event"] == name && it["protocol"] == "whip").count()
    };
    assert_eq!(count("publish"), PUBLISHERS);
    start.returned("a hundred publishers");
    server.stop(LIMIT);
}
