//! Opens every source that a user can choose: devices and generated sources with `capture/` and
//! `audio/`, media files and remote streams with the player. The video and audio of a file or
//! stream come from one player. A request for the other half of an open file or stream gets that
//! half, in sync with the first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::audio::{self, AudioChoice};
use crate::base::Secret;
use crate::capture::browser::StudioBoard;
use crate::capture::text::{ChatBoard, GuestNames};
use crate::capture::{self, CameraControls, LiveProperties, Permissions, VideoChoice};
use crate::media::Transport;
use crate::media::playback_control::EndBehavior;
use crate::net::{self, Runtime};
use crate::player::{self, Source};
use crate::server::guests::GUEST_APP;
use crate::studio::sources::camera_decoder;
use crate::text::problem::{Problem, problem};

/// Maximum number of halves that wait to be requested.
const MAX_SPARE_HALVES: usize = 16;

/// The opener of sources; see the module documentation.
#[derive(Debug)]
pub struct SourceOpener {
    runtime: Runtime,
    net: net::Options,
    spare: Vec<SpareHalf>,
    /// The files that scenes show; see [`SourceOpener::set_shown`].
    shown: ShownFiles,
    /// The requested controls of cameras.
    board: CameraControls,
    /// The permissions that the desktop granted.
    permissions: Permissions,
    /// The state of the studio for browser pages.
    pages: StudioBoard,
    /// The messages of the chat.
    chat: ChatBoard,
    /// Where the streams of guests are.
    guests: GuestEntrance,
    /// Opens capture sources.
    by: Opener,
}

/// Where the streams of guests are: the RTMP address of the built-in server, and the key of these streams. It is shared,
/// because the server may start and move after the sources.
#[derive(Clone, Debug, Default)]
pub struct GuestEntrance {
    stream: Arc<Mutex<Option<(SocketAddr, Secret)>>>,
    /// The names that the tags of guests show.
    pub names: GuestNames,
}

impl GuestEntrance {
    pub fn set(&self, entrance: Option<(SocketAddr, Secret)>) {
        *self.stream.lock() = entrance;
    }

    /// Changes the address, if there are guests.
    pub fn set_address(&self, address: Option<SocketAddr>) {
        if let (Some((known, _)), Some(address)) = (self.stream.lock().as_mut(), address) {
            *known = address;
        }
    }

    /// Returns the address of a guest's stream.
    fn url(&self, id: &str) -> Result<String, Problem> {
        let is_valid = !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric());
        let entrance = self.stream.lock().clone().filter(|_| is_valid);
        let (address, key) = entrance.ok_or_else(|| problem!("source-guest-gone"))?;
        Ok(format!("rtmp://{address}/{GUEST_APP}/{id}?key={}", key.expose()))
    }
}

/// The buffer of a guest's stream at first. It comes from this computer, so only the guest's own network delays it.
const GUEST_BUFFER: Duration = Duration::from_millis(40);

/// Files that scenes show, each with the files that follow it in its playlist.
pub type ShownFiles = BTreeMap<PathBuf, Vec<PathBuf>>;

/// A function like [`capture::open_by`].
pub type Opener =
    fn(&VideoChoice, &LiveProperties, &capture::Context) -> Result<capture::Source, capture::Error>;

#[derive(Debug)]
struct SpareHalf {
    of: Source,
    half: Half,
    transport: Transport,
    /// The other half, as long as it is in use. Without it, nobody will request this half.
    other: Weak<()>,
}

#[derive(Debug)]
enum Half {
    Video(capture::Source),
    Audio(audio::Source),
}

/// The format of the program, to which its sources convert.
#[derive(Copy, Clone, Debug)]
pub struct Shape {
    pub video: capture::Context,
    pub audio: audio::Context,
}

