//! A playlist, either master or media.

use crate::wire::hls::limits::{Error, MAX_PLAYLIST_BYTES};
use crate::wire::hls::master::Master;
use crate::wire::hls::media::Media;
use crate::wire::hls::{master, media_parser};

/// A playlist.
#[derive(Clone, Debug, PartialEq)]
pub enum Playlist {
    Master(Master),
    Media(Media),
}

/// Returns true if bytes begin like a playlist.
pub fn is_playlist(start: &[u8]) -> bool {
    start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start).starts_with(b"#EXTM3U")
}

/// Returns the first address in an M3U list of addresses, such as a radio station's, which is no HLS: it has no tag of
/// HLS.
pub fn first_address(text: &[u8]) -> Option<String> {
    if text.len() > MAX_PLAYLIST_BYTES || !is_playlist(text) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.clone().any(|line| line.starts_with("#EXT-X-")) {
        return None;
    }
    lines.find(|line| !line.trim_start_matches('\u{feff}').starts_with('#')).map(str::to_owned)
}

/// Parses a playlist.
///
/// # Errors
/// Fails if the playlist is invalid.
pub fn parse(text: &[u8]) -> Result<Playlist, Error> {
    read(text, None)
}

/// Works like [`parse`], but for a playlist delta update, whose skipped segments come from
/// `before`.
///
/// # Errors
/// Fails with the same errors as [`parse`].
pub fn parse_update(text: &[u8], before: &Media) -> Result<Playlist, Error> {
    read(text, Some(before))
}

