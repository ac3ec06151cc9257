//! Checks the SDP offer of a client of WHEP or WHIP (RFC 8866; draft-ietf-wish-whep; RFC 9725), and completes the
//! answer. str0m does the negotiation, and gets an offer with only the necessary lines.

use std::collections::HashSet;
use std::fmt::Write as _;

/// Maximum length of an offer in bytes. Browser offers are 6 to 10 KiB long.
pub const MAX_OFFER: usize = 64 << 10;
/// Maximum number of lines.
const MAX_LINES: usize = 1_500;
/// Maximum length of a line in bytes.
const MAX_LINE_BYTES: usize = 1_024;
/// Maximum number of lines about the sources of a publisher. A publisher has two or four sources, with a few lines each.
const MAX_SOURCE_LINES: usize = 48;
/// Maximum number of lines about the layers of a publisher: four layers, and the list of them.
const MAX_LAYER_LINES: usize = 5;
/// Maximum number of candidates of a restart.
const MAX_CANDIDATES: usize = 64;
/// The stream id of both tracks, because receivers synchronize tracks with the same id.
const STREAM_ID: &str = "onair";

/// A valid offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The offer for the negotiation, without candidates and lines for the other direction. A
    /// sendrecv section has only the direction that counts.
    pub text: String,
    /// True if the peer wants to receive or, in the offer of a publisher, to send this kind.
    pub video: bool,
    pub audio: bool,
    /// The mid of the video section, if present.
    pub video_mid: Option<String>,
    /// The mid of the audio section, if present.
    pub audio_mid: Option<String>,
    /// The ICE user name fragment of the peer.
    pub ufrag: String,
    /// The ICE password of the peer.
    pub password: String,
}

/// The reason why an offer is rejected, for developers of players.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("The offer is longer than {} KiB.", MAX_OFFER >> 10)]
    TooLong,
    #[error("The offer is no SDP.")]
    NotSdp,
    #[error("The offer may have one video track and one audio track, and nothing else.")]
    Tracks,
    #[error("The offer maps a payload type twice.")]
    PayloadTypes,
    #[error("The offer wants to receive neither video nor audio.")]
    NothingWanted,
    #[error("The offer sends neither video nor audio.")]
    NothingSent,
    #[error("The offer has too many lines about its sources.")]
    Sources,
    #[error("The offer lacks ICE credentials or a fingerprint, or its sender is ICE-lite too.")]
    Incomplete,
}

/// The section of an offer in which a line is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Section {
    Session,
    Video,
    Audio,
}

