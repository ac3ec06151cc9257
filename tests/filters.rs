//! Tests of video filters. The compositor's output is compared with ffmpeg's filters by PSNR. A LUT
//! and a mask from a settings file must be visible in a recording.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::peers::{self, LIMIT, Onair, ffmpeg, missing, wait_for};
use onair::base::{Pooled, Timestamp};
use onair::compose::filter::{AssetSupply, Cube, Filter, FilterAssets, Slot, Table, WantedFilter};
use onair::compose::scene::{Blend, Fit, Layer, Placement, Plan, SourceId};
use onair::compose::transition::{Change, Kind, Transition, TransitionAssets};
use onair::compose::{Program, SourceFrame};
use onair::media::{Color, NumericSettings, Planes, Size, VideoFeed, VideoFrame};

const SIZE: Size = Size::new(640, 360);

/// Frames one after the other; the last one repeats forever.
struct FrameSequence {
    frames: Vec<VideoFrame>,
    at: usize,
}

impl VideoFeed for FrameSequence {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        let frame = self.frames[self.at].clone();
        self.at = (self.at + 1).min(self.frames.len() - 1);
        Some(frame)
    }
}

/// Soft gradients with shapes in them, with this much chroma, at an instant.
fn painted(chroma: f32, time: f32) -> Planes {
    let mut planes = Planes::black(SIZE);
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32 + time, y as f32 / height as f32);
            let wave = ((u * 9.0).sin() * (v * 7.0).cos() * 40.0) as i32;
            let tile = ((u * 40.0).sin() * (v * 30.0).sin() * 30.0) as i32;
            planes.y[y * width + x] = (120 + wave + tile).clamp(16, 235) as u8;
        }
    }
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let (u, v) = (2.0 * x as f32 / width as f32 + time, 2.0 * y as f32 / height as f32);
            planes.u[y * width / 2 + x] = (128.0 + chroma * (u * 5.0).sin()) as u8;
            planes.v[y * width / 2 + x] = (128.0 + chroma * (v * 6.0).cos()) as u8;
        }
    }
    planes
}

fn raw(planes: &Planes) -> Vec<u8> {
    [planes.y.as_slice(), &planes.u, &planes.v].concat()
}

/// The last of these frames, filtered by ffmpeg.
fn by_ffmpeg(pictures: &[Planes], graph: &str) -> Vec<u8> {
    together_by_ffmpeg(&[pictures], graph)
}

/// The last frames of these inputs, combined by ffmpeg. All inputs have the same number of frames.
fn together_by_ffmpeg(inputs: &[&[Planes]], graph: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error"]);
    for (number, pictures) in inputs.iter().enumerate() {
        let input = folder.path().join(number.to_string());
        fs::write(&input, pictures.iter().flat_map(raw).collect::<Vec<u8>>()).unwrap();
        command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &SIZE.to_string(), "-i"]);
        command.arg(&input);
    }
    let pictures = inputs[0];
    let output = command
        .args(["-filter_complex", graph, "-frames:v", &pictures.len().to_string()])
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = SIZE.pixels() * 3 / 2;
    assert_eq!(output.stdout.len(), bytes * pictures.len(), "{graph}");
    output.stdout[output.stdout.len() - bytes..].to_vec()
}

/// The last of these frames, filtered by the compositor.
fn by_us(pictures: &[Planes], filter: Filter, material: Option<FilterAssets>) -> Vec<u8> {
    let frame = |planes: &Planes| {
        let planes = Arc::new(Pooled::unpooled(planes.clone()));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
    };
    let feed = FrameSequence { frames: pictures.iter().map(frame).collect(), at: 0 };
    let wanted = WantedFilter { slot: Slot { enabled: true, filter }, material: material.into() };
    let mut program = Program::new(SIZE);
    program.handle([(SourceId(1), SourceFrame::Feed(Some(Box::new(feed))))].into(), None, None);
    program.set_filters([(SourceId(1), vec![wanted])].into(), false);
    program.handle(Default::default(), Some((Arc::new(Plan::simple(SourceId(1))), None)), None);
    // Ticks do not follow real time: a busy machine must not skip a filter here.
    let mut ticks = (0_i64..=pictures.len() as i64).map(|tick| Timestamp::from_millis(tick * 33));
    let begin = ticks.next().unwrap();
    let first = program.frame(begin).0;
    let last = ticks.fold(first, |_, at| program.frame(at).0);
    raw(last.planes())
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) / (sum / a.len() as f64).max(1e-9)).log10()
}

