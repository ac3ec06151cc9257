//! Tests of memory use. The compositor and the mixer allocate nothing for a frame or sample block
//! after all buffers exist; scaling a frame allocates only tables. An hour of scene switches holds
//! no more memory than its first minutes. Each connection to the server takes little memory.
//!
//! The tests count the allocations of all threads, so they must run one after another.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is how it fails"
)]

#[path = "../benches/backend/allocations.rs"]
mod allocations;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use allocations::{Everywhere, everywhere};
use onair::base::queue::{self, Full};
use onair::base::{Clock, Pooled, Stop, Timestamp};
use onair::capture::text::{Content, Scroll, ScrollDirection, Style, TextAppearance};
use onair::capture::{self, LiveProperties, Properties, Rgba, VideoChoice};
use onair::compose::filter::{Cube, Filter, FilterAssets, Slot, Table, WantedFilter};
use onair::compose::scene::{Blend, Fit, Layer, LayerGroup, Placement, Plan, SourceId};
use onair::compose::transition::{Change, Kind, Side, Stinger, Transition, TransitionAssets, Wipe};
use onair::compose::{Program, SourceFrame};
use onair::media::source_status::SourceState;
use onair::media::{
    AudioFeed, ClipFeed, Color, ExtraTrack, FrameGrid, FrameRate, Moment, Planes, ProgramId,
    Pulled, Size, VideoFeed, VideoFrame,
};
use onair::mix::{self, Mixer, StripId};
use onair::net::Runtime;
use onair::server::{Config, Listen, Server};

#[global_allocator]
static COUNTING: Everywhere = Everywhere;

static TURN: Mutex<()> = Mutex::new(());

/// Large enough that other threads help with each frame.
const PROGRAM: Size = Size::new(256, 144);

/// Moving video: cycles through a few frames.
struct Moving {
    frames: Vec<VideoFrame>,
    at: usize,
}

impl VideoFeed for Moving {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        self.at += 1;
        Some(self.frames[self.at % self.frames.len()].clone())
    }
}

impl ClipFeed for Moving {
    fn moment(&mut self, at: Timestamp) -> Moment {
        self.frame(at).map_or(Moment::Over, Moment::Frame)
    }
}

fn frames(size: Size, color: Color, alpha: bool, count: u8) -> Moving {
    let frame = |luma: u8| {
        let mut planes = if alpha { Planes::transparent(size) } else { Planes::black(size) };
        planes.y.fill(40 + luma * 20);
        planes.alpha.iter_mut().for_each(|alpha| alpha.fill(90 + luma));
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color, surface: planes.into() }
    };
    Moving { frames: (0..count).map(frame).collect(), at: 0 }
}

fn feed(size: Size, color: Color, alpha: bool, count: u8) -> SourceFrame {
    SourceFrame::Feed(Some(Box::new(frames(size, color, alpha, count))))
}

fn layer(key: u64, source: u32, place: Placement) -> Layer {
    let source = SourceId(source);
    Layer { key, source, places: vec![place], framed: 0, opacity: 1.0, blend: Blend::Normal }
}

fn at(x: f64, y: f64, size: Size) -> Placement {
    let (width, height) = (f64::from(PROGRAM.width), f64::from(PROGRAM.height));
    Placement {
        x: x / width,
        y: y / height,
        width: f64::from(size.width) / width,
        height: f64::from(size.height) / height,
        fit: Fit::Stretch,
        ..Placement::default()
    }
}

/// The table is built once and then shared.
static NEGATIVE: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let cube = Cube::parse("LUT_1D_SIZE 2\n1 1 1\n0 0 0\n").unwrap();
    Arc::new(Table::new(&cube))
});

