//! The time-shift buffer: the newest packets of a live stream, for seeking back. It is bounded by
//! time, bytes and count; the oldest packets are dropped. While the player is behind, new packets
//! are only stored, and the presenter takes them gradually; otherwise they are passed on as they
//! arrive.
//!
//! This module is pure. The feed thread fills it, and the presenter reads it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{AudioConfig, EncodedPacket, VideoConfig};
use crate::player::buffer::packets::BufferedPacket;

/// Maximum number of packets and configs.
const MAX_UNITS: usize = 40_000;
/// Audio that arrived before a frame belongs to the frame if the audio plays at most this long
/// after the frame.
const MAX_AUDIO_SKEW: Duration = Duration::from_secs(2);

/// The limits of the time shift.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TimeShiftDepth {
    /// Maximum duration of the time shift.
    pub time: Duration,
    /// Maximum size of its packets and configs, in bytes.
    pub bytes: usize,
}

impl Default for TimeShiftDepth {
    fn default() -> Self {
        Self { time: Duration::from_secs(120), bytes: 64 << 20 }
    }
}

/// An item for a decoder, of either track.
#[derive(Clone, Debug)]
pub enum KeptPacket {
    Video(BufferedPacket<VideoConfig>),
    Audio(BufferedPacket<AudioConfig>),
}

impl KeptPacket {
    fn packet(&self) -> Option<&EncodedPacket> {
        match self {
            Self::Video(BufferedPacket::Packet(packet))
            | Self::Audio(BufferedPacket::Packet(packet)) => Some(packet),
            _ => None,
        }
    }

    fn is_video_packet(&self) -> bool {
        matches!(self, Self::Video(BufferedPacket::Packet(_)))
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Video(unit) => unit.bytes(),
            Self::Audio(unit) => unit.bytes(),
        }
    }
}

/// The start position of playback, and the first items for the decoders.
#[derive(Debug)]
pub struct Begin {
    pub at: Timestamp,
    pub units: Vec<KeptPacket>,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub struct TimeShift {
    /// The limits; `None` means that nothing is stored.
    depth: Option<TimeShiftDepth>,
    /// The items, each with the DTS of the newest packet at its arrival.
    units: VecDeque<(Timestamp, KeptPacket)>,
    bytes: usize,
    /// The DTS of the last packet.
    newest: Option<Timestamp>,
    /// The index of the oldest item, counted from the stream's start.
    first: u64,
    /// The next item to pass on, while the player is behind.
    cursor: Option<u64>,
    /// The last video config before the oldest item. The next field is the last audio config.
    video: Option<VideoConfig>,
    audio: Option<AudioConfig>,
    /// The number of stored video packets. A stream may lose its video.
    video_packets: usize,
    /// True if the stream has ended.
    ended: bool,
}

impl TimeShift {
    /// Creates a buffer with these limits; `None` disables it.
    pub fn new(depth: Option<TimeShiftDepth>) -> Self {
        Self { depth, ..Self::default() }
    }

    /// Returns true if the time shift stores packets.
    pub fn is_on(&self) -> bool {
        self.depth.is_some()
    }

    /// Sets the maximum size in bytes.
    pub fn set_bytes(&mut self, bytes: usize) {
        if let Some(depth) = &mut self.depth {
            depth.bytes = bytes;
            self.trim();
        }
    }

    /// Returns the size of the stored packets, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns true if new items are only stored.
    pub fn is_behind(&self) -> bool {
        self.cursor.is_some()
    }

    /// Stores an item. Returns true if the caller must pass it on at once.
    pub fn push(&mut self, kept: &KeptPacket) -> bool {
        if self.depth.is_some() {
            self.bytes += kept.bytes();
            self.newest = kept.packet().map(|packet| packet.dts).or(self.newest);
            self.video_packets += usize::from(kept.is_video_packet());
            self.units.push_back((self.newest.unwrap_or(Timestamp::ZERO), kept.clone()));
            self.trim();
        }
        self.cursor.is_none()
    }

    /// Records the end of the stream. Returns true if the presenter may end too.
    pub fn end(&mut self) -> bool {
        self.ended = true;
        self.cursor.is_none()
    }

