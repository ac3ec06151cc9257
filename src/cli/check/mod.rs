//! `onair check`: tries a target stage by stage, or checks this computer, and never goes live.

mod machine;

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::base::{Clock, Timestamp};
use crate::broadcast::TargetAddress;
use crate::broadcast::protocol::{Options, Request};
use crate::cli::flags::{Globals, network};
use crate::cli::live::targets::{KeySource, with_key_advice};
use crate::cli::output::exit::Exit;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Output, events};
use crate::net::{ConnectStage, Error, Runtime, Step};
use crate::studio::Notice;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::address::parse;
use crate::text::problem::{Problem, problem};

/// Flags of `onair check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The target: a URL (rtmp, rtmps, rtmpt or rtmpts) that ends in the stream key, an
    /// application's URL with --key-env, --key-file or --key-stdin, srt://HOST:PORT?streamid=ID, a
    /// WHIP endpoint (whip://HOST/PATH or whips://HOST/PATH), tcp://HOST:PORT or udp://HOST:PORT.
    /// onair does not try the stream key of RTMP.
    /// Without a URL, onair checks this computer and the targets that are on in --settings
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Environment variable that contains the stream key
    #[arg(long, value_name = "NAME", group = "key")]
    pub key_env: Option<String>,
    /// File that contains the stream key
    #[arg(long, value_name = "PATH", group = "key")]
    pub key_file: Option<PathBuf>,
    /// Read the stream key from the first line of standard input
    #[arg(long, group = "key")]
    pub key_stdin: bool,
    #[command(flatten)]
    pub route: network::Flags,
    #[command(flatten, next_help_heading = "This computer")]
    pub here: machine::Flags,
}

impl Args {
    /// Returns the source of the stream key, or `None` if the key is in the URL, where other users
    /// of the computer can see it.
    fn key_source(&self) -> Option<KeySource> {
        match (&self.key_env, &self.key_file, self.key_stdin) {
            (Some(name), _, _) => Some(KeySource::Env(name.clone())),
            (_, Some(path), _) => Some(KeySource::File(path.clone())),
            (_, _, true) => Some(KeySource::Stdin),
            _ => None,
        }
    }

    /// Returns true if the URL contains the stream key.
    fn shows_key(&self) -> bool {
        let has_secret = |url: &str| parse(url, None).is_ok_and(|url| url.has_secret());
        self.key_source().is_none() && self.url.as_deref().is_some_and(has_secret)
    }
}

/// One stage and its result.
struct StageResult {
    stage: ConnectStage,
    took: Duration,
    error: Option<Error>,
    /// True if the stage failed and another port was tried.
    passed_over: bool,
}

/// An event during the check, with its time.
enum CheckEvent {
    Began(ConnectStage),
    NextPort(Error),
    /// A redirect to this address. The flag is true if the user and the password are sent there
    /// too.
    Elsewhere(String, bool),
}

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    check(args, globals, clock, &output)
        .unwrap_or_else(|(why, exit)| output.refuse_answer(&why, exit, json!({"ok": false})))
}

fn check(
    args: &Args,
    globals: &Globals,
    clock: Clock,
    output: &Output,
) -> Result<Exit, (Problem, Exit)> {
    let machine = args.url.is_none() || args.here.machine;
    let text = output.say(&problem!("out-checking"));
    let shown = Progress::of_answer(output, text);
    let look = || machine::inspect(&args.here, args.url.as_deref(), globals, clock);
    let found = machine.then(look).transpose()?;
    let Some(url) = &args.url else {
        drop(shown);
        let found = found.unwrap_or_default();
        report_machine(output, &found);
        return Ok(machine::exit(&found));
    };
    let (url, options, runtime) = prepare(url, args, output)?;
    let outcome = try_stages(&runtime, &url, &options, clock);
    drop(shown);
    report(output, &url, args.shows_key(), &outcome, found.as_deref());
    runtime.shutdown(Duration::from_millis(500));
    let here = found.as_deref().map_or(Exit::Ok, machine::exit);
    Ok(outcome.error.map_or(here, |error| events::exit(Some(error.class().exit_code()))))
}

/// Prints the findings for this computer only.
fn report_machine(output: &Output, found: &[Notice]) {
    let language = output.language();
    if output.is_json() {
        let ok = machine::exit(found) == Exit::Ok;
        output.object(json!({ "machine": machine::fields(found, language), "ok": ok }));
    } else {
        machine::lines(found, language).iter().for_each(|line| output.line(line));
    }
}

fn prepare(
    url: &str,
    args: &Args,
    output: &Output,
) -> Result<(TargetAddress, Options, Runtime), (Problem, Exit)> {
    let key = args.key_source().map(|source| source.read()).transpose()?;
    let url = parse(url, key.as_ref()).map_err(|why| (with_key_advice(why), Exit::Usage))?;
    if let Some(reason) = url.remark().filter(|_| !output.is_json()) {
        let host = url.authority();
        events::print_message(output, &StudioMessage::AddressRemark { host, reason });
    }
    if args.shows_key() && !output.is_json() {
        events::print_message(output, &StudioMessage::KeyVisible {});
    }
    let (net, runtime) = args.route.start()?;
    Ok((url, Options { net, ..Options::default() }, runtime))
}

/// The result of the check.
struct Outcome {
    tried: Vec<StageResult>,
    /// The addresses of redirects, each with a flag that is true if the login was sent there.
    elsewhere: Vec<(String, bool)>,
    error: Option<Error>,
}

