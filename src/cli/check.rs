//! `onair check`: tries a target stage by stage and never goes live.

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::base::{Clock, Timestamp};
use crate::cli::exit::Exit;
use crate::cli::globals::Globals;
use crate::cli::live::targets::{self, KeySource};
use crate::cli::output::{Output, complain};
use crate::cli::{trust, words};
use crate::net::rtmp::{Client, Options};
use crate::net::{Error, Runtime, Stage};
use crate::studio::message::Message;
use crate::studio::targets::parse;
use crate::wire::rtmp::url::Url;

/// Flags of `onair check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The target: a URL (rtmp, rtmps, rtmpt or rtmpts) whose last part is the key, or an application's URL with a --key-…
    #[arg(value_name = "URL")]
    pub url: String,
    /// The key is in this environment variable
    #[arg(long, value_name = "NAME", group = "key")]
    pub key_env: Option<String>,
    /// The key is in this file
    #[arg(long, value_name = "PATH", group = "key")]
    pub key_file: Option<PathBuf>,
    /// The key is the first line of standard input
    #[arg(long, group = "key")]
    pub key_stdin: bool,
    #[command(flatten)]
    pub trust: trust::Flags,
}

/// One stage and how it went.
struct Tried {
    stage: Stage,
    took: Duration,
    error: Option<Error>,
}

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let (url, options) = match prepare(args, &output) {
        Ok(prepared) => prepared,
        Err((why, exit)) => {
            complain(&why);
            return exit;
        }
    };
    let runtime = match Runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("starting the network: {error}"));
            return Exit::Error;
        }
    };
    let (tried, error) = try_stages(&runtime, &url, &options, clock);
    report(&output, &url, &tried);
    runtime.shutdown(Duration::from_millis(500));
    error.map_or(Exit::Ok, |error| words::exit(Some(error.class().exit_code())))
}

fn prepare(args: &Args, output: &Output) -> Result<(Url, Options), (String, Exit)> {
    let source = match (&args.key_env, &args.key_file, args.key_stdin) {
        (Some(name), _, _) => Some(KeySource::Env(name.clone())),
        (_, Some(path), _) => Some(KeySource::File(path.clone())),
        (_, _, true) => Some(KeySource::Stdin),
        _ => None,
    };
    let key = source.map(|source| source.read()).transpose().map_err(|error| match error {
        targets::Error::Usage(why) => (why, Exit::Usage),
        targets::Error::Unreadable(why) => (why, Exit::File),
    })?;
    let url = parse(&args.url, key.as_ref()).map_err(|why| (why, Exit::Usage))?;
    if key.is_none() && !output.is_json() {
        words::print_message(output, &Message::KeyVisible);
    }
    let mut options = Options::default();
    options.net.trust = args.trust.read()?;
    Ok((url, options))
}

fn try_stages(
    runtime: &Runtime,
    url: &Url,
    options: &Options,
    clock: Clock,
) -> (Vec<Tried>, Option<Error>) {
    let begun: Mutex<Vec<(Stage, Timestamp)>> = Mutex::new(Vec::new());
    let on_stage = |stage| begun.lock().push((stage, clock.now()));
    let result = runtime.block_on(Client::check(url, options, clock, &on_stage));
    let end = clock.now();
    let error = result.err();
    let begun = begun.lock();
    let ends = begun.iter().skip(1).map(|(_, at)| *at).chain(std::iter::once(end));
    let mut tried: Vec<Tried> = Vec::new();
    for ((stage, at), end) in begun.iter().zip(ends) {
        // A redirection or a demand for a password goes through the stages again.
        tried.retain(|earlier| earlier.stage != *stage);
        tried.push(Tried { stage: *stage, took: end.since(*at), error: None });
    }
    if let Some(error) = &error {
        match tried.iter_mut().find(|tried| tried.stage == error.stage) {
            Some(tried) => tried.error = Some(error.clone()),
            None => tried.push(Tried {
                stage: error.stage,
                took: Duration::ZERO,
                error: Some(error.clone()),
            }),
        }
    }
    tried.retain(|tried| tried.stage <= Stage::Connect || tried.error.is_some());
    (tried, error)
}

fn report(output: &Output, url: &Url, tried: &[Tried]) {
    let ok = tried.iter().all(|tried| tried.error.is_none());
    if output.is_json() {
        let stages: Vec<Value> = tried
            .iter()
            .map(|tried| {
                let millis = (tried.took.as_secs_f64() * 10_000.0).round() / 10.0;
                let mut stage = json!({
                    "name": tried.stage.name(),
                    "ok": tried.error.is_none(),
                    "ms": millis,
                });
                if let (Some(error), Value::Object(stage)) = (&tried.error, &mut stage) {
                    stage.insert("detail".into(), error.cause.to_string().into());
                    stage.insert("advice".into(), error.advice().into());
                }
                stage
            })
            .collect();
        let line = json!({ "target": url.to_string(), "stages": stages, "ok": ok });
        output.line(&line.to_string());
        return;
    }
    for tried in tried {
        let millis = tried.took.as_secs_f64() * 1_000.0;
        let name = tried.stage.name();
        match &tried.error {
            None => output.line(&format!("✓ {name:<10} {millis:7.1} ms")),
            Some(error) => {
                output.line(&format!("✗ {name:<10} {millis:7.1} ms  {}", error.cause));
                output.line(&format!("  {}", error.advice()));
            }
        }
    }
    if ok {
        let tls = if url.scheme.is_secure() { ", encrypted" } else { "" };
        output.line(&format!(
            "{url} answers{tls}. Nothing was published; the key is tried at Go Live."
        ));
    }
}
