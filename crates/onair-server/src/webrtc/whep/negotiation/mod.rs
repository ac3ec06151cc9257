//! Negotiates an offer: creates a connection that str0m drives, and an answer.

#[cfg(test)]
mod hostile_tests;

use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::bwe::Bitrate;
use str0m::format::Codec;
use str0m::media::{Mid, Pt};
use str0m::rtp::Extension;

use crate::encode::config::Profile;
use crate::server::webrtc::answer::{Local, accept, config};
use crate::server::webrtc::whep::tracks::VideoFormat;
use crate::wire::webrtc::sdp::{Offer, finish_answer};

/// Id of the header extension for the playout delay. The default extensions do not use this number.
const PLAYOUT_DELAY_ID: u8 = 12;
/// Interval between reports about losses.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// Number of packets that are kept for retransmission, which is several seconds of most streams.
const KEPT_PACKETS: usize = 2_048;
/// The Constrained Baseline profile, which every browser supports.
const CONSTRAINED_BASELINE: u32 = 0x42_E0_1F;
/// The profile of renditions.
const HIGH_PROFILE: u32 = 0x64_00_1F;

/// A connection that has not begun.
#[derive(Debug)]
pub(super) struct Negotiated {
    pub rtc: Rtc,
    pub answer: String,
    pub video: Option<VideoRoute>,
    pub audio: Option<Route>,
}

/// Mid of the video track, and its payload types.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct VideoRoute {
    pub mid: Mid,
    pub h264: Option<Pt>,
    pub av1: Option<Pt>,
}

impl VideoRoute {
    /// Returns the payload type for video in AV1 or in H.264, or `None` if the viewer does not decode it.
    pub fn payload_type(&self, is_av1: bool) -> Option<Pt> {
        if is_av1 { self.av1 } else { self.h264 }
    }
}

/// Payload type and mid of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub mid: Mid,
    pub pt: Pt,
}

/// The reason why a negotiation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NegotiationError {
    #[error("The offer cannot be read: {0}.")]
    Offer(String),
    #[error("The offer has no H.264, which this stream needs.")]
    NoH264,
    /// Frames are larger than a packet. Only mode 1 lets a sender divide them (RFC 6184 §6.3).
    #[error(
        "The offer has H.264 only with packetization-mode=0, in which packets cannot contain parts of frames. \
         This stream needs packetization-mode=1."
    )]
    NoFragments,
    #[error("The offer has H.264 only with profiles that the server does not know.")]
    NoProfile,
    #[error("The offer has no AV1, which this stream needs.")]
    NoAv1,
    #[error("The offer has no Opus.")]
    NoOpus,
}

/// Negotiates an offer.
///
/// # Errors
/// Fails if the offer is unusable.
pub(super) fn negotiate(
    offer: &Offer,
    local: &Local<'_>,
    // The first video, if there is any, and the initial bandwidth estimate in bits per second.
    (format, bitrate): (Option<VideoFormat>, u64),
    now: Instant,
) -> Result<Negotiated, NegotiationError> {
    let mut config = config(local)
        .set_rtp_mode(true)
        .set_send_buffer_video(KEPT_PACKETS)
        .enable_bwe(Some(Bitrate::bps(bitrate)))
        .set_stats_interval(Some(STATS_INTERVAL))
        .set_extension(PLAYOUT_DELAY_ID, Extension::PlayoutDelay)
        .clear_codecs();
    config.codec_config().enable_h264(true);
    config.codec_config().enable_av1(true);
    config.codec_config().enable_opus(true, false);
    let (rtc, answer) = accept(config, local, &offer.text, now).map_err(NegotiationError::Offer)?;
    let mid = |name: &Option<String>| name.as_deref().map(Mid::from);
    let video = match (mid(&offer.video_mid).filter(|_| offer.video), format) {
        (Some(mid), Some(format)) => Some(video_route(&rtc, mid, format, &offer.text)?),
        _ => None,
    };
    let audio = mid(&offer.audio_mid).filter(|_| offer.audio).map(|mid| {
        let pt = types(&rtc, mid, Codec::Opus).next().map(|(pt, _)| pt);
        pt.map(|pt| Route { mid, pt }).ok_or(NegotiationError::NoOpus)
    });
    let answer = finish_answer(&answer);
    Ok(Negotiated { rtc, answer, video, audio: audio.transpose()? })
}

