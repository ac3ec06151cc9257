//! Tests lip sync over the whole path for ten hours, and with the opposite drift for three. Three
//! clocks are inaccurate: the microphone's crystal, the viewer's clock and the viewer's speaker are
//! each off by 200 ppm.
//!
//! Time is simulated, and the code is real: the microphone's feed with its drift correction, the
//! mixer, the audio encoder's thread, the FLV writer and reader, and the player's timeline, jitter
//! buffer, clock and audio. The sockets are missing, and so are the codecs, which are independent
//! of time: packets carry samples and frame numbers. All audio has 500 samples per second, because
//! ten hours with 48,000 take too long in a debug build. Only the smallest step depends on the
//! rate; it is 2 ms here.
//!
//! Each sample encodes its time as a sine and its cosine, with a period of ten seconds. The audio
//! that leaves the speaker while a frame is displayed is compared with the frame's own time.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;

use crate::audio::{Context, Microphone};
use crate::base::queue::{self, Full};
use crate::base::{Clock, Timestamp, Worker};
use crate::encode::audio::simulated as encoder;
use crate::media::playback_control::EndBehavior;
use crate::media::{
    AudioCodec, BitsPerSecond, Codec, EncodedPacket, FrameGrid, Priority, Rotation, Size, Track,
    TrackConfig, VideoCodec, VideoConfig,
};
use crate::mix::{self, Mix};
use crate::player::Speaker;
use crate::player::simulated::{SimulatedFault, Viewer};
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::container::flv;
use crate::wire::container::flv::TagKind;

const SAMPLE_RATE_HZ: u32 = 500;
const CHANNEL_COUNT: u16 = 2;
/// The period of the sine in seconds.
const SINE_PERIOD_SECONDS: f64 = 10.0;
/// The interval in microseconds at which the viewer's side runs, which is also the speaker's block
/// length.
const VIEWER_INTERVAL_MICROS: i64 = 20_000;
/// The time in microseconds after which captured audio and video leave the sender.
const SENDER_DELAY_MICROS: i64 = 900_000;

/// A small, seeded source of random numbers: microseconds below a limit.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) % limit) as i64
    }
}

/// Errors at the sender.
#[derive(Default)]
struct Faults {
    /// The number of blocks for which the microphone's audio was missing.
    missing: Arc<AtomicU64>,
    /// Samples that the encoder inserted or dropped.
    repaired: Arc<AtomicU64>,
}

/// Runs the microphone, the mixer and the encoder for this many hours of packets.
fn hear(
    (hours, ppm): (i64, f64),
    clock: Clock,
    grid: FrameGrid,
    output: queue::Sender<EncodedPacket>,
    faults: &Faults,
) -> [Worker; 2] {
    let (program, input) = queue::bounded("program", 16, Full::Block);
    let audio_config = encoder::audio_config(SAMPLE_RATE_HZ, CHANNEL_COUNT);
    let encoder = encoder::spawn(audio_config, input, output, Arc::clone(&faults.repaired));
    let missing = Arc::clone(&faults.missing);
    let mixer = Worker::spawn("simulated-mixer", move |_| {
        let context = Context {
            clock,
            grid,
            rate: SAMPLE_RATE_HZ,
            channels: CHANNEL_COUNT,
            at_end: EndBehavior::Loop,
        };
        let (mut microphone, feed) = Microphone::plug_in(&context, SAMPLE_RATE_HZ);
        let config = mix::Config {
            rate: SAMPLE_RATE_HZ,
            channels: CHANNEL_COUNT,
            origin: grid.origin,
            clock,
        };
        let mut mixer = Mix::of(config, feed);
        let crystal = f64::from(SAMPLE_RATE_HZ) * (1.0 + ppm * 1e-6);
        let (mut frame, mut noise) = (0_i64, Noise(1));
        let mut audio = Vec::new();
        for block in 0..hours * 36_000 {
            // A block is requested half a second late, because at this rate the resampler needs a
            // long look-ahead.
            let now = (block + 6) as f64 * 0.1;
            while (frame + 10) as f64 / crystal < now {
                let at = grid.origin.offset((frame as f64 / crystal * 1e6) as i64);
                audio.clear();
                for frame in frame..frame + 10 {
                    let angle = (frame as f64 / crystal / SINE_PERIOD_SECONDS).fract() * TAU;
                    audio.extend([angle.sin() as f32 * 0.5, angle.cos() as f32 * 0.5]);
                }
                // Drivers use the time at which they were called as the timestamp.
                microphone.hear(at.offset(noise.below(1_000)), &audio);
                frame += 10;
            }
            let (samples, whole) = mixer.block(block * 50, 50);
            missing.fetch_add(u64::from(!whole), Ordering::Relaxed);
            if program.send(samples).is_err() {
                return;
            }
        }
    });
    [encoder, mixer.unwrap()]
}

