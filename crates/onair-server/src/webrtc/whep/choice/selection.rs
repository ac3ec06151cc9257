//! The video that a viewer gets: that of the stream itself, or of one of its renditions. A browser that decodes
//! nothing but Constrained Baseline gets renditions in this profile.

use std::sync::Arc;
use std::time::Duration;

use crate::encode::config::Profile;
use crate::media::Size;
use crate::server::event::{NoRoom, PublisherFigures};
use crate::server::outputs::renditions::start::rendition_of;
use crate::server::registry::Registry;
use crate::server::renditions::ladder::VideoRendition;
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Stream;
use crate::server::webrtc::whep::negotiation;
use crate::server::webrtc::whep::production::productions::{
    Production, ProductionUse, WantedTracks,
};
use crate::server::webrtc::whep::production::start;
use crate::server::webrtc::whep::tracks::{Tracks, Unplayable, VideoFormat};
use crate::wire::webrtc::sdp::Offer;

/// Maximum time for which an offer waits for the tracks of the stream.
const TRACKS_TIMEOUT: Duration = Duration::from_secs(3);
/// The name of the stream itself among its renditions.
const MAIN_STREAM_NAME: &str = "main";
/// Assumed size of a stream whose size is not known yet.
const DEFAULT_STREAM_SIZE: Size = Size::new(1_280, 720);
/// Bitrate of the audio that is sent with a rendition, in bits per second.
const AUDIO_BITRATE: u64 = 128_000;

/// The reason why a session is rejected.
#[derive(Debug)]
pub(crate) enum Refused {
    /// WHEP is disabled.
    Off,
    NotPublished,
    Unplayable(Unplayable),
    /// The offer is invalid. The text is for the developer of the player.
    Offer(String),
    /// There is no room for the viewer.
    Full(NoRoom),
    /// All viewers had to leave while the request was being answered.
    Expelled,
    /// The server does not encode the rendition.
    Rendition(Refusal),
}

/// A video of a stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::webrtc) enum Variant {
    Main,
    Rendition(VideoRendition),
}

/// The variants from which a viewer's video is chosen.
#[derive(Clone, Debug)]
pub(in crate::webrtc) struct Variants {
    pub stream: Arc<Stream>,
    /// The audio for all variants, and the timeline.
    pub main: Arc<ProductionUse>,
    /// True if the viewer decodes H.264 only with the Constrained Baseline profile.
    baseline: bool,
    /// True if the viewer therefore cannot decode the stream itself.
    replaced: bool,
    /// True if there is more than one variant.
    pub has_choice: bool,
}

/// The initial choice for a viewer.
#[derive(Debug)]
pub(in crate::webrtc) struct Selection {
    pub variants: Variants,
    /// `None` if the offer has no video.
    pub video: Option<(Variant, ProductionUse)>,
    /// True if the viewer has chosen the variant.
    pub is_pinned: bool,
    pub tracks: Tracks,
}

/// Selects the first variant for an offer: the named rendition, or the largest variant if none is named.
pub(in crate::webrtc) async fn select(
    registry: &Arc<Registry>,
    (app, name): (&str, &str),
    rendition: Option<&str>,
    offer: &Offer,
) -> Result<Selection, Refused> {
    let stream = registry.find(app, name).filter(|stream| stream.is_published());
    let stream = stream.ok_or(Refused::NotPublished)?;
    let wanted = WantedTracks { video: false, audio: offer.audio };
    let main = start::of_stream(registry, &stream, wanted).ok_or(Refused::NotPublished)?;
    let mut variants = Variants {
        stream,
        main: Arc::new(main),
        baseline: false,
        replaced: false,
        has_choice: false,
    };
    if !offer.video {
        let tracks = Tracks::default();
        return Ok(Selection { variants, video: None, is_pinned: false, tracks });
    }
    let publisher = variants.stream.publisher_figures(registry.clock.now());
    let known = tracks_of(&variants.main, tracks_timeout(publisher.as_ref())).await;
    let is_pinned = rendition.is_some();
    let rendition = rendition.filter(|name| *name != MAIN_STREAM_NAME);
    let publisher = variants.stream.publisher_figures(registry.clock.now());
    let has_b_frames = publisher.is_some_and(|it| registry.webrtc.productions.is_refused(it.id));
    let is_av1_missing =
        known.video == Some(VideoFormat::Av1) && !negotiation::has_av1(&offer.text);
    let refused = has_b_frames.then_some(Unplayable::BFrames).or(known.refused);
    let refused = refused.or(is_av1_missing.then_some(Unplayable::Codec("AV1")));
    if let (Some(refused), None) = (refused, rendition) {
        return Err(Refused::Unplayable(refused));
    }
    variants.baseline = negotiation::has_only_baseline(&offer.text);
    variants.replaced = variants.lacks_profile(known.video);
    variants.has_choice =
        variants.replaced || !registry.rules().renditions.of(app, name).video.is_empty();
    let variant = match rendition {
        Some(name) => variants.named(registry, name).ok_or(Refused::Rendition(Refusal::Absent))?,
        // A stream whose tracks are still unknown counts as one without video.
        None if known.video.is_none() => Variant::Main,
        None => variants.all(registry).first().map_or(Variant::Main, |(variant, _)| *variant),
    };
    let video = variants.open(registry, variant)?;
    let tracks = match variant {
        Variant::Main => known,
        Variant::Rendition(rendition) => {
            let format = VideoFormat::H264(negotiation::h264_profile(rendition.profile));
            Tracks { video: Some(format), refused: None, ..known }
        }
    };
    Ok(Selection { variants, video: Some((variant, video)), is_pinned, tracks })
}