fn read(text: &[u8], before: Option<&Media>) -> Result<Playlist, Error> {
    if text.len() > MAX_PLAYLIST_BYTES {
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
    media_parser::parse(lines(), before).map(Playlist::Media)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::time::Duration;

    use super::*;
    use crate::media::VideoCodec;
    use crate::wire::hls::limits::MAX_SEGMENTS;
    use crate::wire::hls::master::VariantVideo;
    use crate::wire::hls::media::{Hint, Method, Report, System};

    #[test]
    fn a_master_names_its_forms_and_their_audio() {
        let text = b"\xEF\xBB\xBF#EXTM3U\r\n#EXT-X-VERSION:6\r\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"b, c\",DEFAULT=NO,URI=\"b.m3u8\"\r\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"a\",DEFAULT=YES,URI=\"a.m3u8\"\r\n\
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"s\",URI=\"s.m3u8\"\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",\
            RESOLUTION=1280x720,AUDIO=\"aac\"\r\nhigh.m3u8\r\n\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS=\"mp4a.40.2\"\r\nsound.m3u8\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2,hvc1.1\",\
            VIDEO-RANGE=PQ,FRAME-RATE=50.000\r\nhevc.m3u8\r\n";
        let Playlist::Master(master) = parse(text).unwrap() else { panic!() };
        assert_eq!(master.variants.len(), 3);
        let [high, audio, hevc] = &master.variants[..] else { panic!() };
        assert_eq!((high.uri.as_str(), high.bandwidth), ("high.m3u8", 2_000_000));
        assert_eq!(high.resolution, Some((1_280, 720)));
        assert_eq!(high.video(), VariantVideo::Of(VideoCodec::H264));
        assert_eq!((audio.video(), audio.is_audio_only()), (VariantVideo::Undeclared, true));
        assert_eq!((hevc.video(), hevc.hdr), (VariantVideo::Of(VideoCodec::Hevc), true));
        assert_eq!(hevc.frame_rate, Some(50.0));
        assert_eq!(master.audio_of(high).unwrap().name, "a");
        assert_eq!(master.audio_of(audio), None);
        assert_eq!(master.renditions[0].name, "b, c");
    }

    #[test]
    fn a_list_of_a_radio_station_names_an_address_and_hls_does_not() {
        let radio = b"\xEF\xBB\xBF#EXTM3U\r\n#EXTINF:-1,Radio\r\nhttp://radio/live.mp3\r\n\
            #EXTINF:-1 tvg-id=\"x\",Other\r\nhttp://radio/other.mp3\r\n";
        assert_eq!(first_address(radio).as_deref(), Some("http://radio/live.mp3"));
        let hls = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:-1,\na.ts\n#EXTINF:2,\nb.ts\n";
        assert_eq!(first_address(hls), None);
        for none in [&b"#EXTM3U\n#EXTINF:-1,\n"[..], b"http://radio/live.mp3", b""] {
            assert_eq!(first_address(none), None);
        }
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
        assert_eq!(media.control.hold_back, Some(Duration::from_millis(9_500)));
        assert!(media.control.can_block && !media.is_low_latency());
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
    fn parts_are_read_and_updates_keep_skipped_segments() {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,\
            PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12\n#EXT-X-PART-INF:PART-TARGET=0.5\n";
        let whole = format!(
            "{head}#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:2,\na\n#EXTINF:2,\nb\n\
            #EXT-X-PART:DURATION=1,URI=\"c\",BYTERANGE=\"7@0\",INDEPENDENT=YES\n\
            #EXT-X-PART:DURATION=1,URI=\"c\",BYTERANGE=9\n#EXTINF:2,\nc\n\
            #EXT-X-DISCONTINUITY\n#EXT-X-PART:DURATION=0.5,URI=\"d0\",INDEPENDENT=YES\n\
            #EXT-X-PART:DURATION=0.5,URI=\"d1\",GAP=YES\n\
            #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"d\",BYTERANGE-START=4\n\
            #EXT-X-RENDITION-REPORT:URI=\"../low\",LAST-MSN=13,LAST-PART=1\n"
        );
        let Playlist::Media(media) = parse(whole.as_bytes()).unwrap() else { panic!() };
        assert!(media.is_low_latency());
        assert_eq!(media.control.skip_until, Some(Duration::from_secs(12)));
        assert_eq!(
            (media.parts(11).len(), media.parts(12).len(), media.parts(14).len()),
            (0, 2, 0)
        );
        let [c0, c1] = media.parts(12) else { panic!() };
        assert_eq!((c0.range, c1.range), (Some((0, 7)), Some((7, 16))));
        let [d0, d1] = media.parts(13) else { panic!() };
        assert!(d0.independent && d0.discontinuity && !d1.discontinuity && d1.gap);
        assert_eq!(d0.map, media.segments[0].map);
        assert_eq!(media.hint, Some(Hint { uri: "d".into(), range: Some((4, None)) }));
        let report = Report { uri: "../low".into(), sequence: 13, part: Some(1) };
        assert_eq!(media.reports, [report]);
        let millis = Duration::from_millis;
        assert_eq!(media.from_part(12, 1), millis(2_000));
        assert_eq!(media.from_part(13, 1), millis(500));
        for (distance, place) in
            [(600, (13, 0)), (1_000, (13, 0)), (1_100, (12, 0)), (3_500, (11, 0)), (9_000, (10, 0))]
        {
            assert_eq!(media.part_before_end(millis(distance)), place, "{distance}");
        }

        let update = |sequence: u64, skipped: u64| {
            format!(
                "{head}#EXT-X-MEDIA-SEQUENCE:{sequence}\n#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n\
                #EXTINF:2,\nd\n"
            )
        };
        let read = |text: &str| parse_update(text.as_bytes(), &media);
        let Playlist::Media(new) = read(&update(11, 2)).unwrap() else { panic!() };
        let names: Vec<_> = new.segments.iter().map(|segment| segment.uri.as_str()).collect();
        assert_eq!((new.sequence, names), (11, vec!["b", "c", "d"]));
        assert_eq!(new.segments[2].map, media.segments[0].map);
        for (sequence, skipped) in [(9, 1), (11, 3), (20, 1), (11, u64::MAX)] {
            assert_eq!(
                read(&update(sequence, skipped)),
                Err(Error::Skipped),
                "{sequence} {skipped}"
            );
        }
        assert_eq!(parse(update(11, 2).as_bytes()), Err(Error::Skipped));
    }

    #[test]
    fn program_date_time_applies_until_the_next_one_or_a_discontinuity() {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
        let read = |text: &str, before: &Media| {
            let text = format!("{head}{text}");
            let Playlist::Media(media) = parse_update(text.as_bytes(), before).unwrap() else {
                panic!()
            };
            media
        };
        let none = Media::default();
        let media = read(
            "#EXTINF:2,\nbefore\n#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.5+01:00\n#EXTINF:1.5,\na\n\
             #EXT-X-GAP\n#EXTINF:2,\nb\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nc\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-11-22T09:10:00.000+0000\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nd\n\
             #EXT-X-PART:DURATION=0.5,URI=\"e0\"\n#EXT-X-PART:DURATION=0.5,URI=\"e1\"\n",
            &none,
        );
        let nine = 1_795_338_000_000_000;
        let made: Vec<_> = media.segments.iter().map(|it| it.made.map(|it| it - nine)).collect();
        assert_eq!(made, [None, Some(500_000), Some(2_000_000), None, Some(600_000_000)]);
        assert_eq!(media.made(5, 1), Some(nine + 602_500_000));
        assert_eq!((media.made(3, 0), media.made(6, 0)), (None, None));
        let new = read(
            "#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n#EXTINF:2,\ne\n",
            &media,
        );
        assert_eq!(new.segment(5).unwrap().made, Some(nine + 602_000_000));
        // Times without an offset, and invalid ones.
        for wrong in ["2026-11-22T10:00:00", "2026-11-22", "99999-01-01T00:00:00Z", "", "now", "🕙"]
        {
            let text = format!("#EXT-X-PROGRAM-DATE-TIME:{wrong}\n#EXTINF:2,\na\n");
            assert_eq!(read(&text, &none).segments[0].made, None, "{wrong}");
        }
    }

    #[test]
    fn what_is_left_out_of_updates_does_not_pile_up() {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n";
        let list = |tags: &str, before: &Media| match parse_update(
            format!("{head}{tags}").as_bytes(),
            before,
        ) {
            Ok(Playlist::Media(media)) => Ok(media),
            Ok(Playlist::Master(_)) => panic!(),
            Err(error) => Err(error),
        };
        let skip = |count| format!("#EXT-X-SKIP:SKIPPED-SEGMENTS={count}\n");
        let two = list("#EXTINF:1,\na\n#EXTINF:1,\nb\n", &Media::default()).unwrap();
        assert_eq!(list(&skip(2), &two).unwrap().segments.len(), 2);
        assert_eq!(list(&skip(2).repeat(2), &two), Err(Error::Skipped), "the same twice");
        assert_eq!(list(&format!("#EXTINF:1,\na\n{}", skip(2)), &two), Err(Error::Skipped));
        // Each tag adds as much text as a list may contain.
        let name = "n".repeat(MAX_PLAYLIST_BYTES / 2 - 1_000);
        for tag in ["", "#EXT-X-MAP:URI=", "#EXT-X-KEY:METHOD=AES-128,URI="] {
            let more = match tag {
                "" => format!("#EXTINF:1,\n{name}\n"),
                tag => format!("{tag}\"{name}\"\n#EXTINF:1,\nc\n"),
            };
            let (mut media, mut lists) = (Media::default(), 0);
            let error = loop {
                match list(&format!("{}{more}", skip(media.segments.len())), &media) {
                    Ok(longer) => media = longer,
                    Err(error) => break error,
                }
                lists += 1;
                assert!(lists < 9, "{tag} has no end");
            };
            assert_eq!((error, lists), (Error::TooLong, 3), "{tag}");
        }
    }

    #[test]
    fn the_drm_system_of_the_keys_is_detected() {
        let key = |tags: &str| {
            let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{tags}\n#EXTINF:1,\na\n");
            let Playlist::Media(media) = parse(text.as_bytes()).unwrap() else { panic!() };
            media.segments[0].key.as_ref().map(|key| key.method)
        };
        let tag = |method: &str, format: &str| {
            format!("#EXT-X-KEY:METHOD={method},URI=\"k\",KEYFORMAT=\"{format}\"\n")
        };
        let widevine = tag("SAMPLE-AES-CTR", "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed");
        let fairplay = tag("SAMPLE-AES", "com.apple.streamingkeydelivery");
        let identity = tag("SAMPLE-AES", "identity");
        assert_eq!(key(&widevine), Some(Method::Licensed(System::Widevine)));
        assert_eq!(
            key(&[&fairplay[..], &widevine].concat()),
            Some(Method::Licensed(System::FairPlay))
        );
        // The key with a plain address applies, at any position.
        assert_eq!(key(&[&fairplay[..], &identity].concat()), Some(Method::SampleAes));
        assert_eq!(key(&[&identity[..], &fairplay].concat()), Some(Method::SampleAes));
        // A key of an earlier segment does not matter.
        let other = [&identity[..], "#EXTINF:1,\nz\n", &fairplay].concat();
        let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{other}#EXTINF:1,\na\n");
        let Playlist::Media(media) = parse(text.as_bytes()).unwrap() else { panic!() };
        let last = media.segments[1].key.as_ref().unwrap().method;
        assert_eq!(last, Method::Licensed(System::FairPlay));
        assert_eq!(key("#EXT-X-KEY:METHOD=NONE"), None);
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
        assert_eq!(parse(&vec![b'#'; MAX_PLAYLIST_BYTES + 1]), Err(Error::TooLong));
        // An empty list of a stream that has just begun.
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
                Just("#EXT-X-PART-INF:PART-TARGET=1".to_owned()),
                Just("#EXT-X-PART:DURATION=1,URI=\"p\",BYTERANGE=\"18446744073709551615\"".to_owned()),
                Just("#EXT-X-SKIP:SKIPPED-SEGMENTS=3".to_owned()),
                "#EXT-X-PRELOAD-HINT:[A-Z=\",0-9x-]{0,40}",
                "#EXT-X-PROGRAM-DATE-TIME:[-+]?[0-9]{1,5}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,14}[-+Z0-9:]{0,9}",
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
            if let Ok(Playlist::Media(media)) = parse(text.as_bytes()) {
                let _ = parse_update(text.as_bytes(), &media);
                let (number, part) = media.part_before_end(Duration::from_secs(2));
                let _ = (media.from_part(number, part), media.made(number, part));
            }
        }
    }
}