fn video_packet(index: i64, grid: FrameGrid) -> EncodedPacket {
    let at = grid.instant(index);
    let keyframe = index % 60 == 0;
    let mut data = BytesMut::new();
    data.put_u32(9);
    data.put_u8(if keyframe { 0x65 } else { 0x41 });
    data.put_i64(index);
    EncodedPacket {
        track: Track::Video,
        pts: at,
        dts: at,
        keyframe,
        priority: if keyframe { Priority::Key } else { Priority::Inter },
        data: data.freeze(),
        captured: at,
        rendition: None,
    }
}

fn number(data: &Bytes) -> i64 {
    i64::from_be_bytes(data[5..].try_into().unwrap())
}

fn video_config(grid: FrameGrid) -> VideoConfig {
    let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
    let config = DecoderConfig {
        profile_idc: 66,
        constraints: 0xc0,
        level_idc: 10,
        length_size: 4,
        sps: vec![Bytes::copy_from_slice(&sps)],
        pps: vec![Bytes::copy_from_slice(&pps)],
        extension: None,
    };
    VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(160, 120),
        frame_rate: grid.rate,
        bitrate: BitsPerSecond(100_000),
        codec_config: config.build().unwrap(),
        pixel_aspect: None,
        rotation: Rotation::None,
    }
}

/// The viewer's device: queued and played audio.
#[derive(Default)]
struct Played {
    waiting: VecDeque<[f32; 2]>,
    count: i64,
    /// The sample that leaves the device now.
    now: Option<[f32; 2]>,
}

struct Device(Arc<Mutex<Played>>);

impl Speaker for Device {
    fn write(&mut self, data: &[f32]) -> usize {
        let frames = data.as_chunks::<2>().0;
        self.0.lock().waiting.extend(frames);
        frames.len()
    }

    fn queued(&self) -> usize {
        self.0.lock().waiting.len()
    }

    fn set_volume(&mut self, _: f32) {}

    fn underruns(&self) -> u64 {
        0
    }

    fn failed(&self) -> Option<String> {
        None
    }
}

/// Returns the seconds from the frame's time to the audio's time, within one period.
fn apart(audio: [f32; 2], instant: f64) -> f64 {
    let angle = f64::from(audio[0]).atan2(f64::from(audio[1]));
    let off = angle / TAU - (instant / SINE_PERIOD_SECONDS).fract();
    (off - off.round()) * SINE_PERIOD_SECONDS
}

/// The result of a run.
struct Outcome {
    hours: i64,
    /// The maximum difference in milliseconds, over all frames except those of the first seconds.
    worst: f64,
    shown: i64,
    trouble: SimulatedFault,
}

/// Writes a packet as an FLV tag, with the time since the stream has `begun`.
fn tag(packet: &EncodedPacket, begun: Timestamp) -> Bytes {
    let (kind, codec) = match packet.track {
        Track::Video | Track::Rendition(_) => (TagKind::Video, Codec::Video(VideoCodec::H264)),
        Track::Audio | Track::Extra(_) => (TagKind::Audio, Codec::Audio(AudioCodec::Aac)),
    };
    let time_ms = (packet.dts.micros_since(begun).max(0) / 1_000) as u32;
    let mut out = BytesMut::new();
    flv::write_tag(kind, time_ms, &flv::packet_body(codec, packet).unwrap(), &mut out);
    out.freeze()
}

