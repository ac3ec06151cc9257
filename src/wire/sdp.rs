//! What an offer of WHEP may say (SDP, RFC 8866; draft-ietf-wish-whep), and the last touches to its answer.
//! The negotiation itself is str0m's: it gets an offer of what it needs, and no more.

use std::fmt::Write as _;

/// The longest offer; those of browsers take 6 to 10 KiB.
pub const MAX_OFFER: usize = 64 << 10;
/// Its lines, and the length of each.
const MAX_LINES: usize = 1_500;
const MAX_LINE: usize = 1_024;
/// The stream that both tracks belong to: what plays them keeps them in step by that name.
const STREAM_ID: &str = "onair";

/// An offer that makes sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// To be negotiated: candidates and what concerns the other direction are left out, and whoever offers to
    /// send too only receives.
    pub text: String,
    pub video: bool,
    pub audio: bool,
    /// The names of both sections, where there are any.
    pub video_mid: Option<String>,
    pub audio_mid: Option<String>,
    /// The name of the other end within ICE.
    pub ufrag: String,
}

/// Why an offer is refused: for whoever wrote the player.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("The offer is longer than {} KiB.", MAX_OFFER >> 10)]
    TooLong,
    #[error("The offer is no SDP.")]
    NotSdp,
    #[error("The offer may have one video track and one audio track, and nothing else.")]
    Tracks,
    #[error("The offer wants to receive neither video nor audio.")]
    NothingWanted,
    #[error("The offer lacks ICE credentials or a fingerprint, or its sender is ICE-lite too.")]
    Incomplete,
}

/// The part of an offer that a line belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Section {
    Session,
    Video,
    Audio,
}

impl Offer {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        if text.len() > MAX_OFFER {
            return Err(OfferError::TooLong);
        }
        let lines = || text.lines().map(|line| line.trim_end_matches('\r'));
        let is_line = |line: &str| {
            let known = line.as_bytes().get(1) == Some(&b'=');
            (known || line.is_empty()) && line.len() <= MAX_LINE && !line.contains('\0')
        };
        if !text.starts_with("v=0") || !lines().all(is_line) || lines().count() > MAX_LINES {
            return Err(OfferError::NotSdp);
        }
        let mut offer = Self::default();
        let (mut section, mut seen) = (Section::Session, Vec::new());
        let (mut password, mut fingerprint) = (false, false);
        let mut direction = None;
        for line in lines().filter(|line| !line.is_empty()) {
            if let Some(media) = line.strip_prefix("m=") {
                offer.end_section(section, direction.take());
                section = match media.split(' ').next() {
                    Some("video") => Section::Video,
                    Some("audio") => Section::Audio,
                    _ => return Err(OfferError::Tracks),
                };
                if seen.contains(&section) {
                    return Err(OfferError::Tracks);
                }
                seen.push(section);
            }
            let attribute = line.strip_prefix("a=").unwrap_or_default();
            let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
            match name {
                "ice-ufrag" if offer.ufrag.is_empty() => value.clone_into(&mut offer.ufrag),
                "mid" => match section {
                    Section::Session => {}
                    Section::Video => offer.video_mid = Some(value.to_owned()),
                    Section::Audio => offer.audio_mid = Some(value.to_owned()),
                },
                "ice-pwd" => password |= !value.is_empty(),
                "fingerprint" => fingerprint |= !value.is_empty(),
                // Two ends that only answer would wait for each other for ever.
                "ice-lite" => return Err(OfferError::Incomplete),
                "sendrecv" | "recvonly" | "sendonly" | "inactive"
                    if section != Section::Session =>
                {
                    direction = Some(!matches!(name, "sendonly" | "inactive"));
                    continue;
                }
                // Peers are known by their first request; names of mDNS could not be resolved anyway.
                "candidate" | "end-of-candidates" | "remote-candidates" => continue,
                // Of what it could send, and of layers that are not there.
                "ssrc" | "ssrc-group" | "msid" | "simulcast" | "rid" => continue,
                _ => {}
            }
            let _ = write!(offer.text, "{line}\r\n");
        }
        offer.end_section(section, direction);
        if !(offer.video || offer.audio) {
            return Err(OfferError::NothingWanted);
        }
        if offer.ufrag.is_empty() || !password || !fingerprint {
            return Err(OfferError::Incomplete);
        }
        Ok(offer)
    }

    /// Says of a section which way it goes. `wanted`: whether something is to be received; so it is where
    /// nothing was said.
    fn end_section(&mut self, section: Section, wanted: Option<bool>) {
        let wanted = wanted.unwrap_or(true);
        match section {
            Section::Session => return,
            Section::Video => self.video = wanted,
            Section::Audio => self.audio = wanted,
        }
        self.text.push_str(if wanted { "a=recvonly\r\n" } else { "a=inactive\r\n" });
    }
}

