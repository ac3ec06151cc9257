//! Writes the manifest of a live stream or a recording (MPEG-DASH, ISO/IEC 23009-1 §5): a period for each
//! span between two discontinuities, with a segment timeline for each track. Times are in microseconds: media
//! times are those of the stream, and all other times count from 1970. This module has no I/O.

use std::fmt::Write;
use std::time::Duration;

/// A manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// False for a recording, whose times have no relation to a clock.
    pub is_live: bool,
    /// The start of the very first period, which may no longer be in the manifest. Players count from there,
    /// and some of them fail with large times.
    pub began: i64,
    /// The time at which the newest media was made.
    pub published: i64,
    /// True if no more media will be added.
    pub ended: bool,
    /// The interval at which players reload the manifest.
    pub update: Duration,
    /// The duration by which players can seek back.
    pub window: Duration,
    /// The duration of the longest segment.
    pub longest: Duration,
    /// The latency of players that read segments while the segments still grow.
    pub latency: Duration,
    /// The latency of all other players.
    pub delay: Duration,
    /// URL at which players reload the manifest; `None` if they use the same one again.
    pub location: Option<String>,
    /// URL at which players get the current time as `xs:dateTime`.
    pub clock: String,
    pub periods: Vec<Period>,
}

/// A span without a discontinuity.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// The id of the period, which is the same in all manifests.
    pub id: u64,
    pub start: i64,
    /// The time of the media at the start of the period.
    pub origin: i64,
    /// The starts of the complete segments. Each segment begins where the previous one ends.
    pub segments: Vec<i64>,
    /// The end of the last complete segment.
    pub end: i64,
    /// The number of the first segment.
    pub first_number: u64,
    /// The expected length of the growing segment and of those after it, and how long before its
    /// end players may request a segment. `None` if no more segments follow.
    pub next: Option<(Duration, Duration)>,
    pub tracks: Vec<Track>,
}

/// A track.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pub kind: TrackKind,
    /// Codec as in RFC 6381.
    pub codec: String,
    /// Bits per second.
    pub bandwidth: u64,
    /// URL of the initialization segment.
    pub initialization: String,
    /// URL of a segment, with `$Number$`.
    pub media: String,
    /// Smaller renditions of the same video.
    pub renditions: Vec<TrackRendition>,
}

/// A rendition of a track, with the same segment numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackRendition {
    /// The id, which is the same in all manifests.
    pub id: String,
    pub kind: TrackKind,
    pub codec: String,
    pub bandwidth: u64,
    pub initialization: String,
    pub media: String,
    /// The starts of the complete segments.
    pub segments: Vec<i64>,
    /// The end of the last complete segment.
    pub end: i64,
    pub first_number: u64,
}

/// The kind of media in a track.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum TrackKind {
    Video { size: Option<(u32, u32)>, frame_rate: Option<f64> },
    Audio { sample_rate: Option<u32> },
}

/// The maximum latency of players that read growing segments, as a multiple of their latency. With more, dash.js jumps
/// to the live edge. Below that, dash.js only plays faster.
const MAX_LATENCY_FACTOR: u128 = 2;
/// The range of the playback rate with which players keep their latency. The fastest rate catches up by one second in
/// ten seconds, and does not change the pitch noticeably.
const PLAYBACK_RATES: (f64, f64) = (0.96, 1.1);
/// Ticks per second of all timelines.
const MPD_TIMESCALE: u32 = 1_000_000;

