//! Tests of decoding with the FFmpeg libraries of the system. Decoded frames and samples must match
//! what ffmpeg decodes from the same file.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use onair::base::Timestamp;
use onair::decode;
use onair::media::frame::{Matrix, Range};
use onair::media::{Moment, Size, Track, VideoFrame};
use serde_json::Value;

use super::packets::{Film, read};
use super::{PICTURE, make};
use crate::peers::{self, LIMIT, Onair, Peer};
use crate::random::Random;

const TONE: &str = "sine=frequency=440:sample_rate=48000";

#[test]
fn the_system_decodes_h264_where_it_is_preferred() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let options = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p"];
    let path = make(folder.path(), "h264.mp4", PICTURE, &options);
    let film = read(&path);
    let open = |prefer| decode::open_preferred(film.video.as_ref().unwrap(), prefer).unwrap();
    let [own, system] = [decode::Prefer::Own, decode::Prefer::System].map(|prefer| {
        let mut decoder = open(prefer);
        let mut frames = Vec::new();
        for packet in film.of(Track::Video) {
            frames.extend(decoder.decode(packet).unwrap());
        }
        frames.extend(decoder.flush());
        let times: Vec<_> = frames.iter().map(|frame| frame.pts).collect();
        let luma: Vec<_> = frames.iter().map(|frame| frame.planes().y.to_vec()).collect();
        (decoder.name().to_owned(), times, luma)
    });
    assert!(system.0.contains("FFmpeg") && !own.0.contains("FFmpeg"), "{} {}", own.0, system.0);
    assert_eq!((own.1.len(), &own.1), (25, &system.1));
    // OpenH264 occasionally rounds a sample of a B-frame differently.
    for (at, (own, system)) in own.2.iter().zip(&system.2).enumerate() {
        let psnr = psnr(own, system);
        assert!(psnr > 70.0, "{at}: {psnr}");
    }
}

/// No later packet can be shown before the first keyframe, so the decoder need not wait.
#[test]
fn the_first_frame_waits_for_nothing_that_comes_after_it() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let reordered = ["-bf", "3", "-g", "10", "-pix_fmt", "yuv420p"];
    for (name, encoder, prefer) in [
        ("h264.mp4", "libx264", decode::Prefer::Own),
        ("h264.mp4", "libx264", decode::Prefer::System),
        ("hevc.mp4", "libx265", decode::Prefer::Own),
        ("mpeg4.mp4", "mpeg4", decode::Prefer::Own),
        ("mpeg2.mkv", "mpeg2video", decode::Prefer::Own),
    ] {
        let options = [&["-c:v", encoder][..], &reordered].concat();
        let film = read(&make(folder.path(), name, PICTURE, &options));
        let config = film.video.as_ref().unwrap();
        let mut decoder = decode::open_preferred(config, prefer).unwrap();
        let packets: Vec<_> = film.of(Track::Video).cloned().collect();
        assert!(packets.iter().any(|it| it.pts > it.dts), "{name} is not reordered");
        for _ in 0..2 {
            let first = decoder.decode(&packets[0]).unwrap();
            let times: Vec<_> = first.iter().map(|frame| frame.pts).collect();
            assert_eq!(times, [packets[0].pts], "{name}, {prefer:?}");
            // Each further frame comes out once, in order.
            let mut all = first;
            for packet in &packets[1..] {
                all.extend(decoder.decode(packet).unwrap());
            }
            all.extend(decoder.flush());
            let times: Vec<_> = all.iter().map(|frame| frame.pts).collect();
            let mut wanted: Vec<_> = packets.iter().map(|packet| packet.pts).collect();
            wanted.sort();
            assert_eq!(times, wanted, "{name}, {prefer:?}");
        }
    }
}

/// Preparing the decoder before the first packet changes no frame.
#[test]
fn a_prepared_decoder_gives_the_same_frames() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [
        ("usual", &["-preset", "veryfast"][..]),
        ("cavlc", &["-profile:v", "baseline"]),
        ("main", &["-profile:v", "main", "-bf", "2", "-coder", "0"]),
        ("slices", &["-slices", "4", "-refs", "4", "-bf", "3", "-deblock", "2:2"]),
        ("quick", &["-tune", "zerolatency", "-intra-refresh", "1"]),
    ] {
        let options = [&["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10"], options].concat();
        let film = read(&make(folder.path(), &format!("{name}.mp4"), PICTURE, &options));
        let [as_usual, prepared] = [false, true].map(|prepare| {
            let mut decoder = decode::open_video(film.video.as_ref().unwrap()).unwrap();
            assert!(!decoder.name().contains("FFmpeg"), "{}", decoder.name());
            if prepare {
                decoder.prepare();
                assert!(decoder.flush().is_empty(), "{name}: a picture of nothing");
            }
            let mut frames = Vec::new();
            for packet in film.of(Track::Video) {
                frames.extend(decoder.decode(packet).unwrap());
            }
            frames.extend(decoder.flush());
            frames.iter().map(|it| (it.pts, it.planes().y.to_vec())).collect::<Vec<_>>()
        });
        assert_eq!(as_usual.len(), 25, "{name}");
        assert!(as_usual == prepared, "{name}");
    }
}