fn filter(kind: &str, values: &[(&str, f32)]) -> Filter {
    let mut filter = Filter::of_kind(kind).unwrap();
    for (name, value) in values {
        assert!(filter.set(name, *value), "{kind} {name}");
    }
    filter
}

fn chosen(mut filter: Filter, name: &str, option: &str) -> Filter {
    assert!(filter.choose(name, option));
    filter
}

/// A chroma key with only the features that ffmpeg's has.
const KEYED: [(&str, f32); 4] =
    [("similarity", 0.35), ("smoothness", 0.1), ("spill", 0.0), ("protect", 0.0)];

/// The same key for ffmpeg: its chroma in BT.709, and distances as ffmpeg measures them, divided by
/// 255 times the square root of 2.
fn keyed_by_ffmpeg() -> String {
    let part = |share: f64| share * 224.0 / (255.0 * 2.0_f64.sqrt());
    let (similarity, blend) = (part(0.35), part(0.1));
    let color = "color=0xAD2A1A:yuv=1";
    format!("format=yuva420p,chromakey={color}:similarity={similarity:.4}:blend={blend:.4}")
}

#[test]
fn filters_look_as_ffmpegs_do() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let picture = painted(90.0, 0.0);
    let sides = [("left", 0.25), ("top", 0.25), ("right", 0.25), ("bottom", 0.25)];
    let gamma = "lutyuv=y='16+219*pow((clip(val,16,235)-16)/219,1/1.5)'";
    let key = format!(
        "[0]{}[a];color=black:s={SIZE}:r=25,format=yuv420p[b];[b][a]overlay=shortest=1",
        keyed_by_ffmpeg()
    );
    for (name, ours, graph, least) in [
        ("crop", filter("crop", &sides), "crop=320:180:160:90,scale=640:360:flags=bilinear", 54.5),
        (
            "scale",
            chosen(filter("scale", &[("width", 320.0)]), "kernel", "lanczos"),
            "scale=320:180:flags=lanczos,scale=640:360:flags=bilinear",
            50.0,
        ),
        (
            "hue and saturation",
            filter("color", &[("hue_degrees", 30.0), ("saturation", 0.8)]),
            "hue=h=30:s=0.8",
            72.0,
        ),
        (
            "contrast",
            filter("color", &[("contrast", 1.2), ("saturation", 1.0 / 1.2)]),
            "eq=contrast=1.2",
            44.0,
        ),
        ("gamma", filter("color", &[("gamma", 1.5)]), gamma, 50.5),
        ("chroma key", filter("chroma-key", &KEYED), &key, 43.0),
        ("sharpen", filter("sharpen", &[("amount", 0.5)]), "unsharp=5:5:0.5:5:5:0", 56.5),
    ] {
        let have = by_us(std::slice::from_ref(&picture), ours, None);
        let decibels = psnr(&by_ffmpeg(std::slice::from_ref(&picture), graph), &have);
        eprintln!("{name}: {decibels:.1} dB");
        assert!(decibels >= least, "{name}: {decibels:.1} dB, wanted {least}");
    }
    // ffmpeg blurs chroma by as many samples as luma, so only luma is compared.
    let have = by_us(std::slice::from_ref(&picture), filter("blur", &[("sigma", 6.0)]), None);
    let want = by_ffmpeg(std::slice::from_ref(&picture), "gblur=sigma=6:steps=3");
    let decibels = psnr(&want[..SIZE.pixels()], &have[..SIZE.pixels()]);
    eprintln!("blur: {decibels:.1} dB");
    assert!(decibels >= 54.0, "blur: {decibels:.1} dB");
}

/// A LUT that is warmer and has more contrast.
fn look() -> String {
    let mut text = "TITLE \"Warm\"\nLUT_3D_SIZE 17\n".to_owned();
    for index in 0..17 * 17 * 17 {
        let [r, g, b] = [index % 17, index / 17 % 17, index / 289].map(|it| it as f32 / 16.0);
        let bend = |it: f32| it * it * (3.0 - 2.0 * it);
        text.push_str(&format!("{} {} {}\n", bend(r).powf(0.8), bend(g), bend(b).powf(1.2)));
    }
    text
}

