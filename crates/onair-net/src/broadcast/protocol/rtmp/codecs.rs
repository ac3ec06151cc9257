//! Determines whether a server supports the codecs of a stream (Enhanced RTMP v2, "Enhancing
//! NetConnection connect"), according to its announcement. This module is pure.

use bytes::Bytes;

use crate::broadcast::protocol::link::CodecSupport;
use crate::media::Track;
use crate::wire::codec::four_cc::{AudioFormat, FourCc, VideoFormat};
use crate::wire::rtmp::command::Enhanced;

/// Compares the server's announcement `announced` with the codecs of a stream.
pub(super) fn judge(configurations: &[(Track, Bytes)], announced: &Enhanced) -> CodecSupport {
    let mut codecs: Vec<(FourCc, String)> = Vec::new();
    for (track, body) in configurations {
        let Some(four_cc) = four_cc(*track, body) else { continue };
        let name = match track {
            Track::Video | Track::Rendition(_) => VideoFormat::from_fourcc(four_cc).to_string(),
            Track::Audio | Track::Extra(_) => AudioFormat::from_fourcc(four_cc).to_string(),
        };
        if !codecs.iter().any(|(known, _)| *known == four_cc) {
            codecs.push((four_cc, name));
        }
    }
    if announced.four_cc_list.is_empty() && announced.video.is_empty() && announced.audio.is_empty()
    {
        let names: Vec<String> = codecs.into_iter().map(|(_, name)| name).collect();
        return if names.is_empty() { CodecSupport::All } else { CodecSupport::Unannounced(names) };
    }
    let missing = |(four_cc, name): (FourCc, String)| {
        (announced.abilities(&four_cc.to_string()) == 0).then_some(name)
    };
    let unsupported: Vec<String> = codecs.into_iter().filter_map(missing).collect();
    if unsupported.is_empty() { CodecSupport::All } else { CodecSupport::Missing(unsupported) }
}

/// Returns the FourCC of an enhanced body, or `None` for a legacy body, which every server
/// supports, and for a body that is too short.
fn four_cc(track: Track, body: &[u8]) -> Option<FourCc> {
    let first = *body.first()?;
    let (enhanced, multitrack) = match track {
        Track::Video | Track::Rendition(_) => (first & 0x80 != 0, 6),
        Track::Audio | Track::Extra(_) => (first >> 4 == 9, 5),
    };
    // A body with several tracks and several codecs states the codec of each track. The first codec
    // represents all codecs.
    let many = multitrack == first & 0x0f;
    let at = 1 + usize::from(many);
    let four = body.get(at..at + 4)?;
    enhanced.then(|| four.try_into().ok().map(FourCc))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::command::can;

    fn stream(bodies: &[(Track, &'static [u8])]) -> Vec<(Track, Bytes)> {
        bodies.iter().map(|(track, body)| (*track, Bytes::from_static(body))).collect()
    }

    #[test]
    fn a_server_that_says_what_it_takes_is_believed() {
        let both = stream(&[(Track::Video, b"\x90hvc1\x01"), (Track::Audio, b"\x90OpusOpusHead")]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            judge(&both, &Enhanced::default()),
            CodecSupport::Unannounced(names(&["HEVC", "Opus"]))
        );
        assert_eq!(judge(&both, &Enhanced::forwards_all()), CodecSupport::All);
        let list = Enhanced { four_cc_list: names(&["hvc1"]), ..Enhanced::default() };
        assert_eq!(judge(&both, &list), CodecSupport::Missing(names(&["Opus"])));
        let maps = Enhanced {
            video: vec![("av01".into(), can::DECODE)],
            audio: vec![("Opus".into(), can::FORWARD)],
            ..Enhanced::default()
        };
        assert_eq!(judge(&both, &maps), CodecSupport::Missing(names(&["HEVC"])));
    }

    #[test]
    fn legacy_codecs_need_no_word_and_tracks_are_looked_into() {
        let old = stream(&[(Track::Video, b"\x17\0\0\0\0\x01"), (Track::Audio, b"\xaf\0\x11\x90")]);
        assert_eq!(judge(&old, &Enhanced::default()), CodecSupport::All);
        // First a single track in a multitrack body, then tracks with different codecs.
        assert_eq!(four_cc(Track::Video, b"\x96\x00hvc1\x00"), Some(FourCc(*b"hvc1")));
        assert_eq!(four_cc(Track::Video, b"\x96\x20av01\x00"), Some(FourCc(*b"av01")));
        assert_eq!(four_cc(Track::Audio, b"\x95\x10fLaC\x00"), Some(FourCc(*b"fLaC")));
        for cut in [&b""[..], b"\x90", b"\x90hv", b"\x96"] {
            assert_eq!(four_cc(Track::Video, cut), None);
        }
    }
}
