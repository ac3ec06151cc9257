//! Tests of HDR (PQ, HLG) and BT.2020 video. Players and sources convert it to BT.709 SDR. The
//! result is compared with the formulas of the standards and with ffmpeg's filters. ffmpeg makes
//! the test films from known code values.
#![cfg(feature = "ffmpeg")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, LIMIT, Peer};
use onair::decode;
use onair::media::{Color, EncodedPacket, Size, Track, VideoFrame};
use onair::wire::container::{Format, Index, ReadAt, TrackId};
use onair::wire::container::{mkv, mp4};

const SIZE: Size = Size::new(320, 176);
/// The side of a patch of one color, in samples.
const PATCH: usize = 16;
const ACROSS: usize = SIZE.width as usize / PATCH;
const PATCHES: usize = ACROSS * SIZE.height as usize / PATCH;

type Three = [f64; 3];

/// The color tags of a file.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Tags {
    transfer: &'static str,
    primaries: &'static str,
    matrix: &'static str,
    range: &'static str,
}

const PQ: Tags =
    Tags { transfer: "smpte2084", primaries: "bt2020", matrix: "bt2020nc", range: "tv" };
const HLG: Tags = Tags { transfer: "arib-std-b67", ..PQ };
const WIDE: Tags = Tags { transfer: "bt2020-10", ..PQ };
const USUAL: Tags = Tags { transfer: "bt709", primaries: "bt709", matrix: "bt709", range: "tv" };

const HEVC: [&str; 4] = ["-c:v", "libx265", "-preset", "ultrafast"];
const LOSSLESS: [&str; 2] = ["-x265-params", "lossless=1:log-level=none"];

/// The first frames that the decoder makes of a file's packets, and the decoder's name.
fn decoded(path: &Path) -> (Vec<VideoFrame>, String) {
    let data = std::fs::read(path).unwrap();
    let mut source = &data[..];
    let Index { tracks, samples, .. } = match Format::of_path(path).unwrap() {
        Format::Mp4 => mp4::index_to_play(&mut source).unwrap(),
        _ => mkv::index_to_play(&mut source).unwrap(),
    };
    let mut decoder = decode::open_video(&tracks.video.unwrap()).unwrap();
    let mut frames = Vec::new();
    for place in samples.iter().filter(|place| place.track == TrackId::Video) {
        let mut data = vec![0; place.size as usize];
        source.read_at(place.at, &mut data).unwrap();
        let times = (place.dts, place.pts);
        let packet = EncodedPacket::received(Track::Video, times, place.keyframe, data.into());
        frames.extend(decoder.decode(&packet).unwrap());
    }
    frames.extend(decoder.flush());
    (frames, decoder.name().to_owned())
}

/// Encodes `input` with ffmpeg and these tags.
fn make(path: &Path, input: &[&str], tags: Tags, options: &[&str]) {
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error"];
    let color = [
        ["-color_primaries", tags.primaries],
        ["-color_trc", tags.transfer],
        ["-colorspace", tags.matrix],
        ["-color_range", tags.range],
    ]
    .concat();
    let all = words.iter().chain(input).chain(options).chain(&color).copied();
    Peer::start("ffmpeg", all.chain([path.to_str().unwrap()])).wait_success(LIMIT);
}

/// A file of patches with these 10-bit codes (Y', Cb, Cr).
fn patches(folder: &Path, name: &str, codes: &[Three], tags: Tags, options: &[&str]) -> PathBuf {
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let plane = |channel: usize, step: usize| {
        let rows = (0..height / step).flat_map(move |y| (0..width / step).map(move |x| (x, y)));
        rows.flat_map(move |(x, y)| {
            let patch = y * step / PATCH * ACROSS + x * step / PATCH;
            (codes[patch.min(codes.len() - 1)][channel] as u16).to_le_bytes()
        })
    };
    let raw = folder.join("patches.yuv");
    let bytes: Vec<u8> = plane(0, 1).chain(plane(1, 2)).chain(plane(2, 2)).collect();
    std::fs::write(&raw, bytes).unwrap();
    let path = folder.join(name);
    let size = SIZE.to_string();
    let input = ["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", &size];
    let input = [&input[..], &["-stream_loop", "2", "-i", raw.to_str().unwrap()]].concat();
    make(&path, &input, tags, options);
    path
}