/// ffmpeg's filter for the LUT in this file.
fn looked_by_ffmpeg(file: &Path) -> String {
    format!(
        "scale=in_color_matrix=bt709:in_range=tv:flags=bilinear+accurate_rnd+full_chroma_int,\
         format=gbrp,lut3d=file={}:interp=tetrahedral,\
         scale=out_color_matrix=bt709:out_range=tv:flags=bilinear+accurate_rnd,format=yuv420p",
        file.display()
    )
}

/// The same frame forever.
struct Still(VideoFrame);

impl VideoFeed for Still {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        Some(self.0.clone())
    }
}

#[test]
fn a_whole_scene_looks_as_ffmpegs_graph_for_it_does() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("warm.cube");
    fs::write(&file, look()).unwrap();
    // A camera with a LUT; in front of it a smaller, green-screen source; all of it half faded in
    // from black.
    let (camera, green) = (painted(25.0, 0.0), painted(90.0, 0.4));
    let graph = format!(
        "[0]{}[a];[1]{},scale=320:180:flags=bilinear[b];[a][b]overlay=240:120,fade=in:0:2",
        looked_by_ffmpeg(&file),
        keyed_by_ffmpeg()
    );
    let twice = |planes: &Planes| [planes.clone(), planes.clone()];
    let want = together_by_ffmpeg(&[&twice(&camera), &twice(&green)], &graph);

    let mut program = Program::new(SIZE);
    let feed = |planes: &Planes| {
        let planes = Arc::new(Pooled::unpooled(planes.clone()));
        let frame =
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() };
        SourceFrame::Feed(Some(Box::new(Still(frame))))
    };
    let black = Planes::black(SIZE);
    let sources = [(1, feed(&camera)), (2, feed(&green)), (3, feed(&black))];
    let sources = sources.map(|(id, given)| (SourceId(id), given));
    program.handle(sources.into(), None, None);
    let slot = |filter| Slot { enabled: true, filter };
    let table = Arc::new(Table::new(&Cube::parse(&look()).unwrap()));
    let warm = WantedFilter {
        slot: slot(filter("lut", &[])),
        material: AssetSupply::There(FilterAssets::Table(table)),
    };
    let key =
        WantedFilter { slot: slot(filter("chroma-key", &KEYED)), material: AssetSupply::Nothing };
    program.set_filters([(SourceId(1), vec![warm]), (SourceId(2), vec![key])].into(), false);
    let layer = |source: u32, place| Layer {
        key: source.into(),
        source: SourceId(source),
        places: vec![place],
        framed: 0,
        opacity: 1.0,
        blend: Blend::Normal,
    };
    let place = Placement {
        x: 240.0 / 640.0,
        y: 120.0 / 360.0,
        width: 0.5,
        height: 0.5,
        fit: Fit::Stretch,
        ..Placement::default()
    };
    let layers = vec![layer(1, Placement::default()), layer(2, place)];
    let scene = Arc::new(Plan { layers, ..Plan::default() });
    let (second, begin) = (Duration::from_secs(1), Timestamp::from_millis(5_000));
    let before = Arc::new(Plan::simple(SourceId(3)));
    program.handle(Default::default(), Some((before, None)), None);
    program.frame(begin - second);
    let transition = Transition { kind: Kind::Fade, duration: second };
    let change = Change { transition, means: TransitionAssets::Nothing };
    program.handle(Default::default(), Some((scene, Some(change))), None);
    program.frame(begin);
    let half = raw(program.frame(begin + second / 2).0.planes());
    let decibels = psnr(&want, &half);
    eprintln!("half faded: {decibels:.1} dB");
    assert!(decibels >= 49.5, "half faded: {decibels:.1} dB");
    // And fully faded in: the fade must not hide differences.
    let whole = raw(program.frame(begin + second * 2).0.planes());
    let graph = graph.replace(",fade=in:0:2", "");
    let decibels = psnr(&together_by_ffmpeg(&[&twice(&camera), &twice(&green)], &graph), &whole);
    eprintln!("whole: {decibels:.1} dB");
    assert!(decibels >= 49.0, "whole: {decibels:.1} dB");
}

