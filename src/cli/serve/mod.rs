//! `onair serve`: runs only the built-in server.

mod access;
mod args;
mod available_memory;
mod config;
mod recording;
mod relays;
mod renditions;
mod start_problem;
pub(in crate::cli) mod tls;
mod token;
mod totals;
mod values;
mod watermarks;
mod webrtc;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use args::{Http, ServeCommand, WebRtc};
use serde_json::json;

pub use args::Args;

use crate::base::queue::Empty;
use crate::base::{Clock, CodePages, Secret, sandbox};
use crate::broadcast::recorder;
use crate::cli::flags::Globals;
use crate::cli::live::server_flags::read_passphrase;
use crate::cli::live::targets::KeySource;
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain, events};
use crate::cli::process::signals::{Interrupt, cannot_start};
use crate::cli::serve::config::FileRules;
use crate::cli::serve::start_problem::with_cure;
use crate::cli::serve::tls::acme;
use crate::cli::serve::totals::Totals;
use crate::cli::serve::webrtc::{ice_servers, meeting};
use crate::files::Trouble;
use crate::media::{FrameRate, Size};
use crate::net::listener::service_manager::{self, ServiceState};
use crate::net::listener::{descriptors, inherited};
use crate::net::{CertificatePin, Runtime, reached_at};
use crate::platform::signals::{self, Signal};
use crate::server::access::Action;
use crate::server::config::{DEFAULT_HTTP_PORT, DEFAULT_RTMP_PORT, DEFAULT_WEBRTC_PORT};
use crate::server::hls::Mode;
use crate::server::{Config, Limits, Listen, Login, MediaRules, Server};
use crate::studio::event::Ready;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::{CertificateFiles, ServerToken};
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::auth::Method;
use crate::wire::rtmp::url::Credentials;

/// Time limit for disconnecting all clients.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Free memory at the start, in bytes, below which the system may kill a server that has viewers.
const LOW_MEMORY_BYTES: u64 = 256_000_000;

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    if let Some(ServeCommand::Token(args)) = &args.command {
        return token::run(args, &output);
    }
    serve(args, &output, clock).unwrap_or_else(|(why, exit)| output.refuse(&why, exit))
}

