//! Scenes: the compositor against ffmpeg's filter graph for the same scene, and switching on air as
//! it arrives at the far end, frame by frame.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails"
)]

#[path = "peers/mod.rs"]
mod peers;

use std::fs;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Pooled, Timestamp};
use onair::compose::scene::{Blend, Fit, Layer, Place, Plan, SourceId, Together};
use onair::compose::transition::{Change, Kind, Means, Pattern, Stinger, Transition, Wipe};
use onair::compose::{self, Compositor, Given, Program};
use onair::media::{
    ClipFeed, Color, FrameGrid, FrameRate, Moment, Planes, Size, VideoFeed, VideoFrame, markers,
};
use peers::{LIMIT, missing};

const PROGRAM: Size = Size::new(640, 360);
const ABOVE: Size = Size::new(320, 240);

/// The same picture for ever.
struct Still(VideoFrame);

impl VideoFeed for Still {
    fn picture(&mut self, _: Timestamp) -> Option<VideoFrame> {
        Some(self.0.clone())
    }
}

/// Soft gradients with shapes in them; with a round hole of soft edge in its alpha if `alpha`.
fn painted(size: Size, alpha: bool, seed: f32) -> Planes {
    let mut planes = if alpha { Planes::transparent(size) } else { Planes::black(size) };
    let (width, height) = (size.width as usize, size.height as usize);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let wave = ((u * 9.0 + seed).sin() * (v * 7.0).cos() * 50.0) as i32;
            let tile = if (x / 32 + y / 24) % 2 == 0 { 20 } else { -20 };
            planes.y[y * width + x] = (120 + wave + tile).clamp(16, 235) as u8;
            if let Some(alpha) = &mut planes.alpha {
                let far = (u - 0.5).hypot(v - 0.5);
                alpha[y * width + x] = ((0.5 - far) * 900.0).clamp(0.0, 255.0) as u8;
            }
        }
    }
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            planes.u[y * width / 2 + x] = (128.0 + 80.0 * (u * 8.0 + seed).sin()) as u8;
            planes.v[y * width / 2 + x] = (128.0 + 80.0 * (v * 9.0 - seed).cos()) as u8;
        }
    }
    planes
}

fn raw(planes: &Planes) -> Vec<u8> {
    let alpha = planes.alpha.as_deref().unwrap_or_default();
    [&planes.y, &planes.u, &planes.v, alpha].concat()
}

/// What ffmpeg makes of the two pictures by this graph, I420.
fn by_ffmpeg(below: &Planes, above: &Planes, graph: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("below"), folder.path().join("above"));
    fs::write(&one, raw(below)).unwrap();
    fs::write(&two, raw(above)).unwrap();
    let format = if above.is_opaque() { "yuv420p" } else { "yuva420p" };
    let (program, small) = (PROGRAM.to_string(), ABOVE.to_string());
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error"])
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &program, "-i"])
        .arg(&one)
        .args(["-f", "rawvideo", "-pix_fmt", format, "-s", &small, "-i"])
        .arg(&two)
        .args(["-filter_complex", graph, "-frames:v", "1"])
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), PROGRAM.pixels() * 3 / 2);
    output.stdout
}

/// What the compositor makes of them.
fn by_us(below: &Planes, above: &Planes, place: Place, opacity: f32) -> Vec<u8> {
    let clock = Clock::start();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let config = compose::Config { size: PROGRAM, grid, clock };
    let compositor = Compositor::spawn(config, Latest::default()).unwrap();
    let layer = |source: u32, place, opacity| Layer {
        key: source.into(),
        source: SourceId(source),
        places: vec![place],
        framed: 0,
        opacity,
        blend: Blend::Normal,
    };
    for (id, planes) in [(1, below), (2, above)] {
        let planes = Arc::new(Pooled::unpooled(planes.clone()));
        let frame = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes };
        compositor.set_source(SourceId(id), Some(Box::new(Still(frame))));
    }
    let layers = vec![layer(1, Place::default(), 1.0), layer(2, place, opacity)];
    compositor.show(Arc::new(Plan { layers, ..Plan::default() }), None);
    let (frames, pictures) = queue::bounded::<VideoFrame>("test", 8, Full::DropOldest);
    compositor.attach_encoder(frames);
    // Wishes are taken together: the first picture after them has all of it.
    let frame = pictures.recv_timeout(LIMIT).unwrap();
    compositor.join(LIMIT).unwrap();
    raw(&frame.planes)
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) / (sum / a.len() as f64).max(1e-9)).log10()
}