/// The mean color in the middle of each patch.
fn middles(frame: &VideoFrame) -> Vec<Three> {
    let (width, planes) = (SIZE.width as usize, frame.planes());
    let mean = |plane: &[u8], stride: usize, x: usize, y: usize| {
        let near = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        near.iter().map(|(x, y)| f64::from(plane[y * stride + x])).sum::<f64>() / 4.0
    };
    let patch = |at: usize| {
        let (x, y) = (at % ACROSS * PATCH + PATCH / 2, at / ACROSS * PATCH + PATCH / 2);
        let chroma = |plane| mean(plane, width / 2, x / 2, y / 2);
        [mean(&planes.y, width, x, y), chroma(&planes.u), chroma(&planes.v)]
    };
    (0..PATCHES).map(patch).collect()
}

/// The weights of red and blue in luma.
fn parts(matrix: &str) -> (f64, f64) {
    if matrix == "bt2020nc" { (0.2627, 0.0593) } else { (0.2126, 0.0722) }
}

/// R'G'B' as 10-bit codes.
fn coded([r, g, b]: Three, tags: Tags) -> Three {
    let (red, blue) = parts(tags.matrix);
    let luma = red * r + (1.0 - red - blue) * g + blue * b;
    let (cb, cr) = ((b - luma) / (2.0 - 2.0 * blue), (r - luma) / (2.0 - 2.0 * red));
    if tags.range == "pc" {
        [luma * 1_023.0, 512.0 + cb * 1_023.0, 512.0 + cr * 1_023.0].map(f64::round)
    } else {
        [64.0 + 876.0 * luma, 512.0 + 896.0 * cb, 512.0 + 896.0 * cr].map(f64::round)
    }
}

/// 10-bit codes as R'G'B'.
fn signals([luma, cb, cr]: Three, tags: Tags) -> Three {
    let (red, blue) = parts(tags.matrix);
    let (luma, cb, cr) = if tags.range == "pc" {
        (luma / 1_023.0, (cb - 512.0) / 1_023.0, (cr - 512.0) / 1_023.0)
    } else {
        ((luma - 64.0) / 876.0, (cb - 512.0) / 896.0, (cr - 512.0) / 896.0)
    };
    let (r, b) = (luma + (2.0 - 2.0 * red) * cr, luma + (2.0 - 2.0 * blue) * cb);
    [r, (luma - red * r - blue * b) / (1.0 - red - blue), b].map(|it| it.clamp(0.0, 1.0))
}

/// SMPTE ST 2084: light in cd/m² for a signal, and the inverse.
fn pq(signal: f64) -> f64 {
    let (m1, m2) = (0.159_301_757_812_5, 78.843_75);
    let power = signal.powf(1.0 / m2);
    let rest = (power - 0.835_937_5).max(0.0) / (18.851_562_5 - 18.687_5 * power);
    10_000.0 * rest.powf(1.0 / m1)
}

fn pq_signal(light: f64) -> f64 {
    let (m1, m2) = (0.159_301_757_812_5, 78.843_75);
    let power = (light / 10_000.0).powf(m1);
    ((0.835_937_5 + 18.851_562_5 * power) / (1.0 + 18.687_5 * power)).powf(m2)
}

/// ARIB STD-B67 with the OOTF of BT.2100 for a display of 1,000 cd/m².
fn hlg(signals: Three) -> Three {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
    let scene = signals
        .map(|it: f64| if it <= 0.5 { it * it / 3.0 } else { (((it - c) / a).exp() + b) / 12.0 });
    let luminance = 0.2627 * scene[0] + 0.678 * scene[1] + 0.0593 * scene[2];
    scene.map(|it| 1_000.0 * luminance.powf(0.2) * it)
}

/// BT.2390's EETF from black and a peak to black and 203 cd/m².
fn eetf(light: f64, peak: f64) -> f64 {
    let most = pq_signal(peak);
    let (e1, white) = ((pq_signal(light) / most).min(1.0), pq_signal(203.0) / most);
    let knee = 1.5 * white - 0.5;
    let e2 = if e1 < knee {
        e1
    } else {
        let t = (e1 - knee) / (1.0 - knee);
        (2.0 * t.powi(3) - 3.0 * t.powi(2) + 1.0) * knee
            + (t.powi(3) - 2.0 * t.powi(2) + t) * (1.0 - knee)
            + (-2.0 * t.powi(3) + 3.0 * t.powi(2)) * white
    };
    pq(e2 * most)
}

