//! `onair serve`: the built-in server alone.

mod config;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::base::Clock;
use crate::base::queue::Empty;
use crate::cli::exit::Exit;
use crate::cli::globals::Globals;
use crate::cli::live::targets::{self, KeySource};
use crate::cli::output::{Output, complain};
use crate::cli::signals::Interrupt;
use crate::cli::words;
use crate::net::{Identity, IdentityError, Runtime};
use crate::server::config::{DEFAULT_HTTP_PORT, DEFAULT_RTMP_PORT};
use crate::server::{Config, Fault, Listen, Login, RecordingState, Secure, Server};
use crate::studio::event::Ready;
use crate::studio::message::Message;
use crate::studio::settings::check_successor;
use crate::wire::rtmp::auth::Method;
use crate::wire::rtmp::url::Credentials;

/// How long saying goodbye to everybody may take.
const END: Duration = Duration::from_secs(2);

/// Flags of `onair serve`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Where to publish and play by RTMP; port 0 picks a free one
    /// [default: 127.0.0.1:1935, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub rtmp: Option<SocketAddr>,
    /// Where to serve HTTP-FLV and figures; port 0 picks a free one
    /// [default: 127.0.0.1:8088, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Where to publish and play by RTMP over TLS; port 0 picks a free one
    #[arg(long, value_name = "ADDR", requires = "cert", requires = "cert_key")]
    pub rtmps: Option<SocketAddr>,
    /// Where else to publish and play by RTMP tunnelled through HTTP (RTMPT); it is also spoken at
    /// --rtmp and, inside TLS, at --rtmps
    #[arg(long, value_name = "ADDR")]
    pub rtmpt: Option<SocketAddr>,
    /// The server's certificate for --rtmps, those that signed it behind it (PEM, or DER)
    #[arg(long, value_name = "FILE", requires = "rtmps")]
    pub cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "rtmps")]
    pub cert_key: Option<PathBuf>,
    /// Write every publication into an FLV file of its own in this folder
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Read what no flag says, and the publish keys, from this file (TOML: the flags' names with _)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Do this wrong, so that publishers can be tried (repeatable)
    #[arg(long, value_name = "FAULT", long_help = FAULT_HELP)]
    pub fault: Vec<Fault>,
    /// What the times and the garbage of --fault are drawn from [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub fault_seed: Option<u64>,
    /// Where clients that understand it (Enhanced RTMP) are asked to go when this server ends: a URL
    /// such as <rtmp://other/live>
    #[arg(long, value_name = "URL", value_parser = check_successor)]
    pub successor: Option<String>,
    /// Publishers must give this user and the password in --password-file
    /// (rtmp://USER:PASSWORD@HOST/app/stream); players need nothing
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub user: Option<String>,
    /// The password is the first line of this file
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// How user and password are asked for: as Adobe's servers do, or Limelight's [default: adobe]
    #[arg(long, value_name = "SCHEME", value_parser = ["adobe", "llnw"], requires = "user")]
    pub auth: Option<String>,
}

const FAULT_HELP: &str = "Do this wrong, so that publishers can be tried (repeatable): \
    WHAT@PHASE[:VALUE][*TIMES]. The phases are handshake, connect, createStream, publish and media.

  reset, close, half-close, garbage   at once, or so long after media began: reset@media:3s
  stall                 reads nothing, until it is let go or for so long:
                        stall@media:2s+8s (after 2 s, for 8 s), stall@connect:+5s
  delay:TIME            takes what comes so much later: delay@media:200ms
  throttle:BITRATE      reads no more than that: throttle@media:500k
  reject:CODE           at connect (Rejected, InvalidApp, Closed, Failed, AppShutdown) or publish
                        (BadName, Denied, Unauthorized, Rejected, BadAuth)
  busy[:TIMES]          at publish: says that the name is in use
  redirect:URL          at connect, or at media (Enhanced RTMP)
  noack                 acknowledges nothing

A time such as 2s..5s is drawn anew for each connection. *1 strikes one connection only. Bad \
certificates come by --cert";

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let Some(interrupt) = Interrupt::listen() else { return Exit::Error };
    let config = match wanted(args) {
        Ok(config) => config,
        Err((why, exit)) => {
            complain(&why);
            output.event("summary", json!({"error": why, "exit": exit.code()}), || None);
            return exit;
        }
    };
    let started = Runtime::start().map_err(|error| error.to_string()).and_then(|runtime| {
        let server = Server::start(&runtime, clock, config).map_err(|error| error.to_string())?;
        Ok((runtime, server))
    });
    let (runtime, server) = match started {
        Ok(started) => started,
        Err(why) => {
            complain(&format!(
                "{why}. Choose another address with --rtmp, --rtmps, --rtmpt or --http"
            ));
            output.event("summary", json!({"error": why, "exit": Exit::Error.code()}), || None);
            return Exit::Error;
        }
    };
    announce(&server, &output);
    let mut totals = Totals::default();
    while !interrupt.is_set() {
        match server.events().recv_timeout(Duration::from_millis(50)) {
            Ok(event) => {
                totals.note(&event);
                words::print_server(&output, &event);
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => break,
        }
    }
    server.shutdown(END);
    while let Ok(event) = server.events().try_recv() {
        totals.note(&event);
        words::print_server(&output, &event);
    }
    runtime.shutdown(Duration::from_millis(500));
    // A folder that could not be written to is worth a code of its own.
    let exit = if totals.unwritten > 0 { Exit::File } else { Exit::Ok };
    let fields = json!({
        "publishers": totals.publishers,
        "viewers": totals.viewers,
        "received_bytes": totals.received,
        "sent_bytes": totals.sent,
        "faults": totals.faults,
        "recordings": totals.recordings,
        "unwritten": totals.unwritten,
        "exit": exit.code(),
    });
    output.event("summary", fields, || {
        Some(format!("Ended: {} publishers, {} viewers", totals.publishers, totals.viewers))
    });
    exit
}

