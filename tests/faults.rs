//! Tests of every fault in every phase in which it makes sense. The tests check what `onair live`
//! reports, how it ends, whether it reconnects, and that the receiver gets an undamaged stream. The
//! faults come from the fault injection of the built-in server, and from an nginx-rtmp that is
//! killed, restarted and stopped. docs/evidence/faults.md contains the last measured table;
//! `--nocapture` prints a new one.

use std::time::{Duration, Instant};

use crate::lab::{self, Elsewhere, Lab, QUIET, SMALL, Watched, ends_within, free_name};
use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg};
use onair::net::Runtime;

/// The longest that a stop may take.
const STOP: Duration = Duration::from_secs(3);

/// A fault that ends the run: fault, exit code, stage, code (or empty), a word of the cause, and
/// whether onair retries.
type Ending = (&'static str, i32, &'static str, &'static str, &'static str, bool);

const ENDINGS: &[Ending] = &[
    ("reset@handshake", 6, "handshake", "", "reset", true),
    ("close@handshake", 6, "handshake", "", "c", true),
    ("half-close@handshake", 6, "handshake", "", "closed", true),
    ("garbage@handshake", 6, "handshake", "", "not an RTMP", true),
    ("stall@handshake", 6, "handshake", "", "no response within 10 s", true),
    ("reset@connect", 7, "connect", "", "c", true),
    ("close@connect", 7, "connect", "", "c", true),
    ("half-close@connect", 7, "connect", "", "closed", true),
    ("stall@connect", 6, "connect", "", "no response within 10 s", true),
    (
        "reject@connect:Rejected",
        7,
        "connect",
        "NetConnection.Connect.Rejected",
        "simulated fault",
        false,
    ),
    (
        "reject@connect:InvalidApp",
        7,
        "connect",
        "NetConnection.Connect.InvalidApp",
        "no such application",
        false,
    ),
    ("reject@connect:Closed", 7, "connect", "NetConnection.Connect.Closed", "closed", true),
    ("reject@connect:Failed", 7, "connect", "NetConnection.Connect.Failed", "internal error", true),
    (
        "reject@connect:AppShutdown",
        7,
        "connect",
        "NetConnection.Connect.AppShutdown",
        "internal error",
        true,
    ),
    ("reset@createStream", 7, "publish", "", "c", true),
    ("close@createStream", 7, "publish", "", "c", true),
    ("half-close@createStream", 7, "publish", "", "closed", true),
    ("stall@createStream", 6, "publish", "", "no response within 10 s", true),
    ("reset@publish", 7, "publish", "", "c", true),
    ("close@publish", 7, "publish", "", "c", true),
    ("half-close@publish", 7, "publish", "", "closed", true),
    ("stall@publish", 6, "publish", "", "no response within 10 s", true),
    ("busy@publish", 7, "publish", "NetStream.Publish.BadName", "in use", true),
    ("reject@publish:BadName", 7, "publish", "NetStream.Publish.BadName", "rejected", false),
    ("reject@publish:Denied", 7, "publish", "NetStream.Publish.Denied", "not authorized", false),
    (
        "reject@publish:Unauthorized",
        7,
        "publish",
        "NetStream.Publish.Unauthorized",
        "not authorized",
        false,
    ),
    ("reject@publish:BadAuth", 7, "publish", "NetStream.Publish.BadAuth", "not authorized", false),
    ("reject@publish:Rejected", 7, "publish", "NetStream.Publish.Rejected", "rejected", false),
];

