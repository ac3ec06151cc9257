//! Segments as MPEG-TS, for devices that cannot play fragmented MP4. They are made from the parts of a segment when
//! the first device requests them, and kept with the segment. This module is pure.

use std::sync::Arc;

use bytes::Bytes;

use crate::media::EncodedPacket;
use crate::server::hls::listing::{Listing, TS_EXTENSION};
use crate::server::hls::part::Initialization;
use crate::server::hls::segment::Segment;
use crate::wire::container::TrackId;
use crate::wire::container::mp4::index_to_play;
use crate::wire::hls::{
    self, ListPosition, MasterForm, Media, OfferedVariant, write_master, write_media,
};

/// Name of the multivariant playlist below `/{app}/{stream}/hls/`.
pub(crate) const TS_MASTER_NAME: &str = "ts.m3u8";
/// Name of the media playlist below `/{app}/{stream}/hls/`.
pub(crate) const TS_LIST_NAME: &str = "ts-list.m3u8";
/// The name of a rendition's playlist of MPEG-TS segments consists of this prefix and the name of
/// the rendition's ordinary playlist.
pub(crate) const TS_PREFIX: &str = "ts-";

/// Overhead of the MPEG-TS headers that is added to the announced bandwidth, in percent.
const TS_OVERHEAD_PERCENT: u64 = 8;

/// Writes a multivariant playlist of MPEG-TS segments. The bitrates in `variants` are those of
/// fragmented MP4; the function adds the overhead of MPEG-TS.
pub(crate) fn write_ts_master(mut variants: Vec<OfferedVariant>) -> String {
    for variant in &mut variants {
        for rate in [&mut variant.bandwidth, &mut variant.average_bandwidth] {
            *rate += *rate * TS_OVERHEAD_PERCENT / 100;
        }
    }
    write_master(&variants, MasterForm { version: 3, independent: false })
}

/// Converts a segment, which consists of these chunks, to MPEG-TS. Returns `None` if MPEG-TS does
/// not support the segment's codecs.
pub(crate) fn to_ts<'a>(
    initialization: &'a Initialization,
    chunks: impl Iterator<Item = &'a Bytes>,
    number: u64,
) -> Option<Bytes> {
    let writer = initialization.ts.as_ref()?;
    let file: Vec<&[u8]> =
        std::iter::once(&initialization.whole[..]).chain(chunks.map(|it| &it[..])).collect();
    let file: Bytes = file.concat().into();
    let index = index_to_play(&mut &file[..]).ok()?;
    let mut packets = Vec::with_capacity(index.samples.len());
    for sample in &index.samples {
        if matches!(sample.track, TrackId::Audio(1..)) {
            continue;
        }
        let start = usize::try_from(sample.at).ok()?;
        let end = start.checked_add(usize::try_from(sample.size).ok()?)?;
        let data = (end <= file.len()).then(|| file.slice(start..end))?;
        let (track, times) = (sample.track.track(), (sample.dts, sample.pts));
        packets.push(EncodedPacket::received(track, times, sample.keyframe, data));
    }
    Some(writer.segment(&packets, number))
}

impl Listing {
    /// Returns the multivariant playlist for [`Self::ts_media`] and for the MPEG-TS playlists of
    /// the renditions. Returns `None` in the same cases as `ts_media`.
    pub fn ts_master(&self, renditions: Vec<OfferedVariant>) -> Option<Bytes> {
        self.initialization()?.ts.as_ref()?;
        let renditions = renditions
            .into_iter()
            .map(|it| OfferedVariant { uri: format!("{TS_PREFIX}{}", it.uri), ..it });
        let main = self.variant(TS_LIST_NAME.to_owned());
        Some(write_ts_master(std::iter::once(main).chain(renditions).collect()).into())
    }

    /// Returns the playlist of the MPEG-TS segments, or `None` if MPEG-TS does not support the codecs. It has no parts:
    /// devices that need it do not support low latency.
    pub fn ts_media(&self) -> Option<Bytes> {
        self.initialization()?.ts.as_ref()?;
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let entry = |segment: &Arc<Segment>| hls::Segment {
            uri: format!("{}-{}{TS_EXTENSION}", self.tag, segment.number),
            duration: segment.duration(),
            discontinuity: segment.discontinuity,
            // MPEG-TS does not support the codecs of this segment.
            gap: segment.span.initialization.ts.is_none(),
            range: None,
            map: None,
            key: None,
            parts: Vec::new(),
            made: Some(segment.made),
        };
        let media = Media {
            target_duration: self.target_duration(),
            sequence: listed.first().map_or(self.next_number, |first| first.number),
            ended: self.ended,
            segments: listed.iter().map(entry).collect(),
            ..Media::default()
        };
        let position = ListPosition { discontinuities: self.discontinuities, skipped: 0 };
        Some(write_media(&media, position).into())
    }
}

