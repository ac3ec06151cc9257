//! Tests of scenes. The compositor's frames are compared with ffmpeg's filter graph for the same
//! scene. Other tests check, frame by frame, how scene switches on the air arrive at the receiver.

mod on_air;

use std::fs;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::peers::{LIMIT, ffmpeg, missing};
use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Pooled, Timestamp};
use onair::compose::scene::{Blend, Fit, Layer, LayerGroup, Placement, Plan, SourceId};
use onair::compose::transition::{
    Change, Kind, Pattern, Stinger, Transition, TransitionAssets, Wipe,
};
use onair::compose::{self, Compositor, Program, SourceFrame};
use onair::media::{
    ClipFeed, Color, FrameGrid, FrameRate, Moment, Planes, Size, VideoFeed, VideoFrame, markers,
};

const PROGRAM: Size = Size::new(640, 360);
const ABOVE: Size = Size::new(320, 240);

/// The same frame forever.
struct Still(VideoFrame);

impl VideoFeed for Still {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        Some(self.0.clone())
    }
}

/// Soft gradients with shapes in them; with a round hole with a soft edge in the alpha if `alpha`.
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

/// The two frames, combined by ffmpeg with this graph; I420.
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

/// The two frames, combined by the compositor.
fn by_us(below: &Planes, above: &Planes, place: Placement, opacity: f32) -> Vec<u8> {
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
        let frame =
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() };
        compositor.set_source(SourceId(id), Some(Box::new(Still(frame))));
    }
    let layers = vec![layer(1, Placement::default(), 1.0), layer(2, place, opacity)];
    compositor.show(Arc::new(Plan { layers, ..Plan::default() }), None);
    let (frames, pictures) = queue::bounded::<VideoFrame>("test", 8, Full::DropOldest);
    compositor.attach_encoder(frames);
    // The compositor applies pending changes together: the first frame after them shows all of
    // them.
    let frame = pictures.recv_timeout(LIMIT).unwrap();
    compositor.join(LIMIT).unwrap();
    raw(frame.planes())
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) / (sum / a.len() as f64).max(1e-9)).log10()
}

/// A box in program coordinates.
fn at(x: f64, y: f64, width: f64, height: f64) -> Placement {
    let (w, h) = (f64::from(PROGRAM.width), f64::from(PROGRAM.height));
    let place = Placement {
        x: x / w,
        y: y / h,
        width: width / w,
        height: height / h,
        ..Placement::default()
    };
    Placement { fit: Fit::Stretch, ..place }
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
            Placement { flip_x: true, ..corner },
            1.0,
            "[1]hflip[a];[0][a]overlay=300:100",
            48.0,
        ),
        (
            "upright by quarter turns",
            &solid,
            Placement { rotation: 90.0, ..at(160.0, 40.0, 320.0, 240.0) },
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
            Placement { crop, ..at(100.0, 60.0, 480.0, 270.0) },
            1.0,
            "[1]crop=240:180:80:60,scale=480:270:flags=bilinear[a];[0][a]overlay=100:60",
            38.0,
        ),
        (
            "turned by 30 degrees",
            &clear,
            Placement { rotation: 30.0, ..at(160.0, 60.0, 320.0, 240.0) },
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

/// A program that shows the same frames at requested instants, without a clock.
fn program(below: &Planes, above: &Planes) -> Program {
    let mut program = Program::new(PROGRAM);
    let feed = |planes: &Planes| SourceFrame::Feed(Some(Box::new(Still(frame(planes)))));
    let sources = [(SourceId(1), feed(below)), (SourceId(2), feed(above))];
    program.handle(sources.into(), None, None);
    program
}

fn frame(planes: &Planes) -> VideoFrame {
    let planes = Arc::new(Pooled::unpooled(planes.clone()));
    VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
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
    let layers = vec![layer(1, 1, Placement::default()), layer(2, 2, one), layer(3, 2, two)];
    let group = LayerGroup { key: 9, layers: 1..3, opacity: 0.5, blend: Blend::Normal };
    let plan = Plan { layers, together: vec![group], ..Plan::default() };
    let mut program = program(&below, &above);
    program.handle(Default::default(), Some((Arc::new(plan), None)), None);
    let have = program.frame(Timestamp::ZERO).0;
    // The group is first drawn on its own transparent frame, and then mixed in at half opacity.
    let graph = "color=black@0:s=640x360:r=25,format=yuva420p[c];[1]split[a][b];\
                 [c][a]overlay=100:40:format=yuv420:alpha=straight[d];\
                 [d][b]overlay=240:100:format=yuv420:alpha=straight,format=yuva420p,\
                 lutyuv=a=val*0.5[e];[0][e]overlay=0:0";
    let have = raw(have.planes());
    let together = by_ffmpeg(&below, &above, graph);
    at_least("group", &together, &have, 38.0);
    // Half opacity for each layer separately looks different: the lower layer shows through.
    let apart = "[1]lutyuv=a=val*0.5,split[a][b];[0][a]overlay=100:40[c];[c][b]overlay=240:100";
    let apart = psnr(&by_ffmpeg(&below, &above, apart), &have);
    assert!(apart < psnr(&together, &have) - 6.0, "{apart}");
}

/// The frame halfway through a transition from one source to the other.
fn half_way(
    old: &Planes,
    new: &Planes,
    transition: Transition,
    means: TransitionAssets,
) -> Vec<u8> {
    let mut program = program(old, new);
    let (half, begin) = (transition.duration / 2, Timestamp::from_millis(5_000));
    let plan = |id| Arc::new(Plan::simple(SourceId(id)));
    program.handle(Default::default(), Some((plan(1), None)), None);
    program.frame(begin - half);
    let change = Change { transition, means };
    program.handle(Default::default(), Some((plan(2), Some(change))), None);
    program.frame(begin);
    raw(program.frame(begin + half).0.planes())
}

#[test]
fn transitions_mix_as_ffmpegs_filters_do() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let (old, small) = (painted(PROGRAM, false, 0.3), painted(ABOVE, false, 2.0));
    // The new scene is the small source, scaled to the program's height on black.
    let new = "[1]scale=480:360:flags=bilinear,pad=640:360:80:0:color=black";
    let second = Duration::from_secs(1);
    let have = |kind| {
        half_way(&old, &small, Transition { kind, duration: second }, TransitionAssets::Nothing)
    };
    let fade = format!("{new}[n];[0][n]blend=all_expr=A*0.5+B*0.5");
    at_least("fade", &by_ffmpeg(&old, &small, &fade), &have(Kind::Fade), 36.0);
    // The share of the new scene, by the wipe's definition: a soft edge of a fifth of the way, half
    // of which lies outside at either end.
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

/// The same frame of a clip forever.
struct Held(VideoFrame);

impl ClipFeed for Held {
    fn moment(&mut self, _: Timestamp) -> Moment {
        Moment::Frame(self.0.clone())
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
    let means = TransitionAssets::Clip(Box::new(Held(frame(&clip))));
    let have = half_way(&old, &clip, transition, means);
    // Scaled to cover the program without a gap.
    let graph = "[1]scale=640:480:flags=bilinear,crop=640:360:0:60[a];[0][a]overlay=0:0";
    at_least("stinger", &by_ffmpeg(&old, &clip, graph), &have, 36.0);
}
