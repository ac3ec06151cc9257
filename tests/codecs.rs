//! Tests of encoders and decoders from end to end. Video and audio pass through an encoder and a
//! decoder of onair or ffmpeg. The output must resemble the input, keep its timestamps and stay
//! within the bitrate. Damaged packets must do no harm.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::peers;
use onair::base::{Pooled, Timestamp, queue};
use onair::decode;
use onair::encode::{self, AudioEncoder, Choice, Preset, RateControl, VideoEncoder};
use onair::media::samples::micros_to_frames;
use onair::media::{
    BitsPerSecond, Color, EncodedPacket, FrameGrid, Nv12, PixelAspect, Planes, SampleBlock, Size,
    Surface, VideoConfig, VideoFrame,
};
use onair::wire::codec::h264::DecoderConfig;
use onair::wire::container::flv::Reader;

const SIZE: Size = Size::new(640, 360);

fn grid(rate: &str) -> FrameGrid {
    FrameGrid { origin: Timestamp::from_millis(1_234), rate: rate.parse().unwrap() }
}

/// A frame with edges, gradients and motion; different for each `n`.
fn picture(size: Size, n: usize) -> Planes {
    let mut planes = Planes::black(size);
    let (w, h) = (size.width as usize, size.height as usize);
    for y in 0..h {
        for x in 0..w {
            let wave = ((x + 3 * n) / 8 + y / 8) % 2 * 60;
            planes.y[y * w + x] = (40 + wave + (x * 100 / w) + (y + n) % 16) as u8;
        }
    }
    for y in 0..h / 2 {
        for x in 0..w / 2 {
            planes.u[y * (w / 2) + x] = (96 + (x + n) * 64 / w) as u8;
            planes.v[y * (w / 2) + x] = (160 - (y + n) * 64 / h) as u8;
        }
    }
    planes
}

fn frame(pts: Timestamp, planes: Planes) -> VideoFrame {
    VideoFrame { pts, color: Color::PROGRAM, surface: Arc::new(Pooled::unpooled(planes)).into() }
}

fn video_config(size: Size, rate: &str, kbps: u32) -> encode::video::Config {
    encode::video::Config {
        size,
        frame_rate: rate.parse().unwrap(),
        bitrate: BitsPerSecond(kbps * 1_000),
        keyframe_interval: Duration::from_secs(2),
        encoder: Choice::Auto,
        preset: Preset::Auto,
        rate_control: RateControl::Cbr,
        b_frames: 0,
        look_ahead: 0,
    }
}

/// Encodes all frames; `each` sees the encoder before every frame.
fn encode_video(
    config: encode::video::Config,
    pictures: impl Iterator<Item = VideoFrame>,
    mut each: impl FnMut(usize, &VideoEncoder),
) -> (VideoEncoder, Vec<EncodedPacket>) {
    let (frames, input) = queue::bounded("frames", 1, queue::Full::Block);
    let (output, packets) = queue::bounded("packets", 1, queue::Full::Block);
    let encoder = VideoEncoder::spawn(config, input, output).unwrap();
    let mut out = Vec::new();
    for (n, picture) in pictures.enumerate() {
        each(n, &encoder);
        frames.send(picture).unwrap();
        out.push(packets.recv().expect("a packet for each picture"));
    }
    drop(frames);
    while let Some(packet) = packets.recv() {
        out.push(packet);
    }
    assert_eq!(encoder.failed(), None);
    (encoder, out)
}

fn encode_audio(
    config: encode::audio::Config,
    blocks: impl Iterator<Item = SampleBlock> + Send,
) -> (AudioEncoder, Vec<EncodedPacket>) {
    let (samples, input) = queue::bounded("samples", 4, queue::Full::Block);
    let (output, packets) = queue::bounded("packets", 4, queue::Full::Block);
    let encoder = AudioEncoder::spawn(config, input, output).unwrap();
    let mut out = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for block in blocks {
                samples.send(block).unwrap();
            }
        });
        while let Some(packet) = packets.recv() {
            out.push(packet);
        }
    });
    assert_eq!(encoder.failed(), None);
    (encoder, out)
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / sum.max(1e-9)).log10()
}