#[test]
fn every_fault_on_the_way_in_ends_with_its_stage_and_reason() {
    peers::in_real_time!(every_fault_on_the_way_in_ends_with_its_stage_and_reason);
    let runtime = Runtime::start().unwrap();
    // Faults that time out come first, so that the others can end meanwhile.
    let mut order: Vec<&Ending> = ENDINGS.iter().collect();
    order.sort_by_key(|ending| !ending.0.starts_with("stall"));
    for some in order.chunks(7) {
        let labs: Vec<Lab> = some.iter().map(|case| Lab::start(&runtime, &[case.0])).collect();
        let mut runs: Vec<Onair> = labs
            .iter()
            .map(|lab| {
                let base = ["live", "--to", &lab.url(), "--retry-for", "1s"];
                Onair::start(&[&base[..], QUIET].concat())
            })
            .collect();
        for (run, (fault, exit, stage, code, word, retried)) in runs.iter_mut().zip(some) {
            let ended = run.peer.wait(LIMIT * 2).code();
            let events = run.events();
            assert_eq!(ended, Some(*exit), "{fault}: {events:#?}");
            let failed = events
                .iter()
                .find(|event| event["event"] == "target" && event["state"] == "failed")
                .unwrap_or_else(|| panic!("{fault}: no failure in {events:#?}"));
            assert_eq!(failed["stage"], *stage, "{fault}: {failed}");
            assert_eq!(failed["code"].as_str().unwrap_or_default(), *code, "{fault}: {failed}");
            let cause = failed["cause"].as_str().unwrap_or_default();
            assert!(cause.contains(word), "{fault}: {failed}");
            assert!(failed["advice"].as_str().is_some_and(|it| it.len() > 8), "{fault}: {failed}");
            // With a retry limit of one second, a fault that takes ten is not retried.
            let again = events.iter().any(|event| event["retry_in"].as_f64().is_some());
            assert_eq!(again, *retried && !fault.starts_with("stall"), "{fault}: {events:#?}");
            println!(
                "| `{fault}` | exit {exit} at {stage}: {cause} | {} |",
                if *retried { "yes" } else { "no" }
            );
        }
    }
}

/// A fault while connecting that passes: the target is live in the end, and this cause was reported
/// meanwhile.
const PASSING: &[(&str, &str)] = &[
    ("reset@handshake*1", "reset"),
    ("half-close@connect*1", "closed"),
    ("garbage@handshake*1", "not an RTMP"),
    ("garbage@connect*1", "protocol error"),
    ("close@createStream*1", "c"),
    ("reset@publish*1", "c"),
    ("busy@publish:2", "in use"),
    ("reject@connect:Closed*1", "closed"),
    ("delay@connect:1s", ""),
    ("delay@publish:500ms..1s", ""),
    ("stall@handshake:+3s*1", ""),
    ("throttle@connect:3M", ""),
];

/// A fault in the middle of a stream, and a word of the reported cause; empty where nothing is
/// lost.
const MIDWAY: &[(&str, &str)] = &[
    ("reset@media:3s*1", "reset"),
    ("close@media:3s*1", "c"),
    ("half-close@media:3s*1", "closed"),
    // In the middle of a stream, most garbage reads as the beginning of a message that never ends.
    ("garbage@media:3s*1", ""),
    ("stall@media:3s+2s*1", ""),
    ("stall@media:3s+12s*1", "t"),
    ("delay@media:400ms", ""),
    ("noack@media", ""),
];

