//! Negotiates the offer of a publisher: H.264, HEVC or AV1, and Opus. The first of the three video codecs that the
//! publisher offers is taken, and nothing else, so that the codec of the stream never changes.

use std::time::{Duration, Instant};

use str0m::format::Codec;
use str0m::media::{Mid, Pt};
use str0m::{Rtc, RtcConfig};

use crate::server::webrtc::answer::{Local, accept, config};
use crate::wire::webrtc::sdp::{Offer, finish_publisher_answer};

/// Number of packets that wait for a missing one, which is half a second of most streams. A keyframe may have several
/// hundred packets.
const REORDERED_VIDEO_PACKETS: usize = 1_024;
/// Time after which audio goes on without a missing packet.
const AUDIO_REORDERING_TIMEOUT: Duration = Duration::from_millis(300);
/// Interval between reports about losses.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// A connection that has not begun.
#[derive(Debug)]
pub(super) struct Negotiated {
    pub rtc: Rtc,
    pub answer: String,
    pub video: Option<Mid>,
    pub audio: Option<Mid>,
}

/// The reason why a negotiation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NegotiationError {
    #[error("The offer cannot be read: {0}.")]
    Offer(String),
    #[error("The offer has no H.264, HEVC or AV1, one of which this server needs.")]
    NoVideo,
    #[error("The offer has no Opus, which this server needs.")]
    NoOpus,
}

/// Negotiates an offer.
///
/// # Errors
/// Fails if the offer is unusable. An answer never refuses one of two tracks.
pub(super) fn negotiate(
    offer: &Offer,
    local: &Local<'_>,
    now: Instant,
) -> Result<Negotiated, NegotiationError> {
    let mid = |name: &Option<String>| name.as_deref().map(Mid::from);
    let video = mid(&offer.video_mid).filter(|_| offer.video);
    let audio = mid(&offer.audio_mid).filter(|_| offer.audio);
    // A codec may be offered only in profiles that this server does not take.
    let mut codecs = offered(&offer.text).into_iter();
    let (rtc, answer) = loop {
        let codec = codecs.next();
        let receiver = receiver(config(local), codec);
        let accepted = accept(receiver, local, &offer.text, now);
        let (rtc, answer) = accepted.map_err(NegotiationError::Offer)?;
        match (video, codec) {
            (Some(_), None) => return Err(NegotiationError::NoVideo),
            (Some(mid), Some(codec)) if !has_codec(&rtc, mid, codec) => {}
            _ => break (rtc, answer),
        }
    };
    if audio.is_some_and(|mid| !has_codec(&rtc, mid, Codec::Opus)) {
        return Err(NegotiationError::NoOpus);
    }
    Ok(Negotiated { rtc, answer: finish_publisher_answer(&answer), video, audio })
}

/// Returns the video codecs of an offer that this server takes, in the order of the media line, which is that of the
/// publisher's preference (RFC 3264 §5.1).
fn offered(offer: &str) -> Vec<Codec> {
    let codec_of = |pt: &str| {
        let line = offer
            .lines()
            .find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_prefix(pt)?.strip_prefix(' '))?;
        let name = line.split('/').next().unwrap_or_default();
        let known = [("H264", Codec::H264), ("H265", Codec::H265), ("AV1", Codec::Av1)];
        known.into_iter().find(|(its, _)| its.eq_ignore_ascii_case(name)).map(|(_, codec)| codec)
    };
    let video = offer.lines().find_map(|line| line.strip_prefix("m=video "));
    let mut codecs = Vec::new();
    for codec in video.unwrap_or_default().split(' ').skip(2).filter_map(codec_of) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    codecs
}

fn receiver(config: RtcConfig, video: Option<Codec>) -> RtcConfig {
    let config = config
        .set_reordering_size_video(REORDERED_VIDEO_PACKETS)
        .set_reordering_timeout_audio(Some(AUDIO_REORDERING_TIMEOUT))
        .set_stats_interval(Some(STATS_INTERVAL))
        .clear_codecs()
        .enable_opus(true, false);
    match video {
        Some(Codec::H265) => config.enable_h265(true),
        Some(Codec::Av1) => config.enable_av1(true),
        _ => config.enable_h264(true),
    }
}