impl Segment {
    /// Converts the segment to MPEG-TS. Returns `None` if MPEG-TS does not support the
    /// segment's codecs.
    pub fn make_ts(&self) -> Option<Bytes> {
        let chunks = self.parts.iter().flat_map(|part| part.chunks());
        to_ts(&self.span.initialization, chunks, self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{
        AudioCodec, AudioConfig, BitsPerSecond, FrameRate, Rotation, Size, StreamEvent, Track,
        TrackConfig, VideoCodec, VideoConfig,
    };
    use crate::server::hls::cutter::Cutter;
    use crate::server::hls::window::Window;
    use crate::server::hls::{Lengths, Settings};
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::container::ts::{Demuxer, Event};
    use crate::wire::hls::{Playlist, parse};

    const BASELINE_SPS: &[u8] = &[
        0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x58, 0xBA, 0x80,
    ];
    const BASELINE_PPS: &[u8] = &[0x68, 0xCE, 0x0F, 0xC8];
    const TARGET_LENGTHS: Lengths =
        Lengths { part: Duration::from_millis(350), segment: Duration::from_secs(2) };

    fn configs(codec: AudioCodec) -> [StreamEvent; 2] {
        let sets =
            DecoderConfig::new(Bytes::from_static(BASELINE_SPS), Bytes::from_static(BASELINE_PPS))
                .unwrap();
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(0),
            codec_config: sets.build().unwrap(),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let config = match codec {
            AudioCodec::Aac => Bytes::from_static(&[0x11, 0x90]),
            _ => Bytes::from_static(b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0"),
        };
        let (sample_rate, channels, bitrate) = (48_000, 2, BitsPerSecond(0));
        let audio = AudioConfig { codec, sample_rate, channels, bitrate, codec_config: config };
        [TrackConfig::Video(video), TrackConfig::Audio(audio)].map(StreamEvent::Config)
    }

    /// Returns this many seconds of frames, with a keyframe every 2 s, and of audio packets.
    fn packets(from: i64, seconds: i64) -> Vec<StreamEvent> {
        let mut all = Vec::new();
        let mut add = |track, millis: i64, keyframe, data: &[u8]| {
            let at = Timestamp::from_millis(millis);
            let data = Bytes::copy_from_slice(data);
            all.push(EncodedPacket::received(track, (at, at), keyframe, data));
        };
        for frame in 0..seconds * 30 {
            let keyframe = frame % 60 == 0;
            let data = [0, 0, 0, 3, if keyframe { 0x65 } else { 0x41 }, 7, frame as u8 | 1];
            add(Track::Video, from + frame * 1_000 / 30, keyframe, &data);
        }
        for number in 0..seconds * 47 {
            add(Track::Audio, from + number * 1_024 / 48, true, &[7; 200]);
        }
        all.sort_by_key(|packet| packet.dts);
        all.into_iter().map(StreamEvent::Packet).collect()
    }

    #[test]
    fn segments_of_several_publishers_are_one_stream_with_gaps_for_other_codecs() {
        let (mut cutter, mut cuts) = (Cutter::new(TARGET_LENGTHS, None), Vec::new());
        let codecs = [AudioCodec::Aac, AudioCodec::Opus, AudioCodec::Aac];
        for (publisher, codec) in (0..).zip(codecs) {
            cutter.forget(&mut cuts);
            for event in configs(codec).iter().chain(&packets(publisher * 1_000, 6)) {
                cutter.event(event, &mut cuts);
            }
        }
        cutter.interrupt(&mut cuts);
        let settings = Settings { window: Duration::from_mins(1), ..Settings::default() };
        let mut window = Window::new(settings, "tag", (100, 7));
        window.take(cuts, cutter.target_duration(), 0);
        let listing = window.listing();
        let text = listing.ts_media().unwrap();
        let Ok(Playlist::Media(media)) = parse(&text) else { panic!("{text:?}") };
        let gaps: Vec<_> = media.segments.iter().map(|it| it.gap).collect();
        assert_eq!(gaps, [[false; 3], [true; 3], [false; 3]].concat());
        let breaks: Vec<_> = media.segments.iter().map(|it| it.discontinuity).collect();
        assert_eq!(breaks.iter().filter(|it| **it).count(), 2);
        let (mut demuxer, mut counts) = (Demuxer::new(), [0, 0]);
        let mut made = Vec::new();
        for (segment, gap) in listing.segments.iter().zip(gaps) {
            let ts = segment.make_ts();
            assert_eq!((ts.is_none(), segment.stored()), (gap, segment.size()));
            made.extend(ts.into_iter().flatten());
        }
        let mut take = |event| match event {
            Event::Video { .. } => counts[0] += 1,
            Event::Audio { .. } => counts[1] += 1,
            Event::Lost => panic!("the counters go on"),
            _ => {}
        };
        demuxer.push(&made, &mut take);
        demuxer.finish(&mut take);
        assert_eq!(counts, [2 * 180, 2 * 282]);
        // The newest tracks decide whether there is a playlist.
        let mut cuts = Vec::new();
        for event in configs(AudioCodec::Opus).iter().chain(&packets(9_000, 3)) {
            cutter.event(event, &mut cuts);
        }
        window.take(cuts, cutter.target_duration(), 0);
        assert_eq!(window.listing().ts_media(), None);
    }
}