/// The same pixels on an NV12 surface.
fn as_nv12(frame: &VideoFrame) -> VideoFrame {
    let planes = frame.planes();
    let chroma = planes.u.iter().zip(&planes.v).flat_map(|(u, v)| [*u, *v]).collect();
    let pool = Planes::pool(frame.size(), 1);
    let nv12 = Nv12::new(frame.size(), (planes.y.clone(), chroma), pool);
    VideoFrame { surface: Surface::Nv12(Arc::new(nv12)), ..*frame }
}

#[test]
fn nv12_goes_through_compositor_and_encoder_as_i420_does() {
    use onair::compose::scene::SourceId;
    use onair::compose::{DrawResult, Program, SourceFrame};
    use onair::media::VideoFeed;

    /// Gives the frame for each requested instant.
    struct Feed(FrameGrid, fn(&VideoFrame) -> VideoFrame);

    impl VideoFeed for Feed {
        fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
            let planes = picture(SIZE, self.0.index_at(at) as usize);
            Some(self.1(&frame(at, planes)))
        }
    }

    let grid = grid("30");
    let composed = |surface: fn(&VideoFrame) -> VideoFrame, size: Size| {
        let mut program = Program::new(size);
        let feed: Box<dyn VideoFeed> = Box::new(Feed(grid, surface));
        let source = (SourceId::default(), SourceFrame::Feed(Some(feed)));
        program.handle([source].into(), None, None);
        (0..5).map(|n| program.frame(grid.instant(n))).collect::<Vec<_>>()
    };
    // Unscaled, and scaled.
    for size in [SIZE, Size::new(320, 180)] {
        let (nv12, i420) = (composed(as_nv12, size), composed(VideoFrame::clone, size));
        for ((ours, made), (theirs, _)) in nv12.iter().zip(&i420) {
            assert_eq!((*made, ours.size()), (DrawResult::New, size));
            assert!(ours.planes() == theirs.planes(), "{size}");
        }
    }
    let encoded = |surface: fn(&VideoFrame) -> VideoFrame| {
        let frames = (0..10).map(|n| surface(&frame(grid.instant(n), picture(SIZE, n as usize))));
        let (encoder, packets) = encode_video(video_config(SIZE, "30", 3_000), frames, |_, _| {});
        encoder.join(Duration::from_secs(30)).unwrap();
        packets.into_iter().map(|packet| (packet.pts, packet.data)).collect::<Vec<_>>()
    };
    assert_eq!(encoded(as_nv12), encoded(VideoFrame::clone));
}

#[test]
fn every_encoder_that_is_listed_opens_or_says_why() {
    let known = encode::known_encoders();
    let h264 = known.iter().find(|it| it.choice == Some(Choice::OpenH264)).unwrap();
    assert_eq!((h264.codec.name(), &h264.unavailable), ("H.264", &None));
    assert!(known.iter().any(|it| it.codec.name() == "AAC" && it.unavailable.is_none()));
    for choice in Choice::ALL.into_iter().filter(|choice| *choice != Choice::Auto) {
        assert!(known.iter().any(|it| it.choice == Some(choice) && it.name == choice.name()));
    }
}

#[test]
fn frames_decode_at_once_at_their_times_and_alike() {
    let grid = grid("29.97");
    let pictures = (0..90).map(|n| frame(grid.instant(n), picture(SIZE, n as usize)));
    let (encoder, packets) = encode_video(video_config(SIZE, "29.97", 3_000), pictures, |_, _| {});
    assert_eq!(packets.len(), 90);
    let figures = encoder.figures();
    assert_eq!((figures.encoded, figures.keyframes, figures.skipped), (90, 2, 0));
    assert_eq!(
        (figures.name, figures.profile, figures.level.as_str()),
        ("openh264", "High", "3.0")
    );
    let mut decoder = decode::open_video(encoder.config()).unwrap();
    for (n, packet) in packets.iter().enumerate() {
        let shown = decoder.decode(packet).unwrap();
        assert_eq!(shown.len(), 1, "no picture waits in a stream without B pictures");
        assert_eq!(shown[0].pts, grid.instant(n as i64));
        assert_eq!(shown[0].size(), SIZE);
        let original = picture(SIZE, n);
        let luma = psnr(&shown[0].planes().y, &original.y);
        assert!(luma > 33.0, "picture {n}: {luma:.1} dB");
        assert!(psnr(&shown[0].planes().u, &original.u) > 36.0);
    }
    assert!(decoder.flush().is_empty());
    encoder.join(Duration::from_secs(30)).unwrap();
}