impl Offer {
    /// Parses an offer.
    ///
    /// # Errors
    /// Fails with the reason for the rejection.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        Self::read(text, false)
    }

    /// Parses the offer of a publisher.
    ///
    /// # Errors
    /// Fails with the reason for the rejection.
    pub fn parse_publisher(text: &str) -> Result<Self, OfferError> {
        Self::read(text, true)
    }

    /// Parses the offer of a guest: a publisher that may receive audio on the section on which it sends audio.
    ///
    /// # Errors
    /// Fails with the reason for the rejection.
    pub fn parse_guest(text: &str) -> Result<Self, OfferError> {
        Self::read_of(text, true, true)
    }

    fn read(text: &str, sends: bool) -> Result<Self, OfferError> {
        Self::read_of(text, sends, false)
    }

    fn read_of(text: &str, sends: bool, hears: bool) -> Result<Self, OfferError> {
        if text.len() > MAX_OFFER {
            return Err(OfferError::TooLong);
        }
        let lines = || text.lines().map(|line| line.trim_end_matches('\r'));
        let is_line = |line: &str| {
            let known = line.as_bytes().get(1) == Some(&b'=');
            (known || line.is_empty()) && line.len() <= MAX_LINE_BYTES && !line.contains('\0')
        };
        if !text.starts_with("v=0") || !lines().all(is_line) || lines().count() > MAX_LINES {
            return Err(OfferError::NotSdp);
        }
        let mut offer = Self::default();
        let (mut section, mut seen) = (Section::Session, Vec::new());
        let mut fingerprint = false;
        let mut direction = None;
        let mut both_ways = false;
        let mut mapped = HashSet::new();
        let (mut sources, mut layers) = (0, 0);
        let other_direction = if sends { "recvonly" } else { "sendonly" };
        for line in lines().filter(|line| !line.is_empty()) {
            if let Some(media) = line.strip_prefix("m=") {
                offer.end_section(section, direction.take(), (sends, both_ways));
                both_ways = false;
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
                // A payload type has one meaning in all sections (RFC 9143 §9.1), and is the retransmission of one other.
                "rtpmap" | "fmtp" if name == "rtpmap" || value.contains("apt=") => {
                    let number = value.split(' ').next().and_then(|it| it.parse::<u8>().ok());
                    if number.is_some_and(|number| !mapped.insert((name, number))) {
                        return Err(OfferError::PayloadTypes);
                    }
                }
                "ice-pwd" if offer.password.is_empty() => value.clone_into(&mut offer.password),
                "fingerprint" => fingerprint |= !value.is_empty(),
                // Two ICE-lite ends would wait for each other forever.
                "ice-lite" => return Err(OfferError::Incomplete),
                "sendrecv" | "recvonly" | "sendonly" | "inactive"
                    if section != Section::Session =>
                {
                    direction = Some(name != "inactive" && name != other_direction);
                    both_ways = hears && name == "sendrecv" && section == Section::Audio;
                    continue;
                }
                // Peers are identified by their first request; mDNS names could not be resolved.
                "candidate" | "end-of-candidates" | "remote-candidates" => continue,
                "ssrc" | "ssrc-group" if sends => {
                    sources += 1;
                    if sources > MAX_SOURCE_LINES {
                        return Err(OfferError::Sources);
                    }
                }
                // A publisher may send several sizes of its picture. An answer with fewer ends the output of OBS.
                "simulcast" | "rid" if sends => {
                    layers += 1;
                    if layers > MAX_LAYER_LINES {
                        return Err(OfferError::Sources);
                    }
                }
                // Lines for media that the peer could send, and for simulcast layers.
                "ssrc" | "ssrc-group" | "msid" | "simulcast" | "rid" => continue,
                _ => {}
            }
            let _ = write!(offer.text, "{line}\r\n");
        }
        offer.end_section(section, direction, (sends, both_ways));
        if !(offer.video || offer.audio) {
            return Err(if sends { OfferError::NothingSent } else { OfferError::NothingWanted });
        }
        if offer.ufrag.is_empty() || offer.password.is_empty() || !fingerprint {
            return Err(OfferError::Incomplete);
        }
        Ok(offer)
    }

    /// Writes the direction of a section. `wanted` is true if the peer wants to receive or, if it `sends`, to send, which
    /// is also the default.
    fn end_section(
        &mut self,
        section: Section,
        wanted: Option<bool>,
        (sends, both_ways): (bool, bool),
    ) {
        let wanted = wanted.unwrap_or(true);
        match section {
            Section::Session => return,
            Section::Video => self.video = wanted,
            Section::Audio => self.audio = wanted,
        }
        self.text.push_str(match (wanted, sends) {
            (true, true) if both_ways => "a=sendrecv\r\n",
            (true, false) => "a=recvonly\r\n",
            (true, true) => "a=sendonly\r\n",
            (false, _) => "a=inactive\r\n",
        });
    }
}

/// Completes an answer for browsers, with both tracks in one stream, and stereo audio.
pub fn finish_answer(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len() + 64);
    let opus = answer.lines().find_map(opus_format);
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
            // The first parameter declares the sent format; some browsers read the second one.
            let _ = write!(out, "{line};sprop-stereo=1;stereo=1");
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out
}

/// Completes an answer for a publisher: browsers send stereo only if it is wanted.
pub fn finish_publisher_answer(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len() + 16);
    let opus = answer.lines().find_map(opus_format);
    for line in answer.lines() {
        out.push_str(line);
        if opus.as_ref().is_some_and(|opus| line.starts_with(opus)) && !line.contains(";stereo=1") {
            out.push_str(";stereo=1");
        }
        out.push_str("\r\n");
    }
    out
}

/// Completes an offer: declares that the audio is stereo, which some receivers mix down otherwise.
pub fn stereo(offer: &str) -> String {
    let mut out = String::with_capacity(offer.len() + 32);
    let opus = offer.lines().find_map(opus_format);
    for line in offer.lines() {
        out.push_str(line);
        if opus.as_ref().is_some_and(|opus| line.starts_with(opus)) {
            out.push_str(";sprop-stereo=1;stereo=1");
        }
        out.push_str("\r\n");
    }
    out
}