fn serve(args: &Args, output: &Output, clock: Clock) -> Result<Exit, (Problem, Exit)> {
    let failed = |why: Problem| (why, Exit::Error);
    let reloads = args.config.is_some() && !has_terminal();
    let listened = match reloads {
        true => Interrupt::listen_and_reload(),
        false => Interrupt::listen().map(|it| (it, Arc::default())),
    };
    let (interrupt, reload) = listened.map_err(failed)?;
    let drain = drain_signal().map_err(failed)?;
    let mut config = wanted(args)?;
    let token = take_token(&mut config, args.only_check)?;
    acme::prepare(&mut config);
    let own_pin =
        tls::add_own_certificate(&mut config, args.only_check).map_err(|why| (why, Exit::File))?;
    // At this point, the user can still correct the problem.
    try_folder(config.record.as_deref(), args.only_check)?;
    if args.only_check {
        let path = args.config.as_ref().map(|path| path.display().to_string());
        output.event("check", json!({"config": path, "exit": 0}), || {
            Some(output.say(&problem!("out-serve-checked")))
        });
        return Ok(Exit::Ok);
    }
    let allowed = descriptors::for_connections(config.limits.connections);
    let memory = available_memory::available();
    for warning in limit_connections(&mut config.limits, (descriptors::limit(), allowed), memory) {
        events::print_message(output, &warning);
    }
    inherited::adopt();
    let recording = config.record.as_ref().map(|folder| folder.join("recording"));
    let written = [recording, acme::folder(&config)];
    sandbox::files(&written.iter().flatten().map(|path| path.as_path()).collect::<Vec<_>>());
    output.write_beside();
    let open = open_addresses(&config);
    let cores = config.media.renditions.expected_cores(Size::new(1_920, 1_080), FrameRate::FPS_30);
    let hls = config.hls.mode;
    let domains = config.acme.as_ref().map(|acme| acme.domains.join(", ")).unwrap_or_default();
    let mut files = CertificateFiles::of(config.identity.as_ref(), Instant::now());
    let runtime = Runtime::start();
    let runtime = runtime.map_err(|error| failed(with_cure(Problem::from(&error), &error)))?;
    let server = Server::start(&runtime, clock, config);
    let server = server.map_err(|error| failed(with_cure(Problem::from(&error), &error.source)))?;
    for address in inherited::unused() {
        tracing::warn!(%address, "no address of the configuration is that of this inherited socket");
    }
    announce(&server, hls != Mode::Off, (token.as_ref(), own_pin), output);
    if let Some(cores) = cores {
        let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (cores, available) = (format!("{cores:.1}"), available.to_string());
        events::print_message(output, &StudioMessage::RenditionsNeed { cores, available });
    }
    service_manager::notify(ServiceState::Ready);
    warn_of_open(output, open);
    let (mut totals, mut code_pages) = (Totals::default(), CodePages::default());
    while !interrupt.is_set() {
        // The events of a busy server never pause.
        let now = Instant::now();
        code_pages.poll(now);
        if let Some(read) = files.as_mut().and_then(|files| files.poll(now)) {
            tls::apply(&server, read, output);
        }
        acme::report(&server, &domains, output);
        let next_event = || server.events().recv_timeout(Duration::from_millis(50));
        match next_step(&reload, &drain, next_event) {
            NextStep::Reload => reload_config(&server, args, token.as_ref(), output),
            NextStep::Drain => server.drain(),
            NextStep::Print(event) => {
                totals.note(&event);
                events::print_server(output, &event);
            }
            NextStep::Idle => {}
            NextStep::End => break,
        }
    }
    service_manager::notify(ServiceState::Stopping);
    server.end(SHUTDOWN_TIMEOUT, |event| {
        totals.note(&event);
        events::print_server(output, &event);
    });
    let left = server.files_under_way();
    if left > 0 {
        complain(problem!("cli-recordings-left", count = left));
        totals.unwritten += left as u64;
        totals.is_folder_unusable = true;
    }
    runtime.shutdown(Duration::from_millis(500));
    // A folder that could not be written to has a separate exit code.
    let exit = if totals.is_folder_unusable { Exit::File } else { Exit::Ok };
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
        let (publishers, viewers) = (totals.publishers, totals.viewers);
        let text = problem!("out-ended-server", publishers = publishers, viewers = viewers);
        Some(output.say(&text))
    });
    Ok(exit)
}

/// The next step of a running server.
#[derive(Debug, PartialEq, Eq)]
enum NextStep<E> {
    Reload,
    Drain,
    Print(E),
    Idle,
    End,
}

/// Returns the next step. Signals come before events, because the events of a busy server never
/// pause.
fn next_step<E>(
    reload: &AtomicBool,
    drain: &AtomicBool,
    next_event: impl FnOnce() -> Result<E, Empty>,
) -> NextStep<E> {
    if reload.swap(false, Ordering::Relaxed) {
        return NextStep::Reload;
    }
    if drain.swap(false, Ordering::Relaxed) {
        return NextStep::Drain;
    }
    match next_event() {
        Ok(event) => NextStep::Print(event),
        Err(Empty::Waiting) => NextStep::Idle,
        Err(Empty::Closed) => NextStep::End,
    }
}