#[test]
fn anamorphic_video_is_decoded_to_its_displayed_size() {
    let grid = grid("25");
    let pictures = (0..3).map(|n| frame(grid.instant(n), picture(SIZE, n as usize)));
    let (encoder, packets) = encode_video(video_config(SIZE, "25", 1_000), pictures, |_, _| {});
    for (width, height, size) in [(4, 3, Size::new(852, 360)), (3, 4, Size::new(640, 480))] {
        let pixel_aspect = PixelAspect::new(width, height);
        let config = VideoConfig { pixel_aspect, ..encoder.config().clone() };
        let mut decoder = decode::open_video(&config).unwrap();
        let shown = packets.iter().flat_map(|packet| decoder.decode(packet).unwrap());
        assert!(shown.map(|frame| frame.size()).eq([size; 3]));
    }
    encoder.join(Duration::from_secs(30)).unwrap();
}

fn audio_config(rate: u32, channels: u16) -> encode::audio::Config {
    encode::audio::Config {
        sample_rate: rate,
        channels,
        bitrate: BitsPerSecond(64_000 * u32::from(channels)),
        profile: encode::AudioProfile::Lc,
    }
}

/// Cuts interleaved samples into blocks of 10 ms.
fn blocks(
    origin: Timestamp,
    rate: u32,
    channels: u16,
    sound: &[f32],
) -> impl Iterator<Item = SampleBlock> + Send {
    let frames = rate as usize / 100;
    let pieces = sound.chunks(frames * usize::from(channels));
    pieces.enumerate().map(move |(n, data)| SampleBlock {
        pts: origin.offset((n * frames) as i64 * 1_000_000 / i64::from(rate)),
        rate,
        channels,
        data: data.to_vec().into(),
    })
}

/// Decodes to one channel's samples and the instant of the first.
fn decode_audio(encoder: &AudioEncoder, packets: &[EncodedPacket]) -> (Timestamp, Vec<f32>) {
    let mut decoder = decode::open_audio(encoder.config()).unwrap();
    let mut first = None;
    let mut sound = Vec::new();
    for packet in packets {
        if let Some(samples) = decoder.decode(packet).unwrap() {
            first.get_or_insert(samples.pts);
            sound.extend(samples.data.chunks(usize::from(samples.channels)).map(|each| each[0]));
        }
    }
    (first.unwrap(), sound)
}

/// By how many samples `decoded` lags behind `original`, by cross-correlation within ±`range`.
fn lag(original: &[f32], decoded: &[f32], range: i64) -> i64 {
    let score = |lag: i64| -> f64 {
        let pairs = original.iter().enumerate().filter_map(|(n, a)| {
            let b = decoded.get(usize::try_from(n as i64 + lag).ok()?)?;
            Some(f64::from(*a) * f64::from(*b))
        });
        pairs.sum()
    };
    (-range..=range).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap()
}

/// Noise that is the same for the same seed; smoothed, so that it survives encoding.
fn noise(len: usize, mut seed: u32) -> Vec<f32> {
    let mut last = 0.0;
    (0..len)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (seed >> 8) as f32 / (1 << 23) as f32 - 1.0;
            last += (white - last) * 0.2;
            last
        })
        .collect()
}

fn in_channels(mono: &[f32], channels: u16) -> Vec<f32> {
    mono.iter().flat_map(|value| std::iter::repeat_n(*value, channels.into())).collect()
}