/// From chromaticities (red, green, blue, D65) to CIE XYZ.
fn to_xyz(xy: [[f64; 2]; 3]) -> [Three; 3] {
    let column = |[x, y]: [f64; 2]| [x / y, 1.0, (1.0 - x - y) / y];
    let [r, g, b] = xy.map(column);
    let rows = [0, 1, 2].map(|row| [r[row], g[row], b[row]]);
    let scale = times(&inverse(&rows), column([0.3127, 0.3290]));
    rows.map(|row| [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]])
}

fn times(matrix: &[Three; 3], by: Three) -> Three {
    matrix.map(|row| row[0] * by[0] + row[1] * by[1] + row[2] * by[2])
}

fn inverse(m: &[Three; 3]) -> [Three; 3] {
    let minor = |r: usize, c: usize| {
        let (a, b, d, e) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[a][d] * m[b][e] - m[a][e] * m[b][d]
    };
    let whole: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    [0, 1, 2].map(|r| [0, 1, 2].map(|c| minor(c, r) / whole))
}

/// Converts linear light from BT.2020 to BT.709.
fn narrowed(light: Three) -> Three {
    let wide = to_xyz([[0.708, 0.292], [0.170, 0.797], [0.131, 0.046]]);
    let usual = to_xyz([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]]);
    times(&inverse(&usual), times(&wide, light))
}

/// The linear BT.709 light that the codes stand for, white being 1. Some of it may lie outside the
/// gamut.
fn light(codes: Three, tags: Tags, peak: f64) -> Three {
    let signals = signals(codes, tags);
    let light = match tags.transfer {
        "smpte2084" => signals.map(pq),
        "arib-std-b67" => hlg(signals),
        _ => signals.map(|it| 203.0 * it.powf(2.4)),
    };
    let most = light.iter().copied().fold(1e-9, f64::max);
    let gain = if tags == WIDE { 1.0 } else { eetf(most, peak) / most };
    let light = light.map(|it| it * gain / 203.0);
    if tags.primaries == "bt2020" { narrowed(light) } else { light }
}

/// Linear light as our codes, for a BT.1886 display.
fn shown(light: Three) -> Three {
    let [r, g, b] = light.map(|it| it.clamp(0.0, 1.0).powf(1.0 / 2.4));
    let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let (cb, cr) = ((b - luma) / 1.8556, (r - luma) / 1.5748);
    [16.0 + 219.0 * luma, 128.0 + 224.0 * cb, 128.0 + 224.0 * cr]
}

fn luminance(light: Three) -> f64 {
    0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
}

/// Our codes as linear light.
fn seen([luma, cb, cr]: Three) -> Three {
    let (luma, cb, cr) = ((luma - 16.0) / 219.0, (cb - 128.0) / 224.0, (cr - 128.0) / 224.0);
    let (r, b) = (luma + 1.5748 * cr, luma + 1.8556 * cb);
    let g = (luma - 0.2126 * r - 0.0722 * b) / 0.7152;
    [r, g, b].map(|it| it.clamp(0.0, 1.0).powf(2.4))
}

/// Grays from below black to above white, and colors of all kinds.
fn palette(tags: Tags) -> Vec<Three> {
    let mut all: Vec<Three> =
        (0..60).map(|step| [64.0 + f64::from(step) * 876.0 / 59.0, 512.0, 512.0]).collect();
    all.iter_mut().for_each(|codes| codes[0] = codes[0].round());
    let steps = [0.36, 0.42, 0.48, 0.54, 0.6];
    for r in steps {
        for g in steps {
            for b in steps {
                all.push(coded([r, g, b], tags));
            }
        }
    }
    // Colors outside BT.709, where the tags allow them.
    for pure in [[0.6, 0.2, 0.2], [0.2, 0.6, 0.3], [0.2, 0.3, 0.6], [0.2, 0.6, 0.6]] {
        all.push(coded(pure, tags));
    }
    assert!(all.len() <= PATCHES);
    all
}

/// How far a patch may be from the formulas, in 8-bit codes: grays (rounding) and colors
/// (interpolation between the table's nodes).
const GREY: f64 = 1.0;
const COLOR: f64 = 1.5;
/// The limit for colors in PQ, whose steps are far apart in light.
const PQ_COLOR: f64 = 7.0;
/// How far the brightness of a color outside BT.709 may differ, as a signal (0…1).
const OUTSIDE: f64 = 0.05;