#[test]
fn a_lut_colors_as_that_of_ffmpeg() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("warm.cube");
    fs::write(&file, look()).unwrap();
    let table = Table::new(&Cube::parse(&look()).unwrap());
    let picture = [painted(25.0, 0.0)];
    let have = by_us(&picture, filter("lut", &[]), Some(FilterAssets::Table(Arc::new(table))));
    let decibels = psnr(&by_ffmpeg(&picture, &looked_by_ffmpeg(&file)), &have);
    eprintln!("lut3d: {decibels:.1} dB");
    assert!(decibels >= 49.0, "{decibels:.1} dB");
}

#[test]
fn fields_become_frames_as_well_as_with_yadif() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let whole: Vec<Planes> = (0..10).map(|n| painted(60.0, n as f32 * 0.004)).collect();
    let weave = |top: &[u8], bottom: &[u8], width: usize| -> Vec<u8> {
        let rows = top.chunks_exact(width).zip(bottom.chunks_exact(width)).enumerate();
        rows.flat_map(|(row, (top, bottom))| if row % 2 == 0 { top } else { bottom })
            .copied()
            .collect()
    };
    // The top field of one instant with the bottom field of the next.
    let fields: Vec<Planes> = whole
        .chunks_exact(2)
        .map(|two| {
            let mut planes = Planes::black(SIZE);
            planes.y = weave(&two[0].y, &two[1].y, 640);
            planes.u = weave(&two[0].u, &two[1].u, 320);
            planes.v = weave(&two[0].v, &two[1].v, 320);
            planes
        })
        .collect();
    let truth = raw(&whole[8]);
    let have = psnr(&truth, &by_us(&fields, filter("deinterlace", &[]), None));
    let theirs = psnr(&truth, &by_ffmpeg(&fields, "yadif=mode=send_frame:parity=tff:deint=all"));
    let before = psnr(&truth, &raw(&fields[4]));
    eprintln!("deinterlace: {have:.1} dB, yadif {theirs:.1} dB, before {before:.1} dB");
    assert!(have > before + 6.0 && have > theirs - 2.0, "{have:.1} {theirs:.1} {before:.1}");
}

#[test]
fn noise_is_taken_away_as_well_as_hqdn3d_does() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let clean = painted(60.0, 0.0);
    let mut random = 5_u64;
    let noisy: Vec<Planes> = (0..12)
        .map(|_| {
            let mut planes = clean.clone();
            for y in &mut planes.y {
                // The sum of four, so that most values are small.
                let mut sum = 0;
                for _ in 0..4 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    sum += (random >> 61) as i32;
                }
                *y = (i32::from(*y) + sum - 14).clamp(0, 255) as u8;
            }
            planes
        })
        .collect();
    let luma = SIZE.pixels();
    let of = |picture: &[u8]| psnr(&raw(&clean)[..luma], &picture[..luma]);
    let have = of(&by_us(&noisy, filter("denoise", &[("spatial", 0.5), ("temporal", 0.5)]), None));
    let (theirs, before) = (of(&by_ffmpeg(&noisy, "hqdn3d")), of(&raw(&noisy[11])));
    eprintln!("denoise: {have:.1} dB, hqdn3d {theirs:.1} dB, before {before:.1} dB");
    assert!(have > before + 3.0 && have > theirs - 2.0, "{have:.1} {theirs:.1} {before:.1}");
}