#[test]
fn every_fault_that_passes_is_survived_and_what_arrives_is_whole() {
    peers::in_real_time!(every_fault_that_passes_is_survived_and_what_arrives_is_whole);
    peers::require!("ffmpeg", "ffprobe");
    let runtime = Runtime::start().unwrap();
    let cases: Vec<(&str, &str, bool)> = PASSING
        .iter()
        .map(|(fault, word)| (*fault, *word, false))
        .chain(MIDWAY.iter().map(|(fault, word)| (*fault, *word, !word.is_empty())))
        .collect();
    let mut labs: Vec<Lab> = cases.iter().map(|case| Lab::start(&runtime, &[case.0])).collect();
    // Two servers that redirect to two others, and one without any fault.
    let elsewhere = [Lab::start(&runtime, &[]), Lab::start(&runtime, &[])];
    let door = format!("redirect@connect:{}", elsewhere[0].app_url());
    labs.push(Lab::start(&runtime, &[&door]));
    let midway = format!("redirect@media:{}*1", elsewhere[1].app_url());
    labs.push(Lab::start(&runtime, &[&midway]));
    labs.push(Lab::start(&runtime, &[]));
    let urls: Vec<String> = labs.iter().map(Lab::url).collect();
    let to: Vec<&str> = urls.iter().flat_map(|url| ["--to", url]).collect();
    let mut watched = Watched::start(&[&["live"], SMALL, &to].concat());

    let all: Vec<&Lab> = labs.iter().chain(&elsewhere).collect();
    for (lab, (fault, _, lost)) in labs.iter().zip(&cases) {
        watched.until(&format!("{fault}: struck"), &all, |_| lab.strikes() > 0);
        if *lost {
            watched
                .until(&format!("{fault}: back"), &all, |seen| seen.back(&lab.address()).is_some());
        }
        watched.until(&format!("{fault}: live"), &all, |seen| seen.is_live(&lab.address()));
    }
    for lab in &elsewhere {
        watched.until("a stream elsewhere", &all, |_| lab.has_media());
    }
    // Three seconds more of each.
    let enough = watched.seconds() + 3.0;
    watched.until("three seconds more", &all, |seen| seen.seconds() > enough);
    let took = ends_within(&mut watched, LIMIT);
    assert!(took < STOP, "stopping took {took:?}");
    assert_eq!(watched.code(), Some(0), "{}", watched.output());

    for (lab, (fault, word, lost)) in labs.iter().zip(&cases) {
        let (address, causes) = (lab.address(), watched.causes(&lab.address()));
        let has_cause = causes.iter().any(|cause| cause.contains(word));
        assert!(has_cause || word.is_empty(), "{fault}: {causes:?}");
        // The cause is reported only once.
        let twice = |cause: &String| cause.matches("protocol error").count() > 1;
        assert!(!causes.iter().any(twice), "{fault}: {causes:?}");
        // Our own timeout and that of the system end at the same time. Neither is the server's
        // fault.
        let ours = causes.iter().any(|it| it.contains("no data") || it.contains("timed out"));
        assert!(ours || !fault.contains("+12s"), "{fault}: {causes:?}");
        let got = lab.received();
        let whole = got.check(fault);
        let again = watched.back(&address);
        if *lost {
            // One file, if the server lets the new connection replace the old one.
            assert!(again.is_some() && (1..=2).contains(&got.files()), "{fault}");
            let (outage, gap) = (watched.outage(&address, lab).unwrap(), whole.gap);
            // Media in transit when the connection died are lost too, up to a second. The new
            // session begins with a keyframe, which comes every two seconds.
            assert!(gap <= outage + 3.0, "{fault}: {gap} s missing of {outage} s");
        } else if !fault.starts_with("garbage@media") {
            assert_eq!((again, got.files()), (None, 1), "{fault}: {causes:?}");
            // Packets that wait too long in a stall are dropped up to the next keyframe, at most
            // two seconds.
            let most = if fault.starts_with("stall@media") { 4.0 } else { 0.2 };
            assert!(whole.gap < most, "{fault}: {} s missing", whole.gap);
        }
        println!(
            "| `{fault}` | {} | {} | {:.2} s |",
            causes.first().map_or("nothing to say", String::as_str),
            watched.outage(&address, lab).map_or("–".into(), |outage| format!("{outage:.2} s")),
            if *lost { whole.gap } else { 0.0 },
        );
    }
    for (lab, name) in elsewhere.iter().zip(["connect", "media"]) {
        let gap = lab.received().check(name).gap;
        assert!(gap < 0.2, "redirect@{name}: {gap} s missing");
    }
    let untouched = labs.last().unwrap().received();
    assert_eq!(untouched.files(), 1);
    assert!(untouched.check("no fault").gap < 0.2, "others' trouble is felt");
}