impl Manifest {
    /// Returns the manifest as XML.
    pub fn write(&self) -> String {
        let mut out = String::with_capacity(2_048);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"");
        out.push_str(" profiles=\"urn:mpeg:dash:profile:isoff-live:2011");
        if !self.is_live {
            return self.write_static(out);
        }
        out.push_str(",http://www.dashif.org/guidelines/low-latency-live-v5\"");
        out.push_str(" type=\"dynamic\"");
        let _ = write!(out, " availabilityStartTime=\"{}\"", date_time(self.began));
        let _ = write!(out, " publishTime=\"{}\"", date_time(self.published));
        if self.ended {
            let end = self.periods.last().map_or(self.began, Period::end_time);
            let end = seconds(end.saturating_sub(self.began));
            let _ = write!(out, " mediaPresentationDuration=\"{end}\"");
        } else {
            let _ = write!(out, " minimumUpdatePeriod=\"{}\"", duration(self.update));
        }
        let _ = writeln!(
            out,
            " minBufferTime=\"{}\" timeShiftBufferDepth=\"{}\" maxSegmentDuration=\"{}\" suggestedPresentationDelay=\"{}\">",
            duration(self.latency),
            duration(self.window),
            duration(self.longest),
            duration(self.delay),
        );
        if let Some(location) = &self.location {
            let _ = writeln!(out, "<Location>{}</Location>", escape(location));
        }
        let latency = self.latency.as_millis();
        let (slowest, fastest) = PLAYBACK_RATES;
        let _ = writeln!(
            out,
            "<ServiceDescription id=\"0\"><Latency target=\"{latency}\" max=\"{}\"/><PlaybackRate min=\"{slowest}\" max=\"{fastest}\"/></ServiceDescription>",
            latency * MAX_LATENCY_FACTOR
        );
        self.write_periods(&mut out, self.ended);
        let clock = escape(&self.clock);
        let _ = writeln!(
            out,
            "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-xsdate:2014\" value=\"{clock}\"/>\n</MPD>"
        );
        out
    }

    /// Returns the manifest of a recording.
    fn write_static(&self, mut out: String) -> String {
        let end = self.periods.last().map_or(self.began, Period::end_time);
        let _ = writeln!(
            out,
            "\" type=\"static\" mediaPresentationDuration=\"{}\" minBufferTime=\"{}\" maxSegmentDuration=\"{}\">",
            seconds(end.saturating_sub(self.began)),
            duration(self.latency),
            duration(self.longest),
        );
        self.write_periods(&mut out, true);
        out.push_str("</MPD>\n");
        out
    }

    fn write_periods(&self, out: &mut String, ended: bool) {
        let ends = self.periods.iter().skip(1).map(|next| next.start).chain([i64::MAX]);
        for (period, end) in self.periods.iter().zip(ends) {
            period.write(out, (self.began, end), ended);
        }
    }
}

impl Period {
    /// Returns the time at which the last complete segment ends.
    fn end_time(&self) -> i64 {
        self.start.saturating_add(self.end.saturating_sub(self.origin))
    }

    /// Removes the segments that begin when the next period begins, or later.
    pub fn end_at(&mut self, end: i64) {
        while let [_, .., last] = self.segments[..]
            && self.start.saturating_add(last.saturating_sub(self.origin)) >= end
        {
            self.end = last;
            self.segments.pop();
        }
    }

    /// Writes the period, which ends at `end` at the latest, even if its last segment is longer.
    fn write(&self, out: &mut String, (began, end): (i64, i64), ended: bool) {
        let start = seconds(self.start.saturating_sub(began));
        let _ = write!(out, "<Period id=\"{}\" start=\"{start}\"", self.id);
        if ended && self.next.is_none() {
            let lasts = self.end_time().min(end).saturating_sub(self.start);
            let _ = write!(out, " duration=\"{}\"", seconds(lasts));
        }
        out.push_str(">\n");
        for (id, track) in self.tracks.iter().enumerate() {
            self.write_track(out, id, track);
        }
        out.push_str("</Period>\n");
    }

    fn write_track(&self, out: &mut String, id: usize, track: &Track) {
        let (kind, of_kind) = track.kind.attributes();
        let _ = writeln!(
            out,
            "<AdaptationSet id=\"{id}\" contentType=\"{kind}\" mimeType=\"{kind}/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">"
        );
        let whole = SegmentFiles {
            initialization: &track.initialization,
            media: &track.media,
            segments: &self.segments,
            end: self.end,
            first_number: self.first_number,
        };
        self.write_template(out, whole);
        let bandwidth = track.bandwidth.max(1);
        let _ = writeln!(
            out,
            "<Representation id=\"{kind}\" codecs=\"{}\" bandwidth=\"{bandwidth}\"{of_kind}/>",
            escape(&track.codec),
        );
        for rendition in &track.renditions {
            let (id, codec) = (escape(&rendition.id), escape(&rendition.codec));
            let (bandwidth, of_kind) = (rendition.bandwidth.max(1), rendition.kind.attributes().1);
            let _ = writeln!(
                out,
                "<Representation id=\"{id}\" codecs=\"{codec}\" bandwidth=\"{bandwidth}\"{of_kind}>",
            );
            self.write_template(
                out,
                SegmentFiles {
                    initialization: &rendition.initialization,
                    media: &rendition.media,
                    segments: &rendition.segments,
                    end: rendition.end,
                    first_number: rendition.first_number,
                },
            );
            out.push_str("</Representation>\n");
        }
        out.push_str("</AdaptationSet>\n");
    }