    /// Returns true if everything was passed on and the stream has ended.
    pub fn is_over(&self) -> bool {
        self.ended && self.cursor.is_none_or(|cursor| cursor >= self.end_number())
    }

    /// Stops passing on items, and only stores them from now on.
    pub fn hold(&mut self) {
        let any = || self.units.iter().any(|(_, kept)| kept.packet().is_some());
        if self.cursor.is_none() && any() {
            self.cursor = Some(self.end_number());
        }
    }

    /// Returns the oldest reachable time.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.units.iter().find_map(|(_, kept)| self.entry(kept))
    }

    /// Returns true if the next item to pass on was already dropped.
    pub fn is_lost(&self) -> bool {
        self.cursor.is_some_and(|cursor| cursor < self.first)
    }

    /// Moves to the last keyframe at or before `wanted`, or to the oldest one. With `forward`,
    /// moves to the first keyframe at or after `wanted`. Returns `None` if there is no such
    /// position.
    pub fn go_to(&mut self, wanted: Timestamp, forward: bool) -> Option<Begin> {
        let (index, at) = if forward {
            self.entries().find(|&(_, at)| at >= wanted)
        } else {
            let before = self.entries().take_while(|&(_, at)| at <= wanted).last();
            before.or_else(|| self.entries().next())
        }?;
        let units = self.prelude(index, at);
        self.cursor = Some(self.first + index as u64);
        Some(Begin { at, units })
    }

    /// Moves to the live edge: returns everything since the last keyframe at or before `live`, and
    /// then passes on new items as they arrive. If no keyframe is stored, because they are further
    /// apart than the limits allow, playback begins as at the start of a stream.
    pub fn go_live(&mut self, live: Timestamp) -> Vec<KeptPacket> {
        let Some(Begin { mut units, .. }) = self.go_to(live, false) else {
            self.cursor = None;
            return self.prelude(self.units.len(), live);
        };
        units.extend(self.catch_up());
        units
    }

    /// Returns the packets that have not been passed on yet. From now on, packets are passed on as
    /// they arrive.
    pub fn catch_up(&mut self) -> Vec<KeptPacket> {
        let Some(cursor) = self.cursor.take() else { return Vec::new() };
        self.units.iter().skip(self.index(cursor)).map(|(_, kept)| kept.clone()).collect()
    }

    /// Drops all items, because the next ones are from another position of the stream. Returns the
    /// configs that have not been passed on yet.
    pub fn leave(&mut self) -> Vec<KeptPacket> {
        let mut configs = self.catch_up();
        configs.retain(|kept| {
            matches!(
                kept,
                KeptPacket::Video(BufferedPacket::Configure(_))
                    | KeptPacket::Audio(BufferedPacket::Configure(_))
            )
        });
        while !self.units.is_empty() {
            self.drop_oldest();
        }
        configs
    }

    /// Takes the next items up to the time `until`, but at most `most` of them.
    pub fn take_until(&mut self, until: Timestamp, most: usize) -> Vec<KeptPacket> {
        let Some(cursor) = self.cursor else { return Vec::new() };
        let taken: Vec<KeptPacket> = self
            .units
            .iter()
            .skip(self.index(cursor))
            .map(|(_, kept)| kept)
            .take_while(|kept| kept.packet().is_none_or(|packet| packet.dts <= until))
            .take(most)
            .cloned()
            .collect();
        self.cursor = Some(cursor.max(self.first) + taken.len() as u64);
        taken
    }

    /// Returns the time of this item if playback can begin with it: a keyframe, or audio if no
    /// video is stored.
    fn entry(&self, kept: &KeptPacket) -> Option<Timestamp> {
        match kept {
            KeptPacket::Video(BufferedPacket::Packet(packet)) if packet.keyframe => {
                Some(packet.pts)
            }
            KeptPacket::Audio(BufferedPacket::Packet(packet)) if self.video_packets == 0 => {
                Some(packet.pts)
            }
            _ => None,
        }
    }

    fn entries(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        let numbered = self.units.iter().enumerate();
        numbered.filter_map(|(index, (_, kept))| Some((index, self.entry(kept)?)))
    }