#[test]
fn stop_ends_within_three_seconds_in_every_stage() {
    peers::in_real_time!(stop_ends_within_three_seconds_in_every_stage);
    let runtime = Runtime::start().unwrap();
    let faults = [
        "stall@handshake",
        "stall@connect",
        "stall@createStream",
        "stall@publish",
        "stall@media:500ms",
        "throttle@media:60k",
        "busy@publish",
        "reset@media:500ms..1s",
        "half-close@handshake",
        "delay@media:2s",
        "garbage@connect",
    ];
    // All faults together, and each alone: a slow one must not be hidden by another.
    let together: Vec<Vec<&str>> =
        std::iter::once(faults.to_vec()).chain(faults.iter().map(|fault| vec![*fault])).collect();
    for some in together.chunks(4) {
        let mut runs: Vec<(Vec<Lab>, Watched)> = some
            .iter()
            .map(|faults| {
                let start = |fault: &&str| Lab::start(&runtime, &[*fault]);
                let labs: Vec<Lab> = faults.iter().map(start).collect();
                let urls: Vec<String> = labs.iter().map(Lab::url).collect();
                let to: Vec<&str> = urls.iter().flat_map(|url| ["--to", url]).collect();
                let watched = Watched::start(&[&["live"], SMALL, &to].concat());
                (labs, watched)
            })
            .collect();
        for ((labs, watched), faults) in runs.iter_mut().zip(some) {
            let all: Vec<&Lab> = labs.iter().collect();
            for lab in &all {
                watched.until(&format!("{faults:?}"), &all, |_| lab.strikes() > 0);
            }
            let enough = watched.seconds() + 1.5;
            watched.until("a while", &all, |seen| seen.seconds() > enough);
            let took = ends_within(watched, LIMIT);
            assert!(took < STOP, "{faults:?}: {took:?}, {}", watched.output());
            println!("stop in {took:.2?}: {faults:?}");
        }
    }
}

#[test]
fn nginx_killed_restarted_and_stopped_for_a_while() {
    peers::in_real_time!(nginx_killed_restarted_and_stopped_for_a_while);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let mut killed = Nginx::start();
    let (short, long, steady) = (Nginx::start(), Nginx::start(), Nginx::start());
    let (a, b, c, d) = (free_name(1), free_name(2), free_name(3), free_name(4));
    let urls = [
        killed.url("kept", &a),
        short.url("kept", &b),
        long.url("kept", &c),
        steady.url("kept", &d),
    ];
    let to: Vec<&str> = urls.iter().flat_map(|url| ["--to", url]).collect();
    let mut watched = Watched::start(&[&["live"], SMALL, &to].concat());
    let address = |nginx: &Nginx| format!("127.0.0.1:{}", nginx.port);
    for nginx in [&killed, &short, &long, &steady] {
        let at = address(nginx);
        watched.until("nginx has it", &[], |seen| seen.is_live(&at));
    }
    let enough = watched.seconds() + 3.0;
    watched.until("three seconds", &[], |seen| seen.seconds() > enough);
    let begun = Instant::now();
    killed.peer.kill();
    short.peer.signal("STOP");
    long.peer.signal("STOP");
    let at = begun.elapsed();
    while at + Duration::from_secs(3) > begun.elapsed() {
        watched.look(&[]);
    }
    short.peer.signal("CONT");
    let before = killed;
    let killed = Nginx::start_on(before.port);
    let restarted = Instant::now();
    let away = address(&killed);
    watched.until("back at the restarted one", &[], |seen| seen.back(&away).is_some());
    println!(
        "| nginx killed, restarted after 3 s | live {:.2?} after the restart |",
        restarted.elapsed()
    );
    while begun.elapsed() < Duration::from_secs(8) {
        watched.look(&[]);
    }
    // On a busy machine, it takes longer until the system's buffers at the stopped one are full.
    let stopped = address(&long);
    watched.until("the loss", &[], |seen| !seen.causes(&stopped).is_empty());
    long.peer.signal("CONT");
    let continued = Instant::now();
    watched.until("back at the one that was stopped", &[], |seen| seen.back(&stopped).is_some());
    println!("| nginx stopped for 8 s | live {:.2?} after it went on |", continued.elapsed());
    let enough = watched.seconds() + 3.0;
    watched.until("three seconds more", &[], |seen| seen.seconds() > enough);
    let took = ends_within(&mut watched, LIMIT);
    assert!(took < STOP, "stopping took {took:?}");
    assert_eq!(watched.code(), Some(0), "{}", watched.output());
    for (nginx, name) in [(&killed, &a), (&short, &b), (&long, &c), (&steady, &d)] {
        nginx.wait_unpublished(name);
    }

    // A pause of three seconds is mostly survived on the same connection; a busy machine makes it
    // longer.
    println!("nginx stopped for 3 s: {:?}", watched.causes(&address(&short)));
    for (what, nginx) in [("stopped for 3 s", &short), ("untouched", &steady)] {
        let files = nginx.recorded();
        for file in &files {
            let whole = lab::check_files(what, std::slice::from_ref(file));
            println!("| nginx {what} | {} files, {:.2} s missing in it |", files.len(), whole.gap);
            assert!(whole.gap < 0.2, "{what}: {} s missing", whole.gap);
        }
    }
    for (what, files, address) in [
        ("killed", [before.recorded(), killed.recorded()].concat(), away),
        ("stopped for 8 s", long.recorded(), stopped),
    ] {
        assert_eq!(files.len(), 2, "{what}: {files:?} {:?}", watched.causes(&address));
        // nginx begins each file at the time of its sequence headers, which is where the file
        // before it ended.
        for file in &files {
            let whole = lab::check_files(what, std::slice::from_ref(file));
            assert!(whole.gap < 0.2, "{what}: {} s missing", whole.gap);
        }
        let missing = ffmpeg::probe(&files[1]).packets("video")[0].dts;
        let outage = watched.gap(&address).unwrap();
        println!("| nginx {what} | off for {outage:.2} s, {missing:.2} s missing |");
        assert!(missing <= outage + 8.0, "{what}: {missing} s missing of {outage}");
    }
    for file in steady.recorded() {
        assert_eq!(ffmpeg::decode(&file), "");
    }
}

