//! Writes playlists (RFC 8216bis §4.4): media playlists with parts, and master playlists. This
//! module has no I/O.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::codec::Hdr;
use crate::wire::hls::media::{Map, Media, Part};

/// Values of a playlist that [`Media`] does not contain.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPosition {
    /// Number of discontinuities before the first segment.
    pub discontinuities: u64,
    /// Number of segments at the start that are skipped, because the client already has them.
    pub skipped: usize,
}

/// Writes a media playlist.
pub fn write_media(media: &Media, position: ListPosition) -> String {
    let mut out = String::with_capacity(512 + media.segments.len() * 256);
    // Old devices refuse lists with a higher version than they know.
    let version = match media.segments.iter().any(|segment| segment.map.is_some()) {
        _ if media.control.skip_until.is_some() => 9,
        true => 6,
        false => 3,
    };
    let target = media.target_duration.as_secs_f64().ceil();
    let _ = write!(out, "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n");
    if media.keeps_all {
        let kind = if media.ended { "VOD" } else { "EVENT" };
        let _ = writeln!(out, "#EXT-X-PLAYLIST-TYPE:{kind}");
    }
    write_control(&mut out, media);
    if let Some(target) = media.part_target {
        let _ = writeln!(out, "#EXT-X-PART-INF:PART-TARGET={}", seconds(target));
    }
    let _ = writeln!(out, "#EXT-X-MEDIA-SEQUENCE:{}", media.sequence);
    if position.discontinuities > 0 {
        let _ = writeln!(out, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", position.discontinuities);
    }
    if position.skipped > 0 {
        let _ = writeln!(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", position.skipped);
    }
    let mut map: Option<&Arc<Map>> = None;
    for segment in media.segments.iter().skip(position.skipped) {
        let start = SegmentStart {
            discontinuity: segment.discontinuity,
            map: segment.map.as_ref(),
            made: segment.made,
        };
        start.write(&mut out, &mut map);
        segment.parts.iter().for_each(|part| write_part(&mut out, part));
        if segment.gap {
            out.push_str("#EXT-X-GAP\n");
        }
        let _ = write!(out, "#EXTINF:{},\n{}\n", seconds(segment.duration), segment.uri);
    }
    if let Some(first) = media.pending.first() {
        let start = SegmentStart {
            discontinuity: first.discontinuity,
            map: first.map.as_ref(),
            made: media.pending_made,
        };
        start.write(&mut out, &mut map);
        media.pending.iter().for_each(|part| write_part(&mut out, part));
    }
    if media.ended {
        out.push_str("#EXT-X-ENDLIST\n");
        return out;
    }
    if let Some(hint) = &media.hint {
        let _ = writeln!(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\"", hint.uri);
    }
    for report in &media.reports {
        let part = report.part.map(|part| format!(",LAST-PART={part}")).unwrap_or_default();
        let (uri, sequence) = (&report.uri, report.sequence);
        let _ = writeln!(out, "#EXT-X-RENDITION-REPORT:URI=\"{uri}\",LAST-MSN={sequence}{part}");
    }
    out
}

fn write_control(out: &mut String, media: &Media) {
    let control = &media.control;
    let mut words = Vec::new();
    if control.can_block {
        words.push("CAN-BLOCK-RELOAD=YES".to_owned());
    }
    for (name, value) in [
        ("CAN-SKIP-UNTIL", control.skip_until),
        ("HOLD-BACK", control.hold_back),
        ("PART-HOLD-BACK", control.part_hold_back),
    ] {
        words.extend(value.map(|value| format!("{name}={}", seconds(value))));
    }
    if !words.is_empty() {
        let _ = writeln!(out, "#EXT-X-SERVER-CONTROL:{}", words.join(","));
    }
}

/// Tags before the first part of a segment.
struct SegmentStart<'a> {
    discontinuity: bool,
    map: Option<&'a Arc<Map>>,
    made: Option<i64>,
}

impl<'a> SegmentStart<'a> {
    /// Writes the tags. `before` contains the tags in effect from earlier segments.
    fn write(&self, out: &mut String, before: &mut Option<&'a Arc<Map>>) {
        if self.discontinuity {
            out.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(map) = self.map.filter(|map| *before != Some(*map)) {
            let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}\"", map.uri);
            *before = self.map;
        }
        if let Some(made) = self.made.and_then(|made| jiff::Timestamp::from_microsecond(made).ok())
        {
            let _ = writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{made:.3}");
        }
    }
}

fn write_part(out: &mut String, part: &Part) {
    let (duration, uri) = (seconds(part.duration), &part.uri);
    let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
    let gap = if part.gap { ",GAP=YES" } else { "" };
    let _ = writeln!(out, "#EXT-X-PART:DURATION={duration},URI=\"{uri}\"{independent}{gap}");
}

/// Formats seconds with microseconds.
fn seconds(duration: Duration) -> String {
    let text = format!("{:.6}", duration.as_secs_f64());
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').map_or_else(|| text.to_owned(), |whole| format!("{whole}.0"))
}