fn wanted(filters: impl IntoIterator<Item = Filter>) -> Vec<WantedFilter> {
    let wanted = |filter: Filter| {
        let material = match filter.kind() {
            "lut" => Some(FilterAssets::Table(Arc::clone(&NEGATIVE))),
            "mask" | "watermark" => {
                Some(FilterAssets::Image(Arc::new(Planes::transparent(Size::new(64, 36)))))
            }
            _ => None,
        };
        WantedFilter { slot: Slot { enabled: true, filter }, material: material.into() }
    };
    filters.into_iter().map(wanted).collect()
}

/// All kinds except background removal, whose thread allocates its buffers when it gets to it.
fn filter_kinds() -> Vec<Filter> {
    let mut kinds = Filter::kinds();
    kinds.retain(|filter| filter.kind() != "background");
    kinds
}

const OVERLAY: Size = Size::new(230, 144);
const SMALL: Size = Size::new(96, 64);

/// A camera with every filter there is, a keyed layer over it, a display, a text; a group, a
/// rotated layer, and one that is blended in RGB.
fn program() -> Program {
    let mut program = Program::new(PROGRAM);
    let sources = BTreeMap::from([
        (SourceId(1), feed(PROGRAM, Color::WEBCAM, false, 5)),
        (SourceId(2), feed(OVERLAY, Color::PROGRAM, false, 3)),
        (SourceId(3), feed(SMALL, Color::PROGRAM, true, 4)),
        (SourceId(4), feed(SMALL, Color::PROGRAM, true, 1)),
        (SourceId(5), feed(PROGRAM, Color::PROGRAM, false, 2)),
    ]);
    program.handle(sources, None, None);
    let every = filter_kinds().into_iter().filter(|filter| filter.kind() != "scale");
    let key = ["crop", "chroma-key"].map(|kind| Filter::of_kind(kind).unwrap());
    let filters = [(SourceId(1), wanted(every)), (SourceId(2), wanted(key))];
    program.set_filters(filters.into(), false);
    program
}

fn crowded() -> Arc<Plan> {
    let mut turned = layer(4, 3, Placement { rotation: 20.0, ..at(40.0, 60.0, SMALL) });
    turned.opacity = 0.7;
    let mut added = layer(5, 4, at(150.0, 20.0, SMALL));
    added.blend = Blend::Screen;
    let layers = vec![
        layer(1, 1, Placement::default()),
        layer(2, 2, at(20.0, 0.0, OVERLAY)),
        layer(3, 3, at(60.0, 40.0, SMALL)),
        turned,
        added,
        layer(6, 4, at(150.0, 76.0, SMALL)),
    ];
    let group = |key, layers, opacity| LayerGroup { key, layers, opacity, blend: Blend::Normal };
    Arc::new(Plan {
        layers,
        together: vec![group(90, 1..4, 0.5), group(91, 2..4, 0.8)],
        ..Plan::default()
    })
}

/// Allocations of `pictures` frames after `warm` others. The least of up to three runs: a helper
/// thread may warm up late, but an allocation in each frame shows in every run.
fn counted(program: &mut Program, from: &mut i64, warm: i64, pictures: i64) -> u64 {
    let mut go = |program: &mut Program, pictures: i64| {
        for _ in 0..pictures {
            *from += 1;
            drop(program.frame(Timestamp::from_micros(*from * 33_333)));
        }
    };
    go(program, warm);
    let mut once = || {
        let before = everywhere().0;
        go(program, pictures);
        everywhere().0 - before
    };
    let mut least = u64::MAX;
    for _ in 0..3 {
        least = least.min(once());
        if least == 0 {
            break;
        }
    }
    least
}

