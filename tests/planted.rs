//! Tests of planted faults as a streamer meets them. For each fault, onair must name the stage, the
//! host (or device, or file), the cause and the cure, in English and Chinese and within a time
//! limit. It must exit with the right code. A row of the table is one fault (`planted/faults`). A
//! point is one stage, cause or cure that onair names in one language. `--nocapture` prints the
//! sentences.

mod faults;
mod plant;

use onair::text::{Problem, Value as Held};
use std::sync::Mutex;
use std::time::Duration;

use onair::studio::{Level, Notice};
use onair::ui::notices::words;
use onair::ui::text::{Language, Texts};
use serde_json::Value;

use crate::peers::{self, LIMIT, Onair};
use faults::{FAULTS, Fault, ReportedAs};
use plant::Planted;

/// Faults tested at the same time.
const AT_ONCE: usize = 4;
/// The time within which a busy machine reports a fault that needs no waiting.
const SOON: Duration = Duration::from_secs(8);

/// The report of a fault: what happened and what helps, in both languages.
struct Sentences {
    english: [String; 2],
    chinese: [String; 2],
    /// When it was reported, in seconds after the start; unknown for a sentence on standard error.
    at: Option<f64>,
    /// The host of the Chinese run, if that was a separate run.
    other_host: Option<String>,
}

/// A problem from the JSON that a command prints.
fn problem(names: &Value) -> Problem {
    let leaked = |name: &str| -> &'static str { Box::leak(name.to_owned().into_boxed_str()) };
    let value = |value: &Value| match value {
        Value::String(text) => Held::from(text.as_str()),
        Value::Number(number) => Held::from(number.as_i64().unwrap()),
        Value::Array(all) => Held::from(all.iter().map(problem).collect::<Vec<_>>()),
        one => Held::from(problem(one)),
    };
    let args = names["args"].as_object().unwrap().iter();
    let args = args.map(|(name, it)| (leaked(name), value(it))).collect();
    let whole = Problem::of(leaked(names["id"].as_str().unwrap()), args);
    match &names["cure"] {
        Value::Null => whole,
        cure => whole.with_cure(problem(cure)),
    }
}

/// The texts with which the window shows a command's report.
struct Window {
    english: Texts,
    chinese: Texts,
}

impl Window {
    fn new() -> Self {
        Self { english: Texts::new(Language::English), chinese: Texts::new(Language::Chinese) }
    }

    /// The sentences of a notice on standard output, as the window shows them.
    fn notice(&self, event: &Value) -> Sentences {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let notice = Notice {
            id: 1,
            problem: problem(&event["problem"]),
            level: Level::Error,
            detail: text("detail"),
            file: None,
            remedies: Vec::new(),
            target: None,
            wall_micros: 0,
            times: 1,
        };
        let english = words(&self.english, &notice);
        assert_eq!((text("summary"), text("advice")), english, "{event}");
        Sentences {
            english: english.into(),
            chinese: words(&self.chinese, &notice).into(),
            at: event["t"].as_f64(),
            other_host: None,
        }
    }

    /// The sentences of a report on standard error, which ends with the cure.
    fn complaint(fault: &Fault, errors: &str) -> Sentences {
        let message = complaint(errors, fault);
        // A second run in Chinese.
        let mut twice = (fault.plant)().with(&["--lang", "zh-CN"]);
        let mut again = twice.start();
        again.peer.wait(LIMIT * 2);
        let errors = again.peer.errors();
        let chinese = [complaint(&errors, fault).to_owned(), String::new()];
        // The cure is a separate sentence, or the end of the only sentence.
        let cut = message.find(fault.english[2]).filter(|at| message[..*at].ends_with(". "));
        let (cause, cure) =
            cut.map_or((message, ""), |at| (message[..at].trim_end(), &message[at..]));
        let other_host = Some(twice.host.clone());
        Sentences { english: [cause.to_owned(), cure.to_owned()], chinese, at: None, other_host }
    }
}

/// The error message of a command that failed.
fn complaint<'a>(errors: &'a str, fault: &Fault) -> &'a str {
    let message = errors.lines().find_map(|line| line.strip_prefix("onair: "));
    message.unwrap_or_else(|| panic!("{}: nothing on stderr: {errors}", fault.planted))
}