    fn write_template(&self, out: &mut String, files: SegmentFiles<'_>) {
        let SegmentFiles { initialization, media, segments, end: whole_end, first_number } = files;
        let _ = write!(
            out,
            "<SegmentTemplate timescale=\"{MPD_TIMESCALE}\" presentationTimeOffset=\"{}\" startNumber=\"{first_number}\"",
            self.origin
        );
        if let Some((_, early)) = self.next {
            let early = early.as_secs_f64();
            let _ = write!(
                out,
                " availabilityTimeOffset=\"{early:.3}\" availabilityTimeComplete=\"false\""
            );
        }
        let _ = writeln!(
            out,
            " initialization=\"{}\" media=\"{}\">\n<SegmentTimeline>",
            escape(initialization),
            escape(media)
        );
        let ends = segments.iter().skip(1).chain([&whole_end]);
        for (start, end) in segments.iter().zip(ends) {
            let _ = writeln!(out, "<S t=\"{start}\" d=\"{}\"/>", end.saturating_sub(*start).max(1));
        }
        if let Some((expected, _)) = self.next {
            let lasts = expected.as_micros();
            let _ = writeln!(out, "<S t=\"{whole_end}\" d=\"{lasts}\" r=\"-1\"/>");
        }
        out.push_str("</SegmentTimeline>\n</SegmentTemplate>\n");
    }
}

/// The segments of a track or rendition, and their names.
#[derive(Copy, Clone)]
struct SegmentFiles<'a> {
    initialization: &'a str,
    media: &'a str,
    segments: &'a [i64],
    end: i64,
    first_number: u64,
}

impl TrackKind {
    /// Returns the name of the kind, and the attributes of a representation.
    fn attributes(self) -> (&'static str, String) {
        match self {
            Self::Video { size, frame_rate } => {
                let size =
                    size.map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""));
                let rate = frame_rate.filter(|rate| *rate > 0.0).map(rational);
                let rate = rate.map(|rate| format!(" frameRate=\"{rate}\"")).unwrap_or_default();
                ("video", size.unwrap_or_default() + &rate)
            }
            Self::Audio { sample_rate } => {
                let rate = sample_rate.map(|rate| format!(" audioSamplingRate=\"{rate}\""));
                ("audio", rate.unwrap_or_default())
            }
        }
    }
}

