//! Queries of a snapshot, which combine its values.

use std::net::IpAddr;

use crate::capture::VideoChoice;
use crate::compose::scene::SourceId;
use crate::files::name_pattern::NameValues;
use crate::net::web::WebUrl;
use crate::studio::live::recording::library::view::{FileState, RecordingFile};
use crate::studio::live::view::{LiveState, PassthroughView};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::{ServerFigures, Snapshot, SourceState, TargetView, VideoSource};
use crate::studio::targets::address::OWN_STREAM;
use crate::studio::targets::sharing::NetworkAddress;
use crate::studio::targets::{Target, TargetState};

impl Snapshot {
    /// Returns what the name of a new recording can contain.
    pub fn name_values(&self) -> NameValues {
        let scene = self.scenes.collection.current().map(|scene| scene.name.clone());
        let fps = self.quality.frame_rate.as_f64();
        NameValues { scene: scene.unwrap_or_default(), size: Some(self.quality.size), fps }
    }
}

impl ServerFigures {
    /// Returns true if this is an address of the chat of the program's own stream.
    pub fn is_own_chat(&self, chat: &WebUrl) -> bool {
        let ((app, stream), at) = (OWN_STREAM, chat.endpoint());
        self.is_here(&at.host, |it| it.http)
            && self.http.ends_with(&format!(":{}", at.port))
            && chat.path() == format!("/{app}/{stream}/chat")
    }

    /// Returns true if this address of any protocol plays the program's own stream.
    pub fn is_own_stream(&self, address: &str) -> bool {
        let (app, stream) = OWN_STREAM;
        let Some((scheme, rest)) = address.split_once("://") else { return false };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let at = authority.rsplit_once('@').map_or(authority, |(_, at)| at);
        let (host, port) = match at.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (at, if scheme.eq_ignore_ascii_case("http") { "80" } else { "1935" }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let end = path.strip_prefix(app).and_then(|it| it.strip_prefix('/')?.strip_prefix(stream));
        let is_path = end.is_some_and(|it| it.is_empty() || it.starts_with(['.', '/', '?']));
        let has_port = |own: &str| own.rsplit_once(':').is_some_and(|(_, it)| it == port);
        is_path
            && (has_port(&self.rtmp) || has_port(&self.http))
            && self.is_here(host, |it| it.http || it.rtmp)
    }

    /// Returns true if this host is this computer, at an address that is `open`.
    fn is_here(&self, host: &str, open: impl Fn(&NetworkAddress) -> bool) -> bool {
        let reaches = |ip: IpAddr| self.networks.iter().any(|it| open(it) && it.ip == ip);
        let mut names = self.names.hosts.iter().chain(&self.local_name);
        host.eq_ignore_ascii_case("localhost")
            || names.any(|it| it.eq_ignore_ascii_case(host))
            || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || reaches(ip))
    }
}

impl Snapshot {
    /// Returns true if the snapshot shows the effect of the first `sent` commands.
    pub fn is_settled(&self, sent: u64) -> bool {
        self.handled_commands >= sent && !self.has_postponed_commands
    }

    /// Returns true if *Go Live* waits, if a passthrough file is being opened, or if targets connect
    /// or wait for the next attempt and no target was live yet. To stop then ends nothing, so it
    /// needs no question.
    pub fn is_starting(&self) -> bool {
        let waits = self.waits_to_go_live && self.live == LiveState::Idle;
        let connects =
            matches!(self.live, LiveState::Connecting { .. } | LiveState::Reconnecting { .. });
        waits || self.opening_file().is_some() || connects && !self.figures.was_live()
    }

    /// Returns true if the key of this target may still come from the keyring.
    pub fn awaits_key(&self, target: &Target) -> bool {
        self.keys_pending && target.remembers_key()
    }

    /// Returns true if the built-in server is a target of the broadcast, so that it does not stop.
    pub fn is_server_busy(&self) -> bool {
        let used = self.targets.iter().any(|it| it.target.is_built_in() && it.target.enabled);
        self.server.is_running() && used && self.live != LiveState::Idle
    }

    /// Returns true if the built-in server sends the broadcast to viewers.
    pub fn plays_own_stream(&self) -> bool {
        let is_live = |it: &TargetView| it.target.enabled && it.state == Some(TargetState::Live);
        self.live == LiveState::OnAir
            && !self.server.play_url.is_empty()
            && self.targets.iter().any(|it| it.target.is_built_in() && is_live(it))
    }

    /// Returns true while there is a broadcast, even one that connects, or a recording. The format of
    /// the program cannot change then.
    pub fn is_live_or_recording(&self) -> bool {
        self.live != LiveState::Idle || self.recording.is_some()
    }

    /// Returns true if this file is being written, even if its recording is paused.
    pub fn is_being_written(&self, file: &RecordingFile) -> bool {
        matches!(file.state, FileState::Changing)
            || self.recording.as_ref().is_some_and(|it| it.path == file.path)
    }

    /// Returns true if this recording was interrupted and is no longer being written.
    pub fn can_repair(&self, file: &RecordingFile) -> bool {
        file.is_unfinished() && !self.is_being_written(file)
    }

