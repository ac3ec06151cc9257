//! Ensures that each settings file has only one window. The first start holds the file's lock, and
//! listens on a socket. A later start passes its arguments to the first one, and ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::app::{LaterStart, LaterStartSender, LaterStarts};
use crate::base::queue::{self, Full};
use crate::cli::flags::Globals;
use crate::cli::output::complain;
use crate::cli::output::exit::Exit;
use crate::cli::output::standard_error::announce;
use crate::net::listener::instance::{FirstInstance, MAX_MESSAGE_BYTES, hand_over, socket_for};
use crate::studio::settings::lock::{Claimed, SettingsLock};
use crate::studio::settings::part::PartKind;
use crate::text::problem::{Problem, problem};

/// The time that the first start may take to reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(4);
/// The part of the reply time that the window may take.
const WINDOW_REPLY_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause between attempts while the other process is still starting.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The variable in which the desktop passes an activation token to a program that it starts.
const ACTIVATION_TOKEN_VARIABLE: &str = "XDG_ACTIVATION_TOKEN";
/// The reply that the window has accepted the request.
const ACCEPTED_REPLY: &[u8] = b"taken";
/// The reply if the display is gone, but the broadcast continues.
const NO_WINDOW_REPLY: &[u8] = b"no window";

/// The arguments of a later start.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct StartArguments {
    open: Vec<String>,
    collection: Option<String>,
    profile: Option<String>,
    /// The activation token that the desktop gave to this start, for the focus on Wayland.
    activation_token: Option<String>,
}

/// The lock of the first start, held while it runs.
#[derive(Debug, Default)]
pub(super) struct FirstStart {
    /// Dropped before the lock, so that it does not remove the socket of the next first start.
    _instance: Option<FirstInstance>,
    _lock: Option<SettingsLock>,
    /// Requests of later starts.
    pub handed_over: Option<LaterStarts>,
    /// True if there is no longer a window.
    pub windowless: Arc<AtomicBool>,
}

/// Becomes the first start for these settings, or passes the arguments to the existing first start.
///
/// # Errors
/// Fails with the exit code of a later start.
pub(super) fn begin(
    globals: &Globals,
    open: &[String],
    settings: &Path,
) -> Result<FirstStart, Exit> {
    let socket = socket_for(settings);
    let begin = Instant::now();
    let holder = match SettingsLock::claim(settings, Duration::ZERO) {
        Ok(Claimed::Ours(lock)) => return Ok(first(lock, socket.as_deref())),
        Ok(Claimed::Theirs(holder)) => holder,
        Err(error) => {
            // The settings cannot be written either, which the window reports.
            tracing::warn!(%error, "locking the settings failed");
            return Ok(FirstStart::default());
        }
    };
    let asked = StartArguments {
        open: open.to_vec(),
        collection: globals.collection.clone(),
        profile: globals.profile.clone(),
        activation_token: std::env::var(ACTIVATION_TOKEN_VARIABLE).ok(),
    };
    let message = match message_of(&asked) {
        Ok(message) => message,
        Err(why) => {
            complain(why);
            return Err(Exit::Usage);
        }
    };
    loop {
        let asked_at = Instant::now();
        let answer = socket.as_deref().map(|path| hand_over(path, &message, REPLY_TIMEOUT));
        // The other process may be starting or ending. A closing window answers nothing at once.
        let may_change = match &answer {
            Some(Ok(answer)) => answer.is_empty() && asked_at.elapsed() < WINDOW_REPLY_TIMEOUT,
            Some(Err(_)) => true,
            None => false,
        };
        match answer {
            Some(Ok(answer)) if answer == ACCEPTED_REPLY => {
                announce(&problem!("instance-shown"));
                return Err(Exit::Ok);
            }
            Some(Ok(answer)) if answer == NO_WINDOW_REPLY => {
                let process = holder.map_or_else(|| "?".into(), |it| it.to_string());
                complain(problem!("instance-no-window", process = process));
                return Err(Exit::Error);
            }
            _ => {}
        }
        if let Ok(Claimed::Ours(lock)) = SettingsLock::claim(settings, Duration::ZERO) {
            // The other process has ended in the meantime.
            return Ok(first(lock, socket.as_deref()));
        }
        if !may_change || begin.elapsed() >= REPLY_TIMEOUT {
            let process = holder.map_or_else(|| "?".into(), |it| it.to_string());
            complain(problem!("instance-silent", process = process));
            return Err(Exit::Error);
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
}

/// Formats the arguments for the first start.
///
/// # Errors
/// Fails if the first start would not read a message of this length.
fn message_of(asked: &StartArguments) -> Result<Vec<u8>, Problem> {
    let message = serde_json::to_vec(asked).unwrap_or_default();
    match message.len() > MAX_MESSAGE_BYTES {
        true => Err(problem!("instance-too-long")),
        false => Ok(message),
    }
}

fn first(lock: SettingsLock, socket: Option<&Path>) -> FirstStart {
    let (ask, handed_over) = LaterStarts::new();
    let windowless = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&windowless);
    let instance = socket.and_then(|path| {
        let answer = move |message: &[u8]| answer(message, &ask, &gone).to_vec();
        let listens = FirstInstance::listen(path, answer);
        listens
            .inspect_err(|error| tracing::warn!(%error, "later starts cannot raise this window"))
            .ok()
    });
    FirstStart {
        _instance: instance,
        _lock: Some(lock),
        handed_over: Some(handed_over),
        windowless,
    }
}

/// Returns the reply to a later start.
fn answer(message: &[u8], ask: &LaterStartSender, gone: &AtomicBool) -> &'static [u8] {
    if gone.load(Ordering::Relaxed) {
        return NO_WINDOW_REPLY;
    }
    let asked: StartArguments = serde_json::from_slice(message).unwrap_or_default();
    let (taken, reply) = queue::bounded("taken", 1, Full::DropOldest);
    let parts = [(PartKind::Collection, asked.collection), (PartKind::Profile, asked.profile)];
    let parts = parts.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect();
    let token = asked.activation_token;
    if !ask.send(LaterStart { open: asked.open, parts, token, taken }) {
        return b"";
    }
    if reply.recv_timeout(WINDOW_REPLY_TIMEOUT).is_ok() { ACCEPTED_REPLY } else { b"" }
}