/// Compares each patch of a file with the formulas.
fn check(name: &str, frame: &VideoFrame, codes: &[Three], tags: Tags, peak: f64) {
    assert_eq!((frame.size(), frame.color), (SIZE, Color::PROGRAM), "{name}");
    let mut counts = [0; 3];
    for (codes, got) in codes.iter().zip(middles(frame)) {
        let light = light(*codes, tags, peak);
        let luminance_wanted = luminance(light);
        let clear = light.iter().all(|it| *it >= 0.2 * luminance_wanted && *it <= 1.0001);
        let (kind, error) = if clear {
            let distance = got.iter().zip(shown(light)).map(|(got, want)| (got - want).abs());
            let grey = codes[1] == 512.0 && codes[2] == 512.0;
            (usize::from(!grey), distance.fold(0.0, f64::max))
        } else {
            // Colors at and beyond the edge of BT.709 are mapped into it. No standard says how; the
            // mapping keeps brightness.
            let signal = |light: f64| light.clamp(0.0, 1.0).powf(1.0 / 2.4);
            (2, (signal(luminance(seen(got))) - signal(luminance_wanted)).abs())
        };
        counts[kind] += 1;
        let most = match kind {
            0 => GREY,
            1 if tags.transfer == "smpte2084" => PQ_COLOR,
            1 => COLOR,
            _ => OUTSIDE,
        };
        assert!(error <= most, "{name}: {codes:?} became {got:?}, off by {error}");
    }
    assert!(counts[0] >= 60 && counts[1] >= 30, "{name}: {counts:?}");
}

#[test]
fn greys_and_colours_are_those_of_the_standards() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hevc = [&HEVC[..], &LOSSLESS].concat();
    let params = "lossless=1:log-level=none:hdr10=1:max-cll=4000,400:\
        master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(100000000,50)";
    let bright = [&HEVC[..], &["-x265-params", params]].concat();
    let display = "lossless=1:log-level=none:hdr10=1:max-cll=0,0:\
        master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(6000000,50)";
    let display = [&HEVC[..], &["-x265-params", display]].concat();
    let vp9 = ["-c:v", "libvpx-vp9", "-lossless", "1", "-cpu-used", "8", "-pix_fmt", "yuv420p10le"];
    let full = Tags { range: "pc", ..PQ };
    let vp9 = vp9.to_vec();
    for (name, tags, options, peak, says) in [
        ("pq.mp4", PQ, &hevc, 1_000.0, Some("HDR (PQ) → SDR")),
        ("pq-told.mp4", PQ, &bright, 4_000.0, Some("HDR (PQ) → SDR")),
        ("pq-display.mkv", PQ, &display, 600.0, Some("HDR (PQ) → SDR")),
        ("pq-full.mp4", full, &hevc, 1_000.0, Some("HDR (PQ) → SDR")),
        ("hlg.mkv", HLG, &hevc, 1_000.0, Some("HDR (HLG) → SDR")),
        ("wide.mp4", WIDE, &hevc, 203.0, None),
        ("pq-vp9.mkv", PQ, &vp9, 1_000.0, Some("HDR (PQ) → SDR")),
        ("hlg-vp9.mp4", HLG, &vp9, 1_000.0, Some("HDR (HLG) → SDR")),
    ] {
        let codes = palette(tags);
        let (frames, called) = decoded(&patches(folder.path(), name, &codes, tags, options));
        assert!(!frames.is_empty(), "{name}");
        for frame in &frames {
            check(name, frame, &codes, tags, peak);
        }
        match says {
            Some(says) => assert!(called.contains(says), "{name}: {called}"),
            None => assert!(!called.contains("HDR"), "{name}: {called}"),
        }
    }
}

#[test]
fn what_is_not_hdr_stays_as_it_is() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hevc = [&HEVC[..], &LOSSLESS].concat();
    let untagged =
        Tags { transfer: "unknown", primaries: "unknown", matrix: "unknown", range: "tv" };
    for (name, tags) in [("usual.mp4", USUAL), ("untagged.mp4", untagged)] {
        let codes = palette(USUAL);
        let (frames, called) = decoded(&patches(folder.path(), name, &codes, tags, &hevc));
        assert!(!called.contains("HDR"), "{called}");
        for frame in &frames {
            for (codes, got) in codes.iter().zip(middles(frame)) {
                for (got, want) in got.iter().zip(codes) {
                    assert!((got - want / 4.0).abs() <= 1.0, "{name}: {codes:?} became {got:?}");
                }
            }
        }
    }
}

