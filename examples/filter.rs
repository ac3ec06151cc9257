//! Applies one filter to the frames of a Y4M file, as fast as the computer can, and prints the time
//! per frame:
//!
//! `cargo run --release --example filter -- clip.y4m chroma-key similarity=0.4`
//!
//! The filter bench (`packaging/bench.sh filters`) uses it. The file must be 4:2:0 with plain `FRAME`
//! lines, as FFmpeg writes it. Its colors are assumed to be those of the program. `file=…` is the
//! filter's file. `stinger` is not a filter: a second file of the same size (`above=…`, I420A as
//! FFmpeg's `rawvideo` writes it) is drawn over the first one, like the clip of a transition.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use onair::base::{Pooled, Timestamp, WorkerPool};
use onair::capture;
use onair::compose::filter::{Asset, Chain, Cube, Filter, FilterAssets, Slot, Table, WantedFilter};
use onair::compose::transition::{Change, Kind, Stinger, Transition, TransitionAssets};
use onair::compose::{Program, SourceFrame, scene};
use onair::media::filter_settings::NumericSettings;
use onair::media::{ClipFeed, Color, Moment, Planes, Size, VideoFeed, VideoFrame};

/// The work for each frame.
type Work = Box<dyn FnMut(&VideoFrame, Timestamp)>;

/// Maximum number of frames of the clip that are kept in memory.
const MOST: usize = 30;

/// The frames are repeated for this long.
const LONG: Duration = Duration::from_millis(1_500);

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [clip, kind, words @ ..] = args.as_slice() else {
        bail!("filter CLIP.y4m KIND [NAME=VALUE…]");
    };
    let pictures = pictures(clip)?;
    let words = words.iter().map(|word| word.split_once('=').context("NAME=VALUE"));
    let words = words.collect::<Result<Vec<_>>>()?;
    let workers = WorkerPool::of_this_machine("bands");
    let mut work: Work = if kind == "stinger" {
        stinger(words.first().context("above=FILE")?.1, &pictures)?
    } else {
        let mut chain = Chain::default();
        chain.set(&[wanted(kind, &words)?]);
        Box::new(move |frame, at| drop(chain.apply(frame, at, false, &workers)))
    };
    let mut at = Timestamp::ZERO;
    let mut go = |count: usize| {
        for frame in pictures.iter().cycle().take(count) {
            at += Duration::from_millis(33);
            work(frame, at);
        }
    };
    // The first frames allocate buffers and fill caches, so they are not measured.
    go(5);
    let (begun, before, mut count) = (Instant::now(), cpu()?, 0);
    while begun.elapsed() < LONG {
        go(5);
        count += 5;
    }
    let (wall, used) = (begun.elapsed(), cpu()? - before);
    let per = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(count);
    println!(r#"{{"cpu_ms_per_picture": {:.3}, "ms_per_picture": {:.3}}}"#, per(used), per(wall));
    Ok(())
}

fn wanted(kind: &str, words: &[(&str, &str)]) -> Result<WantedFilter> {
    let mut filter = Filter::of_kind(kind).with_context(|| format!("no filter {kind}"))?;
    let mut material = None;
    for (name, value) in words {
        let known = match value.parse() {
            Ok(number) => filter.set(name, number),
            Err(_) if *name == "file" => {
                material = Some(match filter.file() {
                    Some((Asset::Table, _)) => {
                        let cube = Cube::parse(&std::fs::read_to_string(value)?)
                            .map_err(anyhow::Error::msg)?;
                        FilterAssets::Table(Arc::new(Table::new(&cube)))
                    }
                    _ => FilterAssets::Image(Arc::new(
                        capture::still(Path::new(value)).map_err(anyhow::Error::msg)?,
                    )),
                });
                filter.set_file(value.into())
            }
            Err(_) => filter.choose(name, value),
        };
        if !known {
            bail!("{kind} has no {name}={value}");
        }
    }
    Ok(WantedFilter { slot: Slot { enabled: true, filter }, material: material.into() })
}