/// Returns the time for which an offer waits for the tracks of the stream: none if the publisher has already sent only
/// audio for that long.
fn tracks_timeout(publisher: Option<&PublisherFigures>) -> Duration {
    let audio_only = publisher.filter(|it| it.audio.is_some() && it.video.is_none());
    TRACKS_TIMEOUT.saturating_sub(audio_only.map_or(Duration::ZERO, |it| it.since))
}

/// Returns the tracks of a production once they are known.
async fn tracks_of(used: &ProductionUse, timeout: Duration) -> Tracks {
    let mut tracks = used.tracks();
    let known = tracks.wait_for(Tracks::is_known);
    let known = tokio::time::timeout(timeout, known).await;
    // An audio-only stream is valid too.
    known.ok().and_then(Result::ok).map(|known| *known).unwrap_or_default()
}

impl Variants {
    /// Returns true if the viewer does not decode the profile of this video.
    fn lacks_profile(&self, video: Option<VideoFormat>) -> bool {
        self.baseline
            && matches!(video, Some(VideoFormat::H264(profile)) if !negotiation::is_baseline(profile))
    }

    /// Returns true if the viewer does not decode the profile that the stream has now.
    pub fn lacks_profile_now(&self) -> bool {
        self.baseline && self.lacks_profile(self.main.tracks().borrow().video)
    }

    /// Returns all variants with their bitrates, the largest first.
    pub fn all(&self, registry: &Registry) -> Vec<(Variant, u64)> {
        let size = self.size(registry);
        let rules = registry.rules();
        let ladder = &rules.renditions.of(&self.stream.app, &self.stream.name).video;
        let first = match (self.replaced, size) {
            (true, size) => {
                Variant::Rendition(VideoRendition::baseline(size.unwrap_or(DEFAULT_STREAM_SIZE)))
            }
            (false, _) => Variant::Main,
        };
        let smaller = ladder.iter().filter(|it| size.is_some_and(|size| it.size(size).is_some()));
        let smaller = smaller.map(|it| Variant::Rendition(self.in_profile(*it)));
        let smaller = smaller.filter(|it| match (it, first) {
            (Variant::Rendition(it), Variant::Rendition(first)) => it.height < first.height,
            _ => true,
        });
        std::iter::once(first).chain(smaller).map(|it| (it, self.bitrate(it))).collect()
    }

    /// Returns the bitrate of a variant with its audio.
    pub fn bitrate(&self, variant: Variant) -> u64 {
        match variant {
            Variant::Main => self.stream.last_bitrate(),
            Variant::Rendition(it) => u64::from(it.bitrate.0) + AUDIO_BITRATE,
        }
    }

    /// Returns the variant with this name.
    pub fn named(&self, registry: &Registry, name: &str) -> Option<Variant> {
        if name == MAIN_STREAM_NAME {
            return self.all(registry).first().map(|(variant, _)| *variant);
        }
        let size = self.size(registry);
        let rules = registry.rules();
        let ladder = &rules.renditions.of(&self.stream.app, &self.stream.name).video;
        let mut ladder = ladder.iter();
        let found =
            ladder.find(|it| it.name() == name && size.is_none_or(|size| it.size(size).is_some()));
        found.map(|it| Variant::Rendition(self.in_profile(*it)))
    }

    /// Returns the size of the stream, if it is known.
    fn size(&self, registry: &Registry) -> Option<Size> {
        let publisher = self.stream.publisher_figures(registry.clock.now());
        publisher.and_then(|it| it.video?.displayed_size())
    }

    /// Returns the rendition in the profile that the viewer decodes.
    fn in_profile(&self, rendition: VideoRendition) -> VideoRendition {
        let profile = if self.baseline { Profile::ConstrainedBaseline } else { rendition.profile };
        VideoRendition { profile, ..rendition }
    }

    /// Returns the production of a variant, and starts it if necessary.
    pub fn open(
        &self,
        registry: &Arc<Registry>,
        variant: Variant,
    ) -> Result<ProductionUse, Refused> {
        let wanted = WantedTracks { video: true, audio: false };
        let main: &Production = &self.main.production;
        let used = match variant {
            Variant::Main => start::of_stream(registry, &self.stream, wanted),
            Variant::Rendition(rendition) => {
                let encoded = rendition_of(registry, &self.stream, rendition);
                let encoded = encoded.map_err(Refused::Rendition)?;
                start::of_rendition(registry, main, encoded, wanted)
            }
        };
        used.ok_or(Refused::NotPublished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::event::{AudioFigures, LinkFigures, Protocol, Stalls, VideoFigures};

    #[test]
    fn an_offer_for_an_audio_only_stream_waits_only_at_its_start() {
        let figures = |since, video| PublisherFigures {
            protocol: Protocol::Rtmp,
            link: LinkFigures::default(),
            layers: Vec::new(),
            id: 1,
            address: "127.0.0.1:9".parse().unwrap(),
            since: Duration::from_millis(since),
            bytes: 0,
            bitrate: 0,
            encoder: None,
            stalls: Stalls::default(),
            video,
            audio: Some(AudioFigures { codec: "AAC".into(), sample_rate: None, channels: None }),
        };
        let timeout = |since| tracks_timeout(Some(&figures(since, None))).as_millis();
        assert_eq!(
            (timeout(0), timeout(1_000), timeout(3_000), timeout(9_000)),
            (3_000, 2_000, 0, 0)
        );
        let video = VideoFigures {
            codec: "H.264".into(),
            profile: None,
            size: None,
            fps: None,
            pixel_aspect: None,
        };
        let full = TRACKS_TIMEOUT;
        assert_eq!(tracks_timeout(Some(&figures(9_000, Some(video)))), full);
        let nothing = PublisherFigures { audio: None, ..figures(9_000, None) };
        assert_eq!((tracks_timeout(Some(&nothing)), tracks_timeout(None)), (full, full));
    }
}