/// A file after ffmpeg's filters: BT.709 luma for a BT.1886 display, frame by frame.
fn filtered(path: &Path, filters: &str) -> Vec<Vec<f64>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(path);
    command.args(["-vf", filters, "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pixels = SIZE.pixels();
    let picture = |bytes: &[u8]| {
        let number = |at: usize| {
            let value = f32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().unwrap());
            f64::from(value)
        };
        let at = |at: usize| {
            let light = [number(2 * pixels + at), number(at), number(pixels + at)];
            shown(light)[0]
        };
        (0..pixels).map(at).collect()
    };
    output.stdout.chunks_exact(12 * pixels).map(picture).collect()
}

fn psnr(ours: &[u8], theirs: &[f64]) -> f64 {
    let square = |(a, b): (&u8, &f64)| (f64::from(*a) - b).powi(2);
    let error = ours.iter().zip(theirs).map(square).sum::<f64>() / ours.len() as f64;
    10.0 * (255.0_f64.powi(2) / error).log10()
}

/// Compares whole test patterns with zscale (and with tonemap, whose curves differ).
#[test]
fn frames_look_as_those_of_ffmpegs_filters() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("ffmpeg");
    let filters = command.args(["-hide_banner", "-filters"]).output().unwrap();
    if !String::from_utf8_lossy(&filters.stdout).contains(" zscale ") {
        return;
    }
    let linear = "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709";
    let mobius = format!("{linear},tonemap=tonemap=mobius:param=0.3:desat=0:peak=4.926");
    let source = format!("testsrc2=size={SIZE}:rate=25,format=yuv420p10le");
    // The least PSNR of luma, in dB, and how far the mean may be off, in codes.
    for (name, tags, scale, filters, (least, most)) in [
        // Below the knee nothing is compressed, so the arithmetic is the same.
        ("dim-pq.mp4", PQ, 0.42, linear, (39.0, 1.0)),
        ("dim-hlg.mp4", HLG, 0.5, linear, (37.0, 1.0)),
        ("pq.mp4", PQ, 0.7, &mobius, (24.0, 10.0)),
        ("hlg.mp4", HLG, 0.95, &mobius, (24.0, 12.0)),
    ] {
        let path = folder.path().join(name);
        let dimmed = format!(
            "{source},lutyuv=y=64+(val-64)*{scale}:u=512+(val-512)*{scale}*0.4:v=512+(val-512)*{scale}*0.4"
        );
        let input = ["-f", "lavfi", "-i", &dimmed, "-frames:v", "5"];
        let options = [&HEVC[..], &LOSSLESS].concat();
        make(&path, &input, tags, &options);
        let (frames, _) = decoded(&path);
        let theirs = filtered(&path, filters);
        assert_eq!((frames.len(), theirs.len()), (5, 5), "{name}");
        for (frame, theirs) in frames.iter().zip(&theirs) {
            let db = psnr(&frame.planes().y, theirs);
            let ours = frame.planes().y.iter().map(|it| f64::from(*it)).sum::<f64>();
            let (ours, theirs) =
                (ours / SIZE.pixels() as f64, theirs.iter().sum::<f64>() / SIZE.pixels() as f64);
            assert!(
                db > least && (ours - theirs).abs() < most,
                "{name}: {db:.1} dB, mean {ours:.1} and {theirs:.1}"
            );
        }
    }
}

/// The player says what it does with HDR.
#[test]
fn the_player_tells_what_it_shows() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hevc = [&HEVC[..], &LOSSLESS].concat();
    for (name, tags, want) in [
        ("pq.mp4", PQ, "HEVC, HDR (PQ) → SDR (FFmpeg)"),
        ("hlg.mp4", HLG, "HEVC, HDR (HLG) → SDR (FFmpeg)"),
        ("sdr.mp4", USUAL, "HEVC (FFmpeg)"),
    ] {
        let film = patches(folder.path(), name, &palette(tags), tags, &hevc);
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(["--json", "play", "--headless", "--mute"]).arg(film);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["video"], want, "{last}");
    }
}

fn json(program: &str, arguments: &[&str], path: &Path) -> serde_json::Value {
    let output = Command::new(program).args(arguments).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The URL at which a file is served.
fn served(path: &Path) -> PathBuf {
    let body = std::fs::read(path).unwrap();
    let port = peers::web::canned(move |_, socket| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        // A client that has read enough may disconnect.
        let _ = socket.write_all(&[head.as_bytes(), &body].concat());
    });
    format!("http://127.0.0.1:{port}/film").into()
}