/// Reads the configuration file again, and applies the values that can change without a restart.
fn reload_config(server: &Server, args: &Args, token: Option<&ServerToken>, output: &Output) {
    let mut kept: &[&str] = &[];
    let (error, restart) = match wanted(args) {
        Ok(mut config) => {
            config.http_token = token.and_then(token_again);
            if token.is_some() && config.http_token.is_none() {
                kept = &["token"];
            }
            warn_of_open(output, open_addresses(&config));
            (None, server.reload(&config))
        }
        Err((why, _)) => (Some(why), Vec::new()),
    };
    let message = error.as_ref().map(|why| output.say(why));
    let fields = json!({"error": message, "needs_restart": restart, "kept": kept});
    output.event("reload", fields, || {
        let text = match (&error, restart.is_empty()) {
            (Some(why), _) => problem!("out-not-reloaded", reason = why.clone()),
            (None, true) => problem!("out-reloaded"),
            (None, false) => problem!("out-reloaded-partly", names = &restart),
        };
        Some(output.say(&text))
    });
}

/// Returns the token that the file contains now. If there is none, complains, and returns `None`, so that the running
/// server keeps its token.
fn token_again(token: &ServerToken) -> Option<Secret> {
    let found = token.read_again().ok().flatten();
    if found.is_none() {
        complain(problem!("cli-token-kept", path = token.path.display().to_string()));
    }
    found
}

/// Returns a flag that SIGUSR1 sets. The server then sends its clients to the successor.
///
/// # Errors
/// Fails if the system allows no signal handler.
fn drain_signal() -> Result<Arc<AtomicBool>, Problem> {
    signals::flag(Signal::First).map_err(|error| cannot_start(&error))
}

/// Returns true if somebody may be reading and typing.
fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// Reads or creates the token for changes over HTTP, and adds it to the configuration. Returns `None` if the server has
/// no HTTP. `--check` creates no token, because a reload would then replace the token of the running server.
fn take_token(
    config: &mut Config,
    only_check: bool,
) -> Result<Option<ServerToken>, (Problem, Exit)> {
    if config.http.is_none() && config.https.is_none() {
        return Ok(None);
    }
    let failed = |error: io::Error| {
        let reason = Trouble::problem(&error);
        (problem!("cli-no-token", reason = reason), Exit::File)
    };
    if only_check {
        if let Some(path) = ServerToken::invalid_file().map_err(failed)? {
            complain(problem!("cli-token-invalid", path = path.display().to_string()));
        }
        return Ok(None);
    }
    let token = ServerToken::of_user().map_err(failed)?;
    config.http_token = token.as_ref().map(|token| token.token.clone());
    config.webrtc_certificate = token.as_ref().and_then(|token| token.certificate.clone());
    Ok(token)
}