/// A box in program pixels.
fn at(x: f64, y: f64, width: f64, height: f64) -> Place {
    let (w, h) = (f64::from(PROGRAM.width), f64::from(PROGRAM.height));
    let place =
        Place { x: x / w, y: y / h, width: width / w, height: height / h, ..Place::default() };
    Place { fit: Fit::Stretch, ..place }
}

#[test]
fn scenes_look_as_ffmpeg_composes_them() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let below = painted(PROGRAM, false, 0.3);
    let (solid, clear) = (painted(ABOVE, false, 2.0), painted(ABOVE, true, 2.0));
    let corner = at(300.0, 100.0, 320.0, 240.0);
    let crop = compose::scene::Crop { left: 0.25, top: 0.25, ..Default::default() };
    for (name, above, place, opacity, graph, least) in [
        ("overlay", &solid, corner, 1.0, "[0][1]overlay=300:100", 99.0),
        ("alpha", &clear, corner, 1.0, "[0][1]overlay=300:100", 48.0),
        (
            "half as strong",
            &clear,
            corner,
            0.5,
            "[1]lutyuv=a=val*0.5[a];[0][a]overlay=300:100",
            45.0,
        ),
        (
            "mirrored",
            &clear,
            Place { flip_x: true, ..corner },
            1.0,
            "[1]hflip[a];[0][a]overlay=300:100",
            48.0,
        ),
        (
            "upright by quarter turns",
            &solid,
            Place { rotation: 90.0, ..at(160.0, 40.0, 320.0, 240.0) },
            1.0,
            "[1]transpose=clock[a];[0][a]overlay=200:0",
            99.0,
        ),
        (
            "scaled down",
            &clear,
            at(300.0, 100.0, 160.0, 120.0),
            1.0,
            "[1]scale=160:120:flags=bilinear[a];[0][a]overlay=300:100",
            38.0,
        ),
        (
            "cropped and scaled up",
            &solid,
            Place { crop, ..at(100.0, 60.0, 480.0, 270.0) },
            1.0,
            "[1]crop=240:180:80:60,scale=480:270:flags=bilinear[a];[0][a]overlay=100:60",
            38.0,
        ),
        (
            "turned by 30 degrees",
            &clear,
            Place { rotation: 30.0, ..at(160.0, 60.0, 320.0, 240.0) },
            1.0,
            "[1]pad=420:420:50:90:color=black@0,rotate=PI/6:c=black@0[a];[0][a]overlay=110:-30",
            36.0,
        ),
    ] {
        let (want, have) = (by_ffmpeg(&below, above, graph), by_us(&below, above, place, opacity));
        let decibels = psnr(&want, &have);
        eprintln!("{name}: {decibels:.1} dB");
        assert!(decibels >= least, "{name}: {decibels:.1} dB, wanted {least}");
    }
}

/// Shows the same pictures by the instants that are asked for, without a clock.
fn program(below: &Planes, above: &Planes) -> Program {
    let mut program = Program::new(PROGRAM);
    let feed = |planes: &Planes| Given::Feed(Some(Box::new(Still(frame(planes)))));
    let sources = [(SourceId(1), feed(below)), (SourceId(2), feed(above))];
    program.obey(sources.into(), None, None);
    program
}

fn frame(planes: &Planes) -> VideoFrame {
    let planes = Arc::new(Pooled::unpooled(planes.clone()));
    VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes }
}

fn at_least(name: &str, want: &[u8], have: &[u8], least: f64) {
    let decibels = psnr(want, have);
    eprintln!("{name}: {decibels:.1} dB");
    assert!(decibels >= least, "{name}: {decibels:.1} dB, wanted {least}");
}