/// Every frame of a file as ffmpeg decodes it, in I420.
fn reference(path: &Path) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(path);
    command.args(["-vsync", "passthrough", "-sws_flags", "bilinear+accurate_rnd"]);
    if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("screen")) {
        // RGB is converted to BT.709, as everywhere in onair.
        command.args(["-vf", "scale=out_color_matrix=bt709:flags=bilinear+accurate_rnd"]);
    }
    command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |(a, b): (&u8, &u8)| f64::from(i32::from(*a) - i32::from(*b)).powi(2);
    let error = a.iter().zip(b).map(square).sum::<f64>() / a.len() as f64;
    if error == 0.0 { 99.0 } else { 10.0 * (255.0_f64.powi(2) / error).log10() }
}

const X265: [&str; 4] = ["-c:v", "libx265", "-preset", "ultrafast"];
const QUIET: [&str; 2] = ["-x265-params", "log-level=none:bframes=3:b-adapt=0:keyint=12"];

/// A file's name, the encoder options, and whether the decoded frames must be exact.
fn films() -> Vec<(&'static str, Vec<&'static str>, bool)> {
    let x265 = |more: &[&'static str]| [&X265[..], &QUIET, more].concat();
    vec![
        ("hevc.mp4", x265(&["-pix_fmt", "yuv420p"]), true),
        ("hevc.mkv", x265(&["-pix_fmt", "yuv420p10le"]), false),
        ("hevc.ts", x265(&["-pix_fmt", "yuv420p"]), true),
        ("hevc444.mkv", x265(&["-pix_fmt", "yuv444p"]), false),
        (
            "av1.mp4",
            vec!["-c:v", "libsvtav1", "-preset", "12", "-g", "12", "-pix_fmt", "yuv420p"],
            true,
        ),
        (
            "vp9.mkv",
            vec!["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "12"],
            true,
        ),
        (
            "vp9.mp4",
            vec!["-c:v", "libvpx-vp9", "-deadline", "realtime", "-pix_fmt", "yuv422p"],
            false,
        ),
        ("vp8.mkv", vec!["-c:v", "libvpx", "-deadline", "realtime", "-auto-alt-ref", "1"], true),
        ("h263.flv", vec!["-c:v", "flv", "-g", "12"], true),
        ("screen.flv", vec!["-c:v", "flashsv"], false),
        ("screen-2.flv", vec!["-c:v", "flashsv2"], false),
        ("mpeg4.mp4", vec!["-c:v", "mpeg4", "-bf", "2", "-g", "12"], true),
        ("mpeg4.mkv", vec!["-c:v", "mpeg4", "-bf", "2", "-q:v", "3"], true),
        ("mpeg2.mkv", vec!["-c:v", "mpeg2video", "-bf", "2", "-g", "12"], true),
        // H.264 profiles that OpenH264 does not decode.
        (
            "h264-10.mkv",
            vec!["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"],
            false,
        ),
        (
            "h264-i.mp4",
            vec!["-c:v", "libx264", "-flags", "+ilme+ildct", "-pix_fmt", "yuv420p"],
            true,
        ),
    ]
}

#[test]
fn frames_are_those_that_ffmpeg_decodes() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options, exact) in films() {
        let file = make(folder.path(), name, PICTURE, &options);
        let film = read(&file);
        let expected = reference(&file);
        let frames = film.pictures();
        let size = 320 * 180 * 3 / 2;
        assert_eq!(frames.len(), expected.len() / size, "{name}: pictures");
        assert!(frames.len() >= 24, "{name}: {} pictures", frames.len());
        assert!(frames.is_sorted_by_key(|frame| frame.pts), "{name}: order");
        // Each frame has the PTS of its packet, and each PTS occurs once.
        let mut stamps: Vec<_> = film.of(Track::Video).map(|packet| packet.pts).collect();
        stamps.sort_unstable();
        let shown: Vec<_> = frames.iter().map(|frame| frame.pts).collect();
        assert_eq!(shown, stamps, "{name}: stamps");
        for (number, (frame, expected)) in frames.iter().zip(expected.chunks(size)).enumerate() {
            assert_eq!(frame.size(), Size::new(320, 180));
            let planes = [&frame.planes().y[..], &frame.planes().u, &frame.planes().v].concat();
            let db = psnr(&planes, expected);
            let least = if exact { 99.0 } else { 42.0 };
            assert!(db >= least, "{name}: picture {number} has {db:.1} dB");
        }
    }
}