/// Returns the complete address, unless a part of it is not loaded yet.
fn whole(url: &str) -> Result<&str, Problem> {
    match crate::studio::targets::address::kept_name(url) {
        None => Ok(url),
        Some(_) => Err(problem!("source-address-kept")),
    }
}

/// Enables the detection of black or frozen video for remote streams, and for files whose
/// properties request it.
fn watched(of: &Source, video: capture::Source, dials: &LiveProperties) -> capture::Source {
    match of {
        Source::Url(_) => capture::over_stream(video),
        Source::File(_) => capture::over_file(video, dials.watched()),
    }
}

impl SourceOpener {
    pub fn new(
        runtime: Runtime,
        net: net::Options,
        board: CameraControls,
        permissions: Permissions,
        pages: StudioBoard,
    ) -> Self {
        let (spare, shown) = (Vec::new(), ShownFiles::new());
        let (guests, chat) = (GuestEntrance::default(), ChatBoard::default());
        let by = capture::open_by;
        Self { runtime, net, spare, shown, board, permissions, pages, chat, guests, by }
    }

    /// Finds the streams of guests and the messages of the chat here.
    pub fn with_shared(self, guests: GuestEntrance, chat: ChatBoard) -> Self {
        Self { guests, chat, ..self }
    }

    /// Creates an opener whose frames a test provides.
    #[cfg(test)]
    pub fn opened_by(by: Opener) -> Self {
        let runtime = Runtime::start().unwrap();
        let (board, permissions) = (CameraControls::default(), Permissions::default());
        Self {
            by,
            ..Self::new(
                runtime,
                net::Options::default(),
                board,
                permissions,
                StudioBoard::default(),
            )
        }
    }

    /// Sets the files that scenes show. The player plays their audio, even of a WAV file, so that a
    /// pause or a seek of the source affects the audio. Returns the files that no scene showed
    /// before.
    pub fn set_shown(&mut self, shown: ShownFiles) -> BTreeSet<PathBuf> {
        let before = std::mem::replace(&mut self.shown, shown);
        self.shown.keys().filter(|path| !before.contains_key(*path)).cloned().collect()
    }

    /// Returns the shown files that begin a playlist.
    pub fn lists(&self) -> BTreeSet<PathBuf> {
        let lists = self.shown.iter().filter(|(_, then)| !then.is_empty());
        lists.map(|(path, _)| path.clone()).collect()
    }

    /// Opens a video source, or returns the reason why it cannot be started.
    pub fn open_video(
        &mut self,
        choice: &VideoChoice,
        dials: &LiveProperties,
        shape: &Shape,
    ) -> Result<capture::Source, Problem> {
        let then = dials.transport().then();
        let of = match choice {
            VideoChoice::Stream(url) => Source::Url(whole(url)?.to_owned()),
            VideoChoice::Guest(id) => Source::Url(self.guests.url(id)?),
            // The player skips the files of a list that it cannot read.
            VideoChoice::File(path)
                if !capture::shows(choice) || (!then.is_empty() && !is_readable(path)) =>
            {
                Source::File(path.clone())
            }
            _ => {
                dials.controls.set(self.board.clone());
                dials.decoder.set(camera_decoder::unpacker());
                dials.permissions.set(self.permissions.clone());
                dials.studio.set(self.pages.clone());
                dials.chat.set(self.chat.clone());
                dials.guest_names.set(self.guests.names.clone());
                let opened = (self.by)(choice, dials, &shape.video);
                return opened.map_err(|error| Problem::from(&error));
            }
        };
        let waits = |spare: &SpareHalf| spare.of == of && matches!(spare.half, Half::Video(_));
        if let Some(SpareHalf { half: Half::Video(video), transport, .. }) = self.take(waits) {
            dials.set_transport(transport);
            return Ok(watched(&of, video, dials));
        }
        let at_end = dials.transport().at_end();
        let media = self.open(&of, at_end, &then, shape)?;
        dials.set_transport(media.transport.clone());
        let video = capture::Source { feed: media.video, status: media.video_status };
        let video = watched(&of, video, dials);
        let transport = media.transport.clone();
        let half = audio::Source { feed: media.audio, status: media.audio_status, transport };
        let (half, transport) = (Half::Audio(half), media.transport);
        self.spare.push(SpareHalf { of, half, transport, other: media.video_held });
        Ok(video)
    }