#[test]
fn a_group_is_seen_through_as_one_thing_as_ffmpeg_does_it() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let (below, above) = (painted(PROGRAM, false, 0.3), painted(ABOVE, true, 2.0));
    let layer = |key, source, place| Layer {
        key,
        source: SourceId(source),
        places: vec![place],
        framed: 0,
        opacity: 1.0,
        blend: Blend::Normal,
    };
    let (one, two) = (at(100.0, 40.0, 320.0, 240.0), at(240.0, 100.0, 320.0, 240.0));
    let layers = vec![layer(1, 1, Place::default()), layer(2, 2, one), layer(3, 2, two)];
    let group = Together { key: 9, layers: 1..3, opacity: 0.5, blend: Blend::Normal };
    let plan = Plan { layers, together: vec![group] };
    let mut program = program(&below, &above);
    program.obey(Default::default(), Some((Arc::new(plan), None)), None);
    let have = program.picture(Timestamp::ZERO).0;
    // First on a picture of its own, of which nothing is seen; then half of that.
    let graph = "color=black@0:s=640x360:r=25,format=yuva420p[c];[1]split[a][b];\
                 [c][a]overlay=100:40:format=yuv420:alpha=straight[d];\
                 [d][b]overlay=240:100:format=yuv420:alpha=straight,format=yuva420p,\
                 lutyuv=a=val*0.5[e];[0][e]overlay=0:0";
    let have = raw(&have.planes);
    let together = by_ffmpeg(&below, &above, graph);
    at_least("group", &together, &have, 38.0);
    // Each by itself at half strength is another picture: the lower one shines through.
    let apart = "[1]lutyuv=a=val*0.5,split[a][b];[0][a]overlay=100:40[c];[c][b]overlay=240:100";
    let apart = psnr(&by_ffmpeg(&below, &above, apart), &have);
    assert!(apart < psnr(&together, &have) - 6.0, "{apart}");
}

/// Half way through a transition from the one source to the other.
fn half_way(old: &Planes, new: &Planes, transition: Transition, means: Means) -> Vec<u8> {
    let mut program = program(old, new);
    let (half, begin) = (transition.duration / 2, Timestamp::from_millis(5_000));
    let plan = |id| Arc::new(Plan::simple(SourceId(id)));
    program.obey(Default::default(), Some((plan(1), None)), None);
    program.picture(begin - half);
    let change = Change { transition, means };
    program.obey(Default::default(), Some((plan(2), Some(change))), None);
    program.picture(begin);
    raw(&program.picture(begin + half).0.planes)
}

#[test]
fn transitions_mix_as_ffmpegs_filters_do() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let (old, small) = (painted(PROGRAM, false, 0.3), painted(ABOVE, false, 2.0));
    // The new scene is the small picture, drawn out to the program's height on black.
    let new = "[1]scale=480:360:flags=bilinear,pad=640:360:80:0:color=black";
    let second = Duration::from_secs(1);
    let have = |kind| half_way(&old, &small, Transition { kind, duration: second }, Means::Nothing);
    let fade = format!("{new}[n];[0][n]blend=all_expr=A*0.5+B*0.5");
    at_least("fade", &by_ffmpeg(&old, &small, &fade), &have(Kind::Fade), 36.0);
    // How much of the new scene is seen, by the wipe's own definition: a soft edge of a fifth of the
    // way, which lies half outside at either end.
    let wipe = Wipe { softness: 20, ..Wipe::of(Pattern::Left) };
    let seen = |width| format!("clip((154-floor(255*(X+0.5)/{width}))*255/51,0,255)");
    let graph = format!(
        "{new},format=yuv420p[n];color=black:s=640x360:r=25,format=yuv420p,\
         geq=lum='{}':cb='{}':cr='{}'[m];[0][n][m]maskedmerge",
        seen(640),
        seen(320),
        seen(320)
    );
    at_least("wipe", &by_ffmpeg(&old, &small, &graph), &have(Kind::Luma(wipe)), 36.0);
}

/// The same picture of a clip for ever.
struct Held(VideoFrame);