/// A variant in a master playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OfferedVariant {
    pub uri: String,
    /// Peak bitrate of any segment in bits per second.
    pub bandwidth: u64,
    /// Average bitrate in bits per second.
    pub average_bandwidth: u64,
    /// Codec name of each track, as in [`crate::wire::container::mp4::codec_names`].
    pub codecs: Vec<String>,
    pub size: Option<(u32, u32)>,
    pub frame_rate: Option<f64>,
    /// `None` for SDR.
    pub hdr: Option<Hdr>,
}

/// Values of a master playlist in addition to its variants.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MasterForm {
    /// Compatibility version of this and the media playlists.
    pub version: u8,
    /// True if all segments begin with keyframes.
    pub independent: bool,
}

impl MasterForm {
    /// The form for low latency.
    pub const fn low_latency(independent: bool) -> Self {
        Self { version: 9, independent }
    }
}

/// An audio rendition in a master playlist, for all its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedAudio {
    /// The name for the user, which is different from all others.
    pub name: String,
    /// The media playlist; `None` if the audio is in the variants.
    pub uri: Option<String>,
    pub channels: u16,
}

/// The group of the audio renditions.
const AUDIO_GROUP: &str = "audio";

/// Writes a master playlist.
pub fn write_master(variants: &[OfferedVariant], form: MasterForm) -> String {
    write_master_with_audio(variants, &[], form)
}