#[test]
fn audio_decodes_completely_and_to_the_sample() {
    for (rate, channels) in [(48_000, 2), (44_100, 1), (48_000, 1), (32_000, 2), (16_000, 1)] {
        let origin = Timestamp::from_micros(777_777);
        let mono = noise(rate as usize, 7);
        let sound = in_channels(&mono, channels);
        let (encoder, packets) =
            encode_audio(audio_config(rate, channels), blocks(origin, rate, channels, &sound));
        let (first, decoded) = decode_audio(&encoder, &packets);
        let offset = micros_to_frames(first.micros_since(origin), rate);
        assert!(offset <= 0, "{rate}: the first sample is there");
        let decoded = &decoded[usize::try_from(-offset).unwrap()..];
        assert!(decoded.len() >= mono.len(), "{rate}: {} of {}", decoded.len(), mono.len());
        assert_eq!(lag(&mono[2_000..6_000], &decoded[2_000..8_000], 1_500), 0, "{rate} {channels}");
        for pair in packets.windows(2) {
            let step = pair[1].pts.micros_since(pair[0].pts);
            let exact = 1_024 * 1_000_000 / i64::from(rate);
            assert!((step - exact).abs() <= 1, "{rate}: {step}");
        }
    }
}

#[test]
fn keyframes_lie_on_the_grid_whatever_else_is_asked() {
    let grid = grid("30");
    let pictures = (0..150)
        .filter(|n| !(60..63).contains(n))
        .map(|n| frame(grid.instant(n), picture(SIZE, n as usize)));
    let (_, packets) = encode_video(video_config(SIZE, "30", 1_000), pictures, |n, encoder| {
        if n == 20 {
            encoder.keyframe_request()();
        }
    });
    let keys: Vec<_> =
        packets.iter().filter(|packet| packet.keyframe).map(|p| grid.index_at(p.pts)).collect();
    assert_eq!(keys, [0, 20, 63, 120]);
}

/// Coarse noise that moves, under fresh noise in each frame whose strength varies: as hard to
/// encode as video gets.
fn hard(size: Size, n: usize) -> Planes {
    let mut planes = Planes::black(size);
    let (w, h) = (size.width as usize, size.height as usize);
    let mut seed = 12_345_u32;
    let tile: Vec<u8> = (0..256 * 256)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .collect();
    let weight = 12 - 3 * ((n / 75) % 3);
    for y in 0..h {
        for x in 0..w {
            let moved = (y / 2 + n) % 256 * 256 + (x / 2 + 2 * n) % 256;
            let fresh = (y / 2 + 97 * n * n) % 256 * 256 + (x / 2 + 57 * n) % 256;
            planes.y[y * w + x] = 40 + tile[moved] / 4 + (usize::from(tile[fresh]) / weight) as u8;
        }
    }
    planes
}

/// The bitrate of each window of two seconds, as a fraction of `kbps`.
fn windows(packets: &[EncodedPacket], fps: usize, kbps: f64) -> Vec<f64> {
    let bits: Vec<f64> = packets.iter().map(|packet| packet.data.len() as f64 * 8.0).collect();
    bits.windows(2 * fps).map(|window| window.iter().sum::<f64>() / 2_000.0 / kbps).collect()
}

#[test]
fn two_seconds_of_hard_frames_have_the_set_bitrate_and_a_change_takes_effect() {
    let grid = grid("30");
    let pictures = (0..480).map(|n| frame(grid.instant(n), hard(SIZE, n as usize)));
    let (_, packets) = encode_video(video_config(SIZE, "30", 2_500), pictures, |n, encoder| {
        if n == 240 {
            encoder.set_bitrate(BitsPerSecond(1_500_000));
        }
    });
    for (part, kbps) in [(&packets[..240], 2_500.0), (&packets[300..], 1_500.0)] {
        let windows = windows(part, 30, kbps);
        let worst = windows.iter().copied().fold(0.0, f64::max);
        let least = windows.iter().copied().fold(f64::MAX, f64::min);
        assert!(worst < 1.05 && least > 0.95, "{kbps} kbps: {least:.3} to {worst:.3}");
    }
}

/// The codec config of what [`video_config`] makes, and one second of packets.
fn a_second() -> (onair::media::VideoConfig, Vec<EncodedPacket>) {
    let grid = grid("30");
    let size = Size::new(320, 180);
    let pictures = (0..30).map(|n| frame(grid.instant(n), picture(size, n as usize)));
    let (encoder, packets) = encode_video(video_config(size, "30", 500), pictures, |_, _| {});
    (encoder.config().clone(), packets)
}