    /// Returns the passthrough file that is still being opened.
    pub fn opening_file(&self) -> Option<&PassthroughView> {
        self.passthrough.as_ref().filter(|file| file.opening)
    }

    /// Returns the slot of the selected player.
    pub fn chosen_slot(&self) -> usize {
        self.tiles.iter().find(|tile| tile.chosen).map_or(0, |tile| tile.id.slot())
    }

    /// Returns the choice of a source, including the main video source, or `None` if there is no
    /// source with this id.
    pub fn shown_by(&self, id: SourceId) -> Option<&VideoChoice> {
        match self.scenes.collection.source(id) {
            Some(source) => Some(&source.choice),
            None => self.video.as_ref().map(|it| &it.choice).filter(|_| id == MAIN_SOURCE),
        }
    }

    /// Returns true if nobody watches this target. Only the built-in server knows its viewers.
    pub fn is_unwatched(&self, target: &Target) -> bool {
        target.is_built_in() && self.server.viewers == 0
    }

    /// Returns true if nobody watches the broadcast: it goes only to the built-in server, which has
    /// no viewers.
    pub fn has_no_viewers(&self) -> bool {
        let mut enabled = self.targets.iter().filter(|entry| entry.target.enabled);
        enabled.all(|entry| self.is_unwatched(&entry.target))
    }

    /// Returns the default video source: the source of `--video`, or the bottom source of the
    /// current scene.
    pub fn usual_video(&self) -> Option<VideoSource> {
        let main = self.video.as_ref().filter(|video| video.choice != VideoChoice::None);
        main.cloned().or_else(|| {
            let id = self.scenes.collection.usual_source();
            let source = self.scenes.collection.source(id)?;
            let state = self.scenes.source(id).map_or(SourceState::Opening, |it| it.state);
            let (choice, name) = (source.choice.clone(), source.name.clone());
            Some(VideoSource { choice, state, name, format: None })
        })
    }

    /// Returns true if a source of the current scene delivers frames, or if no video is wanted.
    pub fn delivers_video(&self) -> bool {
        let collection = &self.scenes.collection;
        let open = |id: SourceId| match self.video.as_ref().filter(|_| id == MAIN_SOURCE) {
            Some(video) => {
                video.state == SourceState::Open
                    && video.choice != VideoChoice::None
                    && !video.has_only_audio()
            }
            None => self.scenes.source(id).is_some_and(|it| it.state == SourceState::Open),
        };
        self.audio_only || collection.program_plan(collection.current).sources().any(open)
    }

    /// Returns true if any clip indicator is lit.
    pub fn has_clipped(&self) -> bool {
        self.loudness.clipped
            || self.audio.as_ref().is_some_and(|audio| audio.clipped)
            || self.strips.iter().any(|strip| strip.meter.clipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_chat_is_known_by_all_its_addresses() {
        let network = |last: u8, http: bool| NetworkAddress {
            interface: String::new(),
            ip: [192, 0, 2, last].into(),
            is_public: false,
            http,
            rtmp: false,
        };
        let mut server = ServerFigures {
            http: "http://127.0.0.1:8088".to_owned(),
            networks: [network(7, true), network(9, false)].into(),
            local_name: Some("Studio.local".to_owned()),
            ..ServerFigures::default()
        };
        server.names.hosts.push("live.example".to_owned());
        let is_own = |chat: &str| server.is_own_chat(&WebUrl::parse(chat).unwrap());
        let hosts =
            ["127.0.0.1", "localhost", "[::1]", "192.0.2.7", "LIVE.example", "studio.local"];
        for host in hosts {
            assert!(is_own(&format!("ws://{host}:8088/live/onair/chat?key=1")), "{host}");
        }
        for other in [
            "ws://127.0.0.1:8089/live/onair/chat",
            "ws://127.0.0.1:8088/live/other/chat",
            "ws://192.0.2.8:8088/live/onair/chat",
            "ws://192.0.2.9:8088/live/onair/chat",
        ] {
            assert!(!is_own(other), "{other}");
        }
        server.rtmp = "rtmp://127.0.0.1:1935".to_owned();
        for own in [
            "rtmp://127.0.0.1/live/onair",
            "rtmp://me:secret@LOCALHOST:1935/live/onair?key=1",
            "http://[::1]:8088/live/onair.flv",
            "http://192.0.2.7:8088/live/onair/index.m3u8",
        ] {
            assert!(server.is_own_stream(own), "{own}");
        }
        for other in [
            "",
            "rtmp://",
            "rtmp://127.0.0.1/live/onair2",
            "rtmp://127.0.0.1:1936/live/onair",
            "rtmp://192.0.2.9/live/onair",
            "rtmp://live.example.com/live/onair",
        ] {
            assert!(!server.is_own_stream(other), "{other}");
        }
        let chat = WebUrl::parse("ws://127.0.0.1/live/onair/chat").unwrap();
        assert!(!ServerFigures::default().is_own_chat(&chat), "the server does not run");
    }
}
