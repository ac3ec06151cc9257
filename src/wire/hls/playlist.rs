//! A playlist of either kind.

use super::bounds::{Error, MAX_TEXT};
use super::master::{self, Master};
use super::media::{self, Media};

/// A playlist.
#[derive(Clone, Debug, PartialEq)]
pub enum Playlist {
    Master(Master),
    Media(Media),
}

/// Whether bytes begin as a playlist does.
pub fn is_playlist(start: &[u8]) -> bool {
    start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).starts_with(b"#EXTM3U")
}

/// Reads a playlist.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &[u8]) -> Result<Playlist, Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::TooLong);
    }
    if !is_playlist(text) {
        return Err(Error::NotPlaylist);
    }
    let text = String::from_utf8_lossy(text);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().any(|line| line.starts_with("#EXT-X-STREAM-INF:")) {
        return master::parse(lines()).map(Playlist::Master);
    }
    media::parse(lines()).map(Playlist::Media)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::time::Duration;

    use super::super::bounds::MAX_SEGMENTS;
    use super::super::media::Method;
    use super::*;

    #[test]
    fn a_master_names_its_forms_and_their_sound() {
        let text = b"\xEF\xBB\xBF#EXTM3U\r\n#EXT-X-VERSION:6\r\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"b, c\",DEFAULT=NO,URI=\"b.m3u8\"\r\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\r\n\
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"s\",URI=\"s.m3u8\"\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",\
            RESOLUTION=1280x720,AUDIO=\"aac\"\r\nhigh.m3u8\r\n\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS=\"mp4a.40.2\"\r\nsound.m3u8\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"hvc1.1,mp4a.40.2\"\r\nhevc.m3u8\r\n";
        let Playlist::Master(master) = parse(text).unwrap() else { panic!() };
        assert_eq!(master.variants.len(), 3);
        let [high, sound, hevc] = &master.variants[..] else { panic!() };
        assert_eq!((high.uri.as_str(), high.bandwidth), ("high.m3u8", 2_000_000));
        assert_eq!(high.resolution, Some((1_280, 720)));
        assert!(high.is_playable() && sound.is_sound_only() && !hevc.is_playable());
        assert_eq!(master.sound_of(high).unwrap().name, "a");
        assert_eq!(master.sound_of(sound), None);
        assert_eq!(master.renditions[0].name, "b, c");
    }

    #[test]
    fn segments_carry_what_the_tags_before_them_say() {
        let text = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n\
            #EXT-X-SERVER-CONTROL:HOLD-BACK=9.5,CAN-BLOCK-RELOAD=YES\n\
            #EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"100@5\"\n\
            #EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x0102\n\
            #EXTINF:4.0,title\n#EXT-X-BYTERANGE:10@20\na.mp4\n\
            #EXTINF:3,\n#EXT-X-BYTERANGE:5\na.mp4\n\
            #EXT-X-KEY:METHOD=NONE\n#EXT-X-DISCONTINUITY\n#EXTINF:2.5\nb.mp4\n\
            #EXT-X-GAP\n#EXTINF:1\nc.mp4\n#EXT-X-ENDLIST\n";
        let Playlist::Media(media) = parse(text).unwrap() else { panic!() };
        assert_eq!((media.sequence, media.ended), (7, true));
        assert_eq!(media.hold_back, Some(Duration::from_millis(9_500)));
        let [a, b, c, d] = &media.segments[..] else { panic!() };
        assert_eq!((a.range, b.range, c.range), (Some((20, 30)), Some((30, 35)), None));
        assert_eq!(a.map.as_ref().unwrap().range, Some((5, 105)));
        let key = a.key.as_ref().unwrap();
        assert_eq!((key.method, key.iv), (Method::Aes128, Some(0x0102)));
        assert!(a.key == b.key && c.key.is_none());
        assert!(!b.discontinuity && c.discontinuity && !d.discontinuity && d.gap);
        assert_eq!(media.duration(), Duration::from_millis(10_500));
        assert_eq!(media.segment(9).unwrap().uri, "b.mp4");
        assert!(media.segment(6).is_none() && media.segment(11).is_none());
    }

    #[test]
    fn nonsense_is_turned_down_or_passed_over() {
        assert_eq!(parse(b""), Err(Error::NotPlaylist));
        assert_eq!(parse(b"<html>"), Err(Error::NotPlaylist));
        assert_eq!(parse(b"#EXTM3U\n#EXTINF:4,\na.ts\n"), Err(Error::NoTargetDuration));
        assert_eq!(parse(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"), Err(Error::Empty));
        for bad in ["nan", "-1", "1e99", "inf", "x"] {
            let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:{bad},\na.ts\n");
            assert_eq!(parse(text.as_bytes()), Err(Error::Tag("EXTINF")), "{bad}");
        }
        let huge = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}",
            "#EXTINF:1,\na\n".repeat(MAX_SEGMENTS + 1)
        );
        assert_eq!(parse(huge.as_bytes()), Err(Error::TooMany(MAX_SEGMENTS)));
        assert_eq!(parse(&vec![b'#'; MAX_TEXT + 1]), Err(Error::TooLong));
        // An empty list of a broadcast that has just begun.
        let Playlist::Media(empty) = parse(b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n").unwrap() else {
            panic!()
        };
        assert!(empty.segments.is_empty() && !empty.ended);
    }

    proptest! {
        #[test]
        fn any_text_is_read(lines in proptest::collection::vec(
            prop_oneof![
                Just("#EXT-X-TARGETDURATION:3".to_owned()),
                Just("#EXTINF:3,".to_owned()),
                Just("#EXT-X-MEDIA-SEQUENCE:18446744073709551615".to_owned()),
                Just("#EXT-X-BYTERANGE:18446744073709551615@18446744073709551615".to_owned()),
                Just("#EXT-X-MAP:URI=\"x\",BYTERANGE=\"9\"".to_owned()),
                "#EXT-X-KEY:[A-Z=\",0-9x-]{0,40}",
                "#EXT-X-STREAM-INF:[A-Z=\",0-9x-]{0,40}",
                "\\PC{0,30}",
            ],
            0..40,
        )) {
            let text = format!("#EXTM3U\n{}", lines.join("\n"));
            let _ = parse(text.as_bytes());
        }
    }
}