impl ClipFeed for Held {
    fn moment(&mut self, _: Timestamp) -> Moment {
        Moment::Picture(self.0.clone())
    }
}

#[test]
fn a_stinger_lies_over_the_program_as_ffmpeg_lays_it() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let (old, clip) = (painted(PROGRAM, false, 0.3), painted(ABOVE, true, 2.0));
    let kind = Kind::Stinger(Stinger { cut: Duration::from_secs(9), ..Stinger::default() });
    let transition = Transition { kind, duration: Duration::from_secs(1) };
    let means = Means::Clip(Box::new(Held(frame(&clip))));
    let have = half_way(&old, &clip, transition, means);
    // As large as leaves no gap.
    let graph = "[1]scale=640:480:flags=bilinear,crop=640:360:0:60[a];[0][a]overlay=0:0";
    at_least("stinger", &by_ffmpeg(&old, &clip, graph), &have, 36.0);
}

const SCENES: &str = "[collection]
current = 'Bars'
transition = 'cut'
[[collection.scenes]]
name = 'Bars'
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = 'Dark corner'
[[collection.scenes.items]]
main = true
[[collection.scenes.items]]
source = 'Black'
x = 0.25
y = 0.25
width = 0.5
height = 0.25
fit = 'stretch'
[[collection.sources]]
name = 'Black'
source = 'color:#000000'
";

/// Every picture of a file: the time in its band, and the mean luma of the middle of the box.
fn pictures(file: &Path) -> Vec<(Option<u64>, u32)> {
    let size = PROGRAM;
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-fps_mode", "passthrough", "-an", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stride = size.width as usize;
    let of = |luma: &[u8]| {
        let rows = luma.chunks_exact(stride).skip(100).take(70);
        let cells = rows.flat_map(|row| row[200..440].iter());
        let sum: u32 = cells.map(|&y| u32::from(y)).sum();
        (markers::read_band(luma, stride, size), sum / (70 * 240))
    };
    output.stdout.chunks_exact(size.pixels()).map(of).collect()
}

/// A broadcast of the scene "Bars" into a file, its standard input, and what it says.
fn live(
    folder: &Path,
    settings: &Path,
    audio: &str,
    file: &Path,
) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--json", "--scene", "bars", "--audio", audio, "--size", "640x360"])
        .args(["--fps", "15", "--control", "--settings"])
        .arg(settings)
        .args(["--video", "test", "--record"])
        .arg(file)
        .env("XDG_STATE_HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let control = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, control, output)
}

#[test]
fn scenes_switch_on_air_without_a_lost_or_torn_picture() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (settings, file) = (folder.path().join("s.toml"), folder.path().join("out.mkv"));
    fs::write(&settings, SCENES).unwrap();
    let (mut child, mut control, output) = live(folder.path(), &settings, "tone", &file);
    let mut said = Vec::new();
    let mut seconds = 0;
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "stats" {
            seconds += 1;
            // A switch each second, by cuts and by fades.
            let words: &[&str] = match seconds {
                1 => &["scene Dark corner"],
                2 => &["transition fade 400ms", "scene Bars"],
                3 => &["scene Dark corner"],
                4 => &["transition cut", "scene Bars", "scene Dark corner", "scene Bars"],
                5 => &["stop"],
                _ => &[],
            };
            for word in words {
                writeln!(control, "{word}").unwrap();
            }
        }
        said.push(event);
    }
    assert!(child.wait().unwrap().success(), "{said:#?}");
    let switches = said.iter().filter(|event| event["event"] == "scene").count();
    assert_eq!(switches, 6, "{said:#?}");
    let skipped = said.iter().filter(|event| event["event"] == "stats");
    let skipped = skipped.filter_map(|event| event["video"]["skipped"].as_u64()).max().unwrap();
    let pictures = pictures(&file);
    assert!(pictures.len() > 40, "{}", pictures.len());
    let times: Vec<u64> =
        pictures.iter().map(|(time, _)| time.expect("a band that cannot be read: torn")).collect();
    // 15 a second: 66 or 67 ms from one to the next.
    let missing: u64 = times
        .windows(2)
        .map(|pair| {
            assert!(pair[1] >= pair[0], "{pair:?}");
            (((pair[1] - pair[0]) as f64 * 15.0 / 1_000.0).round() as u64).saturating_sub(1)
        })
        .sum();
    // A machine that cannot keep up repeats pictures, and says so.
    let repeated = times.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    assert!(repeated == 0 || said.iter().any(|event| event["key"] == "strain-rate"), "{repeated}");
    let excused = skipped + repeated;
    assert!(missing <= excused, "{missing} pictures are missing, {excused} are accounted for");
    // The box was dark, and it was not; in between there is only a fade.
    let dark = pictures.iter().filter(|(_, luma)| *luma <= 20).count();
    let bright = pictures.iter().filter(|(_, luma)| *luma > 50).count();
    assert!(dark >= 8 && bright >= 8, "{dark} {bright}");
}