    /// Returns the configs that are valid at an item, and the earlier audio that belongs to the
    /// item.
    fn prelude(&self, index: usize, at: Timestamp) -> Vec<KeptPacket> {
        let (mut video, mut audio) = (self.video.clone(), self.audio.clone());
        let mut early = Vec::new();
        for (_, kept) in self.units.iter().take(index) {
            match kept {
                KeptPacket::Video(BufferedPacket::Configure(config)) => {
                    video = Some(config.clone());
                }
                KeptPacket::Audio(BufferedPacket::Configure(config)) => {
                    audio = Some(config.clone());
                    // Audio of another format does not belong to the next items.
                    early.clear();
                }
                KeptPacket::Audio(BufferedPacket::Packet(packet))
                    if packet.pts >= at && packet.pts.since(at) <= MAX_AUDIO_SKEW =>
                {
                    early.push(kept.clone());
                }
                _ => {}
            }
        }
        let video = video.map(|config| KeptPacket::Video(BufferedPacket::Configure(config)));
        let audio = audio.map(|config| KeptPacket::Audio(BufferedPacket::Configure(config)));
        video.into_iter().chain(audio).chain(early).collect()
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn end_number(&self) -> u64 {
        self.first + self.units.len() as u64
    }

    fn trim(&mut self) {
        let Some(depth) = self.depth else { return };
        let newest = self.newest.unwrap_or(Timestamp::ZERO);
        while let Some((came, _)) = self.units.front() {
            let full = self.units.len() > MAX_UNITS || self.bytes > depth.bytes;
            if !full && newest.since(*came) <= depth.time {
                return;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, oldest)) = self.units.pop_front() else { return };
        self.bytes = self.bytes.saturating_sub(oldest.bytes());
        self.video_packets -= usize::from(oldest.is_video_packet());
        match oldest {
            KeptPacket::Video(BufferedPacket::Configure(config)) => {
                self.video = Some(config);
            }
            KeptPacket::Audio(BufferedPacket::Configure(config)) => {
                self.audio = Some(config);
            }
            _ => {}
        }
        self.first += 1;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{AudioCodec, Size, Track, VideoCodec};
    use crate::wire::codec::AudioInfo;
    use crate::wire::container::track_config::bare_video_config;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn packet(track: Track, ms: i64, keyframe: bool, size: usize) -> EncodedPacket {
        EncodedPacket::received(track, (at(ms), at(ms)), keyframe, vec![0; size].into())
    }

    fn video(ms: i64, size: usize) -> KeptPacket {
        KeptPacket::Video(BufferedPacket::Packet(packet(Track::Video, ms, ms % 2_000 == 0, size)))
    }

    fn audio(ms: i64) -> KeptPacket {
        KeptPacket::Audio(BufferedPacket::Packet(packet(Track::Audio, ms, true, 10)))
    }

    fn video_config(width: u32) -> KeptPacket {
        long_config(width, 0)
    }

    fn long_config(width: u32, bytes: usize) -> KeptPacket {
        let config = bare_video_config(VideoCodec::H264, vec![0; bytes].into(), &[]);
        let size = Size::new(width, 2);
        KeptPacket::Video(BufferedPacket::Configure(VideoConfig { size, ..config }))
    }

    fn audio_config() -> KeptPacket {
        let config =
            AudioInfo { sample_rate: 48_000, channels: 2 }.config(AudioCodec::Aac, Bytes::new());
        KeptPacket::Audio(BufferedPacket::Configure(config))
    }

    /// Adds a frame every 100 ms, a keyframe every 2 s, and before each frame the audio that plays
    /// 30 ms later.
    fn stream(shift: &mut TimeShift, from: i64, until: i64, size: usize) {
        for ms in (from..until).step_by(100) {
            shift.push(&audio(ms + 30));
            shift.push(&video(ms, size));
        }
    }

    fn summary(units: &[KeptPacket]) -> Vec<String> {
        let word = |kept: &KeptPacket| match kept {
            KeptPacket::Video(BufferedPacket::Packet(packet)) => {
                format!("v{}", packet.dts.as_millis())
            }
            KeptPacket::Audio(BufferedPacket::Packet(packet)) => {
                format!("a{}", packet.dts.as_millis())
            }
            KeptPacket::Video(BufferedPacket::Configure(config)) => {
                format!("video {}", config.size.width)
            }
            KeptPacket::Audio(BufferedPacket::Configure(_)) => "audio".into(),
            _ => "gap".into(),
        };
        units.iter().map(word).collect()
    }

    #[test]
    fn it_is_bounded_in_time_bytes_and_number() {
        let depth = TimeShiftDepth { time: Duration::from_secs(10), bytes: 100_000 };
        let mut shift = TimeShift::new(Some(depth));
        stream(&mut shift, 0, 60_000, 10);
        let oldest = shift.oldest().unwrap().as_millis();
        assert!((49_000..=52_000).contains(&oldest), "{oldest}");
        // With larger frames, the limit in bytes applies.
        stream(&mut shift, 60_000, 90_000, 4_000);
        assert!(shift.bytes() <= 100_000, "{}", shift.bytes());
        assert!(shift.units.len() < 60, "{}", shift.units.len());
        shift.set_bytes(5_000);
        assert!(shift.bytes() <= 5_000);
        // Only configs arrive.
        for _ in 0..MAX_UNITS * 2 {
            shift.push(&audio_config());
        }
        assert!(shift.units.len() <= MAX_UNITS);
        // With long configs, the limit in bytes applies.
        for _ in 0..1_000 {
            shift.push(&long_config(640, 1_000));
            let kept: usize = shift.units.iter().map(|(_, kept)| kept.bytes()).sum();
            assert!(kept <= 5_000 && kept == shift.bytes(), "{kept} {}", shift.bytes());
        }
        // The timestamps do not advance.
        for _ in 0..MAX_UNITS * 2 {
            shift.push(&audio(90_000));
        }
        assert!(shift.units.len() <= MAX_UNITS && shift.bytes() <= 5_000);
    }

    #[test]
    fn without_depth_nothing_is_kept_and_all_is_handed_on() {
        let mut shift = TimeShift::new(None);
        assert!(shift.push(&video(0, 10)) && !shift.is_on());
        shift.hold();
        assert!(shift.push(&video(100, 10)) && !shift.is_behind());
        assert_eq!((shift.bytes(), shift.oldest()), (0, None));
    }

    #[test]
    fn one_goes_back_to_a_keyframe_with_its_configuration_and_its_audio() {
        let mut shift = TimeShift::new(Some(TimeShiftDepth::default()));
        shift.push(&video_config(640));
        shift.push(&audio_config());
        stream(&mut shift, 0, 5_000, 10);
        shift.push(&video_config(1_280));
        stream(&mut shift, 5_000, 10_000, 10);
        let begin = shift.go_to(at(4_900), false).unwrap();
        assert_eq!(begin.at, at(4_000));
        // The audio at 4030 ms arrived before the frame at 4000 ms.
        assert_eq!(summary(&begin.units), ["video 640", "audio", "a4030"]);
        assert_eq!(summary(&shift.take_until(at(4_100), 99)), ["v4000"]);
        assert_eq!(summary(&shift.take_until(at(4_150), 99)), ["a4130", "v4100"]);
        // New items are stored and not passed on.
        assert!(!shift.push(&video(10_000, 10)));
        let begin = shift.go_to(at(6_100), false).unwrap();
        assert_eq!(summary(&begin.units), ["video 1280", "audio", "a6030"]);
        // Forward seeks go to the next keyframe, not to the previous one.
        assert_eq!(shift.go_to(at(6_100), true).unwrap().at, at(8_000));
        assert!(shift.go_to(at(10_001), true).is_none());
        // A seek to a time before the buffer goes to the oldest position.
        assert_eq!(shift.go_to(at(-5_000), false).unwrap().at, at(0));
    }

    #[test]
    fn the_live_end_is_reached_at_once_or_by_and_by() {
        let mut shift = TimeShift::new(Some(TimeShiftDepth::default()));
        stream(&mut shift, 0, 10_000, 10);
        shift.go_to(at(0), false).unwrap();
        let words = summary(&shift.go_live(at(9_700)));
        assert_eq!((words[0].as_str(), words[1].as_str()), ("a8030", "v8000"));
        assert_eq!(words.last().unwrap(), "v9900");
        assert!(!shift.is_behind() && shift.push(&audio(10_030)));

        shift.hold();
        stream(&mut shift, 10_100, 10_300, 10);
        assert_eq!(summary(&shift.catch_up()), ["a10130", "v10100", "a10230", "v10200"]);
        assert!(shift.catch_up().is_empty() && !shift.is_behind());
    }

    #[test]
    fn the_live_end_is_reached_without_a_stored_keyframe() {
        let depth = TimeShiftDepth { time: Duration::from_secs(1), bytes: 1 << 20 };
        let mut shift = TimeShift::new(Some(depth));
        shift.push(&video_config(640));
        stream(&mut shift, 0, 500, 10);
        shift.hold();
        stream(&mut shift, 500, 1_900, 10);
        assert!(shift.is_lost() && shift.oldest().is_none());
        // Only the audio after the live position belongs to the next items.
        assert_eq!(summary(&shift.go_live(at(1_830))), ["video 640", "a1830"]);
        assert!(!shift.is_behind() && shift.push(&video(1_900, 10)));
    }

    #[test]
    fn a_position_that_is_no_longer_stored_is_noticed() {
        let depth = TimeShiftDepth { time: Duration::from_secs(4), bytes: 1 << 20 };
        let mut shift = TimeShift::new(Some(depth));
        stream(&mut shift, 0, 2_000, 10);
        shift.hold();
        stream(&mut shift, 2_000, 5_000, 10);
        assert!(!shift.is_lost());
        stream(&mut shift, 5_000, 9_000, 10);
        assert!(shift.is_lost());
        let oldest = shift.oldest().unwrap();
        assert!(shift.go_to(oldest, false).is_some() && !shift.is_lost());
    }

    #[test]
    fn another_position_in_a_recording_keeps_only_the_configuration() {
        let mut shift = TimeShift::new(Some(TimeShiftDepth::default()));
        shift.push(&video_config(640));
        stream(&mut shift, 0, 1_000, 10);
        shift.hold();
        assert!(!shift.push(&audio_config()) && !shift.push(&audio(1_030)));
        assert_eq!(summary(&shift.leave()), ["audio"]);
        assert_eq!((shift.is_behind(), shift.bytes(), shift.oldest()), (false, 0, None));
        assert!(shift.push(&video(2_000, 10)));
        let begin = shift.go_to(at(2_000), false).unwrap();
        assert_eq!(summary(&begin.units), ["video 640", "audio"]);
        assert_eq!(summary(&shift.take_until(at(9_000), 99)), ["v2000"]);
    }

    #[test]
    fn audio_can_be_gone_back_in_once_the_video_has_left() {
        let depth = TimeShiftDepth { time: Duration::from_secs(4), bytes: 1 << 20 };
        let mut shift = TimeShift::new(Some(depth));
        stream(&mut shift, 0, 2_000, 10);
        for ms in (2_000..4_000).step_by(20) {
            shift.push(&audio(ms));
        }
        assert_eq!(shift.go_to(at(3_000), false).unwrap().at, at(0), "a keyframe is stored");
        for ms in (4_000..10_000).step_by(20) {
            shift.push(&audio(ms));
        }
        assert_eq!(shift.go_to(at(8_010), false).unwrap().at, at(8_000));
        assert_eq!(summary(&shift.go_live(at(9_990))), ["a9980"]);
        assert!(!shift.is_behind());
    }

    #[test]
    fn audio_alone_can_be_gone_back_in_and_the_end_comes_last() {
        let mut shift = TimeShift::new(Some(TimeShiftDepth::default()));
        for ms in (0..3_000).step_by(20) {
            shift.push(&audio(ms));
        }
        assert_eq!(shift.go_to(at(1_010), false).unwrap().at, at(1_000));
        assert!(!shift.end() && !shift.is_over());
        assert_eq!(shift.take_until(at(9_000), 999).len(), 100);
        assert!(shift.is_over());
    }
}