/// Converts a file name or address to a form that has the same meaning in every process.
pub(super) fn absolute(word: &str) -> String {
    if word.contains("://") {
        return word.to_owned();
    }
    let path = std::path::absolute(word).unwrap_or_else(|_| word.into());
    crate::player::source_text(path.as_os_str())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::base::Worker;

    #[test]
    fn nonsense_raises_the_window_and_does_nothing_else() {
        let (ask, later) = LaterStarts::new();
        let woken = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&woken);
        later.on_request(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let gone = AtomicBool::new(false);
        let (tell, received) = queue::bounded("all", 1, Full::Block);
        let _window = Worker::spawn("onair-test", move |_| {
            let mut all = Vec::new();
            while let Ok(LaterStart { open, parts, token, taken }) =
                later.asked.recv_timeout(Duration::from_secs(20))
            {
                all.push((open, parts, token));
                taken.send(()).unwrap();
                if all.len() == 3 {
                    break;
                }
            }
            tell.send(all).unwrap();
        })
        .unwrap();
        for message in [
            &b""[..],
            b"\xFF{",
            br#"{"open": ["a"], "profile": "B", "activation_token": "t", "new": 1}"#,
        ] {
            assert_eq!(answer(message, &ask, &gone), ACCEPTED_REPLY);
        }
        let all = received.recv().unwrap();
        assert_eq!(woken.load(Ordering::Relaxed), 3, "the window is woken for each");
        assert_eq!(all[0], (Vec::new(), Vec::new(), None));
        assert_eq!(all[1], all[0]);
        let profile = (PartKind::Profile, "B".to_owned());
        assert_eq!(all[2], (vec!["a".to_owned()], vec![profile], Some("t".to_owned())));
        gone.store(true, Ordering::Relaxed);
        assert_eq!(answer(b"{}", &ask, &gone), NO_WINDOW_REPLY);
    }

    #[test]
    fn a_start_while_the_window_closes_becomes_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.toml");
        let Claimed::Ours(lock) = SettingsLock::claim(&settings, Duration::ZERO).unwrap() else {
            panic!("nobody has it")
        };
        let mut lock = Some(lock);
        let socket = socket_for(&settings).unwrap();
        let _closing = FirstInstance::listen(&socket, move |_| {
            drop(lock.take());
            Vec::new()
        })
        .unwrap();
        let words = <crate::cli::Cli as clap::Parser>::try_parse_from(["onair"]).unwrap();
        assert!(begin(&words.globals, &[], &settings).is_ok());
    }

    #[test]
    fn arguments_that_the_first_start_would_not_read_are_refused() {
        let asked =
            |length| StartArguments { open: vec!["a".repeat(length)], ..StartArguments::default() };
        assert!(message_of(&asked(1_000)).is_ok());
        let refused = message_of(&asked(MAX_MESSAGE_BYTES)).unwrap_err();
        assert_eq!(refused.id(), "instance-too-long");
    }

    #[test]
    fn a_file_is_named_from_the_root_on_and_an_address_stays() {
        assert_eq!(absolute("rtmp://h/a/b"), "rtmp://h/a/b");
        assert!(absolute("clip.mp4").ends_with("/clip.mp4") && absolute("clip.mp4").len() > 9);
    }
}