/// Returns the server's configuration from the flags, completed from a file, without its token.
fn wanted(args: &Args) -> Result<Config, (Problem, Exit)> {
    let recording_flag = args.recording_flag();
    let (args, file) = match &args.config {
        Some(path) => config::Config::read(path)
            .and_then(|file| file.complete(args).map_err(|why| config::with_path(path, why)))
            .map_err(|why| (why, Exit::File))?,
        None => (args.clone(), FileRules::default()),
    };
    let FileRules {
        publish_keys,
        access,
        ladders,
        ladder_rules,
        watermarks,
        mut relays,
        mut ice_servers,
    } = file;
    args.check().map_err(|why| match &args.config {
        Some(path) => (config::with_path(path, why), Exit::File),
        None => (why, Exit::Usage),
    })?;
    // A configuration file may keep its limits while it turns recording off.
    if let Some(flag) = recording_flag.filter(|_| args.record.is_none()) {
        return Err((problem!("serve-without-record", flag = flag), Exit::Usage));
    }
    relays.extend(relays::of_flags(&args.push, &args.pull));
    ice_servers.extend(args.ice_server.iter().cloned());
    ice_servers::check_count(ice_servers.len()).map_err(|why| (why, Exit::Usage))?;
    let listen = |address: Option<SocketAddr>, port| {
        address.map_or_else(|| Listen::loopback(port), Listen::exactly)
    };
    let http = match &args.http {
        Some(Http::None) => None,
        Some(Http::At(address)) => Some(Listen::exactly(*address)),
        None => Some(Listen::loopback(DEFAULT_HTTP_PORT)),
    };
    Ok(Config {
        rtmp: listen(args.rtmp, DEFAULT_RTMP_PORT),
        identity: tls::identity(&args).map_err(|why| (why, Exit::File))?,
        acme: acme::config(&args),
        rtmps: args.rtmps.map(Listen::exactly),
        rtmpt: args.rtmpt.map(Listen::exactly),
        login: login(&args)?,
        http,
        https: args.https.map(Listen::exactly),
        redirects_to_https: args.https_redirect,
        http_names: args.name.clone(),
        cors: args.cors.clone(),
        publish_keys,
        access,
        record: args.record.clone(),
        media: MediaRules {
            recording: recording::recording_rules(&args),
            renditions: args.ladders(ladders, ladder_rules, watermarks),
            ice_servers,
        },
        webrtc: match args.webrtc {
            Some(WebRtc::None) => None,
            Some(WebRtc::At(address)) => Some(Listen::exactly(address)),
            None => Some(Listen::loopback(DEFAULT_WEBRTC_PORT)),
        },
        webrtc_addresses: args.webrtc_address.clone(),
        srt: args.srt.map(Listen::exactly),
        srt_passphrase: args
            .srt
            .and(args.srt_passphrase_file.as_deref())
            .map(read_passphrase)
            .transpose()?,
        meeting: meeting::read(&args)?,
        hls: args.hls_settings(),
        chat: args.chat_rules(),
        faults: args.fault.clone(),
        fault_seed: args.fault_seed.unwrap_or_default(),
        successor: args.successor.clone(),
        http_successor: args.successor_http.clone(),
        relays,
        limits: args.limits(),
        ..Config::default()
    })
}

/// Creates the folder of recordings, and checks that files can be written there. A reload does not use another folder,
/// and must work while the disk is full, so this check is only for the start. `--check` leaves no folder behind: the
/// folder would belong to another user than that of the server.
fn try_folder(folder: Option<&Path>, only_check: bool) -> Result<(), (Problem, Exit)> {
    let Some(folder) = folder else { return Ok(()) };
    let made = if only_check { Ok(()) } else { std::fs::create_dir_all(folder) };
    let made = made.map_err(|error| Trouble::problem(&error));
    let name = format!(".onair-check-{}.flv", std::process::id());
    let tried = made.and_then(|()| match recorder::try_out(&folder.join(name)) {
        Err(error) if only_check && is_no_mistake(error.kind) => Ok(()),
        tried => tried.map_err(|error| error.problem()),
    });
    tried.map_err(|cause| {
        let folder = folder.display().to_string();
        (problem!("cli-record-folder", folder = folder, cause = cause), Exit::File)
    })
}

/// Returns true if a configuration is valid despite this trouble with the folder of recordings. The unit of systemd
/// checks the configuration before each reload, which must work while the disk is full.
const fn is_no_mistake(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::Full | Trouble::Quota)
}

/// Returns the addresses at which anyone on another computer may publish, and the addresses at
/// which they may only play.
fn open_addresses(config: &Config) -> (Vec<String>, Vec<String>) {
    let beyond = |all: &[Option<Listen>]| -> Vec<String> {
        let all = all.iter().flatten().map(|listen| listen.address);
        all.filter(|address| !address.ip().is_loopback()).map(|it| it.to_string()).collect()
    };
    let rtmp = beyond(&[Some(config.rtmp), config.rtmps, config.rtmpt]);
    let http = beyond(&[config.http, config.https]);
    // With WebRTC, publishers come by WHIP too.
    let publish = match config.webrtc {
        Some(_) => [&rtmp[..], &http].concat(),
        None => rtmp.clone(),
    };
    let keys = !config.publish_keys.is_empty() || config.login.is_some();
    let publish_open = !keys && config.access.is_open(Action::Publish);
    let play_open = config.access.is_open(Action::Play);
    match (publish_open, play_open) {
        (true, true) if config.webrtc.is_some() => (publish, Vec::new()),
        (true, true) => (publish, http),
        (true, false) => (publish, Vec::new()),
        (false, true) => (Vec::new(), [rtmp, http].concat()),
        (false, false) => (Vec::new(), Vec::new()),
    }
}