/// Returns the payload types for video that begins in this format. Renditions are H.264.
fn video_route(
    rtc: &Rtc,
    mid: Mid,
    format: VideoFormat,
    offer: &str,
) -> Result<VideoRoute, NegotiationError> {
    let profile = match format {
        VideoFormat::H264(profile) => profile,
        VideoFormat::Av1 => HIGH_PROFILE,
    };
    let h264 = choose(&h264_types(rtc, mid), profile);
    let av1 = types(rtc, mid, Codec::Av1).next().map(|(pt, _)| pt);
    match format {
        VideoFormat::H264(_) if h264.is_none() => Err(lack_of_h264(offer)),
        VideoFormat::Av1 if av1.is_none() => Err(NegotiationError::NoAv1),
        _ => Ok(VideoRoute { mid, h264, av1 }),
    }
}

/// Returns the reason why none of the payload types of an offer suits H.264.
fn lack_of_h264(offer: &str) -> NegotiationError {
    let types = || {
        let maps = offer.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '));
        maps.filter(|(_, codec)| codec.to_ascii_uppercase().starts_with("H264/"))
    };
    // Without the parameter, the mode is 0 (RFC 6184 §8.1).
    let has_fragments = |pt: &str| {
        let format = format!("a=fmtp:{pt} ");
        let mut lines = offer.lines().filter_map(|line| line.strip_prefix(&format));
        lines.any(|it| it.split(';').any(|it| it.trim() == "packetization-mode=1"))
    };
    match (types().next(), types().any(|(pt, _)| has_fragments(pt))) {
        (None, _) => NegotiationError::NoH264,
        (Some(_), false) => NegotiationError::NoFragments,
        (Some(_), true) => NegotiationError::NoProfile,
    }
}

/// Returns true if an offer has H.264 only with the Baseline profile. Browsers with such an offer do not decode
/// other profiles, or not reliably.
pub(super) fn has_only_baseline(offer: &str) -> bool {
    let profiles = offer.split("profile-level-id=").skip(1).map(|rest| {
        let hex = rest.get(..6).unwrap_or_default();
        u32::from_str_radix(hex, 16).unwrap_or_default()
    });
    let mut profiles = profiles.peekable();
    profiles.peek().is_some() && profiles.all(is_baseline)
}

/// Returns the profile of renditions in the form of SDP.
pub(super) fn h264_profile(profile: Profile) -> u32 {
    match profile {
        Profile::High => HIGH_PROFILE,
        Profile::ConstrainedBaseline => CONSTRAINED_BASELINE,
    }
}

/// Returns true if an offer has AV1.
pub(super) fn has_av1(offer: &str) -> bool {
    offer.lines().any(|line| line.starts_with("a=rtpmap:") && line.contains(" AV1/90000"))
}

/// Returns true for the Baseline profile. Encoders do not use the tools that Constrained Baseline
/// excludes.
pub(super) fn is_baseline(profile: u32) -> bool {
    profile >> 16 == 0x42
}

/// Returns the payload types of a codec that both ends support, with their profiles.
fn types(rtc: &Rtc, mid: Mid, codec: Codec) -> impl Iterator<Item = (Pt, Option<u32>)> + '_ {
    let remote = rtc.media(mid).map_or(&[][..], |media| media.remote_pts());
    rtc.codec_config().params().iter().filter_map(move |params| {
        let spec = params.spec();
        // Frames are packetized as mode 1 allows.
        let mode = spec.format.packetization_mode.unwrap_or(0);
        let fits = codec != Codec::H264 || mode == 1;
        (spec.codec == codec && fits && remote.contains(&params.pt()))
            .then(|| (params.pt(), spec.format.profile_level_id))
    })
}

fn h264_types(rtc: &Rtc, mid: Mid) -> Vec<(Pt, u32)> {
    types(rtc, mid, Codec::H264).map(|(pt, profile)| (pt, profile.unwrap_or(0))).collect()
}