fn try_stages(runtime: &Runtime, url: &TargetAddress, options: &Options, clock: Clock) -> Outcome {
    let marks: Mutex<Vec<(CheckEvent, Timestamp)>> = Mutex::new(Vec::new());
    let on_step = |step: Step<'_>| {
        let mark = match step {
            Step::Stage(stage) => CheckEvent::Began(stage),
            // The stages are repeated.
            Step::Digests(_) => return,
            Step::NextPort(error) => CheckEvent::NextPort(error.clone()),
            Step::Elsewhere { to, with_password } => {
                CheckEvent::Elsewhere(to.to_owned(), with_password)
            }
        };
        marks.lock().push((mark, clock.now()));
    };
    let request = Request {
        home: url,
        head: None,
        options,
        bitrate: None,
        layers: 1,
        clock,
        on_step: &on_step,
    };
    let result = runtime.block_on(url.check(request));
    let end = clock.now();
    let error = result.err();
    let marks = marks.into_inner();
    let ends: Vec<_> = marks.iter().skip(1).map(|(_, at)| *at).chain([end]).collect();
    let mut outcome = Outcome { tried: Vec::new(), elsewhere: Vec::new(), error: error.clone() };
    let tried = &mut outcome.tried;
    for ((mark, at), end) in marks.into_iter().zip(ends) {
        match mark {
            CheckEvent::Began(stage) => {
                // After a redirect, or a request for a password or for digests, the stages are
                // repeated.
                tried.retain(|earlier| earlier.passed_over || earlier.stage != stage);
                let took = end.since(at);
                tried.push(StageResult { stage, took, error: None, passed_over: false });
            }
            CheckEvent::NextPort(error) => {
                if let Some(last) = tried.last_mut() {
                    last.error = Some(error);
                }
                tried.iter_mut().for_each(|earlier| earlier.passed_over = true);
            }
            CheckEvent::Elsewhere(to, with_password) => outcome.elsewhere.push((to, with_password)),
        }
    }
    if let Some(error) = error {
        let own = tried.iter_mut().rev().find(|tried| tried.stage == error.stage);
        match own.filter(|tried| !tried.passed_over) {
            Some(tried) => tried.error = Some(error),
            None => {
                let (stage, took) = (error.stage, Duration::ZERO);
                tried.push(StageResult { stage, took, error: Some(error), passed_over: false });
            }
        }
    }
    let is_tried = |stage| stage <= ConnectStage::Connect || stage == ConnectStage::Request;
    tried.retain(|tried| is_tried(tried.stage) || tried.error.is_some());
    outcome
}

/// Prints the answer. `key_visible` is true if the stream key is in the URL.
fn report(
    output: &Output,
    url: &TargetAddress,
    key_visible: bool,
    outcome: &Outcome,
    found: Option<&[Notice]>,
) {
    let language = output.language();
    let (tried, ok) = (&outcome.tried, outcome.error.is_none());
    if output.is_json() {
        let stages: Vec<Value> = tried
            .iter()
            .map(|tried| {
                let millis = (tried.took.as_secs_f64() * 10_000.0).round() / 10.0;
                let error = tried.error.as_ref();
                json!({
                    "name": tried.stage.name(),
                    "ok": error.is_none(),
                    "ms": millis,
                    "detail": error.map(|error| language.say(&Problem::from(&error.cause))),
                    "advice": error.and_then(|error| language.cure(&error.problem())),
                    "peer": error.map(|error| &error.peer),
                })
            })
            .collect();
        let elsewhere: Vec<_> = outcome.elsewhere.iter().map(|(to, _)| to.as_str()).collect();
        let ok = ok && found.is_none_or(|found| machine::exit(found) == Exit::Ok);
        let mut line = json!({
            "target": url.to_string(),
            "key_visible": key_visible,
            "stages": stages,
            "ok": ok,
        });
        if let (false, Value::Object(line)) = (elsewhere.is_empty(), &mut line) {
            line.insert("elsewhere".into(), elsewhere.into());
        }
        if let (Some(found), Value::Object(line)) = (found, &mut line) {
            line.insert("machine".into(), machine::fields(found, language).into());
        }
        output.object(line);
        return;
    }
    machine::lines(found.unwrap_or_default(), language).iter().for_each(|line| output.line(line));
    for tried in tried {
        let millis = tried.took.as_secs_f64() * 1_000.0;
        let name = tried.stage.name();
        match &tried.error {
            None => output.line(&format!("✓ {name:<10} {millis:7.1} ms")),
            Some(error) if tried.passed_over => {
                let reason = language.say(&Problem::from(&error.cause));
                let why = output.say(&problem!("out-next-port", reason = reason));
                output.line(&format!("– {name:<10} {millis:7.1} ms  {why}"));
            }
            Some(error) => {
                output.line(&format!(
                    "✗ {name:<10} {millis:7.1} ms  {}",
                    language.say(&Problem::from(&error.cause))
                ));
                output.line(&format!("  {}", language.cure(&error.problem()).unwrap_or_default()));
            }
        }
    }
    for (to, with_password) in &outcome.elsewhere {
        let url = to.to_string();
        let text = match with_password {
            true => problem!("out-redirected", url = url),
            false => problem!("out-redirected-no-login", url = url),
        };
        output.line(&format!("→ {}", output.say(&text)));
    }
    if ok {
        let secure = if url.is_secure() { "yes" } else { "no" };
        let text = problem!("out-answers", secure = secure, url = url.to_string());
        output.line(&output.say(&text));
    }
}
