//! A test film: ffmpeg makes it, and the tests send its encoded packets to a hub in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use onair::base::queue::{self, Full, Sender};
use onair::broadcast::Hub;
use onair::media::{EncodedPacket, StreamConfig, StreamEvent, TrackConfig};
use onair::wire::container::flv::{Reader, TagEvent, TagKind};

use crate::peers::{Peer, ffmpeg};

/// Length of the film in seconds. It repeats until the projection ends.
pub const SECONDS: i64 = 4;

/// Reads the config of the stream and all packets from the tags of a reader.
pub fn read(reader: &mut Reader) -> (StreamConfig, Vec<EncodedPacket>) {
    let (mut parameters, mut packets) = (StreamConfig::default(), Vec::new());
    while let Some(read) = reader.next_tag().unwrap() {
        if read.tag.kind == TagKind::Script {
            continue;
        }
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Video(it))) => {
                    parameters.video = Some(it);
                }
                TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(it))) => {
                    parameters.audio = Some(it);
                }
                TagEvent::Event(StreamEvent::Packet(packet)) => packets.push(packet),
                // ffmpeg sends color information in a command frame (Enhanced RTMP).
                TagEvent::Colors(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    (parameters, packets)
}

pub struct Film {
    pub parameters: StreamConfig,
    packets: Vec<EncodedPacket>,
}

impl Film {
    /// Makes the film: 640×360, 30 fps, a keyframe every 2 s, H.264 and AAC, with moving video.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("film.flv");
        let mut words = vec!["-hide_banner", "-nostdin", "-y"];
        words.extend(["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=4"]);
        words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"]);
        words.extend(["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency"]);
        words.extend(["-g", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-b:v", "800k"]);
        words.extend(["-c:a", "aac", "-b:a", "96k", "-ac", "2", "-f", "flv"]);
        words.push(file.to_str().unwrap());
        Peer::start("ffmpeg", words).wait_success(ffmpeg::limit(30));

        let mut reader = Reader::new(|_| true);
        reader.push(&std::fs::read(&file).unwrap());
        let (parameters, packets) = read(&mut reader);
        assert!(parameters.video.is_some() && parameters.audio.is_some());
        Self { parameters, packets }
    }

    /// Returns all packets, in file order.
    pub fn packets(&self) -> &[EncodedPacket] {
        &self.packets
    }

    /// Starts a hub and feeds it in real time until [`Projection::stop`] or for `seconds`.
    pub fn project(self, seconds: Option<u64>) -> Projection {
        let (sender, input) = queue::bounded("film", 64, Full::Block);
        let hub = Hub::spawn(self.parameters.clone(), input).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let its_over = Arc::clone(&over);
        let limit = seconds.map(Duration::from_secs);
        let thread = thread::spawn(move || self.run(&sender, &its_over, limit));
        Projection { hub, over, thread }
    }

    fn run(&self, sender: &Sender<EncodedPacket>, over: &AtomicBool, limit: Option<Duration>) {
        let start = Instant::now();
        for round in 0.. {
            // Session time does not begin with the stream, so the times are shifted.
            let shift = 7_000_000 + round * SECONDS * 1_000_000;
            for packet in &self.packets {
                // The audio of the film is slightly longer than its video.
                if packet.dts.as_micros() >= SECONDS * 1_000_000 {
                    continue;
                }
                let at = Duration::from_micros(
                    u64::try_from(round * SECONDS * 1_000_000 + packet.dts.as_micros())
                        .unwrap_or(0),
                );
                if over.load(Ordering::Relaxed) || limit.is_some_and(|limit| at >= limit) {
                    return;
                }
                // Outputs expect packets at the pace of an encoder.
                if let Some(wait) = at.checked_sub(start.elapsed()) {
                    thread::sleep(wait);
                }
                let mut packet = packet.clone();
                for time in [&mut packet.pts, &mut packet.dts, &mut packet.captured] {
                    *time = time.offset(shift);
                }
                if sender.send(packet).is_err() {
                    return;
                }
            }
        }
    }
}

pub struct Projection {
    pub hub: Hub,
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Projection {
    /// Ends the stream, and returns the hub.
    pub fn stop(self) -> Hub {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.hub
    }

    /// Waits until the film has been fed for the requested time, and returns the hub.
    pub fn wait(self) -> Hub {
        self.thread.join().unwrap();
        self.hub
    }
}

/// Checks what every file of this film must contain, as ffprobe reports it.
pub fn check(probe: &ffmpeg::Probe) {
    assert_eq!(probe.warnings, "");
    let (video, audio) = (probe.stream("video"), probe.stream("audio"));
    assert_eq!(
        (video["codec_name"].as_str(), audio["codec_name"].as_str()),
        (Some("h264"), Some("aac"))
    );
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(640), Some(360)));
    let (pictures, sounds) = (probe.packets("video"), probe.packets("audio"));
    assert!(pictures[0].keyframe, "does not begin with a keyframe");
    for packets in [&pictures, &sounds] {
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "DTS not monotonic");
    }
    let apart = (pictures[0].pts - sounds[0].pts).abs();
    assert!(apart <= 0.05, "picture and sound begin {apart} s apart");
    let keyframes: Vec<f64> =
        pictures.iter().filter(|packet| packet.keyframe).map(|packet| packet.dts).collect();
    assert!(
        keyframes.windows(2).all(|pair| (pair[1] - pair[0] - 2.0).abs() < 0.002),
        "{keyframes:?}"
    );
}
