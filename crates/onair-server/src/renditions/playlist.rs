//! The HLS playlist of a rendition: the data that requests share with the task that makes the
//! playlist.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::Timestamp;
use crate::encode::FrameEncoder;
use crate::encode::config::{Profile, Video};
use crate::media::{FrameRate, Size};
use crate::server::hls::Settings;
use crate::server::hls::listing::Listing;
use crate::server::hls::mpeg_ts::TS_PREFIX;
use crate::server::hls::window::Window;
use crate::server::renditions::ladder::{AAC_RENDITION, AUDIO_RENDITION, Ladder, VideoRendition};
use crate::server::renditions::running::RenditionUse;
use crate::wire::container::mp4::codec_names::video_codec_name;
use crate::wire::hls::OfferedVariant;

/// Duration for which a rendition is still encoded after the last request.
const RENDITION_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The announced peak bitrate, which includes the overhead of the container, in percent of the
/// average.
const PEAK_PERCENT: u64 = 115;

/// The content of a rendition.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RenditionKind {
    Video(VideoRendition),
    /// The audio of the stream, unchanged.
    Audio,
    /// The video of the stream, unchanged, with AAC instead of its Opus.
    Aac,
}

/// The state of a playlist.
#[derive(Debug)]
pub(crate) enum PlaylistState {
    Idle,
    /// The task will soon begin to make the playlist.
    Begun(Option<RenditionUse>),
    /// The task makes the playlist.
    Running,
}

/// The playlist of a rendition.
#[derive(Debug)]
pub(crate) struct RenditionPlaylist {
    pub name: String,
    pub kind: RenditionKind,
    pub(crate) tag: String,
    pub(crate) settings: Settings,
    pub(crate) listing: watch::Sender<Arc<Listing>>,
    pub state: Mutex<PlaylistState>,
    /// Time of the last request, in microseconds of the clock.
    last_request: AtomicI64,
    /// The smallest number that the next segment can have.
    pub(crate) next_number: AtomicU64,
    /// The codec name of an encoder that could be opened, with its size and frame rate.
    codec: Mutex<Option<(Size, FrameRate, String)>>,
}

impl RenditionPlaylist {
    /// Returns the playlists of a ladder, which replace those in `before`. A playlist that is being made stays, even
    /// without a place in the ladder. The file names of the stream itself begin with `tag`. The segments of a new
    /// rendition have the number `first` or a larger one, because an earlier rendition with the same name may have used
    /// the smaller ones.
    pub fn of(
        ladder: &Ladder,
        settings: Settings,
        (tag, first): (&str, u64),
        before: &[Arc<Self>],
    ) -> Vec<Arc<Self>> {
        let video = ladder.video.iter().map(|it| (it.name(), RenditionKind::Video(*it)));
        let audio = ladder.audio_only.then(|| (AUDIO_RENDITION.to_owned(), RenditionKind::Audio));
        // Every stream may begin to have Opus.
        let aac = std::iter::once((AAC_RENDITION.to_owned(), RenditionKind::Aac));
        let new = |(name, kind): (String, RenditionKind)| {
            let known = before.iter().find(|it| it.name == name);
            if let Some(known) = known.filter(|it| it.kind == kind || it.is_made()) {
                return Arc::clone(known);
            }
            // The contents of a file never change, so numbers are not used again.
            let next_number = known.map_or(first, |it| it.next_number.load(Ordering::Acquire));
            let tag = format!("{tag}_{name}");
            let empty = Window::of_rendition(settings, &tag).listing();
            Arc::new(Self {
                name,
                kind,
                tag,
                settings,
                listing: watch::Sender::new(Arc::new(empty)),
                state: Mutex::new(PlaylistState::Idle),
                last_request: AtomicI64::new(i64::MIN),
                next_number: AtomicU64::new(next_number),
                codec: Mutex::default(),
            })
        };
        let mut all: Vec<_> = video.chain(audio).chain(aac).map(new).collect();
        let is_former = |it: &&Arc<Self>| !ladder.has(&it.name) && it.kind != RenditionKind::Aac;
        let made = before.iter().filter(|it| it.is_made()).filter(is_former);
        all.extend(made.cloned());
        all
    }

    /// Returns true if the playlist is being made, or soon will be.
    fn is_made(&self) -> bool {
        !matches!(*self.state.lock(), PlaylistState::Idle)
    }

    /// Returns the name of the playlist.
    pub fn list_name(&self) -> String {
        format!("{}.m3u8", self.name)
    }

    /// Returns true if the file is one of the rendition's playlists, or one of its files.
    pub fn has(&self, file: &str) -> bool {
        let list = file.strip_prefix(TS_PREFIX).unwrap_or(file);
        list.strip_suffix(".m3u8") == Some(&*self.name)
            || file.strip_prefix(&*self.tag).is_some_and(|rest| rest.starts_with('-'))
    }

    /// Returns a receiver of the available resources.
    pub fn listing(&self) -> watch::Receiver<Arc<Listing>> {
        self.listing.subscribe()
    }

    /// Records that the playlist is no longer made.
    pub(crate) fn clear(&self) {
        let empty = Window::of_rendition(self.settings, &self.tag).listing();
        self.listing.send_replace(Arc::new(empty));
        *self.state.lock() = PlaylistState::Idle;
    }