/// Returns true if both ends support a codec.
fn has_codec(rtc: &Rtc, mid: Mid, codec: Codec) -> bool {
    let remote: &[Pt] = rtc.media(mid).map_or(&[], |media| media.remote_pts());
    let params = rtc.codec_config().params();
    params.iter().any(|it| it.spec().codec == codec && remote.contains(&it.pt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::webrtc::Certificate;
    use crate::server::webrtc::whep::negotiation::tests::{CHROMIUM_OFFER, SERVER_ADDRESS};

    fn offer() -> String {
        CHROMIUM_OFFER.replace("a=recvonly", "a=sendonly")
    }

    fn answer(text: &str) -> Result<Negotiated, String> {
        let offer = Offer::parse_publisher(text).map_err(|error| error.to_string())?;
        let certificate = Certificate::generate().unwrap();
        let local = Local {
            ufrag: "ours",
            password: "0123456789abcdef0123456789abcdef",
            addresses: &[SERVER_ADDRESS.parse().unwrap()],
            has_tcp: true,
            certificate: &certificate,
        };
        negotiate(&offer, &local, Instant::now()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_offer_of_chromium_is_answered_with_both_tracks() {
        let made = answer(&offer()).unwrap();
        assert!(made.video.is_some() && made.audio.is_some());
        assert_eq!(made.answer.matches("a=recvonly\r\n").count(), 2, "{}", made.answer);
        assert!(!made.answer.contains("VP8") && made.answer.contains("a=setup:passive"));
        assert!(made.answer.contains("nack pli") && made.answer.contains(";stereo=1"));
    }

    /// The names and extensions are those of OBS 32.
    #[test]
    fn every_layer_of_a_simulcast_offer_is_accepted() {
        let layers = "a=mid:0\r\na=extmap:11 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
            a=rid:0 send\r\na=rid:1 send\r\na=rid:2 send\r\na=simulcast:send 0;1;2\r\n";
        let made = answer(&offer().replacen("a=mid:0\r\n", layers, 1)).unwrap();
        for line in ["a=rid:0 recv", "a=rid:1 recv", "a=rid:2 recv", "a=simulcast:recv 0;1;2"] {
            assert!(made.answer.contains(line), "{line}: {}", made.answer);
        }
    }

    #[test]
    fn the_publishers_favorite_codec_is_taken() {
        let line = "m=video 9 UDP/TLS/RTP/SAVPF ";
        let with = |pt: &str, first: bool, map: &str| {
            let offer = offer();
            let offer = match first {
                true => offer.replacen(line, &format!("{line}{pt} "), 1),
                false => offer.replacen(" 112 113\r\n", &format!(" 112 113 {pt}\r\n"), 1),
            };
            offer.replacen("a=rtpmap:96 ", &format!("{map}\r\na=rtpmap:96 "), 1)
        };
        let av1 = "a=rtpmap:45 AV1/90000\r\na=fmtp:45 level-idx=5;profile=0;tier=0";
        let hevc = "a=rtpmap:49 H265/90000\r\n\
                    a=fmtp:49 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST";
        for (pt, map, name) in [("45", av1, "AV1/90000"), ("49", hevc, "H265/90000")] {
            let first = answer(&with(pt, true, map)).unwrap().answer;
            assert!(first.contains(name) && !first.contains("H264"), "{first}");
            let last = answer(&with(pt, false, map)).unwrap().answer;
            assert!(!last.contains(name) && last.contains("H264"), "{last}");
        }
    }

    #[test]
    fn a_track_that_the_server_does_not_take_refuses_the_whole_offer() {
        let without = |codec: &str| answer(&offer().replace(codec, "other/90000")).unwrap_err();
        assert!(without("H264/90000").contains("H.264"));
        assert!(without("H264/90000").contains("AV1"));
        assert!(without("opus/48000/2").contains("Opus"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_offers_are_answered_or_refused(
            damage in proptest::collection::vec((0..4_000_usize, 0..3_u8, 1..40_usize), 1..6),
        ) {
            let mut bytes = offer().into_bytes();
            for (at, kind, length) in damage {
                let at = at % bytes.len().max(1);
                let end = (at + length).min(bytes.len());
                match kind {
                    0 => bytes[at] = bytes[at].wrapping_add(length as u8) & 0x7F,
                    1 => drop(bytes.drain(at..end)),
                    _ => bytes[at..end].fill(b'9'),
                }
            }
            let _ = answer(&String::from_utf8_lossy(&bytes));
        }
    }
}