/// What the flags mean, with what a file adds to them.
fn wanted(args: &Args) -> Result<Config, (String, Exit)> {
    let (args, publish_keys) = match &args.config {
        Some(path) => config::Config::read(path)
            .and_then(|config| config.complete(args))
            .map_err(|why| (why, Exit::File))?,
        None => (args.clone(), Vec::new()),
    };
    if let Some(folder) = &args.record {
        std::fs::create_dir_all(folder).map_err(|error| {
            let folder = folder.display();
            (format!("--record {folder}: {error}. Choose a folder that can be written"), Exit::File)
        })?;
    }
    let listen = |wish: Option<SocketAddr>, port| {
        wish.map_or_else(|| Listen::loopback(port), Listen::exactly)
    };
    Ok(Config {
        rtmp: listen(args.rtmp, DEFAULT_RTMP_PORT),
        rtmps: secure(&args).map_err(|error| (error.to_string(), Exit::File))?,
        rtmpt: args.rtmpt.map(Listen::exactly),
        login: login(&args)?,
        http: Some(listen(args.http, DEFAULT_HTTP_PORT)),
        publish_keys,
        record: args.record.clone(),
        faults: args.fault.clone(),
        fault_seed: args.fault_seed.unwrap_or_default(),
        successor: args.successor.clone(),
        ..Config::default()
    })
}

/// Where to speak TLS, and as whom, where that was asked for.
fn secure(args: &Args) -> Result<Option<Secure>, IdentityError> {
    let (Some(address), Some(cert), Some(key)) = (args.rtmps, &args.cert, &args.cert_key) else {
        return Ok(None);
    };
    let identity = Identity::read(cert, key)?;
    Ok(Some(Secure { listen: Listen::exactly(address), identity }))
}

/// What publishers must give, where that was asked for.
fn login(args: &Args) -> Result<Option<Login>, (String, Exit)> {
    let (Some(user), Some(path)) = (&args.user, &args.password_file) else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~@".contains(c);
    if user.is_empty() || user.len() > 64 || !user.chars().all(plain) {
        let why = "--user: at most 64 letters, digits and - _ . ~ @";
        return Err((why.into(), Exit::Usage));
    }
    let secret = KeySource::File(path.clone()).read().map_err(|error| match error {
        targets::Error::Usage(why) => (why, Exit::Usage),
        targets::Error::Unreadable(why) => (why, Exit::File),
    })?;
    let method = if args.auth.as_deref() == Some("llnw") { Method::Llnw } else { Method::Adobe };
    let credentials = Credentials { user: user.clone(), password: secret };
    Ok(Some(Login { method, credentials }))
}

fn announce(server: &Server, output: &Output) {
    let addresses = server.addresses();
    let moved = [
        (addresses.rtmp_moved, DEFAULT_RTMP_PORT, Some(addresses.rtmp)),
        (addresses.http_moved, DEFAULT_HTTP_PORT, addresses.http),
    ];
    for (moved, wanted, used) in moved {
        if let (true, Some(used)) = (moved, used) {
            let (wanted, used) = (wanted.to_string(), used.port().to_string());
            words::print_message(output, &Message::PortTaken { wanted, used });
        }
    }
    let ready = Ready {
        rtmp: format!("rtmp://{}", addresses.rtmp),
        rtmps: addresses.rtmps.map(|rtmps| format!("rtmps://{rtmps}")),
        rtmpt: addresses.rtmpt.map(|rtmpt| format!("rtmpt://{rtmpt}")),
        http: addresses.http.map(|http| format!("http://{http}")),
        play: None,
    };
    words::print_ready(output, &ready);
}

#[derive(Debug, Default)]
struct Totals {
    publishers: u64,
    viewers: u64,
    received: u64,
    sent: u64,
    faults: u64,
    recordings: u64,
    unwritten: u64,
}

impl Totals {
    fn note(&mut self, event: &crate::server::Event) {
        use crate::server::Event;
        match event {
            Event::Publish(_) => self.publishers += 1,
            Event::Join(_) => self.viewers += 1,
            Event::Unpublish(_, ended) => self.received += ended.bytes,
            Event::Leave(_, ended) => self.sent += ended.bytes,
            Event::Fault(_) => self.faults += 1,
            Event::Recording(recording) => match recording.state {
                RecordingState::Writing => {}
                RecordingState::Finished => self.recordings += 1,
                RecordingState::Failed => self.unwritten += 1,
            },
        }
    }
}