#[test]
fn after_a_reset_or_a_late_start_nothing_is_shown_before_a_keyframe() {
    let (config, packets) = a_second();
    let mut decoder = decode::open_video(&config).unwrap();
    let shown = |decoder: &mut Box<dyn decode::VideoBackend>, packet: &EncodedPacket| {
        decoder.decode(packet).map_or(0, |pictures| pictures.len())
    };
    assert_eq!(packets[1..20].iter().map(|packet| shown(&mut decoder, packet)).sum::<usize>(), 0);
    assert_eq!(packets.iter().map(|packet| shown(&mut decoder, packet)).sum::<usize>(), 30);
    decoder.reset();
    assert_eq!(packets[1..].iter().map(|packet| shown(&mut decoder, packet)).sum::<usize>(), 0);
}

#[test]
fn hostile_packets_end_in_time_and_the_decoders_go_on() {
    let (config, packets) = a_second();
    let mut video = decode::open_video(&config).unwrap();
    let sound = in_channels(&noise(48_000, 3), 2);
    let origin = Timestamp::from_millis(0);
    let (encoder, sounds) =
        encode_audio(audio_config(48_000, 2), blocks(origin, 48_000, 2, &sound));
    let mut audio = decode::open_audio(encoder.config()).unwrap();
    let mut seed = 0x5eed_u32;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for round in 0..2_000 {
        for (of_video, packets) in [(true, &packets), (false, &sounds)] {
            let mut packet = packets[round % packets.len()].clone();
            let mut bytes = packet.data.to_vec();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            if random(4) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            packet.data = bytes.into();
            // The decoder may accept or reject the packet, but must survive it.
            if of_video {
                drop(video.decode(&packet));
            } else {
                drop(audio.decode(&packet));
            }
        }
    }
    video.reset();
    audio.reset();
    let shown = packets.iter().map(|packet| video.decode(packet).unwrap().len()).sum::<usize>();
    assert_eq!(shown, 30);
    assert!(sounds.iter().any(|packet| matches!(audio.decode(packet), Ok(Some(_)))));
}

/// Two seconds by x264, with B-frames that serve as references and a keyframe every second.
fn by_x264(folder: &Path, size: &str) -> (VideoConfig, Vec<EncodedPacket>) {
    let file = folder.join(format!("{size}.flv"));
    let input = format!("testsrc2=size={size}:rate=30:duration=2");
    let words = ["-hide_banner", "-nostdin", "-y", "-f", "lavfi", "-i", &input, "-pix_fmt"];
    let codec = ["yuv420p", "-c:v", "libx264", "-preset", "medium", "-b:v", "500k", "-g", "30"];
    let pictures = ["-bf", "3", "-x264-params", "b-adapt=0:b-pyramid=normal:scenecut=0"];
    let all = words.iter().chain(&codec).chain(&pictures).map(std::ffi::OsStr::new);
    peers::Peer::start("ffmpeg", all.chain([file.as_os_str()])).wait_success(peers::LIMIT);
    let mut reader = Reader::new(|_| true);
    reader.push(&std::fs::read(&file).unwrap());
    let (config, packets) = crate::film::read(&mut reader);
    assert_eq!(packets.len(), 60);
    assert!(packets.windows(2).any(|pair| pair[1].pts < pair[0].pts), "no B pictures");
    (config.video.unwrap(), packets)
}

/// A keyframe with the parameter sets in front of it.
fn with_sets(config: &VideoConfig, packet: &EncodedPacket) -> EncodedPacket {
    let record = DecoderConfig::parse(&config.codec_config).unwrap();
    let mut data = Vec::new();
    for set in record.sps.iter().chain(&record.pps) {
        data.extend((set.len() as u32).to_be_bytes());
        data.extend_from_slice(set);
    }
    data.extend_from_slice(&packet.data);
    EncodedPacket { data: data.into(), ..packet.clone() }
}