/// Returns an answer with only the candidates that have an address. Returns `None` if the text is no
/// answer.
pub fn readable_answer(text: &str) -> Option<String> {
    // Some servers begin with an empty line.
    let text = text.trim_start();
    let is_line = |line: &str| line.len() <= MAX_LINE_BYTES && !line.contains('\0');
    if text.len() > MAX_OFFER
        || !text.starts_with("v=0")
        || text.lines().count() > MAX_LINES
        || !text.lines().all(is_line)
    {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if !line.starts_with("a=candidate:") || has_address(line) {
            let _ = write!(out, "{line}\r\n");
        }
    }
    Some(out)
}

/// Returns the part of an offer that a server needs for a restart of ICE (RFC 8840 §9; RFC 9725
/// §4.3.2), with these candidates (`candidate:…`) instead of those of the offer.
pub fn restart_fragment(offer: &str, candidates: &[String]) -> String {
    let mut out = String::new();
    let (mut sections, mut has_credentials) = (0, 0);
    for line in offer.lines() {
        if line.starts_with("m=") {
            sections += 1;
            if sections > 1 {
                break;
            }
        }
        let is_credential = line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:");
        let is_kept = is_credential && has_credentials < 2
            || line.starts_with("a=group:")
            || line.starts_with("m=")
            || line.starts_with("a=mid:");
        has_credentials += usize::from(is_credential);
        if is_kept {
            let _ = write!(out, "{line}\r\n");
        }
    }
    for candidate in candidates {
        let candidate = candidate.trim_start_matches("a=");
        let _ = write!(out, "a={candidate}\r\n");
    }
    out.push_str("a=end-of-candidates\r\n");
    out
}

/// Returns an answer with the credentials and candidates of a restart of ICE. Returns `None` if the
/// fragment has no credentials, or the present ones.
pub fn restarted_answer(answer: &str, fragment: &str) -> Option<String> {
    let new = Credentials::of_fragment(fragment)?;
    if fragment_ufrag(answer) == Some(&new.ufrag) {
        return None;
    }
    let is_candidate = |line: &&str| line.starts_with("a=candidate:") && has_address(line);
    let mut candidates: Vec<&str> = fragment
        .lines()
        .map(str::trim_end)
        .filter(|line| line.len() <= MAX_LINE_BYTES)
        .filter(is_candidate)
        .take(MAX_CANDIDATES)
        .collect();
    // Some servers, such as simple-whip-server, repeat no candidates that stay the same.
    let keeps = candidates.is_empty();
    let mut out = String::with_capacity(answer.len() + fragment.len());
    for line in answer.lines().map(str::trim_end) {
        if line.starts_with("a=ice-ufrag:") {
            let _ = write!(out, "a=ice-ufrag:{}\r\n", new.ufrag);
        } else if line.starts_with("a=ice-pwd:") {
            let _ = write!(out, "a=ice-pwd:{}\r\n", new.password);
        } else if keeps || !line.starts_with("a=candidate:") && line != "a=end-of-candidates" {
            let _ = write!(out, "{line}\r\n");
        }
        if line.starts_with("a=mid:") {
            // All sections share the transport of the first one.
            for candidate in candidates.drain(..) {
                let _ = write!(out, "{candidate}\r\n");
            }
        }
    }
    Some(out)
}

/// Returns true if a candidate has an address. Names would have to be looked up.
fn has_address(line: &str) -> bool {
    // The address is the fifth word (RFC 8839 §5.1).
    let address = line.split(' ').nth(4).unwrap_or_default();
    address.parse::<std::net::IpAddr>().is_ok()
}

/// Returns how the parameters of Opus begin, if this line maps its payload type.
fn opus_format(line: &str) -> Option<String> {
    let (pt, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
    codec.to_ascii_lowercase().starts_with("opus/").then(|| format!("a=fmtp:{pt} "))
}

/// Returns the ICE user name fragment in an SDP fragment (RFC 8840).
pub fn fragment_ufrag(fragment: &str) -> Option<&str> {
    fragment.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"))
}

/// ICE credentials of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub password: String,
}