/// An answer as browsers want it: both tracks in one stream, and sound in stereo.
pub fn finish_answer(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len() + 64);
    let opus = answer.lines().find_map(|line| {
        let (pt, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        codec.to_ascii_lowercase().starts_with("opus/").then(|| format!("a=fmtp:{pt} "))
    });
    for line in answer.lines() {
        if line.starts_with("a=msid-semantic:") {
            let _ = write!(out, "a=msid-semantic: WMS {STREAM_ID}");
        } else if let Some((_, track)) =
            line.strip_prefix("a=msid:").and_then(|msid| msid.split_once(' '))
        {
            let _ = write!(out, "a=msid:{STREAM_ID} {track}");
        } else if let Some((ssrc, value)) =
            line.strip_prefix("a=ssrc:").and_then(|rest| rest.split_once(' '))
        {
            match value.split_once(':') {
                Some(("cname", _)) => {
                    let _ = write!(out, "a=ssrc:{ssrc} cname:{STREAM_ID}");
                }
                Some(("msid", ids)) => {
                    let track = ids.split_once(' ').map_or(ids, |(_, track)| track);
                    let _ = write!(out, "a=ssrc:{ssrc} msid:{STREAM_ID} {track}");
                }
                _ => out.push_str(line),
            }
        } else if opus.as_ref().is_some_and(|opus| line.starts_with(opus)) {
            // The first says what is sent; some browsers look at the second.
            let _ = write!(out, "{line};sprop-stereo=1;stereo=1");
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out
}

/// The name of the sender within ICE, in a fragment (RFC 8840).
pub fn fragment_ufrag(fragment: &str) -> Option<&str> {
    fragment.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AB\r\n\
        a=candidate:1 1 udp 1 x.local 5 typ host\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendrecv\r\na=ssrc:5 cname:x\r\n";

    #[test]
    fn an_offer_is_kept_without_what_is_not_needed() {
        let offer = Offer::parse(OFFER).unwrap();
        assert_eq!((offer.video, offer.audio, offer.ufrag.as_str()), (true, true, "abcd"));
        assert_eq!(offer.text.matches("a=recvonly\r\n").count(), 2);
        assert!(!offer.text.contains("candidate") && !offer.text.contains("ssrc"));
        assert!(!offer.text.contains("sendrecv"), "it only receives");
        let mids = (offer.video_mid.as_deref(), offer.audio_mid.as_deref());
        assert_eq!(mids, (Some("1"), Some("0")));
        let one = Offer::parse(&OFFER.replace("a=sendrecv", "a=inactive")).unwrap();
        assert!(one.audio && !one.video && one.text.contains("a=inactive"));
        let unsaid = Offer::parse(&OFFER.replace("a=recvonly\r\n", "")).unwrap();
        assert!(unsaid.audio && unsaid.text.contains("a=recvonly"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let refused = |text: &str| Offer::parse(text).unwrap_err();
        assert_eq!(refused(""), OfferError::NotSdp);
        assert_eq!(refused("{\"sdp\":\"v=0\"}"), OfferError::NotSdp);
        assert_eq!(refused(&format!("v=0\r\n{}", "a=x\r\n".repeat(1_600))), OfferError::NotSdp);
        assert_eq!(refused(&"v=0".repeat(30_000)), OfferError::TooLong);
        assert_eq!(refused("v=0\r\ns=-\r\n"), OfferError::NothingWanted);
        assert_eq!(refused(&OFFER.replace("m=video", "m=audio")), OfferError::Tracks);
        assert_eq!(refused(&OFFER.replace("m=video", "m=application")), OfferError::Tracks);
        assert_eq!(refused(&OFFER.replace("a=ice-pwd", "a=x")), OfferError::Incomplete);
        assert_eq!(refused(&OFFER.replace("a=fingerprint", "a=x")), OfferError::Incomplete);
        assert_eq!(refused(&format!("{OFFER}a=ice-lite\r\n")), OfferError::Incomplete);
        let nothing = OFFER.replace("recvonly", "sendonly").replace("sendrecv", "inactive");
        assert_eq!(refused(&nothing), OfferError::NothingWanted);
    }

    #[test]
    fn both_tracks_of_an_answer_are_one_stream() {
        let answer = "v=0\r\na=msid-semantic:WMS a b\r\nm=audio 9 X 111\r\na=msid:a t1\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=fmtp:11 x=1\r\n\
            a=ssrc:1 cname:q\r\na=ssrc:1 msid:a t1\r\na=ssrc-group:FID 1 2\r\n";
        let expected = "v=0\r\na=msid-semantic: WMS onair\r\nm=audio 9 X 111\r\na=msid:onair t1\r\n\
            a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;sprop-stereo=1;stereo=1\r\n\
            a=fmtp:11 x=1\r\na=ssrc:1 cname:onair\r\na=ssrc:1 msid:onair t1\r\n\
            a=ssrc-group:FID 1 2\r\n";
        assert_eq!(finish_answer(answer), expected);
    }

    #[test]
    fn a_fragment_names_its_sender() {
        assert_eq!(fragment_ufrag("a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\n"), Some("EsAw"));
        assert_eq!(fragment_ufrag("a=candidate:1"), None);
    }

    proptest! {
        #[test]
        fn damaged_offers_are_read_or_refused(
            cuts in prop::collection::vec((0..OFFER.len(), any::<char>()), 0..8),
        ) {
            let mut text: Vec<char> = OFFER.chars().collect();
            for (at, letter) in cuts {
                text[at] = letter;
            }
            let text: String = text.into_iter().collect();
            if let Ok(offer) = Offer::parse(&text) {
                prop_assert!(offer.video || offer.audio);
                // What was kept is as good the second time.
                prop_assert_eq!(Offer::parse(&offer.text), Ok(offer));
            }
            let _ = finish_answer(&text);
        }
    }
}