#[test]
fn b_frames_of_x264_come_out_in_the_order_they_are_shown() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (config, packets) = by_x264(folder.path(), "320x180");
    let mut decoder = decode::open_video(&config).unwrap();
    let mut shown = Vec::new();
    for packet in &packets {
        let ready = decoder.decode(packet).unwrap();
        // At an IDR frame, every earlier frame has been decoded: later packets are shown after it.
        let in_time = |frame: &VideoFrame| frame.pts <= packet.dts || packet.keyframe;
        assert!(ready.iter().all(in_time), "none is shown too early");
        shown.extend(ready);
    }
    shown.extend(decoder.flush());
    let mut due: Vec<_> = packets.iter().map(|packet| packet.pts).collect();
    due.sort();
    assert_eq!(shown.iter().map(|frame| frame.pts).collect::<Vec<_>>(), due);
    // Compares each frame. H.264 leaves a decoder no freedom; the library is off by one in a few
    // samples of some B-frames.
    let (file, raw) = (folder.path().join("320x180.flv"), folder.path().join("raw"));
    let words = ["-hide_banner", "-nostdin", "-i"].map(std::ffi::OsStr::new);
    let after = ["-vsync", "0", "-pix_fmt", "yuv420p", "-f", "rawvideo"].map(std::ffi::OsStr::new);
    let all = words.into_iter().chain([file.as_os_str()]).chain(after);
    peers::Peer::start("ffmpeg", all.chain([raw.as_os_str()])).wait_success(peers::LIMIT);
    let raw = std::fs::read(raw).unwrap();
    let pictures = raw.chunks_exact(320 * 180 * 3 / 2);
    assert_eq!(pictures.len(), shown.len());
    for (n, (theirs, frame)) in pictures.zip(&shown).enumerate() {
        let ours = [&frame.planes().y[..], &frame.planes().u, &frame.planes().v].concat();
        let alike = psnr(&ours, theirs);
        assert!(alike > 70.0, "picture {n}: {alike:.1} dB");
    }
}

#[test]
fn another_size_in_the_middle_of_a_stream_is_shown_in_that_size() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (small, before) = by_x264(folder.path(), "320x180");
    let (large, after) = by_x264(folder.path(), "640x360");
    let mut decoder = decode::open_video(&small).unwrap();
    let mut shown: Vec<VideoFrame> = Vec::new();
    for packet in &before {
        shown.extend(decoder.decode(packet).unwrap());
    }
    for (n, packet) in after.iter().enumerate() {
        let mut packet = if n == 0 { with_sets(&large, packet) } else { packet.clone() };
        packet.pts = packet.pts.offset(2_000_000);
        packet.dts = packet.dts.offset(2_000_000);
        shown.extend(decoder.decode(&packet).unwrap());
    }
    shown.extend(decoder.flush());
    let sizes: Vec<_> =
        shown.iter().map(|frame| (frame.size().width, frame.size().height)).collect();
    assert_eq!(sizes, [[(320, 180); 60], [(640, 360); 60]].concat());
    assert!(shown.windows(2).all(|pair| pair[0].pts < pair[1].pts));
}

#[test]
fn without_parameter_sets_nothing_is_shown_until_a_keyframe_brings_them() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (config, packets) = by_x264(folder.path(), "320x180");
    let record = DecoderConfig::parse(&config.codec_config).unwrap();
    // Without SPS and PPS, no decoder can be opened.
    let header = &config.codec_config[..5];
    let bare = [header, &[0xE0, 0]].concat();
    let none = VideoConfig { codec_config: bare.into(), ..config.clone() };
    assert!(decode::open_video(&none).is_err());
    // The PPS is missing.
    let length = (record.sps[0].len() as u16).to_be_bytes();
    let half = [header, &[0xE1], &length, &record.sps[0], &[0]].concat();
    let half = VideoConfig { codec_config: half.into(), ..config.clone() };
    let mut decoder = decode::open_video(&half).unwrap();
    let second = packets.iter().rposition(|packet| packet.keyframe).unwrap();
    assert_eq!(second, 30);
    for packet in &packets[..second] {
        assert!(decoder.decode(packet).is_ok_and(|shown| shown.is_empty()) || packet.keyframe);
    }
    let mut shown = decoder.decode(&with_sets(&config, &packets[second])).unwrap();
    for packet in &packets[second + 1..] {
        shown.extend(decoder.decode(packet).unwrap());
    }
    shown.extend(decoder.flush());
    assert_eq!(shown.len(), 30);
}