/// Limits the connections to the number that the system allows with its limit of open files. Returns the warnings: the
/// system allows fewer than requested, or only these bytes of memory are free.
fn limit_connections(
    limits: &mut Limits,
    (limit, allowed): (u64, usize),
    memory: Option<u64>,
) -> Vec<StudioMessage> {
    let mut warnings = Vec::new();
    if allowed < limits.connections {
        let (limit, clients) = (limit.to_string(), allowed.to_string());
        warnings.push(StudioMessage::ServerFewFiles { limit, clients });
        limits.connections = allowed;
    }
    if let Some(left) = memory.filter(|left| *left < LOW_MEMORY_BYTES) {
        let megabytes = (left / 1_000_000).to_string();
        warnings.push(StudioMessage::ServerLittleMemory { megabytes });
    }
    warnings
}

/// Warns about the addresses at which strangers may publish or play.
fn warn_of_open(output: &Output, (open, open_to_play): (Vec<String>, Vec<String>)) {
    for address in open {
        events::print_message(output, &StudioMessage::ServerOpen { address });
    }
    for address in open_to_play {
        events::print_message(output, &StudioMessage::ServerOpenToPlay { address });
    }
}

/// Returns the login for publishers, if given.
fn login(args: &Args) -> Result<Option<Login>, (Problem, Exit)> {
    let (Some(user), Some(path)) = (&args.user, &args.password_file) else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~@".contains(c);
    if user.is_empty() || user.len() > 64 || !user.chars().all(plain) {
        return Err((problem!("cli-user"), Exit::Usage));
    }
    let secret = KeySource::File(path.clone()).read();
    let secret =
        secret.map_err(|(why, exit)| (problem!("serve-password-file", reason = why), exit))?;
    let method = if args.auth.as_deref() == Some("llnw") { Method::Llnw } else { Method::Adobe };
    let credentials = Credentials { user: user.clone(), password: secret };
    Ok(Some(Login { method, credentials }))
}