    /// Records a request.
    pub fn ask(&self, now: Timestamp) {
        self.last_request.store(now.as_micros(), Ordering::Release);
    }

    /// Returns true if the playlist was requested recently.
    pub fn is_asked(&self, now: Timestamp) -> bool {
        let last_request = self.last_request.load(Ordering::Acquire);
        last_request > i64::MIN
            && now.since(Timestamp::from_micros(last_request)) < RENDITION_IDLE_TIMEOUT
    }

    /// Returns the data that players need about the rendition, or `None` if this stream does not
    /// have the rendition.
    pub fn variant(&self, main: &Listing) -> Option<OfferedVariant> {
        let of = main.initialization()?;
        let audio_rate = main.audio_rate() * PEAK_PERCENT / 100;
        let has_video = of.video.is_some();
        let audio_codec = of.audio.as_ref().and_then(|_| of.codecs.last().cloned());
        let uri = self.list_name();
        match self.kind {
            // It is no variant, but replaces the stream for the players that need it.
            RenditionKind::Aac => None,
            RenditionKind::Audio if !has_video => None,
            RenditionKind::Audio => Some(OfferedVariant {
                uri,
                bandwidth: audio_rate.max(1),
                average_bandwidth: main.audio_rate().max(1),
                codecs: vec![audio_codec?],
                size: None,
                frame_rate: None,
                hdr: None,
            }),
            RenditionKind::Video(video) => {
                let (width, height) = of.size?;
                let rate = of.frame_rate.and_then(frame_rate)?;
                let settings = video.settings(Size::new(width, height), rate)?;
                let bitrate = u64::from(video.bitrate.0);
                Some(OfferedVariant {
                    uri,
                    bandwidth: bitrate * PEAK_PERCENT / 100 + audio_rate,
                    average_bandwidth: bitrate + main.audio_rate(),
                    codecs: std::iter::once(self.codec(&settings, video.profile)?)
                        .chain(audio_codec)
                        .collect(),
                    size: Some((settings.size.width, settings.size.height)),
                    frame_rate: of.frame_rate,
                    hdr: None,
                })
            }
        }
    }

    /// Returns the codec name of an encoder with these settings, or `None` if no encoder can be
    /// opened.
    fn codec(&self, settings: &Video, profile: Profile) -> Option<String> {
        let mut known = self.codec.lock();
        if let Some((size, rate, name)) = &*known
            && (*size, *rate) == (settings.size, settings.frame_rate)
        {
            return Some(name.clone());
        }
        let encoder = FrameEncoder::open(settings, profile);
        let encoder = encoder.inspect_err(|error| tracing::warn!(%error, "no rendition")).ok()?;
        let name = video_codec_name(encoder.config())?;
        *known = Some((settings.size, settings.frame_rate, name.clone()));
        Some(name)
    }
}

/// Makes a listing available to requests. A frame within a part wakes no request.
pub(crate) fn show(listing: Listing, to: &watch::Sender<Arc<Listing>>) {
    to.send_if_modified(|known| {
        let is_new = known.version() != listing.version();
        if is_new {
            *known = Arc::new(listing);
        }
        is_new
    });
}

/// Returns the nearest frame rate with a denominator of 1 or 1001.
pub(crate) fn frame_rate(rate: f64) -> Option<FrameRate> {
    let whole = rate.round();
    match (rate - whole).abs() < 0.005 {
        true => FrameRate::new(whole as u32, 1),
        false => FrameRate::new((rate * 1_001.0).round() as u32, 1_001),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_ladder_replaces_only_playlists_that_are_not_being_made() {
        let of = |ladder: &str, before: &[Arc<RenditionPlaylist>]| {
            let (ladder, settings) = (ladder.parse().unwrap(), Settings::default());
            RenditionPlaylist::of(&ladder, settings, ("tag", 0), before)
        };
        let names = |all: &[Arc<RenditionPlaylist>]| {
            all.iter().map(|it| it.name.clone()).collect::<Vec<_>>().join(" ")
        };
        let before = of("480p:1M,360p,240p", &[]);
        before[0].next_number.store(7, Ordering::Release);
        *before[1].state.lock() = PlaylistState::Running;
        let after = of("480p:2M,240p,audio", &before);
        assert_eq!(names(&after), "480p 240p audio aac 360p");
        assert!(!Arc::ptr_eq(&after[0], &before[0]), "another bitrate");
        assert_eq!(after[0].next_number.load(Ordering::Acquire), 7);
        assert!(Arc::ptr_eq(&after[1], &before[2]) && Arc::ptr_eq(&after[4], &before[1]));
        assert!(Arc::ptr_eq(&after[3], &before[3]), "one for AAC");
        // The bitrate changes when nobody watches any more.
        let changed = of("360p:2M", &after);
        assert!(names(&changed) == "360p aac" && Arc::ptr_eq(&changed[0], &before[1]));
        before[1].clear();
        assert!(!Arc::ptr_eq(&of("360p:2M", &changed)[0], &before[1]));
        assert_eq!(names(&of("audio", &changed)), "audio aac");
    }
}