/// Returns a time in microseconds since 1970 as `xs:dateTime`.
pub fn date_time(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn duration(duration: Duration) -> String {
    format!("PT{:.3}S", duration.as_secs_f64())
}

fn seconds(micros: i64) -> String {
    format!("PT{}.{:06}S", micros.max(0) / 1_000_000, micros.max(0) % 1_000_000)
}

/// Returns a frame rate as an integer or as a fraction of 1001.
fn rational(rate: f64) -> String {
    if (rate - rate.round()).abs() < 0.005 {
        format!("{}", rate.round())
    } else {
        format!("{}/1001", (rate * 1_001.0).round())
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let track = Track {
            kind: TrackKind::Video { size: Some((1_280, 720)), frame_rate: Some(29.97) },
            codec: "avc1.64001f".to_owned(),
            bandwidth: 2_500_000,
            initialization: "show/hls/x-v7.mp4?a=1&b=\"<".to_owned(),
            media: "show/hls/x-v$Number$.m4s".to_owned(),
            renditions: Vec::new(),
        };
        let period = Period {
            id: 7,
            start: 1_700_000_000_000_000,
            origin: 5_000_000,
            segments: vec![7_000_000, 9_000_000],
            end: 11_500_000,
            first_number: 8,
            next: Some((Duration::from_secs(2), Duration::from_millis(1_650))),
            tracks: vec![track],
        };
        Manifest {
            is_live: true,
            began: 1_699_999_990_000_000,
            published: 1_700_000_006_500_000,
            ended: false,
            update: Duration::from_secs(2),
            window: Duration::from_secs(20),
            longest: Duration::from_secs(3),
            latency: Duration::from_millis(1_400),
            delay: Duration::from_secs(6),
            location: None,
            clock: "show/hls/time".to_owned(),
            periods: vec![period],
        }
    }

    #[test]
    fn segments_are_at_their_times_and_the_next_ones_are_expected() {
        let text = manifest().write();
        for part in [
            "publishTime=\"2023-11-14T22:13:26.500Z\" minimumUpdatePeriod=\"PT2.000S\"",
            "<Period id=\"7\" start=\"PT10.000000S\">",
            "width=\"1280\" height=\"720\" frameRate=\"30000/1001\"",
            "presentationTimeOffset=\"5000000\" startNumber=\"8\" availabilityTimeOffset=\"1.650\"",
            "<S t=\"7000000\" d=\"2000000\"/>\n<S t=\"9000000\" d=\"2500000\"/>\n<S t=\"11500000\" d=\"2000000\" r=\"-1\"/>",
            "x-v7.mp4?a=1&amp;b=&quot;&lt;\"",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn renditions_have_their_own_segments_beside_those_of_the_stream() {
        let mut manifest = manifest();
        manifest.periods[0].tracks[0].renditions.push(TrackRendition {
            id: "480p".to_owned(),
            kind: TrackKind::Video { size: Some((852, 480)), frame_rate: Some(29.97) },
            codec: "avc1.64001e".to_owned(),
            bandwidth: 1_200_000,
            initialization: "show/hls/x_480p-v9.mp4".to_owned(),
            media: "show/hls/x_480p-v$Number$.m4s".to_owned(),
            segments: vec![9_000_000],
            end: 11_500_000,
            first_number: 9,
        });
        let text = manifest.write();
        let (stream, rendition) = text.split_once("<Representation id=\"480p\"").unwrap();
        assert!(stream.contains("<Representation id=\"video\""));
        for part in [
            " codecs=\"avc1.64001e\" bandwidth=\"1200000\" width=\"852\" height=\"480\"",
            "presentationTimeOffset=\"5000000\" startNumber=\"9\"",
            "x_480p-v$Number$.m4s",
            "<S t=\"9000000\" d=\"2500000\"/>\n<S t=\"11500000\" d=\"2000000\" r=\"-1\"/>",
            "</SegmentTemplate>\n</Representation>\n</AdaptationSet>",
        ] {
            assert!(rendition.contains(part), "{part} in {rendition}");
        }
    }

    #[test]
    fn players_reload_the_manifest_at_its_location() {
        let mut manifest = manifest();
        assert!(!manifest.write().contains("Location"));
        manifest.location = Some("show.mpd?pass=a&b".to_owned());
        let text = manifest.write();
        // The order of these elements is fixed (§5.3.1.3).
        let part = ">\n<Location>show.mpd?pass=a&amp;b</Location>\n<ServiceDescription ";
        assert!(text.contains(part), "{text}");
    }

    #[test]
    fn a_period_has_no_segment_after_the_start_of_the_next_one() {
        let mut period = manifest().periods.remove(0);
        let whole = period.clone();
        period.end_at(period.start + 4_000_001);
        assert_eq!(period, whole);
        period.end_at(period.start + 4_000_000);
        assert_eq!((&period.segments[..], period.end), (&[7_000_000][..], 9_000_000));
        period.end_at(period.start);
        assert_eq!(period.segments.len(), 1);
    }

    #[test]
    fn a_period_ends_at_the_start_of_the_next_one_though_its_last_segment_is_longer() {
        let mut manifest = manifest();
        manifest.ended = true;
        manifest.periods[0].next = None;
        let next = Period { id: 8, start: 1_700_000_005_000_000, ..manifest.periods[0].clone() };
        manifest.periods.push(next);
        let text = manifest.write();
        let durations: Vec<_> =
            text.split(" duration=\"").skip(1).map(|it| &it[..it.find('"').unwrap()]).collect();
        assert_eq!(durations, ["PT5.000000S", "PT6.500000S"]);
        assert!(text.contains("<S t=\"9000000\" d=\"2500000\"/>"), "{text}");
    }

    #[test]
    fn what_has_ended_has_a_length_and_expects_nothing() {
        let mut manifest = manifest();
        manifest.ended = true;
        manifest.periods[0].next = None;
        let text = manifest.write();
        assert!(text.contains("mediaPresentationDuration=\"PT16.500000S\""), "{text}");
        assert!(text.contains("duration=\"PT6.500000S\""), "{text}");
        for part in ["minimumUpdatePeriod", "r=\"-1\"", "availabilityTimeOffset"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_recording_has_no_clock() {
        let mut manifest = manifest();
        (manifest.is_live, manifest.began, manifest.periods[0].start) = (false, 0, 0);
        manifest.periods[0].next = None;
        let text = manifest.write();
        let head = "type=\"static\" mediaPresentationDuration=\"PT6.500000S\"";
        assert!(text.contains(head) && text.ends_with("</MPD>\n"), "{text}");
        for part in ["UTCTiming", "availabilityStartTime", "r=\"-1\"", "Latency"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn players_catch_up_after_a_stall() {
        let text = manifest().write();
        // dash.js jumps if it is more than max − target + 0.5 s behind the target, here after a stall of 1.9 s.
        let part =
            "<Latency target=\"1400\" max=\"2800\"/><PlaybackRate min=\"0.96\" max=\"1.1\"/>";
        assert!(text.contains(part), "{text}");
    }

    #[test]
    fn frame_rates_are_fractions() {
        for (rate, written) in
            [(30.0, "30"), (29.97, "30000/1001"), (23.976, "24000/1001"), (12.5, "12513/1001")]
        {
            assert_eq!(rational(rate), written);
        }
    }
}