fn pictures(path: &str) -> Result<Vec<VideoFrame>> {
    let mut clip = BufReader::new(File::open(path)?);
    let mut head = String::new();
    clip.by_ref().take(1_024).read_line(&mut head)?;
    let side = |letter| {
        let word = head.split_whitespace().find_map(|word| word.strip_prefix(letter));
        word.and_then(|word| word.parse().ok()).with_context(|| format!("no {letter} in {path}"))
    };
    let size = Size::new(side('W')?, side('H')?);
    let mut pictures = Vec::new();
    let mut line = Vec::new();
    while pictures.len() < MOST && clip.read_until(b'\n', &mut line)? > 0 {
        let mut planes = Planes::black(size);
        for plane in [&mut planes.y, &mut planes.u, &mut planes.v] {
            clip.read_exact(plane)?;
        }
        let planes = Arc::new(Pooled::unpooled(planes));
        pictures.push(VideoFrame {
            pts: Timestamp::ZERO,
            color: Color::PROGRAM,
            surface: planes.into(),
        });
        line.clear();
    }
    Ok(pictures)
}

/// A clip that repeats frames with alpha forever.
struct Clip(Vec<VideoFrame>, usize);

impl ClipFeed for Clip {
    fn moment(&mut self, _: Timestamp) -> Moment {
        self.1 += 1;
        let frame = self.0.get(self.1 % self.0.len()).cloned();
        frame.map_or(Moment::Over, Moment::Frame)
    }
}

/// A source that shows the frame that was passed to it last.
struct Handed(Arc<std::sync::Mutex<Option<VideoFrame>>>);

impl VideoFeed for Handed {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        self.0.lock().ok()?.clone()
    }
}

fn stinger(path: &str, pictures: &[VideoFrame]) -> Result<Work> {
    let size = pictures.first().context("no pictures")?.size();
    let mut file = BufReader::new(File::open(path)?);
    let mut clip = Vec::new();
    while clip.len() < MOST && !file.fill_buf()?.is_empty() {
        let mut planes = Planes::transparent(size);
        for plane in
            [&mut planes.y, &mut planes.u, &mut planes.v].into_iter().chain(&mut planes.alpha)
        {
            file.read_exact(plane)?;
        }
        let planes = Arc::new(Pooled::unpooled(planes));
        clip.push(VideoFrame {
            pts: Timestamp::ZERO,
            color: Color::PROGRAM,
            surface: planes.into(),
        });
    }
    let slot = Arc::default();
    let feed = SourceFrame::Feed(Some(Box::new(Handed(Arc::clone(&slot)))));
    let mut program = Program::new(size);
    let (plan, id) = (scene::Plan::simple(scene::SourceId(1)), scene::SourceId(1));
    program.handle([(id, feed)].into(), Some((Arc::new(plan), None)), None);
    let mut left = 0;
    Ok(Box::new(move |frame, at| {
        if let Ok(mut slot) = slot.lock() {
            *slot = Some(frame.clone());
        }
        // A transition lasts at most twenty seconds, so another one begins before it could end.
        if left == 0 {
            left = 500;
            let cut = Duration::from_secs(20);
            let kind = Kind::Stinger(Stinger { cut, ..Stinger::default() });
            let transition = Transition { kind, duration: Duration::ZERO };
            let means = TransitionAssets::Clip(Box::new(Clip(clip.clone(), 0)));
            let plan = Arc::new(scene::Plan::simple(id));
            program.handle(
                Default::default(),
                Some((plan, Some(Change { transition, means }))),
                None,
            );
        }
        left -= 1;
        drop(program.frame(at));
    }))
}

/// Returns the CPU time of all threads so far.
fn cpu() -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let figures = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = figures.split_whitespace().next().context("no figures")?;
        nanos += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