/// A clip of a second with half of it as the matte: white, seen in the middle. From its middle on it
/// is grey and there is a tone.
fn clip(path: &Path) {
    let graph = "color=white:s=640x360:r=30:d=0.5[a];color=gray:s=640x360:r=30:d=0.5[b];\
                 [a][b]concat[picture];color=black:s=640x360:r=30:d=1,\
                 drawbox=x=160:y=90:w=320:h=180:color=white:t=fill[matte];[picture][matte]hstack";
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-filter_complex", graph])
        .args(["-f", "lavfi", "-i", "aevalsrc='if(gte(t,0.5),0.5*sin(6283.185*t),0)':s=44100:d=1"])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_clip_is_shown_and_heard_by_its_own_time_from_when_it_is_begun() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    clip(&path);
    // Another rate than the clip's.
    let mut clip = onair::player::clip::open(&path, 48_000, 2).unwrap();
    let mut sound = clip.sound.take().unwrap();
    let begin = 7_000_000;
    let at = |micros: i64| Timestamp::from_micros(begin + micros);
    let (mut grey, mut tone, mut pulled) = (None, None, 0);
    let mut block = [0.0; 960];
    for frame in 0..29 {
        let now = frame * 1_000_000 / 30;
        let mut tries = 0;
        let seen = loop {
            match clip.pictures.moment(at(now)) {
                Moment::Picture(seen) if seen.pts.as_micros() >= now - 17_000 => break seen,
                Moment::Over => panic!("over after {now} µs"),
                // The decoder is another thread.
                _ => std::thread::sleep(std::time::Duration::from_millis(2)),
            }
            tries += 1;
            assert!(tries < 10_000, "nothing at {now} µs");
        };
        assert_eq!((seen.size().width, seen.size().height), (1280, 360));
        if seen.planes.y[20] < 200 {
            grey.get_or_insert(seen.pts.as_micros());
        }
        // Sound a little behind the pictures: it is decoded by then.
        while pulled * 10_000 + 200_000 < now {
            sound.pull(at(pulled * 10_000), &mut block);
            let loud = block.chunks_exact(2).position(|frame| frame[0].abs() > 0.1);
            if let Some(index) = loud.filter(|_| tone.is_none()) {
                tone = Some(pulled * 10_000 + index as i64 * 1_000_000 / 48_000);
            }
            pulled += 1;
        }
    }
    let (grey, tone) = (grey.unwrap(), tone.unwrap());
    assert!((grey - 500_000).abs() <= 17_000, "{grey}");
    assert!((tone - 500_000).abs() <= 3_000, "the tone begins at {tone} µs");
    let over = (0..10_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        matches!(clip.pictures.moment(at(1_100_000)), Moment::Over)
    });
    assert!(over);
}