#[test]
fn odd_sides_and_the_meaning_of_colors_are_kept() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let odd = ["-c:v", "libvpx", "-deadline", "realtime", "-pix_fmt", "yuv420p"];
    let file = make(folder.path(), "odd.mkv", "testsrc2=size=321x181:rate=25", &odd);
    assert_eq!(read(&file).pictures()[0].size(), Size::new(320, 180));
    let colors = |range: &'static str, space: &'static str| {
        let params = "log-level=none";
        let words = ["-x265-params", params, "-color_range", range, "-colorspace", space];
        let file = make(folder.path(), "c.mp4", PICTURE, &[&X265[..], &words].concat());
        read(&file).pictures()[0].color
    };
    let color = colors("pc", "bt709");
    assert_eq!((color.range, color.matrix), (Range::Full, Matrix::Bt709));
    let color = colors("tv", "smpte170m");
    assert_eq!((color.range, color.matrix), (Range::Limited, Matrix::Bt601));
    // The program has no such matrix: the frames are converted.
    let color = colors("tv", "bt2020nc");
    assert_eq!((color.range, color.matrix), (Range::Limited, Matrix::Bt709));
}

#[test]
fn a_loss_is_skipped_until_a_keyframe_and_sizes_may_change() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"];
    let small = read(&make(folder.path(), "a.mkv", PICTURE, &vp9));
    let large = read(&make(folder.path(), "b.mkv", "testsrc2=size=640x360:rate=25", &vp9));
    let mut decoder = decode::open_video(small.video.as_ref().unwrap()).unwrap();
    let mut sizes = Vec::new();
    for packet in small.of(Track::Video).chain(large.of(Track::Video)) {
        sizes.extend(decoder.decode(packet).unwrap().iter().map(VideoFrame::size));
    }
    sizes.dedup();
    assert_eq!(sizes, [Size::new(320, 180), Size::new(640, 360)]);
    decoder.reset();
    let packets: Vec<_> = small.of(Track::Video).collect();
    let key = packets.iter().skip(1).position(|packet| packet.keyframe).unwrap() + 1;
    for packet in &packets[1..key] {
        assert!(decoder.decode(packet).unwrap().is_empty(), "before a keyframe");
    }
    assert_eq!(decoder.decode(packets[key]).unwrap().len(), 1);
    // A frame size above the limit is refused before it costs anything.
    let mut huge = read(&make(folder.path(), "c.mkv", "color=size=4352x2448:rate=1", &vp9));
    let packet = huge.packets.remove(0);
    let mut decoder = decode::open_video(&huge.video.unwrap()).unwrap();
    assert!(decoder.decode(&packet).is_err());
}

/// The share of the power of one channel that is the tone at 440 Hz.
fn tone(samples: &[f32], rate: u32) -> f64 {
    let step = std::f64::consts::TAU * 440.0 / f64::from(rate);
    let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
    for (place, value) in samples.iter().enumerate() {
        let (value, angle) = (f64::from(*value), step * place as f64);
        sine += value * angle.sin();
        cosine += value * angle.cos();
        all += value * value;
    }
    2.0 * (sine * sine + cosine * cosine) / samples.len() as f64 / all.max(1e-9)
}

const SOUNDS: [(&str, &[&str], u32, u16); 11] = [
    ("ac3.ts", &["-c:a", "ac3", "-ac", "2"], 48_000, 2),
    ("eac3.ts", &["-c:a", "eac3", "-ac", "2"], 48_000, 2),
    ("ac3.mp4", &["-c:a", "ac3", "-ac", "2"], 48_000, 2),
    (
        "ac3-51.mkv",
        &["-c:a", "ac3", "-af", "pan=5.1(side)|FL=c0|FR=c0|FC=c0|SL=c0|SR=c0"],
        48_000,
        2,
    ),
    ("eac3.mkv", &["-c:a", "eac3", "-ac", "2"], 48_000, 2),
    ("eac3.mp4", &["-c:a", "eac3", "-ac", "1"], 48_000, 1),
    ("mp2.mkv", &["-c:a", "mp2", "-ac", "2"], 48_000, 2),
    ("speex.flv", &["-c:a", "libspeex", "-ac", "1", "-ar", "16000"], 16_000, 1),
    ("nelly.flv", &["-c:a", "nellymoser", "-ac", "1", "-ar", "22050"], 22_050, 1),
    ("nelly8.flv", &["-c:a", "nellymoser", "-ac", "1", "-ar", "8000"], 8_000, 1),
    ("adpcm.flv", &["-c:a", "adpcm_swf", "-ac", "2", "-ar", "44100"], 44_100, 2),
];