/// The report of a run's fault. The events of its target and the event log must agree with it.
fn report_of(window: &Window, fault: &Fault, planted: &Planted, run: &Onair) -> Sentences {
    let ReportedAs::Notice(key) = fault.reported_as else {
        return Window::complaint(fault, &run.peer.errors());
    };
    let events = run.events();
    let of_key = |it: &&Value| it["event"] == "notice" && it["key"] == key;
    let event = events.iter().find(of_key);
    let event = event.unwrap_or_else(|| panic!("{}: no {key} in {events:#?}", fault.planted));
    let sentences = window.notice(event);
    if !fault.stage.is_empty() {
        let at = |it: &&Value| it["event"] == "target" && it["cause"].is_string();
        let target = events.iter().find(at);
        let target = target.unwrap_or_else(|| panic!("{}: {events:#?}", fault.planted));
        assert_eq!(target["stage"], fault.stage, "{}: {target}", fault.planted);
        for part in ["cause", "advice"] {
            assert!(target[part].as_str().is_some_and(|it| it.len() > 8), "{target}");
        }
    }
    // The event log has its first words.
    if let Some(why) = &planted.why {
        let log = std::fs::read_to_string(why).unwrap();
        let began = sentences.english[0].split(". ").next().unwrap();
        assert!(log.contains(began), "{}: no '{began}' in {log}", fault.planted);
    }
    sentences
}

/// Plants a fault and checks the report; returns what is missing, and the sentences.
fn meet(window: &Window, fault: &Fault) -> Option<(Vec<String>, Sentences)> {
    let mut planted = (fault.plant)();
    if !planted.is_possible() {
        return None;
    }
    let mut run = planted.start();
    planted.meanwhile(&mut run);
    let code = run.peer.wait(LIMIT * 2).code();
    let output = run.peer.output() + &run.peer.errors();
    assert_eq!(code, Some(fault.exit), "{}: {output}", fault.planted);
    assert!(!output.contains(plant::KEY), "{}: the key is shown: {output}", fault.planted);
    let sentences = report_of(window, fault, &planted, &run);
    if let Some(at) = sentences.at {
        let limit = fault.within.as_secs_f64();
        assert!(at < limit, "{}: told after {at} s, not {limit} s", fault.planted);
    }
    let whole = |two: &[String; 2]| format!("{} {}", two[0], two[1]);
    let (english, chinese) = (whole(&sentences.english), whole(&sentences.chinese));
    println!("{}\n  {english}\n  {chinese}", fault.planted);
    let mut missing = Vec::new();
    let mut look = |language: &str, what: &str, words: &str, text: &str| {
        if !text.contains(words) {
            missing.push(format!("{}: {language}: no {what} '{words}' in: {text}", fault.planted));
        }
    };
    for (at, what) in ["stage", "cause", "cure"].into_iter().enumerate() {
        look("English", what, fault.english[at], &english);
        look("Chinese", what, fault.chinese[at], &chinese);
    }
    look("English", "host", &planted.host, &english);
    let host = sentences.other_host.as_ref().unwrap_or(&planted.host);
    look("Chinese", "host", host, &chinese);
    Some((missing, sentences))
}

#[test]
fn each_fault_is_reported_with_stage_host_cause_and_cure_in_both_languages() {
    peers::in_real_time!(each_fault_is_reported_with_stage_host_cause_and_cure_in_both_languages);
    let mut order: Vec<&Fault> = FAULTS.iter().collect();
    // The slowest faults start first, so that the others can end meanwhile.
    order.sort_by_key(|fault| std::cmp::Reverse(fault.within));
    let queue = Mutex::new(order.into_iter());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let window = Window::new();
                loop {
                    let Some(fault) = queue.lock().unwrap().next() else { break };
                    let result = meet(&window, fault);
                    results.lock().unwrap().extend(result);
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    // Two faults need a separate disk.
    assert!(results.len() >= 26 && FAULTS.len() - results.len() <= 2);
    let missing: Vec<_> = results.iter().flat_map(|(missing, _)| missing).collect();
    let points = results.len() * 6;
    println!("{} of {points} points", points - missing.len().min(points));
    assert!(missing.is_empty(), "{missing:#?}");
    let longest = |of: fn(&Sentences) -> &[String; 2]| {
        let all = results.iter().map(|(_, it)| of(it).iter().map(|it| it.chars().count()).sum());
        all.max().unwrap_or_default()
    };
    let (english, chinese): (usize, usize) = (longest(|it| &it.english), longest(|it| &it.chinese));
    println!("longest: {english} and {chinese} characters");
}