#[test]
fn a_cable_is_pulled_and_put_back_and_a_line_gets_narrow() {
    peers::in_real_time!(a_cable_is_pulled_and_put_back_and_a_line_gets_narrow);
    peers::require!("ffmpeg");
    let Some(pulled) = Elsewhere::new(1) else { return };
    let Some(narrow) = Elsewhere::new(2) else { return };
    let runtime = Runtime::start().unwrap();
    let at = |place: &Elsewhere| format!("{}:0", place.address).parse().unwrap();
    let labs = [&pulled, &narrow].map(|place| Lab::start_at(&runtime, &[], at(place)));
    let mut runs = [(&pulled, &labs[0]), (&narrow, &labs[1])].map(|(place, lab)| {
        let url = lab.url();
        Watched::start_in(&place.name, &[&["live", "--to", &url], SMALL].concat())
    });
    let addresses = [labs[0].address(), labs[1].address()];
    for (run, address) in runs.iter_mut().zip(&addresses) {
        run.until("live", &[], |seen| seen.is_live(address) && seen.seconds() > 3.0);
    }
    pulled.set_up(false);
    let shaped = narrow.limit("300kbit");
    let gone = Instant::now();
    let [off, slow] = &mut runs;
    off.until("the loss", &[], |seen| !seen.is_live(&addresses[0]));
    let noticed = gone.elapsed();
    while gone.elapsed() < Duration::from_secs(10) {
        off.look(&[]);
    }
    pulled.set_up(true);
    let whole_again = Instant::now();
    off.until("the return", &[], |seen| seen.back(&addresses[0]).is_some());
    let back = whole_again.elapsed();
    let enough = off.seconds() + 3.0;
    off.until("three seconds more", &[], |seen| seen.seconds() > enough);
    assert!(ends_within(off, LIMIT) < STOP);
    assert_eq!(off.code(), Some(0), "{}", off.output());
    let gap = labs[0].received().check("pulled").gap;
    println!(
        "| cable pulled for 10 s | told after {noticed:.1?}, live {back:.1?} after its return, {gap:.2} s missing |"
    );
    let outage = gone.elapsed().as_secs_f64();
    assert!(gap <= outage, "{gap} s missing of {outage}");

    if !shaped {
        crate::peers::skipped_even_in_ci("the kernel has no tbf");
        return;
    }
    slow.look(&[]);
    assert_eq!(slow.back(&addresses[1]), None, "{}", slow.output());
    let figures = slow.figures(0);
    let took = ends_within(slow, LIMIT);
    assert!(took < STOP, "stopping took {took:?}");
    assert_eq!(slow.code(), Some(0), "{}", slow.output());
    let gap = labs[1].received().check("narrow").gap;
    println!("| 625 kbit/s through a line of 300 | {gap:.2} s missing at most, {figures} |");
}