#[test]
fn filters_of_a_settings_file_reach_the_recording() {
    crate::peers::in_real_time!(filters_of_a_settings_file_reach_the_recording);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // A LUT that takes a while to read.
    let steps: Vec<f32> = (0..17_u8).map(|step| 1.0 - f32::from(step) / 16.0).collect();
    let mut negative = "LUT_3D_SIZE 17\n".to_owned();
    for blue in &steps {
        for green in &steps {
            for red in &steps {
                negative.push_str(&format!("{red} {green} {blue}\n"));
            }
        }
    }
    fs::write(path("negative.cube"), negative).unwrap();
    fs::write(path("broken.cube"), "LUT_3D_SIZE 70\n").unwrap();
    let settings = format!(
        "[collection]\ncurrent = 'Talk'\n[[collection.scenes]]\nname = 'Talk'\n\
         [[collection.scenes.items]]\nmain = true\n\
         [[collection.main_filters]]\nkind = 'lut'\nfile = '{}'\n\
         [[collection.main_filters]]\nkind = 'lut'\nfile = '{}'\n\
         [[collection.main_filters]]\nkind = 'hologram'\n",
        path("negative.cube").display(),
        path("broken.cube").display()
    );
    fs::write(path("s.toml"), settings).unwrap();
    let (settings, file) = (path("s.toml"), path("out.mkv"));
    let mut live = Onair::start(&[
        "live",
        "--scene",
        "Talk",
        "--video",
        "color:#ffffff",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--fps",
        "15",
        "--settings",
        settings.to_str().unwrap(),
        "--record",
        file.to_str().unwrap(),
    ]);
    let begun = live.wait_event("the recording", |event| event["state"] == "writing");
    live.wait_event("the broken table", |event| {
        event["key"] == "filter-failed" && event.to_string().contains("broken.cube")
    });
    let means = |luma: &[u8]| -> Vec<u32> {
        let pictures = luma.chunks_exact(320 * 180);
        let sums = pictures.map(|it| it.iter().map(|y| u32::from(*y)).sum::<u32>());
        sums.map(|sum| sum / (320 * 180)).collect()
    };
    wait_for("white that is black now", LIMIT, || {
        let means = means(&ffmpeg::luma_so_far(&file));
        means.len() > 10 && means.last() <= Some(&20)
    });
    assert!(live.stop(LIMIT).success(), "{}", live.peer.errors());
    let output = live.peer.output() + &live.peer.errors();
    assert!(output.contains("hologram"), "{output}");
    let means = means(&ffmpeg::luma(&file));
    // Nothing is sent before the LUT is read, but the wait is limited to 3 s.
    if begun["t"].as_f64().unwrap() > 3.0 {
        peers::skipped_even_in_ci("the LUT took longer than the broadcast waits for it");
        return;
    }
    assert!(means.iter().all(|mean| *mean <= 40), "no white: {means:?}");
}

#[test]
fn behind_a_person_in_a_photo_nothing_is_seen_at_any_time() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let settings = "[collection]\ncurrent = 'Talk'\n[[collection.scenes]]\nname = 'Talk'\n\
                    [[collection.scenes.items]]\nmain = true\n\
                    [[collection.main_filters]]\nkind = 'background'\n";
    fs::write(path("s.toml"), settings).unwrap();
    let (settings, file) = (path("s.toml"), path("out.mkv"));
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/people/astronaut.jpg");
    let photo = format!("image:{photo}");
    let arguments = ["live", "--scene", "Talk", "--video", &photo, "--audio", "silence"];
    let shape = ["--size", "384x216", "--fps", "15", "--settings", settings.to_str().unwrap()];
    let record = ["--record", file.to_str().unwrap()];
    let mut live = Onair::start(&[&arguments[..], &shape, &record].concat());
    /// The mean of 16x16 pixels around a point.
    fn around(picture: &[u8], x: usize, y: usize) -> u32 {
        let rows = (y - 8..y + 8).map(|y| &picture[y * 384 + x - 8..y * 384 + x + 8]);
        rows.flatten().map(|it| u32::from(*it)).sum::<u32>() / 256
    }
    const WALL: [(usize, usize); 4] = [(250, 30), (250, 120), (90, 20), (370, 100)];
    wait_for("the face and the suit", LIMIT, || {
        let luma = ffmpeg::luma_so_far(&file);
        let last = luma.chunks_exact(384 * 216).next_back();
        last.is_some_and(|it| around(it, 170, 85) > 90 && around(it, 70, 195) > 50)
    });
    assert!(live.stop(LIMIT).success(), "{}", live.peer.errors());
    for (index, picture) in ffmpeg::luma(&file).chunks_exact(384 * 216).enumerate() {
        let wall = WALL.map(|(x, y)| around(picture, x, y));
        assert!(wall.iter().all(|it| *it < 30), "{wall:?} in frame {index}");
    }
}