    /// Opens an audio source with this end behavior, or returns the reason why it cannot be
    /// started.
    pub fn open_audio(
        &mut self,
        choice: &AudioChoice,
        at_end: EndBehavior,
        shape: &Shape,
    ) -> Result<audio::Source, Problem> {
        let of = match choice {
            AudioChoice::Stream(url) => Some(Source::Url(whole(url)?.to_owned())),
            AudioChoice::Guest(id) => Some(Source::Url(self.guests.url(id)?)),
            AudioChoice::File(path) => Some(Source::File(path.clone())),
            _ => None,
        };
        let waits = |spare: &SpareHalf| {
            Some(&spare.of) == of.as_ref() && matches!(spare.half, Half::Audio(_))
        };
        if let Some(SpareHalf { half: Half::Audio(audio), .. }) = self.take(waits) {
            return Ok(audio);
        }
        let is_shown = choice.path().is_some_and(|path| self.shown.contains_key(path));
        let Some(of) = of.filter(|_| is_shown || !audio::hears(choice)) else {
            let context = audio::Context { at_end, ..shape.audio };
            return audio::open(choice, &context).map_err(|error| Problem::from(&error));
        };
        let then = choice.path().and_then(|path| self.shown.get(path)).cloned();
        let media = self.open(&of, at_end, &then.unwrap_or_default(), shape)?;
        let half = capture::Source { feed: media.video, status: media.video_status };
        let (half, transport) = (Half::Video(half), media.transport.clone());
        self.spare.push(SpareHalf { of, half, transport, other: media.audio_held });
        Ok(audio::Source {
            feed: media.audio,
            status: media.audio_status,
            transport: media.transport,
        })
    }

    /// Closes the halves whose other half is closed now.
    pub fn tidy(&mut self) {
        self.spare.retain(|spare| spare.other.strong_count() > 0);
    }

    fn is_guest(&self, of: &Source) -> bool {
        let Source::Url(url) = of else { return false };
        let entrance = self.guests.stream.lock();
        entrance
            .as_ref()
            .is_some_and(|(address, _)| url.starts_with(&format!("rtmp://{address}/{GUEST_APP}/")))
    }

    fn take(&mut self, wanted: impl Fn(&SpareHalf) -> bool) -> Option<SpareHalf> {
        self.tidy();
        let found = self.spare.iter().position(wanted)?;
        Some(self.spare.remove(found))
    }

    fn open(
        &mut self,
        of: &Source,
        at_end: EndBehavior,
        then: &[PathBuf],
        shape: &Shape,
    ) -> Result<crate::player::source::MediaSource, Problem> {
        if self.spare.len() >= MAX_SPARE_HALVES {
            self.spare.remove(0);
        }
        let mut config =
            player::Config { net: self.net.clone(), ..player::Config::new(of.clone()) };
        if self.is_guest(of) {
            config.buffer = GUEST_BUFFER;
            // A guest who left may return at any time.
            (config.auto_buffer, config.patient) = (true, true);
            // The stream comes from this computer, not through a proxy.
            config.net = net::Options::default();
        }
        let audio::Context { clock, rate, channels, .. } = shape.audio;
        let context = crate::player::source::Context { clock, rate, channels, at_end };
        crate::player::source::open_list(&config, then, &context, &self.runtime)
            .map_err(|failure| failure.problem)
    }
}

/// Returns true if this is a file that can be opened.
fn is_readable(path: &Path) -> bool {
    path.is_file() && std::fs::File::open(path).is_ok()
}
