//! Simulates sent programs and the viewers' streams, second by second with a simulated clock.

use super::*;
use crate::media::similarity::{FrameSimilarity, LoudnessCurve};
use crate::media::{SampleBlock, Size};
use crate::player::probe::reading::Keyframe;
use crate::player::probe::viewer::ProbeWorker;

const FRAME_SIZE: Size = Size::new(160, 90);
const FRAMES_PER_SECOND: f64 = 30.0;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_micros((seconds * 1e6) as i64)
}

/// A program with video and audio that depend on the time.
#[derive(Copy, Clone)]
struct Program {
    /// The seed of the brightness.
    scene: u32,
    /// The seed of the motion and the audio; 0 for periodic audio.
    course: u32,
    moves: bool,
    has_audio: bool,
    marked: bool,
}

const OUR_PROGRAM: Program =
    Program { scene: 1, course: 1, moves: true, has_audio: true, marked: false };
const OTHER_PROGRAM: Program = Program { scene: 2, course: 2, ..OUR_PROGRAM };

/// Returns a pseudo-random number from 0 to 1.
fn chance(seed: u32, number: u32) -> f64 {
    let mut state = u64::from(seed) << 32 | u64::from(number) | 1 << 63;
    for _ in 0..4 {
        state ^= state >> 31;
        state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (state >> 40) as f64 / f64::from(1 << 24)
}

impl Program {
    fn luma(&self, t: f64) -> Vec<u8> {
        let chance = |number| chance(self.scene, number);
        let waves = [(chance(1), chance(2)), (chance(3), chance(4)), (chance(5), chance(6))];
        // An object moves in the scene, from one place to the next every 3 s.
        let place = |number: f64| {
            let (seed, number) =
                if self.moves { (self.course, number as u32) } else { (self.scene, 0) };
            let (x, y) = (2 * number + 100, 2 * number + 101);
            let one = |number| super::tests::chance(seed, number);
            (one(x) * 160.0, one(y) * 90.0)
        };
        let (step, part) = ((t / 3.0).floor(), if self.moves { (t / 3.0).fract() } else { 0.0 });
        let (one, two) = (place(step), place(step + 1.0));
        let (px, py) = (one.0 + (two.0 - one.0) * part, one.1 + (two.1 - one.1) * part);
        let pixel = |index: usize| {
            let (x, y) = ((index % 160) as f64, (index / 160) as f64);
            let wave = |(a, b): &(f64, f64)| {
                (x * (a - 0.5) / 4.0 + y * (b - 0.5) / 4.0 + 6.0 * a).sin() * 25.0
            };
            let ground = 100.0 + waves.iter().map(wave).sum::<f64>();
            let near = ((x - px).powi(2) + (y - py).powi(2)) < 900.0;
            (if near { 225.0 - ground / 4.0 } else { ground }).clamp(30.0, 235.0) as u8
        };
        (0..FRAME_SIZE.pixels()).map(pixel).collect()
    }

    fn loud(&self, t: f64) -> f32 {
        match (self.has_audio, self.course) {
            (true, 0) if t.fract() < 0.1 => 0.5,
            (true, 0) => 0.005,
            (true, course) => 10_f32.powf(-2.5 * chance(course, (t * 8.0) as u32) as f32),
            (false, _) => 0.0,
        }
    }
}

/// Changes that a server makes to the program.
#[derive(Copy, Clone)]
struct Server {
    latency: f64,
    /// The keyframe interval.
    interval: f64,
    /// The time of the first keyframe.
    phase: f64,
    /// The brightness relative to the original.
    light: f64,
    /// True for black bars above and below.
    bars: bool,
    has_audio: bool,
}

const PLAIN_SERVER: Server =
    Server { latency: 3.0, interval: 2.0, phase: 0.0, light: 1.0, bars: false, has_audio: true };

fn keyframe(program: &Program, t: f64, at: Timestamp, server: &Server) -> Keyframe {
    let mut luma: Vec<u8> = program.luma(t);
    luma.iter_mut().for_each(|it| *it = (f64::from(*it) * server.light) as u8);
    let mut size = FRAME_SIZE;
    if server.bars {
        let bar = vec![16; 160 * 15];
        luma = [bar.clone(), luma, bar].concat();
        size.height += 30;
    }
    Keyframe {
        at,
        pts: super::tests::at(t),
        likeness: FrameSimilarity::of(&luma, 160, size),
        inside: FrameSimilarity::inside_bars(&luma, 160, size),
        // The value that frames 33⅓ ms apart have if the first of them begins at a whole
        // millisecond of the program.
        marker: program.marked.then(|| (t * 1e3) as i64 + i64::from(program.course) * 5),
    }
}

fn hear(course: &mut LoudnessCurve, program: &Program, from: f64, until: f64) {
    for step in (from * 50.0) as u32..(until * 50.0) as u32 {
        let t = f64::from(step) / 50.0;
        let data = vec![program.loud(t); 4];
        course.push(&SampleBlock { pts: at(t), rate: 200, channels: 1, data: data.into() });
    }
}

/// Returns a target that is not live.
fn wanted(play_url: &str) -> WantedMonitor {
    let publish = TargetAddress::parse("rtmp://127.0.0.1/live/show", None).unwrap();
    WantedMonitor {
        id: 0,
        url: publish.to_string(),
        host: "127.0.0.1".into(),
        play_url: Secret::new(play_url),
        publish,
        net: net::Options::default(),
        live: false,
        delay: Duration::ZERO,
        has_own_sound: false,
        dropped_frames: 0,
    }
}

#[test]
fn an_srt_target_is_watched_where_it_plays_and_a_whip_target_needs_an_address() {
    let monitor = |publish: &str, play_url: &str| {
        let publish = TargetAddress::parse(publish, Some(&"planted-passphrase".into())).unwrap();
        TargetMonitor::new(&WantedMonitor { publish, ..wanted(play_url) }, Clock::start())
    };
    let address = |monitor: &TargetMonitor| match &monitor.place {
        Some(ProbeTarget::Address(url)) => Some(url.expose().to_owned()),
        _ => None,
    };
    let srt = monitor("srt://h:9000?streamid=publish:live/a", "");
    let play = "srt://h:9000?streamid=read:live/a&passphrase=planted-passphrase";
    assert_eq!(address(&srt).as_deref(), Some(play));
    for silent in ["srt://h:9000", "whips://h/live/a/whip"] {
        let one = monitor(silent, "");
        assert_eq!(one.unavailable.as_ref().unwrap().id(), "monitor-no-play-url", "{silent}");
        let given = monitor(silent, "https://h/live/a.m3u8");
        assert_eq!(address(&given).as_deref(), Some("https://h/live/a.m3u8"), "{silent}");
    }
}

/// The state of a whole simulated broadcast.
struct Run {
    one: TargetMonitor,
    sent: ProbeReading,
    now: f64,
    delay: f64,
    next_sent: f64,
    next_seen: f64,
    /// The time since which the sent data is known; see [`SentStream::since`].
    since: Option<Timestamp>,
    /// The state in each second.
    states: Vec<&'static str>,
    /// The keys of the messages.
    keys: Vec<&'static str>,
    events: Vec<event::Monitor>,
}

impl Run {
    fn new(delay: f64) -> Self {
        let clock = Clock::start();
        let wanted =
            WantedMonitor { delay: Duration::from_secs_f64(delay), live: true, ..wanted("") };
        let mut one = TargetMonitor::new(&wanted, clock);
        one.live_since = Some(at(0.0));
        let seen = |memory| ProbeWorker::new(clock, memory, Latest::default()).seen;
        let sent = seen(ProbeMemory { keyframes: 1_000, loudness: 10_000 });
        let mut its = seen(PROBE_MEMORY);
        its.state = State::Playing;
        one.seen = Some(its);
        Self {
            one,
            sent,
            now: 0.0,
            delay,
            next_sent: 0.0,
            next_seen: 0.0,
            since: None,
            states: Vec::new(),
            keys: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Sends `sent` for this many seconds. Viewers get the server's version of `seen`, if any.
    fn go(&mut self, seconds: u32, sent: Program, seen: Option<Program>, server: Server) {
        for _ in 0..seconds {
            let (from, until) = (self.now, self.now + 1.0);
            while self.next_sent < until {
                let t = self.next_sent;
                self.sent.keyframes.push_back(keyframe(&sent, t, at(t), &PLAIN_SERVER));
                self.next_sent += 2.0;
            }
            hear(&mut self.sent.course, &sent, from, until);
            if let Some(seen) = seen {
                self.arrive(&seen, &server, from, until);
            }
            self.now = until;
            self.poll();
        }
    }

    fn arrive(&mut self, program: &Program, server: &Server, from: f64, until: f64) {
        let latency = server.latency + self.delay;
        let Some(its) = &mut self.one.seen else { return };
        if until <= latency {
            return;
        }
        its.joined.get_or_insert(at(latency));
        let next = self.next_seen.max(latency + server.phase).max(from);
        self.next_seen = next;
        while self.next_seen < until {
            let (t, came) = (self.next_seen - latency, at(self.next_seen));
            its.keyframes.push_back(keyframe(program, t, came, server));
            if its.keyframes.len() > PROBE_MEMORY.keyframes {
                its.keyframes.pop_front();
            }
            self.next_seen += server.interval;
        }
        let came = Some(at(until));
        (its.last, its.last_video) = (came, came);
        its.size =
            Some(Size::new(FRAME_SIZE.width, FRAME_SIZE.height + if server.bars { 30 } else { 0 }));
        its.fps = Some(FRAMES_PER_SECOND);
        if server.has_audio {
            hear(&mut its.course, program, (from - latency).max(0.0), until - latency);
            its.last_audio = came;
        }
        its.behind_micros = Some((latency * 1e6) as i64);
    }

    fn poll(&mut self) {
        let sent = SentStream {
            video: Some((FRAME_SIZE, FRAMES_PER_SECOND)),
            sizes: &[],
            complete_since: Some(at(0.0)),
            has_audio: true,
            since: self.since,
            keyframes: &self.sent.keyframes,
            course: &self.sent.course,
        };
        let mut news = Vec::new();
        self.one.poll(0, &sent, at(self.now), &mut news);
        self.states.push(self.one.state());
        for item in news {
            match item {
                MonitorNews::Event(event) => self.events.push(event),
                MonitorNews::Begun(StudioMessage::Monitor { key, .. }) => self.keys.push(key),
                MonitorNews::Well(_) => self.keys.push("monitor-well"),
                MonitorNews::Begun(_) | MonitorNews::Over { .. } => {}
            }
        }
    }

    /// Returns the first second with this state, at or after the second `from`.
    fn first(&self, state: &str, from: usize) -> Option<usize> {
        self.states.iter().skip(from).position(|it| *it == state).map(|second| second + from)
    }
}

#[test]
fn it_is_well_once_it_matches_by_markers_video_or_audio() {
    let quiet = Program { has_audio: false, ..OUR_PROGRAM };
    let still = Program { moves: false, ..OUR_PROGRAM };
    for (name, delay, program, server) in [
        ("as it is", 0.0, OUR_PROGRAM, PLAIN_SERVER),
        ("by its markers", 0.0, Program { marked: true, ..quiet }, PLAIN_SERVER),
        ("by its video", 0.0, quiet, PLAIN_SERVER),
        ("by its audio", 0.0, still, PLAIN_SERVER),
        ("long after", 0.0, OUR_PROGRAM, Server { latency: 45.0, ..PLAIN_SERVER }),
        ("held back", 30.0, OUR_PROGRAM, PLAIN_SERVER),
        ("frames between bars", 0.0, quiet, Server { bars: true, ..PLAIN_SERVER }),
        ("darker frames", 0.0, quiet, Server { light: 0.9, ..PLAIN_SERVER }),
        (
            "coded anew, with other keyframes",
            0.0,
            OUR_PROGRAM,
            Server { interval: 3.0, phase: 0.7, light: 1.05, ..PLAIN_SERVER },
        ),
    ] {
        let mut run = Run::new(delay);
        let begun = (delay + server.latency) as usize;
        run.go(begun as u32 + 30, program, Some(program), server);
        // Bars change the size, which is reported only for a matching stream.
        let state = if server.bars { "wrong_size" } else { "ok" };
        let well = run.first(state, 0);
        assert!(well.is_some_and(|well| well <= begun + 16), "{name}: {:?}", run.states);
        // Before that second, no match is reported, and after it, there is no doubt.
        let before = run.states.iter().take(well.unwrap());
        assert!(before.clone().all(|it| *it == "comparing" || *it == "late"), "{name}: {before:?}");
        assert_eq!(run.first("comparing", well.unwrap()), None, "{name}: {:?}", run.states);
        assert_eq!(run.first("different", 0), None, "{name}: {:?}", run.states);
    }
}

#[test]
fn another_program_is_never_well() {
    let still = Program { moves: false, has_audio: false, ..OUR_PROGRAM };
    let quiet = Program { has_audio: false, ..OUR_PROGRAM };
    for (name, sent, seen) in [
        ("another", OUR_PROGRAM, OTHER_PROGRAM),
        ("another without audio", quiet, Program { has_audio: false, ..OTHER_PROGRAM }),
        ("another instead of what stands still", still, OTHER_PROGRAM),
        // The same scene with other movement and audio, as on another day.
        ("an old one", OUR_PROGRAM, Program { course: 7, ..OUR_PROGRAM }),
        (
            "another test source",
            Program { marked: true, ..OUR_PROGRAM },
            Program { marked: true, course: 2, ..OUR_PROGRAM },
        ),
    ] {
        let mut run = Run::new(0.0);
        run.go(50, sent, Some(seen), PLAIN_SERVER);
        assert_eq!(run.first("ok", 0), None, "{name}: {:?}", run.states);
        assert!(run.first("different", 0).is_some_and(|it| it < 45), "{name}: {:?}", run.states);
        assert_eq!(run.keys, ["monitor-different"], "{name}");
        let last = run.events.last().unwrap();
        assert_eq!((last.state, last.latency_ms), ("different", None), "{name}: {last:?}");
        assert!(last.cause.is_some() && last.notice.is_some(), "{name}: {last:?}");
    }
}

#[test]
fn a_match_does_not_hold_when_another_program_comes() {
    let mut run = Run::new(0.0);
    run.go(25, OUR_PROGRAM, Some(OUR_PROGRAM), PLAIN_SERVER);
    assert_eq!(run.one.state(), "ok");
    run.go(45, OUR_PROGRAM, Some(OTHER_PROGRAM), PLAIN_SERVER);
    let gone = run.first("comparing", 25).or(run.first("different", 25)).unwrap();
    assert!(gone <= 25 + 25, "{:?}", run.states);
    assert_eq!(run.one.state(), "different", "{:?}", run.states);
    run.go(25, OUR_PROGRAM, Some(OUR_PROGRAM), PLAIN_SERVER);
    assert_eq!(run.one.state(), "ok", "{:?}", run.states);
    assert_eq!(run.keys, ["monitor-different", "monitor-well"]);
}

#[test]
fn what_does_not_vary_is_neither_well_nor_wrong() {
    let still = Program { moves: false, has_audio: false, ..OUR_PROGRAM };
    let beeping = Program { has_audio: true, course: 0, ..still };
    for program in [still, beeping] {
        let mut run = Run::new(0.0);
        run.go(50, program, Some(program), PLAIN_SERVER);
        assert_eq!(run.one.state(), "unsure", "{:?}", run.states);
        assert_eq!((run.first("ok", 0), run.keys.len()), (None, 0), "{:?}", run.states);
        assert!(run.events.last().unwrap().cause.is_some());
    }
    // The stream matched before and has not changed since, so it still counts as the same stream.
    let mut run = Run::new(0.0);
    run.go(25, OUR_PROGRAM, Some(OUR_PROGRAM), PLAIN_SERVER);
    run.go(20, still, Some(still), PLAIN_SERVER);
    run.go(40, still, Some(still), PLAIN_SERVER);
    assert!(run.keys.is_empty(), "{:?}", run.keys);
    assert_eq!(run.first("different", 0), None, "{:?}", run.states);
}

#[test]
fn audio_that_varies_is_compared_further_although_the_video_is_still() {
    let still = Program { moves: false, ..OUR_PROGRAM };
    let mut run = Run::new(0.0);
    // The viewers' audio may have been sent earlier.
    run.since = Some(at(0.0));
    run.go(50, still, Some(Program { course: 2, ..still }), PLAIN_SERVER);
    assert_eq!(run.first("unsure", 0), None, "{:?}", run.states);
    assert_eq!(run.one.state(), "comparing", "{:?}", run.states);
}

#[test]
fn figures_are_of_these_seconds_or_there_are_none() {
    let mut run = Run::new(0.0);
    run.go(25, OUR_PROGRAM, Some(OUR_PROGRAM), PLAIN_SERVER);
    let well = run.one.event(0);
    assert_eq!(
        (well.state, well.size, well.fps),
        ("ok", Some(FRAME_SIZE), Some(FRAMES_PER_SECOND))
    );
    assert_eq!(well.latency_ms.map(|it| (it / 100.0).round()), Some(30.0), "{well:?}");
    let before = Clock::system_micros();
    run.go(6, OUR_PROGRAM, None, PLAIN_SERVER);
    // The fault began at most six simulated seconds before it was found.
    let since = run.one.findings[0].since_micros.unwrap();
    assert!((before - 6_000_000..=Clock::system_micros()).contains(&since), "{since} {before}");
    let stalled = run.one.event(0);
    assert_eq!((stalled.state, stalled.size, stalled.fps), ("stalled", None, None));
    assert_eq!((stalled.latency_ms, stalled.bitrate), (None, None), "{stalled:?}");
    let cause = stalled.cause.unwrap();
    assert!(cause.to_string().starts_with("no data has arrived since "), "{cause}");
    let view = run.one.view();
    assert_eq!((view.latency, view.size, view.bitrate), (None, None, 0));
    assert!(view.frame.0.shares_with(&run.one.no_frame));
    // The match remains, however long this lasts.
    run.go(6, OUR_PROGRAM, None, PLAIN_SERVER);
    assert_eq!(run.one.event(0).cause.as_ref(), Some(&cause));
    assert_eq!(run.keys, ["monitor-stalled"]);
}

#[test]
fn another_address_begins_again_and_ends_the_faults_of_the_earlier_one() {
    let (clock, runtime) = (Clock::start(), Runtime::start().unwrap());
    let mut monitors = Monitors::default();
    let mut follow = |all: Vec<WantedMonitor>, has_fault: bool| {
        drop(monitors.follow(all, || None, &runtime, clock));
        let faults = monitors.each.values().map(|one| one.findings.len()).sum::<usize>();
        if let Some(one) = monitors.each.get_mut(&0).filter(|_| !has_fault) {
            one.findings.push(finding::finding(Trouble::Black, finding::Cause::Black));
        }
        let news = monitors.poll(clock.now());
        let is_over =
            |it: &MonitorNews| matches!(it, MonitorNews::Over { key: "monitor-black", .. });
        (faults, news.iter().filter(|it| is_over(it)).count())
    };
    let (old, new) = ("http://127.0.0.1/a.flv", "http://127.0.0.1/b.flv");
    assert_eq!(follow(vec![wanted(old)], false), (0, 0));
    assert_eq!(follow(vec![wanted(old)], true), (1, 0));
    assert_eq!(follow(vec![wanted(new)], false), (0, 1));
    // The user switches the monitor off.
    assert_eq!(follow(Vec::new(), false), (0, 1));
}