#[test]
fn a_frame_allocates_nothing_once_warm() {
    let _turn = TURN.lock();
    let mut program = program();
    let (plain, crowded) = (Arc::new(Plan::simple(SourceId(5))), crowded());
    let mut now = 0;
    let show = |program: &mut Program, plan: &Arc<Plan>, change| {
        program.handle(BTreeMap::new(), Some((Arc::clone(plan), change)), None);
    };
    show(&mut program, &crowded, Some(Change::CUT));
    assert_eq!(counted(&mut program, &mut now, 70, 10), 0, "a scene");
    for kind in [
        Kind::Fade,
        Kind::FadeColor([20, 30, 40]),
        Kind::Slide(Side::Left),
        Kind::Swipe(Side::Top),
        Kind::Luma(Wipe::default()),
        Kind::Stinger(Stinger { cut: Duration::from_secs(4), ..Stinger::default() }),
    ] {
        for plan in [&plain, &crowded] {
            let means = match kind {
                Kind::Stinger(_) => {
                    TransitionAssets::Clip(Box::new(frames(PROGRAM, Color::PROGRAM, true, 3)))
                }
                _ => TransitionAssets::Nothing,
            };
            let transition = Transition { kind: kind.clone(), duration: Duration::from_secs(8) };
            show(&mut program, plan, Some(Change { transition, means }));
            let count = counted(&mut program, &mut now, 6, 2);
            assert_eq!(count, 0, "within {kind:?}");
            show(&mut program, plan, Some(Change::CUT));
            counted(&mut program, &mut now, 2, 0);
        }
    }
}

/// The text's frames are drawn on the compositor's thread.
#[test]
fn a_text_that_moves_allocates_nothing_once_warm() {
    let _turn = TURN.lock();
    let clock = Clock::start();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = capture::Context { clock, grid, size: PROGRAM };
    for direction in [ScrollDirection::Left, ScrollDirection::Up] {
        // On an opaque background, and on none.
        for background in [Some(Rgba::opaque(20, 40, 90)), None] {
            let style = Style { background, size: 40, ..Style::default() };
            let scroll = Some(Scroll { direction, speed: 240 });
            let text =
                TextAppearance { style, scroll, height: Some(120), ..TextAppearance::default() };
            let dials = LiveProperties::new(&Properties { text, ..Properties::default() });
            let content = Content::Words("What goes past goes past, and comes again".into());
            let source = capture::open_by(&VideoChoice::Text(content), &dials, &context).unwrap();
            while source.status.state() != SourceState::Open {
                Stop::new().wait(Duration::from_millis(5));
            }
            let mut program = Program::new(PROGRAM);
            let text = (SourceId(1), SourceFrame::Feed(Some(source.feed)));
            let plan = Arc::new(Plan::simple(SourceId(1)));
            program.handle([text].into(), Some((plan, None)), None);
            let mut now = clock.now().as_micros() / 33_333;
            let count = counted(&mut program, &mut now, 70, 20);
            assert_eq!(count, 0, "{direction:?} on {background:?}");
        }
    }
}

/// Endless audio, different in each channel.
#[derive(Default)]
struct Hum(u32);