#[test]
fn decoded_audio_is_what_was_encoded() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options, rate, channels) in SOUNDS {
        let film = read(&make(folder.path(), name, TONE, options));
        let mut decoder = decode::open_audio(film.audio.as_ref().unwrap()).unwrap();
        let mut left = Vec::new();
        for packet in film.of(Track::Audio) {
            let Some(samples) = decoder.decode(packet).unwrap() else { continue };
            assert_eq!((samples.rate, samples.channels), (rate, channels), "{name}");
            left.extend(samples.data.iter().step_by(channels.into()));
        }
        let seconds = left.len() as f64 / f64::from(rate);
        assert!((0.9..1.2).contains(&seconds), "{name}: {seconds} s");
        let middle = &left[left.len() / 4..left.len() * 3 / 4];
        let share = tone(middle, rate);
        assert!(share > 0.9, "{name}: {share:.3} of it is the tone");
    }
}

/// The resident memory of the process, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

fn mutate(data: &Bytes, random: &mut Random) -> Bytes {
    let mut data = data.to_vec();
    for _ in 0..=random.below(4) {
        if data.is_empty() {
            break;
        }
        let at = random.below(data.len());
        match random.below(6) {
            0 => data.truncate(at),
            1 => {
                let with = random.next() as u8;
                let end = (at + random.below(64)).min(data.len());
                data[at..end].fill(with);
            }
            2 => {
                let from = random.below(data.len());
                let copied: Vec<u8> =
                    data[from..].iter().take(random.below(200)).copied().collect();
                data.splice(at..at, copied);
            }
            _ => data[at] ^= 1 << random.below(8),
        }
    }
    data.into()
}

fn hostile_pictures(name: &str, film: &Film, rounds: usize, random: &mut Random) {
    let config = film.video.as_ref().unwrap();
    for round in 0..rounds {
        let mut config = config.clone();
        if round % 4 == 3 {
            config.codec_config = mutate(&config.codec_config, random);
        }
        let Ok(mut decoder) = decode::open_video(&config) else { continue };
        for packet in film.of(Track::Video) {
            let mut packet = packet.clone();
            if random.below(3) == 0 {
                packet.data = mutate(&packet.data, random);
            }
            for frame in decoder.decode(&packet).unwrap_or_default() {
                assert!(frame.size().is_valid(), "{name}");
            }
        }
        drop(decoder.flush());
    }
}

fn hostile_sounds(film: &Film, rounds: usize, random: &mut Random) {
    for _ in 0..rounds {
        let mut decoder = decode::open_audio(film.audio.as_ref().unwrap()).unwrap();
        for packet in film.of(Track::Audio) {
            let mut packet = packet.clone();
            packet.data = mutate(&packet.data, random);
            if let Ok(Some(samples)) = decoder.decode(&packet) {
                assert!(samples.channels <= 2 && samples.data.iter().all(|it| it.is_finite()));
            }
        }
        decoder.reset();
    }
}

#[test]
fn damaged_streams_end_without_harm() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(0x0A1B_2C3D_4E5F);
    let begin = Instant::now();
    let mut first = None;
    let small = "testsrc2=size=96x64:rate=25";
    for (name, options, _) in films() {
        let film = read(&make(folder.path(), name, small, &options));
        hostile_pictures(name, &film, 40, &mut random);
        first.get_or_insert_with(resident);
    }
    for (name, options, _, _) in SOUNDS {
        let film = read(&make(folder.path(), name, TONE, options));
        hostile_sounds(&film, 20, &mut random);
    }
    let grown = resident().saturating_sub(first.unwrap()) >> 20;
    assert!(grown < 400, "{grown} MiB more are held at the end");
    assert!(begin.elapsed() < Duration::from_secs(300), "{:?}", begin.elapsed());
}

/// Plays it to its end; returns the exit code, the last event and the errors.
fn played(arguments: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["--json", "play", "--headless", "--mute"]).args(arguments);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code(), last.unwrap_or_default(), errors)
}