fn announce(
    server: &Server,
    hls: bool,
    (token, own_pin): (Option<&ServerToken>, Option<CertificatePin>),
    output: &Output,
) {
    let addresses = server.addresses();
    let moved = [
        (addresses.rtmp_moved, DEFAULT_RTMP_PORT, Some(addresses.rtmp)),
        (addresses.http_moved, DEFAULT_HTTP_PORT, addresses.http),
        (addresses.webrtc_moved, DEFAULT_WEBRTC_PORT, addresses.webrtc),
    ];
    for (moved, wanted, used) in moved {
        if let (true, Some(used)) = (moved, used) {
            let (wanted, used) = (wanted.to_string(), used.port().to_string());
            events::print_message(output, &StudioMessage::PortTaken { wanted, used });
        }
    }
    // The links have an address that other computers can use.
    let web = |scheme: &str, at: SocketAddr| format!("{scheme}://{}", reached_at(at));
    let http = addresses.http.map(|at| web("http", at));
    let http = http.or_else(|| addresses.https.map(|at| web("https", at)));
    let whep = http.as_ref().filter(|_| addresses.webrtc.is_some());
    let cut = http.as_ref().filter(|_| hls);
    let ready = Ready {
        rtmp: format!("rtmp://{}", addresses.rtmp),
        rtmps: addresses.rtmps.map(|rtmps| format!("rtmps://{rtmps}")),
        rtmpt: addresses.rtmpt.map(|rtmpt| format!("rtmpt://{rtmpt}")),
        http: addresses.http.map(|http| format!("http://{http}")),
        https: addresses.https.map(|https| format!("https://{https}")),
        https_fingerprint: own_pin.map(|pin| pin.to_string()),
        webrtc: addresses.webrtc.map(|webrtc| webrtc.to_string()),
        srt: addresses.srt.map(|srt| format!("srt://{srt}")),
        play: None,
        // The addresses contain placeholders for the names of a stream.
        hls: cut.map(|http| format!("{http}/APP/STREAM.m3u8")),
        dash: cut.map(|http| format!("{http}/APP/STREAM.mpd")),
        hls_ts: cut.map(|http| format!("{http}/APP/STREAM/hls/ts.m3u8")),
        flv: http.as_ref().map(|http| format!("{http}/APP/STREAM.flv")),
        whep: whep.map(|http| format!("{http}/APP/STREAM/whep")),
        watch: http.as_ref().map(|http| format!("{http}/watch/APP/STREAM")),
        token_file: token.map(|token| token.path.display().to_string()),
    };
    events::print_ready(output, &ready);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_works_while_the_folder_of_recordings_does_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = file.path().join("recordings");
        let args = Args { record: Some(folder.clone()), http: Some(Http::None), ..Args::default() };
        assert!(wanted(&args).is_ok_and(|config| config.record == args.record));
        for only_check in [false, true] {
            assert!(try_folder(Some(&folder), only_check).is_err());
            assert!(try_folder(None, only_check).is_ok());
        }
    }

    #[test]
    fn flags_of_recordings_need_a_folder() {
        let of_flag = || Args { http: Some(Http::None), ..Args::default() };
        for args in
            [Args { keep_size: Some(1 << 30), ..of_flag() }, Args { vod: Some(false), ..of_flag() }]
        {
            let (why, exit) = wanted(&args).err().unwrap();
            assert_eq!((why.id(), exit), ("serve-without-record", Exit::Usage));
            let record = Some("recordings".into());
            assert!(wanted(&Args { record, ..args }).is_ok());
        }
    }

    #[test]
    fn a_check_leaves_no_folder_and_accepts_a_full_disk() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state/recordings");
        assert!(try_folder(Some(&folder), true).is_ok() && !folder.exists());
        assert!(std::fs::read_dir(home.path()).unwrap().next().is_none());
        assert!(try_folder(Some(&folder), false).is_ok() && folder.is_dir());
        assert!(is_no_mistake(Trouble::Full) && is_no_mistake(Trouble::Quota));
        assert!(!is_no_mistake(Trouble::Forbidden) && !is_no_mistake(Trouble::ReadOnly));
    }

    #[test]
    fn a_signal_does_not_wait_for_a_pause_between_events() {
        let (reload, drain) = (AtomicBool::new(true), AtomicBool::new(true));
        let step = || next_step(&reload, &drain, || Ok(5));
        assert_eq!(
            [step(), step(), step()],
            [NextStep::Reload, NextStep::Drain, NextStep::Print(5)]
        );
    }

    #[test]
    fn a_server_with_few_files_or_little_memory_warns() {
        let check = |allowed, memory| {
            let mut limits = Limits { connections: 4_096, ..Limits::default() };
            let warnings = limit_connections(&mut limits, (1_024, allowed), memory);
            (limits.connections, warnings)
        };
        assert_eq!(check(4_096, None), (4_096, Vec::new()));
        assert_eq!(check(4_096, Some(LOW_MEMORY_BYTES)), (4_096, Vec::new()));
        let (limit, clients) = ("1024".to_owned(), "768".to_owned());
        let few = StudioMessage::ServerFewFiles { limit, clients };
        let little = StudioMessage::ServerLittleMemory { megabytes: "200".to_owned() };
        assert_eq!(check(768, Some(200_000_000)), (768, vec![few, little]));
    }
}
