//! Implements the two interfaces of MPRIS, and the thread that serves these interfaces and
//! announces changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zbus::blocking::Connection;
use zbus::connection::Builder;
use zbus::fdo::{RequestNameFlags, RequestNameReply};
use zbus::zvariant::{ObjectPath, Value};
use zbus::{fdo, interface};

use crate::app::icon;
use crate::app::media_keys::shared::Shared;
use crate::app::media_keys::state::{MIN_JUMP_MICROS, MediaKeyRequest, State, Status};
use crate::base::Stop;
use crate::base::portal::{self, Failure};
use crate::studio::notices::TileId;
use crate::studio::watch::choices::{MAX_ADDRESS_LENGTH, PLAYABLE_SCHEMES, scheme_of};

const MPRIS_BUS_NAME: &str = "org.mpris.MediaPlayer2.onair";
const MPRIS_OBJECT_PATH: &str = "/org/mpris/MediaPlayer2";
const PLAYER_INTERFACE: &str = "org.mpris.MediaPlayer2.Player";
const PROPERTIES_INTERFACE: &str = "org.freedesktop.DBus.Properties";

/// A bus that does not reply within this time counts as missing.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval between checks for changes.
const POLL_INTERVAL: Duration = Duration::from_millis(150);

const SUPPORTED_MIME_TYPES: [&str; 5] =
    ["video/x-flv", "video/mp4", "video/x-matroska", "application/vnd.apple.mpegurl", "video/mp2t"];

/// Serves the interfaces until `stop` is set.
pub(in crate::app::media_keys) fn serve(shared: &Arc<Shared>, stop: &Stop) {
    let connection = match open(shared) {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(%error, "no session bus: media keys do not work");
            // The window starts no other thread while this one exists.
            while !stop.wait(Duration::from_secs(3_600)) {}
            return;
        }
    };
    let mut sent = shared.state.lock().clone();
    let mut sent_at = Instant::now();
    while !stop.wait(POLL_INTERVAL) {
        let state = shared.state.lock().clone();
        tell(&connection, &sent, &state, sent_at.elapsed());
        (sent, sent_at) = (state, Instant::now());
    }
}

fn open(shared: &Arc<Shared>) -> Result<Connection, Failure> {
    let builder = Builder::session()?
        .method_timeout(REPLY_TIMEOUT)
        .serve_at(MPRIS_OBJECT_PATH, Application(Arc::clone(shared)))?
        .serve_at(MPRIS_OBJECT_PATH, Player(Arc::clone(shared)))?;
    let connection = portal::connect_blocking(builder)?;
    let alone = RequestNameFlags::DoNotQueue.into();
    // Another window of onair already has the name, so this one adds its process id to the name.
    let taken = !matches!(
        connection.request_name_with_flags(MPRIS_BUS_NAME, alone),
        Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner)
    );
    if taken {
        let name = format!("{MPRIS_BUS_NAME}.instance{}", std::process::id());
        connection.request_name_with_flags(name, alone)?;
    }
    Ok(connection)
}