impl AudioFeed for Hum {
    fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
        for (side, sample) in out.iter_mut().enumerate() {
            self.0 += 1;
            *sample = (self.0 as f32 * [0.03, 0.05][side % 2]).sin() * 0.1;
        }
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn a_sample_block_allocates_nothing_once_warm() {
    let _turn = TURN.lock();
    let clock = Clock::start();
    let config = mix::Config { rate: 48_000, channels: 2, origin: clock.now(), clock };
    let mixer = Mixer::spawn(config).unwrap();
    mixer.set_feed(StripId::MAIN, Some(Box::<Hum>::default()));
    assert_eq!(least_of_blocks(&mixer, 50), 0);
}

/// Every filter there is, on two strips; one ducks the other and has a sync offset. At 44.1 kHz the
/// noise suppression resamples to its own rate and back.
#[test]
fn a_filtered_sample_block_allocates_nothing_once_warm() {
    let _turn = TURN.lock();
    let clock = Clock::start();
    for rate in [48_000, 44_100] {
        let config = mix::Config { rate, channels: 2, origin: clock.now(), clock };
        let mixer = Mixer::spawn(config).unwrap();
        let on = |filter| mix::filter::Slot { enabled: true, filter };
        for (id, side) in [(StripId::MAIN, None), (StripId(1), Some(StripId::MAIN))] {
            let filters = mix::filter::Filter::ALL_KINDS.into_iter().map(|mut filter| {
                if let mix::filter::Filter::Compressor { side_chain, .. } = &mut filter {
                    *side_chain = side;
                }
                on(filter)
            });
            let offset_us = if side.is_some() { 40_000 } else { 0 };
            let strip = mix::Strip { filters: filters.collect(), offset_us, ..Default::default() };
            mixer.set_strip(id, strip);
            mixer.set_feed(id, Some(Box::<Hum>::default()));
        }
        // Loudness is measured over three seconds.
        assert_eq!(least_of_blocks(&mixer, 400), 0, "{rate} Hz");
    }
}

/// Allocations of some blocks of the program and a track after warm-up: the least of three runs.
fn least_of_blocks(mixer: &Mixer, warm: usize) -> u64 {
    let (sender, program) = queue::bounded("program", 8, Full::Block);
    mixer.attach_encoder(sender);
    let (sender, extra) = queue::bounded("extra", 8, Full::Block);
    let track = ExtraTrack::all().next().unwrap();
    mixer.set_track_of(ProgramId::MAIN, track, Some(sender));
    let hear = |blocks: usize| {
        let before = everywhere().0;
        for _ in 0..blocks {
            let both = [&program, &extra].map(|it| it.recv_timeout(Duration::from_secs(20)));
            assert!(both.into_iter().all(|block| block.is_ok()));
        }
        everywhere().0 - before
    };
    hear(warm);
    (0..3).map(|_| hear(20)).min().unwrap_or_default()
}

/// A library does the scaling. It makes its tables each time, small ones for each row and
/// column of the result, and no frame. The same holds for layers that are also cropped,
/// translucent, rotated or moving.
#[test]
fn only_scaling_allocates_and_only_its_tables() {
    let _turn = TURN.lock();
    let mut program = program();
    let (larger, smaller, turned) = (Size::new(200, 112), Size::new(160, 90), Size::new(80, 60));
    // Nothing leaves the program, so each layer keeps its visible size.
    let plan = |step: u32| {
        let place = |step: u32, size| at(f64::from(step * 8), f64::from(step * 4), size);
        let mut cut = layer(3, 5, place(step + 3, smaller));
        cut.places[0].crop.left = 0.21;
        let turned = Placement { rotation: 30.0, ..place(step + 5, turned) };
        let layers = vec![
            layer(1, 5, Placement::default()),
            layer(2, 3, place(step, larger)),
            cut,
            layer(4, 3, turned),
        ];
        Arc::new(Plan { layers, ..Plan::default() })
    };
    let plans: Vec<Arc<Plan>> = (0..8).map(plan).collect();
    let show = |program: &mut Program, plan: &Arc<Plan>| {
        program.handle(BTreeMap::new(), Some((Arc::clone(plan), None)), None);
    };
    // Luma and two chroma planes of half its size; for two layers, also alpha and its half-size
    // copy for chroma. A few more for each plane.
    let lines = |size: Size| u64::from(size.width + size.height);
    let most = lines(larger) * 7 / 2 + lines(turned) * 7 / 2 + lines(smaller) * 2 + 13 * 16;
    let mut now = 0;
    show(&mut program, &plans[0]);
    let count = counted(&mut program, &mut now, 70, 20);
    assert!((1..=20 * most).contains(&count), "{count} of {most} a picture");
    let held = everywhere().1;
    for (moved, plan) in plans.iter().cycle().take(80).enumerate() {
        show(&mut program, plan);
        let before = everywhere().0;
        counted(&mut program, &mut now, 1, 0);
        let count = everywhere().0 - before;
        assert!(moved < 24 || (1..=most).contains(&count), "{count} of {most}, moving");
    }
    assert!(everywhere().1 <= held + (64 << 10), "and holds no more");
}

#[test]
fn an_hour_of_switches_holds_no_more_than_its_first_minutes() {
    let _turn = TURN.lock();
    const TINY: Size = Size::new(32, 18);
    let mut program = Program::new(TINY);
    let kinds = [
        Kind::Cut,
        Kind::Fade,
        Kind::Luma(Wipe::default()),
        Kind::Slide(Side::Right),
        Kind::Stinger(Stinger { cut: Duration::from_millis(400), ..Stinger::default() }),
    ];
    let (mut held, mut peak) = (Vec::new(), 0);
    // Another scene every ten seconds. Its sources are opened and the last scene's closed, as with
    // sources that are open only while shown. Frames during and after the transition.
    for turn in 0..360_u32 {
        let (mut sources, mut filters, mut layers) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for number in 0..4 {
            let id = turn % 6 * 4 + number;
            let old = (turn + 3) % 6 * 4 + number;
            let size = Size::new(16 + id * 2, 12);
            sources.insert(SourceId(id), feed(size, Color::WEBCAM, id % 2 == 0, 2));
            sources.insert(SourceId(old), SourceFrame::Feed(None));
            let filter_kinds = filter_kinds();
            let kind = filter_kinds[turn as usize % filter_kinds.len()].clone();
            filters.insert(SourceId(id), wanted([kind]));
            filters.insert(SourceId(old), Vec::new());
            let place = Placement { rotation: f64::from(number) * 30.0, ..Placement::default() };
            // New keys each time, as when items are created and removed.
            layers.push(layer(u64::from(turn) * 10 + u64::from(number), id, place));
        }
        let group = LayerGroup {
            key: u64::from(turn) * 10 + 9,
            layers: 1..3,
            opacity: 0.5,
            blend: Blend::Normal,
        };
        let kind = kinds[turn as usize % kinds.len()].clone();
        let means = match kind {
            Kind::Stinger(_) => {
                TransitionAssets::Clip(Box::new(frames(TINY, Color::PROGRAM, true, 2)))
            }
            _ => TransitionAssets::Nothing,
        };
        let transition = Transition { kind, duration: Duration::from_millis(600) };
        let plan = Arc::new(Plan { layers, together: vec![group], ..Plan::default() });
        program.set_filters(filters, false);
        program.handle(sources, Some((plan, Some(Change { transition, means }))), None);
        for after in [0, 300, 500, 1_000] {
            let millis = i64::from(turn) * 10_000 + after;
            drop(program.frame(Timestamp::from_millis(millis)));
            peak = peak.max(everywhere().1);
        }
        // After 30 turns, every combination of scene, filter and transition has occurred.
        if turn % 30 == 29 {
            held.push(std::mem::take(&mut peak));
        }
    }
    let first = held[1];
    let most = *held[2..].iter().max().unwrap();
    assert!(most <= first + first / 20 + (64 << 10), "{held:?}");
}

/// What few clients need (TLS, a tunnel over HTTP) is not allocated for each client.
#[test]
fn a_caller_of_the_server_takes_little() {
    const HELLO: usize = 1 + 1_536;
    const CALLERS: i64 = 40;
    let _turn = TURN.lock();
    let runtime = Runtime::start().unwrap();
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let config = Config { rtmp: any, http: None, ..Config::default() };
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    let call = || {
        let mut socket = TcpStream::connect(server.addresses().rtmp).unwrap();
        let mut hello = [0; HELLO];
        hello[0] = 3;
        socket.write_all(&hello).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // Reads the server's answer. The server keeps what it has received until the whole
        // handshake is complete.
        let mut answer = [0; HELLO + 1_536];
        socket.read_exact(&mut answer).unwrap();
        socket
    };
    let mut callers: Vec<TcpStream> = Vec::with_capacity(CALLERS as usize + 10);
    callers.extend((0..10).map(|_| call()));
    let before = everywhere().1;
    callers.extend((0..CALLERS).map(|_| call()));
    let each = (everywhere().1 - before) / CALLERS;
    assert!((1..11_000).contains(&each), "{each} bytes");
    assert!(server.shutdown(Duration::from_secs(20)));
}