#[test]
fn files_and_streams_of_other_codecs_play() {
    peers::in_real_time!(files_and_streams_of_other_codecs_play);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let both = |name: &str, options: &[&str]| {
        let sound = ["-f", "lavfi", "-i", TONE, "-t", "1"];
        make(folder.path(), name, PICTURE, &[&sound[..], options].concat())
    };
    let hevc = both("both.mp4", &[&X265[..], &QUIET, &["-c:a", "ac3"]].concat());
    let vp8 = both("both.mkv", &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "eac3"]);
    let old = both(
        "both.flv",
        &["-c:v", "flv", "-g", "12", "-c:a", "nellymoser", "-ar", "22050", "-ac", "1"],
    );
    for (file, video, audio) in
        [(&hevc, "HEVC", "AC-3"), (&vp8, "VP8", "E-AC-3"), (&old, "Sorenson H.263", "Nellymoser")]
    {
        let (code, last, errors) = played(&[file.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{video}: {last} {errors}");
        assert!(last["decoded"].as_u64().unwrap() >= 24, "{video}: {last}");
        assert!(last["shown"].as_u64().unwrap() > 0, "{video}: {last}");
        assert!(last["video"].as_str().unwrap().starts_with(video), "{last}");
        assert!(last["audio"].as_str().unwrap().starts_with(audio), "{last}");
        assert!(last["audio_samples"].as_u64().unwrap() > 10_000, "{video}: {last}");
        assert_eq!(last["damaged"], 0, "{video}: {last}");
    }
    // The old codecs, live through our own server.
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let base = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{base}/live/old");
    let words = ["-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i"];
    let words = words.iter().copied().chain([old.to_str().unwrap()]);
    let _publisher = Peer::start("ffmpeg", words.chain(["-c", "copy", "-f", "flv", &url]));
    server.wait_event("published", |event| event["event"] == "publish");
    let (code, last, errors) = played(&[&url, "--duration", "2s"]);
    assert_eq!(code, Some(0), "{last} {errors}");
    assert!(last["shown"].as_u64().unwrap() > 5, "{last}");
    assert!(last["video"].as_str().unwrap().starts_with("Sorenson H.263"), "{last}");
    assert!(server.stop(LIMIT).success());
}

/// Half of each frame is opaque; the other half becomes more and more transparent.
#[test]
fn the_alpha_of_a_webm_clip_is_its_own_in_each_frame() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let input = "color=red:s=64x48:r=10,format=yuva420p,\
                 geq=lum='60+2*X':cb=100:cr=150:a='if(lt(X,32),255,200-20*N)'";
    for (codec, near) in [("libvpx", 6), ("libvpx-vp9", 3)] {
        let options = [
            "-c:v",
            codec,
            "-pix_fmt",
            "yuva420p",
            "-auto-alt-ref",
            "0",
            "-crf",
            "4",
            "-b:v",
            "4M",
        ];
        let file = make(folder.path(), &format!("{codec}.webm"), input, &options);
        let mut clip = onair::player::source::clip::open(&file, 48_000, 2).unwrap();
        let begun = Timestamp::from_millis(7_000);
        let mut picture_at = |ms: u64| {
            let mut found = None;
            // The reader has its own thread, which may not have read this far yet.
            peers::wait_for(&format!("{codec}: the picture of {ms} ms"), LIMIT, || {
                found = match clip.video.moment(begun + Duration::from_millis(ms)) {
                    Moment::Frame(it) => {
                        Some(it).filter(|it| it.pts == Timestamp::from_millis(ms as i64))
                    }
                    Moment::Over => panic!("{codec}: it is over at {ms} ms"),
                    Moment::Waiting => None,
                };
                found.is_some()
            });
            found.unwrap()
        };
        for number in 0..9_u8 {
            let picture = picture_at(u64::from(number) * 100);
            let alpha =
                picture.planes().alpha.as_ref().unwrap_or_else(|| panic!("{codec}: opaque"));
            // Not next to the edge, which the codec softens.
            for (row, (alpha, luma)) in
                alpha.chunks(64).zip(picture.planes().y.chunks(64)).enumerate()
            {
                let all = |part: &[u8], want: u8| part.iter().all(|it| it.abs_diff(want) <= near);
                let right = 200 - 20 * number;
                let is_so = all(&alpha[..26], 255) && all(&alpha[38..], right);
                assert!(is_so, "{codec}, picture {number}, row {row}: {alpha:?}");
                assert!(luma[10].abs_diff(80) <= 8 && luma[50].abs_diff(160) <= 8, "{luma:?}");
            }
        }
    }
}