#[test]
fn a_stinger_lies_over_the_change_of_scenes_on_air_and_is_heard() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    clip(&path("swoosh.mp4"));
    let file = path("out.mkv");
    let stinger = format!(
        "[collection.stinger]\nfile = '{}'\ncut_ms = 500\nmatte = 'right'\n",
        path("swoosh.mp4").display()
    );
    let settings = SCENES.replace("transition = 'cut'", "transition = 'stinger'") + &stinger;
    fs::write(path("s.toml"), settings).unwrap();
    let (mut child, mut control, output) = live(folder.path(), &path("s.toml"), "silence", &file);
    let (mut said, mut seconds, mut switches, mut whole) = (Vec::new(), 0, 0, 0);
    // Whether transitions are given up now, and whether they were since the last switch.
    let (mut strained, mut since) = (false, false);
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["key"].as_str() {
            Some("strain-over") => strained = false,
            Some("strain-transitions" | "strain-filters" | "strain-rate") => {
                (strained, since) = (true, true);
            }
            _ => {}
        }
        if event["event"] == "stats" {
            seconds += 1;
            // Every other second, there and back, until two went by on a machine that keeps up, after
            // one more: a busy machine may not have read the clip at first.
            if seconds % 2 == 0 {
                whole += usize::from(switches > 1 && !since);
                since = strained;
                if whole >= 2 {
                    writeln!(control, "stop").unwrap();
                } else {
                    let scene = ["Dark corner", "Bars"][switches % 2];
                    writeln!(control, "scene {scene}").unwrap();
                    switches += 1;
                }
            }
            assert!(seconds < 140, "this machine gave transitions up all the time: {said:#?}");
        }
        said.push(event);
    }
    assert!(child.wait().unwrap().success(), "{said:#?}");
    assert!(!said.iter().any(|event| event["key"] == "transition-failed"), "{said:#?}");
    assert!(whole >= 2, "{said:#?}");
    let lumas: Vec<u32> = pictures(&file).iter().map(|(_, luma)| *luma).collect();
    let white = lumas.iter().filter(|luma| **luma > 225).count();
    let dark = lumas.iter().filter(|luma| **luma <= 20).count();
    // Half a second of 15 a second each time, as far as the machine keeps up, and what comes after.
    assert!((2..=switches * 14).contains(&white) && dark >= 4, "{switches}: {lumas:?}");
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(&file)
        .args(["-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    let samples = output.stdout.chunks_exact(4);
    let loud = samples.filter(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]).abs() > 0.1);
    let millis = loud.count() / 48;
    // Half a second each time; of a sine of 0.5 some 87 % lie above 0.1.
    assert!((100..=switches * 500).contains(&millis), "{millis} ms of tone of {switches}");
}

#[test]
fn items_are_duplicated_on_air_with_their_source_and_with_a_new_one() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (settings, file) = (folder.path().join("s.toml"), folder.path().join("out.mkv"));
    // Nothing but the black box, before bright colour.
    let text = SCENES.replace("main = true\n", "source = 'White'\n")
        + "[[collection.sources]]\nname = 'White'\nsource = 'color:#ffffff'\n";
    fs::write(&settings, text).unwrap();
    let (mut child, mut control, output) = live(folder.path(), &settings, "silence", &file);
    let mut seconds = 0;
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "stats" {
            seconds += 1;
            // The topmost of the name is meant: the second begins where the first one lies.
            let words = match seconds {
                1 => "scene Dark corner",
                2 => "duplicate Black",
                3 => "duplicate-source Black",
                5 => "stop",
                _ => continue,
            };
            writeln!(control, "{words}").unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-sseof", "-0.5", "-i"])
        .arg(&file)
        .args(["-an", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let at = |x: usize, y: usize| output.stdout[y * PROGRAM.width as usize + x];
    // Boxes of 320×90 at 25 %, 28 % and 31 %: seen by their lower right corners.
    let corners = [(474, 174), (494, 185), (513, 196)].map(|(x, y)| at(x, y) < 40);
    assert_eq!(corners, [true; 3], "the box and two more of it");
    assert!(at(530, 196) > 200 && at(513, 210) > 200, "and no fourth");
}

#[test]
fn a_scene_that_is_not_there_is_refused_with_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("s.toml");
    fs::write(&settings, SCENES).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--scene", "Nowhere", "--settings"])
        .arg(&settings)
        .args(["--record", "never.mkv"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("Bars, Dark corner"), "{words}");
}