/// Returns the payload type for a stream of this profile: that of the same profile, otherwise that of
/// the profile that every browser supports, otherwise any. Levels are ignored: browsers accept higher
/// levels than they declare.
fn choose(offered: &[(Pt, u32)], profile: u32) -> Option<Pt> {
    // Constrained Baseline in any of its forms (H.264, A.2.1): only bits 0 and 1 of the constraints differ.
    let form = |profile: u32| match profile >> 8 {
        0x42_40 | 0x42_C0 | 0x42_E0 => 0x42_E0,
        other => other & 0xFF_00,
    };
    let of = |wanted: u32| offered.iter().find(|(_, it)| form(*it) == form(wanted));
    let found = of(profile).or_else(|| of(CONSTRAINED_BASELINE)).or_else(|| offered.first());
    found.map(|(pt, _)| *pt)
}

#[cfg(test)]
pub(in crate::webrtc) mod tests {
    use super::*;
    use crate::net::webrtc::Certificate;

    /// An offer from Chromium, shortened.
    pub(in crate::webrtc) const CHROMIUM_OFFER: &str = "v=0\r\n\
        o=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 106 107 39 40 112 113\r\n\
        c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\n\
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n\
        a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:\
        1A:BB:EA:33:0C:A4:60:A8:8E\r\na=setup:actpass\r\na=mid:0\r\n\
        a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n\
        a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\n\
        a=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
        a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 transport-cc\r\na=rtcp-fb:102 nack\r\n\
        a=rtcp-fb:102 nack pli\r\n\
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
        a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:106 H264/90000\r\n\
        a=rtcp-fb:106 transport-cc\r\na=rtcp-fb:106 nack\r\na=rtcp-fb:106 nack pli\r\n\
        a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
        a=rtpmap:107 rtx/90000\r\na=fmtp:107 apt=106\r\na=rtpmap:39 H264/90000\r\n\
        a=rtcp-fb:39 nack\r\na=rtcp-fb:39 nack pli\r\n\
        a=fmtp:39 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f\r\n\
        a=rtpmap:40 rtx/90000\r\na=fmtp:40 apt=39\r\na=rtpmap:112 H264/90000\r\n\
        a=rtcp-fb:112 nack\r\na=rtcp-fb:112 nack pli\r\n\
        a=fmtp:112 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f\r\n\
        a=rtpmap:113 rtx/90000\r\na=fmtp:113 apt=112\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\n\
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=setup:actpass\r\na=mid:1\r\na=recvonly\r\n\
        a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
        a=rtpmap:0 PCMU/8000\r\n";

    /// The password in the answers, and the first address.
    pub(super) const ANSWER_PASSWORD: &str = "0123456789abcdef0123456789abcdef";
    pub(in crate::webrtc) const SERVER_ADDRESS: &str = "192.0.2.1:8189";