/// `onair probe` and ffprobe report the same colors, whether the bitstream, the container or both
/// state them.
#[test]
fn probe_tells_of_colours_what_ffprobe_tells() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let film = format!("testsrc2=size={SIZE}:rate=25");
    let (ten, eight) = (["-pix_fmt", "yuv420p10le"], ["-pix_fmt", "yuv420p"]);
    let quick =
        |encoder: &'static str| [&["-c:v", encoder, "-preset", "ultrafast"][..], &eight].concat();
    let hevc = [&HEVC[..], &ten].concat();
    let params = "log-level=none:hdr10=1:max-cll=1000,400:\
        master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)";
    let bright = [&hevc[..], &["-x265-params", params]].concat();
    let params = "enable-hdr=1:content-light=1000,400:mastering-display=\
        G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)L(1000.0,0.005)";
    let av1 = [&["-c:v", "libsvtav1", "-preset", "10"][..], &ten].concat();
    let bright_av1 = [&av1[..], &["-svtav1-params", params]].concat();
    let vp9 =
        [&["-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"][..], &ten].concat();
    let quiet = [&hevc[..], &["-x265-params", "log-level=none"]].concat();
    let full = Tags { range: "pc", ..PQ };
    let sd =
        Tags { transfer: "smpte170m", primaries: "smpte170m", matrix: "smpte170m", range: "tv" };
    let h264 = quick("libx264");
    let scaling = [&quiet[..2], &["-preset", "medium"], &quiet[4..6]].concat();
    let scaling =
        [&scaling[..], &["-x265-params", "log-level=none:scaling-list=default:bframes=4"]].concat();
    // An MPEG-4 bitstream does not state colors.
    let by_file = [&["-c:v", "mpeg4"][..], &eight].concat();
    for (name, tags, options, hdr, light) in [
        ("h264.mp4", USUAL, &h264, None, false),
        ("h264.flv", sd, &h264, None, false),
        ("h264.mkv", Tags { range: "pc", ..USUAL }, &h264, None, false),
        ("h264.ts", sd, &h264, None, false),
        ("pq.mp4", PQ, &bright, Some("pq"), true),
        ("pq.mkv", PQ, &bright, Some("pq"), true),
        ("pq.ts", PQ, &bright, Some("pq"), true),
        ("pq-full.mp4", full, &quiet, Some("pq"), false),
        ("hlg.mkv", HLG, &scaling, Some("hlg"), false),
        ("wide.ts", WIDE, &scaling, None, false),
        ("pq-av1.mp4", PQ, &bright_av1, Some("pq"), true),
        ("hlg-av1.mkv", HLG, &av1, Some("hlg"), false),
        ("pq-vp9.mkv", PQ, &vp9, Some("pq"), false),
        ("hlg-vp9.mp4", HLG, &vp9, Some("hlg"), false),
        ("file.mp4", WIDE, &by_file, None, false),
        ("file.mkv", HLG, &by_file, Some("hlg"), false),
    ] {
        let path = folder.path().join(name);
        make(&path, &["-f", "lavfi", "-i", &film, "-frames:v", "10"], tags, options);
        let theirs = json("ffprobe", &["-v", "error", "-show_streams", "-of", "json"], &path);
        let theirs = &theirs["streams"][0];
        // A transport stream is accepted from a server only.
        let source = if name.ends_with("ts") { served(&path) } else { path };
        let report = json(env!("CARGO_BIN_EXE_onair"), &["--json", "probe"], &source);
        let ours = &report["streams"][0];
        for field in ["color_range", "color_space", "color_transfer", "color_primaries"] {
            assert_eq!(ours[field], theirs[field], "{name}: {field} of {ours}, {theirs}");
        }
        assert_eq!(ours["color_transfer"], tags.transfer, "{name}");
        assert_eq!(ours["hdr"].as_str(), hdr, "{name}: {ours}");
        let near = |field: &str, want: f64| {
            let got = ours[field].as_f64();
            let got = got.unwrap_or_else(|| panic!("{name}: no {field} in {ours}"));
            assert!((got - want).abs() <= want * 0.01, "{name}: {field} of {ours}");
        };
        if light {
            near("max_content", 1_000.0);
            near("max_average", 400.0);
            near("max_luminance", 1_000.0);
            near("min_luminance", 0.005);
        } else {
            assert!(ours["max_content"].is_null(), "{name}: {ours}");
        }
    }
}