/// Writes a master playlist with audio renditions (RFC 8216bis §4.4.6.1), the default one first.
pub fn write_master_with_audio(
    variants: &[OfferedVariant],
    audio: &[OfferedAudio],
    form: MasterForm,
) -> String {
    let mut out = format!("#EXTM3U\n#EXT-X-VERSION:{}\n", form.version);
    if form.independent {
        out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    for (index, rendition) in audio.iter().enumerate() {
        let default = if index == 0 { "YES" } else { "NO" };
        // A quoted string cannot contain these characters (§4.2).
        let name = rendition.name.replace(['"', '\r', '\n'], " ");
        let _ = write!(
            out,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AUDIO_GROUP}\",NAME=\"{name}\",DEFAULT={default},AUTOSELECT=YES"
        );
        if rendition.channels > 0 {
            let _ = write!(out, ",CHANNELS=\"{}\"", rendition.channels);
        }
        if let Some(uri) = &rendition.uri {
            let _ = write!(out, ",URI=\"{uri}\"");
        }
        out.push('\n');
    }
    let has_hdr = variants.iter().any(|variant| variant.hdr.is_some());
    for variant in variants {
        let OfferedVariant { uri, bandwidth, average_bandwidth, .. } = variant;
        let _ = write!(out, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}");
        let _ = write!(out, ",AVERAGE-BANDWIDTH={average_bandwidth}");
        if !variant.codecs.is_empty() {
            let _ = write!(out, ",CODECS=\"{}\"", variant.codecs.join(","));
        }
        if let Some((width, height)) = variant.size {
            let _ = write!(out, ",RESOLUTION={width}x{height}");
        }
        if let Some(rate) = variant.frame_rate {
            let _ = write!(out, ",FRAME-RATE={rate:.3}");
        }
        let range = match variant.hdr {
            Some(Hdr::Pq) => Some("PQ"),
            Some(Hdr::Hlg) => Some("HLG"),
            None => (has_hdr && variant.size.is_some()).then_some("SDR"),
        };
        if let Some(range) = range {
            let _ = write!(out, ",VIDEO-RANGE={range}");
        }
        if !audio.is_empty() {
            let _ = write!(out, ",AUDIO=\"{AUDIO_GROUP}\"");
        }
        let _ = write!(out, "\n{uri}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::hls::{Control, Hint, Playlist, Report, Segment, parse, parse_update};

    fn part(uri: &str, map: &Arc<Map>, independent: bool, discontinuity: bool) -> Part {
        Part {
            uri: uri.to_owned(),
            duration: Duration::from_millis(333),
            independent,
            discontinuity,
            gap: false,
            range: None,
            map: Some(Arc::clone(map)),
            key: None,
        }
    }

    fn list() -> Media {
        let [one, two] = ["init-1.mp4", "init-2.mp4"]
            .map(|uri| Arc::new(Map { uri: uri.to_owned(), range: None, key: None }));
        let segment = |number: i64, map: &Arc<Map>, discontinuity| Segment {
            uri: format!("{number}.m4s"),
            duration: Duration::from_millis(2_000),
            discontinuity,
            gap: false,
            range: None,
            map: Some(Arc::clone(map)),
            key: None,
            parts: Vec::new(),
            made: Some(1_700_000_000_000_000 + number * 2_000_000),
        };
        let mut last = segment(8, &two, true);
        last.parts = vec![part("8.0.m4s", &two, true, true), part("8.1.m4s", &two, false, false)];
        Media {
            target_duration: Duration::from_secs(2),
            sequence: 6,
            ended: false,
            keeps_all: false,
            control: Control {
                hold_back: Some(Duration::from_secs(6)),
                part_hold_back: Some(Duration::from_millis(1_050)),
                can_block: true,
                skip_until: Some(Duration::from_secs(12)),
            },
            part_target: Some(Duration::from_millis(350)),
            segments: vec![segment(6, &one, false), segment(7, &one, false), last],
            pending: vec![part("9.0.m4s", &two, true, false)],
            pending_made: Some(1_700_000_018_000_000),
            hint: Some(Hint { uri: "9.1.m4s".to_owned(), range: None }),
            reports: vec![Report { uri: "audio.m3u8".to_owned(), sequence: 9, part: Some(0) }],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let list = list();
        let position = ListPosition { discontinuities: 3, skipped: 0 };
        let text = write_media(&list, position);
        assert!(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n"), "{text}");
        assert!(text.contains("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:32.000Z\n"), "{text}");
        assert_eq!(text.matches("#EXT-X-MAP").count(), 2, "{text}");
        let Ok(Playlist::Media(read)) = parse(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(read, list);
        let ended = Media { ended: true, keeps_all: true, hint: None, reports: Vec::new(), ..list };
        let text = write_media(&ended, position);
        assert!(text.contains("#EXT-X-PLAYLIST-TYPE:VOD\n"), "{text}");
        let Ok(Playlist::Media(read)) = parse(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(read, ended);
    }

    #[test]
    fn an_update_contains_the_rest() {
        let list = list();
        let text = write_media(&list, ListPosition { discontinuities: 0, skipped: 2 });
        assert!(!text.contains("6.m4s") && !text.contains("\n7.m4s"), "{text}");
        let Ok(Playlist::Media(read)) = parse_update(text.as_bytes(), &list) else {
            panic!("{text}")
        };
        assert_eq!(read, list);
    }

    #[test]
    fn variants_tell_what_a_player_needs_to_choose() {
        let variant = OfferedVariant {
            uri: "show/hls/main.m3u8".to_owned(),
            bandwidth: 2_600_000,
            average_bandwidth: 2_500_000,
            codecs: vec!["avc1.64001f".to_owned(), "mp4a.40.2".to_owned()],
            size: Some((1_280, 720)),
            frame_rate: Some(30.0),
            hdr: None,
        };
        let text = write_master(std::slice::from_ref(&variant), MasterForm::low_latency(true));
        let Ok(Playlist::Master(read)) = parse(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(read.variants.len(), 1);
        assert_eq!(read.variants[0].uri, "show/hls/main.m3u8");
        assert!(text.contains("RESOLUTION=1280x720,FRAME-RATE=30.000\n"), "{text}");
        // Beside HDR, the playlist also declares SDR.
        let hdr = OfferedVariant { hdr: Some(Hdr::Pq), ..variant.clone() };
        let audio = OfferedVariant { uri: "audio.m3u8".to_owned(), ..OfferedVariant::default() };
        let text = write_master(&[hdr, variant, audio], MasterForm::low_latency(true));
        let Ok(Playlist::Master(read)) = parse(text.as_bytes()) else { panic!("{text}") };
        let hdr: Vec<_> = read.variants.iter().map(|it| it.hdr).collect();
        assert_eq!(hdr, [true, false, false], "{text}");
        assert_eq!(text.matches("VIDEO-RANGE=SDR").count(), 1, "{text}");
    }

    #[test]
    fn audio_renditions_are_read_back() {
        let variant = OfferedVariant { uri: "video.m3u8".to_owned(), ..OfferedVariant::default() };
        let audio = [("Game \"loud\"", None), ("Voice", Some("audio2.m3u8"))].map(|(name, uri)| {
            let uri = uri.map(str::to_owned);
            OfferedAudio { name: name.to_owned(), uri, channels: 2 }
        });
        let text = write_master_with_audio(&[variant], &audio, MasterForm::low_latency(true));
        let Ok(Playlist::Master(read)) = parse(text.as_bytes()) else { panic!("{text}") };
        let all: Vec<_> =
            read.renditions.iter().map(|it| (&*it.name, it.uri.as_deref(), it.default)).collect();
        let expected = [("Game  loud", None, true), ("Voice", Some("audio2.m3u8"), false)];
        assert_eq!(all, expected, "{text}");
        assert_eq!(read.variants[0].audio.as_deref(), Some("audio"));
        assert!(read.audio_of(&read.variants[0]).is_none(), "the default one is in the variant");
    }

    #[test]
    fn durations_are_short_and_exact() {
        let texts = [(2_000_000, "2.0"), (333_333, "0.333333"), (350_000, "0.35"), (0, "0.0")]
            .map(|(micros, text)| (seconds(Duration::from_micros(micros)), text));
        assert!(texts.iter().all(|(written, text)| written == text), "{texts:?}");
    }
}