    pub(super) fn answer(text: &str, format: Option<VideoFormat>) -> Result<Negotiated, String> {
        let offer = Offer::parse(text).map_err(|error| error.to_string())?;
        let certificate = Certificate::generate().unwrap();
        let local = Local {
            ufrag: "ours",
            password: ANSWER_PASSWORD,
            addresses: &[SERVER_ADDRESS.parse().unwrap(), "[2001:db8::1]:8189".parse().unwrap()],
            has_tcp: true,
            certificate: &certificate,
        };
        negotiate(&offer, &local, (format, 8_000_000), Instant::now())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_offer_of_chromium_is_answered() {
        let h264 = |profile| Some(VideoFormat::H264(profile));
        let made = answer(CHROMIUM_OFFER, h264(0x64_00_1F)).unwrap();
        let text = &made.answer;
        for line in [
            "a=ice-lite\r\n",
            "a=ice-ufrag:ours\r\n",
            "a=setup:passive\r\n",
            "a=fmtp:111 minptime=10;useinbandfec=1;sprop-stereo=1;stereo=1\r\n",
            "a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(text.matches("a=sendonly\r\n").count(), 2, "{text}");
        assert_eq!(text.matches("a=msid:onair ").count(), 2, "{text}");
        assert!(
            text.contains(" 192.0.2.1 8189 typ host tcptype passive") && text.contains(" udp ")
        );
        assert!(
            text.contains(" 192.0.2.1 8189 typ host") && text.contains(" 2001:db8::1 8189 typ")
        );
        assert!(!text.contains("VP8") && !text.contains("PCMU"), "{text}");
        let video = |format| answer(CHROMIUM_OFFER, format).unwrap().video.unwrap();
        let (h264_only, audio) = (made.video.unwrap(), made.audio.unwrap());
        assert_eq!((h264_only.h264, h264_only.av1, *audio.pt), (Some(Pt::from(112)), None, 111));
        assert_eq!(video(h264(0x42_C0_1E)).h264, Some(Pt::from(106)));
        assert_eq!(video(h264(0x4D_40_1F)).h264, Some(Pt::from(106)), "mode 0");
        let with_av1 = CHROMIUM_OFFER.replace("96 97 102", "45 96 97 102").replace(
            "a=rtpmap:96 ",
            "a=rtpmap:45 AV1/90000\r\na=rtcp-fb:45 nack\r\na=fmtp:45 level-idx=5;profile=0;tier=0\r\n\
             a=rtpmap:96 ",
        );
        let both = answer(&with_av1, Some(VideoFormat::Av1)).unwrap().video.unwrap();
        assert_eq!((both.av1, both.h264), (Some(Pt::from(45)), Some(Pt::from(112))));
        assert!(answer(CHROMIUM_OFFER, Some(VideoFormat::Av1)).unwrap_err().contains("AV1"));
        assert_eq!(answer(CHROMIUM_OFFER, None).unwrap().video, None, "audio alone");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        let refused = |text: &str| answer(text, Some(VideoFormat::H264(0x64_00_1F))).unwrap_err();
        let mode_0 = "The offer has H.264 only with packetization-mode=0, in which packets cannot contain \
                      parts of frames. This stream needs packetization-mode=1.";
        assert_eq!(
            refused(&CHROMIUM_OFFER.replace("packetization-mode=1", "packetization-mode=0")),
            mode_0
        );
        let without_mode = CHROMIUM_OFFER.replace("packetization-mode=1;", "");
        assert_eq!(
            refused(&without_mode.replace("packetization-mode=0;", "")),
            mode_0,
            "the default"
        );
        let none = "The offer has no H.264, which this stream needs.";
        assert_eq!(refused(&CHROMIUM_OFFER.replace("H264/90000", "H265/90000")), none);
        assert!(refused(&CHROMIUM_OFFER.replace("opus/48000", "other/48000")).contains("Opus"));
        assert!(
            refused(&CHROMIUM_OFFER.replace("sha-256 0F", "sha-256 zz")).contains("cannot be read")
        );
    }

    #[test]
    fn the_codecs_of_an_offer_are_known() {
        assert!(
            !has_only_baseline(CHROMIUM_OFFER)
                && !has_av1(CHROMIUM_OFFER)
                && !has_only_baseline("v=0")
        );
        let simple = CHROMIUM_OFFER.replace("64001f", "42e01f").replace("4d001f", "42001f");
        assert!(has_only_baseline(&simple));
        assert!(has_av1("v=0\r\na=rtpmap:45 AV1/90000\r\n"));
    }

    #[test]
    fn the_same_profile_comes_first() {
        let pt = Pt::from;
        let offered =
            [(pt(1), 0x42_00_1F), (pt(2), 0x42_E0_1F), (pt(3), 0x64_00_1F), (pt(4), 0x64_0C_1F)];
        assert_eq!(choose(&offered, 0x64_00_28), Some(pt(3)));
        assert_eq!(choose(&offered, 0x42_C0_28), Some(pt(2)));
        assert_eq!(choose(&offered, 0x4D_40_28), Some(pt(2)));
        assert_eq!(choose(&offered[..1], 0x64_00_28), Some(pt(1)));
        assert_eq!(choose(&[], 0x64_00_28), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_offers_are_answered_or_refused(
            damage in proptest::collection::vec(
                (0..CHROMIUM_OFFER.len(), 0..4_u8, 1..40_usize),
                1..6,
            ),
        ) {
            let mut bytes = CHROMIUM_OFFER.as_bytes().to_vec();
            for (at, kind, length) in damage {
                let at = at % bytes.len().max(1);
                let end = (at + length).min(bytes.len());
                match kind {
                    0 => bytes[at] = bytes[at].wrapping_add(length as u8) & 0x7F,
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let copy = bytes[at..end].to_vec();
                        bytes.splice(at..at, copy);
                    }
                    _ => bytes[at..end].fill(b'9'),
                }
            }
            let _ = answer(&String::from_utf8_lossy(&bytes), Some(VideoFormat::H264(0x64_00_1F)));
        }
    }
}