impl Credentials {
    /// Returns the credentials in an SDP fragment (RFC 8840). Returns `None` if the credentials are
    /// incomplete, or have a length or characters that RFC 8839 (§5.4) forbids.
    pub fn of_fragment(fragment: &str) -> Option<Self> {
        let mut lines = fragment.lines().map(str::trim_end);
        let password = lines.find_map(|line| line.strip_prefix("a=ice-pwd:"))?;
        let ufrag = fragment_ufrag(fragment)?;
        let is_ice = |text: &str, shortest: usize| {
            let mut bytes = text.bytes();
            (shortest..=256).contains(&text.len())
                && bytes.all(|it| it.is_ascii_alphanumeric() || b"+/".contains(&it))
        };
        (is_ice(ufrag, 4) && is_ice(password, 22))
            .then(|| Self { ufrag: ufrag.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXAMPLE_OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AB\r\n\
        a=candidate:1 1 udp 1 x.local 5 typ host\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendrecv\r\na=ssrc:5 cname:x\r\n";

    #[test]
    fn an_offer_is_kept_without_what_is_not_needed() {
        let offer = Offer::parse(EXAMPLE_OFFER).unwrap();
        assert_eq!((offer.video, offer.audio, offer.ufrag.as_str()), (true, true, "abcd"));
        assert_eq!(offer.text.matches("a=recvonly\r\n").count(), 2);
        assert!(!offer.text.contains("candidate") && !offer.text.contains("ssrc"));
        assert!(!offer.text.contains("sendrecv"), "it only receives");
        let mids = (offer.video_mid.as_deref(), offer.audio_mid.as_deref());
        assert_eq!(mids, (Some("1"), Some("0")));
        let one = Offer::parse(&EXAMPLE_OFFER.replace("a=sendrecv", "a=inactive")).unwrap();
        assert!(one.audio && !one.video && one.text.contains("a=inactive"));
        let no_direction = Offer::parse(&EXAMPLE_OFFER.replace("a=recvonly\r\n", "")).unwrap();
        assert!(no_direction.audio && no_direction.text.contains("a=recvonly"));
    }

    #[test]
    fn the_offer_of_a_publisher_keeps_its_sources_and_only_sends() {
        let offer = Offer::parse_publisher(&EXAMPLE_OFFER.replace("recvonly", "sendonly")).unwrap();
        assert!(offer.video && offer.audio && offer.text.contains("a=ssrc:5 cname:x"));
        assert_eq!(offer.text.matches("a=sendonly\r\n").count(), 2, "sendrecv too");
        let half = Offer::parse_publisher(EXAMPLE_OFFER).unwrap();
        assert!(half.video && !half.audio && half.text.contains("a=inactive"));
        let nothing = EXAMPLE_OFFER.replace("sendrecv", "recvonly");
        assert_eq!(Offer::parse_publisher(&nothing), Err(OfferError::NothingSent));
        let many = format!("{EXAMPLE_OFFER}{}", "a=ssrc:6 cname:y\r\n".repeat(MAX_SOURCE_LINES));
        assert_eq!(Offer::parse_publisher(&many), Err(OfferError::Sources));
        let answer = "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=fmtp:96 x=1\r\n";
        let finished = finish_publisher_answer(answer);
        assert_eq!(finished, answer.replace("minptime=10", "minptime=10;stereo=1"));
    }

    #[test]
    fn a_guest_hears_on_the_section_on_which_it_sends_audio() {
        let both = EXAMPLE_OFFER.replace("recvonly", "sendrecv");
        let offer = Offer::parse_guest(&both).unwrap();
        assert_eq!(offer.text.matches("a=sendrecv\r\n").count(), 1, "only audio");
        assert!(offer.video && offer.audio && offer.text.contains("a=sendonly"));
        let one_way = Offer::parse_guest(&EXAMPLE_OFFER.replace("recvonly", "sendonly")).unwrap();
        assert!(!one_way.text.contains("sendrecv"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let refused = |text: &str| Offer::parse(text).unwrap_err();
        assert_eq!(refused(""), OfferError::NotSdp);
        assert_eq!(refused("{\"sdp\":\"v=0\"}"), OfferError::NotSdp);
        assert_eq!(refused(&format!("v=0\r\n{}", "a=x\r\n".repeat(1_600))), OfferError::NotSdp);
        assert_eq!(refused(&"v=0".repeat(30_000)), OfferError::TooLong);
        assert_eq!(refused("v=0\r\ns=-\r\n"), OfferError::NothingWanted);
        assert_eq!(refused(&EXAMPLE_OFFER.replace("m=video", "m=audio")), OfferError::Tracks);
        assert_eq!(refused(&EXAMPLE_OFFER.replace("m=video", "m=application")), OfferError::Tracks);
        assert_eq!(refused(&EXAMPLE_OFFER.replace("a=ice-pwd", "a=x")), OfferError::Incomplete);
        assert_eq!(refused(&EXAMPLE_OFFER.replace("a=fingerprint", "a=x")), OfferError::Incomplete);
        assert_eq!(refused(&format!("{EXAMPLE_OFFER}a=ice-lite\r\n")), OfferError::Incomplete);
        let twice = ["rtpmap:111 H264/90000", "fmtp:97 apt=96\r\na=fmtp:97 apt=111"];
        for lines in twice {
            assert_eq!(refused(&format!("{EXAMPLE_OFFER}a={lines}\r\n")), OfferError::PayloadTypes);
        }
        let nothing = EXAMPLE_OFFER.replace("recvonly", "sendonly").replace("sendrecv", "inactive");
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

    #[test]
    fn a_fragment_has_the_credentials_of_its_sender() {
        let of = Credentials::of_fragment;
        let password = "0123456789abcdefghij+/".to_owned();
        let fragment = format!("a=ice-ufrag:EsAw\r\na=ice-pwd:{password}\r\n");
        assert_eq!(of(&fragment), Some(Credentials { ufrag: "EsAw".into(), password }));
        assert_eq!(of("a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\n"), None, "too short");
        assert_eq!(of("a=ice-ufrag:EsAw\r\n"), None, "one half");
        assert_eq!(of(&fragment.replace("EsAw", "E:sA")), None);
    }

    #[test]
    fn a_restart_has_the_credentials_and_candidates_of_both_sides() {
        let offer = EXAMPLE_OFFER.replace("abcd", "next");
        let own = ["candidate:1 1 udp 5 192.0.2.7 9 typ host".to_owned()];
        let fragment = restart_fragment(&offer, &own);
        assert_eq!(
            fragment,
            "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
             a=ice-ufrag:next\r\na=ice-pwd:0123456789012345678901\r\n\
             a=candidate:1 1 udp 5 192.0.2.7 9 typ host\r\na=end-of-candidates\r\n"
        );
        let answer = restarted_answer(EXAMPLE_OFFER, &fragment).unwrap();
        assert!(answer.contains("a=ice-ufrag:next\r\n") && !answer.contains("abcd"));
        assert_eq!(answer.matches("a=candidate:").count(), 1, "{answer}");
        assert!(answer.find("192.0.2.7") < answer.find("m=video"), "{answer}");
        assert_eq!(restarted_answer(&answer, &fragment), None, "nothing is new");
        assert_eq!(restarted_answer(EXAMPLE_OFFER, ""), None);
        let bare = "a=ice-ufrag:next\r\na=ice-pwd:0123456789012345678901\r\n";
        assert!(restarted_answer(&answer, bare).is_none(), "they are the present ones");
        let kept = restarted_answer(EXAMPLE_OFFER, bare).unwrap();
        assert!(kept.contains("x.local"), "without candidates, the known ones stay: {kept}");
        let many = fragment + &"a=candidate:1 1 udp 5 ::1 9 typ host\r\n".repeat(500);
        let bounded = restarted_answer(EXAMPLE_OFFER, &many).unwrap();
        assert_eq!(bounded.matches("a=candidate:").count(), MAX_CANDIDATES);
    }

    proptest! {
        #[test]
        fn damaged_offers_are_read_or_refused(
            cuts in prop::collection::vec((0..EXAMPLE_OFFER.len(), any::<char>()), 0..8),
        ) {
            let mut text: Vec<char> = EXAMPLE_OFFER.chars().collect();
            for (at, letter) in cuts {
                text[at] = letter;
            }
            let text: String = text.into_iter().collect();
            if let Ok(offer) = Offer::parse_publisher(&text) {
                prop_assert_eq!(Offer::parse_publisher(&offer.text), Ok(offer));
            }
            let _ = finish_publisher_answer(&text);
            if let Ok(offer) = Offer::parse(&text) {
                prop_assert!(offer.video || offer.audio);
                // A filtered offer passes the check again.
                prop_assert_eq!(Offer::parse(&offer.text), Ok(offer));
            }
            let _ = finish_answer(&text);
        }
    }
}