/// Announces the properties that have changed, and a jump to another position.
fn tell(connection: &Connection, before: &State, now: &State, passed: Duration) {
    let mut changed: HashMap<&str, Value<'_>> = HashMap::new();
    if before.status != now.status {
        changed.insert("PlaybackStatus", now.status.word().into());
    }
    if (before.track, &before.title, before.length) != (now.track, &now.title, now.length) {
        changed.insert("Metadata", metadata(now).into());
    }
    if (before.volume - now.volume).abs() > 0.001 {
        changed.insert("Volume", now.volume.into());
    }
    if before.can_seek() != now.can_seek() {
        changed.insert("CanSeek", now.can_seek().into());
    }
    if (before.tiles.len() > 1) != (now.tiles.len() > 1) {
        changed.insert("CanGoNext", (now.tiles.len() > 1).into());
        changed.insert("CanGoPrevious", (now.tiles.len() > 1).into());
    }
    let emit = |interface, name, body: &dyn Fn() -> zbus::Result<()>| {
        if let Err(error) = body() {
            tracing::debug!(%error, interface, name, "a message to the desktop failed");
        }
    };
    if !changed.is_empty() {
        emit(PROPERTIES_INTERFACE, "PropertiesChanged", &|| {
            let gone: [&str; 0] = [];
            let body = (PLAYER_INTERFACE, &changed, &gone[..]);
            connection.emit_signal(
                None::<&str>,
                MPRIS_OBJECT_PATH,
                PROPERTIES_INTERFACE,
                "PropertiesChanged",
                &body,
            )
        });
    }
    let passed = if before.status == Status::Playing { micros(passed) } else { 0 };
    let jump = micros(now.position) - micros(before.position) - passed;
    if now.track == before.track && jump.abs() > MIN_JUMP_MICROS {
        emit(PLAYER_INTERFACE, "Seeked", &|| {
            let body = (micros(now.position),);
            connection.emit_signal(
                None::<&str>,
                MPRIS_OBJECT_PATH,
                PLAYER_INTERFACE,
                "Seeked",
                &body,
            )
        });
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// Returns the object path of a tile's stream. The paths of tiles differ only in a number.
fn track_path(track: TileId) -> ObjectPath<'static> {
    ObjectPath::try_from(format!("/onair/tile/{}", track.0)).unwrap_or_default()
}

fn track_of(path: &ObjectPath<'_>) -> Option<TileId> {
    path.as_str().strip_prefix("/onair/tile/")?.parse().ok().map(TileId)
}

fn metadata(state: &State) -> HashMap<&'static str, Value<'static>> {
    let mut all = HashMap::from([
        ("mpris:trackid", Value::from(track_path(state.track))),
        ("xesam:title", Value::from(state.title.clone())),
    ]);
    if let Some(length) = state.length {
        all.insert("mpris:length", micros(length).into());
    }
    all
}

/// The interface of the application itself.
struct Application(Arc<Shared>);

#[interface(name = "org.mpris.MediaPlayer2")]
impl Application {
    fn raise(&self) {
        self.0.ask(MediaKeyRequest::Raise);
    }

    fn quit(&self) {
        self.0.ask(MediaKeyRequest::Quit);
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_quit(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_raise(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn has_track_list(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn identity(&self) -> &'static str {
        "onair"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn desktop_entry(&self) -> String {
        icon::app_id()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_uri_schemes(&self) -> Vec<&'static str> {
        PLAYABLE_SCHEMES.into_iter().chain(["file"]).collect()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_mime_types(&self) -> Vec<&'static str> {
        SUPPORTED_MIME_TYPES.to_vec()
    }
}

/// The interface of the selected player.
struct Player(Arc<Shared>);

impl Player {
    fn state(&self) -> State {
        self.0.state.lock().clone()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the bus hands arguments over")]
#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Player {
    fn next(&self) {
        self.0.ask(MediaKeyRequest::Next);
    }

    fn previous(&self) {
        self.0.ask(MediaKeyRequest::Previous);
    }

    fn pause(&self) {
        self.0.ask(MediaKeyRequest::Pause);
    }

    fn play_pause(&self) {
        self.0.ask(MediaKeyRequest::PlayPause);
    }

    fn stop(&self) {
        self.0.ask(MediaKeyRequest::Stop);
    }

    fn play(&self) {
        self.0.ask(MediaKeyRequest::Play);
    }

    fn seek(&self, offset: i64) {
        self.0.ask(MediaKeyRequest::Seek(offset));
    }

    fn set_position(&self, track: ObjectPath<'_>, position: i64) {
        if let Some(track) = track_of(&track) {
            self.0.ask(MediaKeyRequest::SetPosition { track, micros: position });
        }
    }

    fn open_uri(&self, uri: String) -> fdo::Result<()> {
        let is_file = uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("file://"));
        let known = is_file || scheme_of(&uri).is_some();
        if !known || uri.len() > MAX_ADDRESS_LENGTH {
            return Err(fdo::Error::InvalidArgs("this is no address that can be played".into()));
        }
        self.0.ask(MediaKeyRequest::Open(uri));
        Ok(())
    }

    #[zbus(property)]
    fn playback_status(&self) -> &'static str {
        self.state().status.word()
    }

    #[zbus(property)]
    fn rate(&self) -> f64 {
        1.0
    }

    #[zbus(property)]
    fn set_rate(&self, _rate: f64) {
        // Only one rate is supported; the specification allows requests for other rates to be
        // ignored.
    }

    #[zbus(property)]
    fn metadata(&self) -> HashMap<&'static str, Value<'static>> {
        metadata(&self.state())
    }

    #[zbus(property)]
    fn volume(&self) -> f64 {
        self.state().volume
    }

    #[zbus(property)]
    fn set_volume(&self, volume: f64) {
        self.0.ask(MediaKeyRequest::SetVolume(volume));
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn position(&self) -> i64 {
        micros(self.state().position)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn minimum_rate(&self) -> f64 {
        1.0
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn maximum_rate(&self) -> f64 {
        1.0
    }

    #[zbus(property)]
    fn can_go_next(&self) -> bool {
        self.state().tiles.len() > 1
    }

    #[zbus(property)]
    fn can_go_previous(&self) -> bool {
        self.state().tiles.len() > 1
    }

    #[zbus(property)]
    fn can_play(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn can_pause(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn can_seek(&self) -> bool {
        self.state().can_seek()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_control(&self) -> bool {
        true
    }
}