fn hours(hours: i64, [microphone_ppm, viewer_ppm, speaker_ppm]: [f64; 3]) -> Outcome {
    let clock = Clock::start();
    let grid = FrameGrid {
        origin: Timestamp::from_micros(1_234_567),
        rate: "24000/1001".parse().unwrap(),
    };
    let (output, audio) = queue::bounded("packets", 64, Full::Block);
    let faults = Faults::default();
    let workers = hear((hours, microphone_ppm), clock, grid, output, &faults);
    let mut start = BytesMut::from(&flv::file_header(true, true)[..]);
    for config in [
        TrackConfig::Video(video_config(grid)),
        TrackConfig::Audio(encoder::audio_config(SAMPLE_RATE_HZ, CHANNEL_COUNT)),
    ] {
        let kind = if config.track() == Track::Video { TagKind::Video } else { TagKind::Audio };
        flv::write_tag(kind, 0, &flv::config_body(&config).unwrap(), &mut start);
    }
    let played = Arc::new(Mutex::new(Played::default()));
    let mut viewer =
        Viewer::new(Box::new(Device(Arc::clone(&played))), SAMPLE_RATE_HZ, CHANNEL_COUNT);
    viewer.receive(&start, Timestamp::ZERO);
    let (mut next_audio, mut next_frame) = (audio.recv(), video_packet(0, grid));
    let (mut sent, mut begun) = (1, None);
    let (mut noise, mut last_arrival) = (Noise(2), 0);
    // Packets in transit: the arrival time by the sender's clock, and the packet.
    let mut wire: VecDeque<(i64, Bytes)> = VecDeque::new();
    let mut outcome = Outcome { hours, worst: 0.0, shown: 0, trouble: SimulatedFault::default() };
    // The viewer's clock has another zero point than the sender's, and another speed.
    for step in 0_i64.. {
        let now = step * VIEWER_INTERVAL_MICROS;
        let sender = (now as f64 / (1.0 + viewer_ppm * 1e-6)) as i64 + grid.origin.as_micros();
        while let Some(packet) = &next_audio {
            let first = if packet.dts <= next_frame.dts { packet } else { &next_frame };
            let leaves = first.dts.as_micros() + SENDER_DELAY_MICROS;
            if leaves > sender {
                break;
            }
            last_arrival = last_arrival.max(leaves + 8_000 + noise.below(5_000));
            let begun = *begun.get_or_insert(first.dts);
            wire.push_back((last_arrival, tag(first, begun)));
            if first.track == Track::Audio {
                next_audio = audio.recv();
            } else {
                next_frame = video_packet(sent, grid);
                sent += 1;
            }
        }
        let now = Timestamp::from_micros(now);
        while wire.front().is_some_and(|(arrival, _)| *arrival <= sender) {
            let Some((_, bytes)) = wire.pop_front() else { break };
            viewer.receive(&bytes, now);
        }
        if next_audio.is_none() && wire.is_empty() {
            break;
        }
        {
            let mut played = played.lock();
            let due = now.as_secs_f64() * f64::from(SAMPLE_RATE_HZ) * (1.0 + speaker_ppm * 1e-6);
            while played.count < due as i64 {
                played.count += 1;
                played.now = played.waiting.pop_front();
            }
        }
        viewer.step(now, &mut |data, late| {
            let index = number(data);
            outcome.shown += 1;
            // In the first seconds, the drift of the clocks is still being measured.
            if index < 24 * 20 {
                return;
            }
            let instant = grid.instant(index).micros_since(grid.origin) + late;
            let off = match played.lock().now {
                Some(audio) => apart(audio, instant as f64 / 1e6) * 1e3,
                None => f64::INFINITY,
            };
            outcome.worst = outcome.worst.max(off.abs());
            assert!(
                off.abs() < 20.0,
                "{off:.1} ms apart {} s after the start",
                instant / 1_000_000
            );
        });
    }
    outcome.trouble = viewer.trouble();
    for mut worker in workers {
        worker.wait(Duration::from_secs(30)).unwrap();
    }
    // The first blocks are requested before the device has started.
    let [missing, repaired] =
        [&faults.missing, &faults.repaired].map(|it| it.load(Ordering::Relaxed));
    assert!(missing <= 20 && repaired == 0, "{missing} blocks, {repaired} samples");
    outcome
}

fn check(outcome: &Outcome) {
    eprintln!(
        "at most {:.1} ms apart, {} pictures, {:?}",
        outcome.worst, outcome.shown, outcome.trouble
    );
    let SimulatedFault { stalled, jumped, damaged, underruns, dropped } = outcome.trouble;
    assert_eq!((stalled, jumped, damaged, underruns, dropped), (0, 0, 0, 0, 0));
    let all = outcome.hours * 3_600 * 24_000 / 1_001;
    assert!(outcome.shown > all - 24 * 5, "{} of {all} pictures", outcome.shown);
}

#[test]
fn video_and_audio_stay_together_for_ten_hours_of_a_fast_microphone() {
    check(&hours(10, [200.0, -200.0, 200.0]));
}

/// Tests three hours. An error of 200 ppm would reach one second after half of that time.
#[test]
fn video_and_audio_stay_together_for_three_hours_of_a_slow_microphone() {
    check(&hours(3, [-200.0, 200.0, -200.0]));
}
