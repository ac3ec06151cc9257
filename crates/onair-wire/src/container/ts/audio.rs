//! Splits the audio of a transport stream into access units: ADTS, MPEG audio, Opus, AC-3 and
//! E-AC-3. Frames may cross the boundaries of PES units.

use bytes::Bytes;

use crate::wire::codec;
use crate::wire::codec::aac::{AudioSpecificConfig, adts};
use crate::wire::codec::mpeg_audio;
use crate::wire::codec::pcm::{Coding, Pcm};
use crate::wire::container::audio::opus_lasts;
use crate::wire::container::ts::event::{Codec, Event, TICKS_PER_SECOND};

/// Maximum number of bytes that wait for the rest of a frame. No frame is that long.
const MAX_PENDING_BYTES: usize = 64 << 10;

/// Number of bytes at the start of an AC-3 syncframe that contain its length, rate and channels.
const AC3_HEADER_BYTES: usize = 7;

/// The rate of the sample counts of Opus, in Hz.
const OPUS_RATE_HZ: i64 = 48_000;
/// Number of samples of an Opus packet whose duration cannot be read.
const USUAL_OPUS_SAMPLES: u32 = 960;

/// The audio reader.
#[derive(Debug)]
pub(super) struct AudioUnits {
    codec: Codec,
    channels: u8,
    rest: Vec<u8>,
    /// Time of the frame at the start of `rest`.
    time: Option<i64>,
    config: Option<Bytes>,
}

impl AudioUnits {
    pub fn new(codec: Codec, channels: u8) -> Self {
        Self { codec, channels, rest: Vec::new(), time: None, config: None }
    }

    /// Returns the number of buffered bytes.
    pub fn held(&self) -> usize {
        self.rest.len()
    }

    /// Discards an incomplete frame after lost data.
    pub fn forget(&mut self) {
        self.rest.clear();
        self.time = None;
    }

    /// Reads a unit. The unit's time applies to the first frame that begins in it.
    pub fn read(&mut self, pts: Option<i64>, data: &[u8], events: &mut Vec<Event>) {
        if self.codec == Codec::Opus {
            return self.opus(pts, data, events);
        }
        if self.codec == Codec::S302m {
            return self.s302m(pts, data, events);
        }
        // Position from which the unit's time applies.
        let mut border = pts.map(|pts| (self.rest.len(), pts));
        self.rest.extend_from_slice(data);
        let whole = std::mem::take(&mut self.rest);
        let mut at = 0;
        loop {
            let rest = whole.get(at..).unwrap_or_default();
            if let Some((from, pts)) = border
                && at >= from
            {
                self.time = Some(pts);
                border = None;
            }
            match self.frame(rest, events) {
                FoundFrame::Frame(length) => at += length,
                FoundFrame::Cut => break,
                FoundFrame::Noise => {
                    // Skip to the next byte that may begin a frame.
                    let first =
                        if matches!(self.codec, Codec::Ac3 | Codec::Eac3) { 0x0B } else { 0xFF };
                    let next = rest.iter().skip(1).position(|byte| *byte == first);
                    at += next.map_or(rest.len(), |next| next + 1);
                }
            }
        }
        let rest = whole.get(at..).unwrap_or_default();
        if rest.len() <= MAX_PENDING_BYTES {
            self.rest.extend_from_slice(rest);
        }
        if let Some((_, pts)) = border
            && self.rest.is_empty()
        {
            self.time = Some(pts);
        }
    }

    /// Reads a unit of SMPTE 302M: a header of four bytes, then values of 16, 20 or 24 bits, lowest
    /// bit first, each followed by four bits without audio.
    fn s302m(&mut self, pts: Option<i64>, data: &[u8], events: &mut Vec<Event>) {
        let (Some(pts), Some((head, rest))) = (pts, data.split_first_chunk::<4>()) else { return };
        let head = u32::from_be_bytes(*head);
        let bits = ((head >> 4 & 3) * 4 + 16) as usize;
        let channels = (head >> 14 & 3) as u16 * 2 + 2;
        let length = (head >> 16) as usize;
        if bits > 24 {
            return;
        }
        let bytes = if bits == 16 { 2 } else { 3 };
        let (coding, big_endian) = (Coding::Signed, false);
        let shape = Pcm { coding, big_endian, bytes, channels, sample_rate: 48_000 };
        let config = shape.config();
        if self.config.as_ref() != Some(&config) {
            self.config = Some(config.clone());
            events.push(Event::AudioConfig(config));
        }
        let rest = rest.get(..length.min(rest.len())).unwrap_or_default();
        let bit =
            |at: usize| rest.get(at / 8).map_or(0, |byte| u32::from(byte >> (7 - at % 8) & 1));
        let count = rest.len() * 8 / (bits + 4);
        let count = count - count % usize::from(channels);
        let mut out = Vec::with_capacity(count * usize::from(bytes));
        for number in 0..count {
            let from = number * (bits + 4);
            let value = (0..bits).fold(0, |value, at| value | bit(from + at) << at);
            // Twenty bits are left-aligned in three bytes.
            let value = value << (usize::from(bytes) * 8 - bits);
            out.extend(value.to_le_bytes().into_iter().take(bytes.into()));
        }
        events.push(Event::Audio { codec: Codec::S302m, pts, data: out.into() });
    }

    /// Reads the frame at the start of `data`.
    fn frame(&mut self, data: &[u8], events: &mut Vec<Event>) -> FoundFrame {
        let head = match self.codec {
            Codec::Ac3 | Codec::Eac3 => AC3_HEADER_BYTES,
            _ => mpeg_audio::HEADER_BYTES,
        };
        if data.len() < head {
            return FoundFrame::Cut;
        }
        let (length, payload, lasts) = match self.codec {
            Codec::Aac => match adts::parse(data) {
                Ok(Some((frame, after))) => {
                    if let Some(config) = config_of(&frame.head)
                        && self.config.as_ref() != Some(&config)
                    {
                        self.config = Some(config.clone());
                        events.push(Event::AudioConfig(config));
                    }
                    let lasts = 1_024 * TICKS_PER_SECOND / i64::from(frame.head.sample_rate.max(1));
                    (data.len() - after.len(), frame.payload, lasts)
                }
                Ok(None) => return FoundFrame::Cut,
                Err(_) => return FoundFrame::Noise,
            },
            Codec::Ac3 | Codec::Eac3 => {
                let Some((length, samples)) = codec::ac3_frame(data) else {
                    return FoundFrame::Noise;
                };
                let Some(frame) = data.get(..length) else { return FoundFrame::Cut };
                let rate = codec::ac3(data).map_or(48_000, |info| info.sample_rate);
                (length, frame, i64::from(samples) * TICKS_PER_SECOND / i64::from(rate.max(1)))
            }
            _ => {
                let Some(header) = mpeg_audio::header(data) else { return FoundFrame::Noise };
                let Some(frame) = data.get(..header.length) else { return FoundFrame::Cut };
                let lasts =
                    i64::from(header.samples) * TICKS_PER_SECOND / i64::from(header.sample_rate);
                (header.length, frame, lasts)
            }
        };
        if let Some(pts) = self.time
            && !payload.is_empty()
        {
            let data = Bytes::copy_from_slice(payload);
            events.push(Event::Audio { codec: self.codec, pts, data });
            self.time = Some(pts.saturating_add(lasts));
        }
        FoundFrame::Frame(length)
    }

    /// Reads a unit of Opus, which has a control header before each access unit (mapping of Opus to
    /// transport streams, 4.1).
    fn opus(&mut self, pts: Option<i64>, data: &[u8], events: &mut Vec<Event>) {
        if self.config.is_none() {
            let mut head = b"OpusHead\x01".to_vec();
            head.push(self.channels.clamp(1, 2));
            head.extend([0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0]);
            let head = Bytes::from(head);
            self.config = Some(head.clone());
            events.push(Event::AudioConfig(head));
        }
        let mut time = pts.or(self.time);
        let mut rest = data;
        while let [0x7F, flags, after @ ..] = rest
            && flags & 0xE0 == 0xE0
        {
            let mut size = 0_usize;
            let mut fields = after;
            while let [byte, more @ ..] = fields {
                size += usize::from(*byte);
                fields = more;
                if *byte != 0xFF {
                    break;
                }
            }
            let trims = usize::from(flags >> 4 & 1) * 2 + usize::from(flags >> 3 & 1) * 2;
            let Some(fields) = fields.get(trims..) else { break };
            let Some((payload, after)) = fields.split_at_checked(size) else { break };
            if let Some(pts) = time
                && !payload.is_empty()
            {
                let data = Bytes::copy_from_slice(payload);
                events.push(Event::Audio { codec: Codec::Opus, pts, data });
                let lasts = opus_lasts(payload).unwrap_or(USUAL_OPUS_SAMPLES);
                let lasts = i64::from(lasts) * TICKS_PER_SECOND / OPUS_RATE_HZ;
                time = Some(pts.saturating_add(lasts));
            }
            rest = after;
        }
        self.time = time;
    }
}

enum FoundFrame {
    /// A frame of this many bytes.
    Frame(usize),
    /// The rest of the frame has not arrived.
    Cut,
    Noise,
}

fn config_of(head: &adts::AdtsHeader) -> Option<Bytes> {
    let mut config = AudioSpecificConfig::lc(head.sample_rate, 2).ok()?;
    config.object_type = head.object_type;
    config.channel_config = head.channel_config;
    config.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(events: &[Event]) -> Vec<i64> {
        let time = |event: &Event| match event {
            Event::Audio { pts, .. } => Some(*pts),
            _ => None,
        };
        events.iter().filter_map(time).collect()
    }

    #[test]
    fn packets_of_opus_follow_each_other_at_their_own_durations() {
        // One frame of 10 ms, of 60 ms, and of 20 ms, and the start of the next unit.
        let unit = |packets: &[u8]| -> Vec<u8> {
            packets.iter().flat_map(|toc| [0x7F, 0xE0, 2, *toc, 0]).collect()
        };
        let (mut reader, mut events) = (AudioUnits::new(Codec::Opus, 2), Vec::new());
        reader.read(Some(9_000), &unit(&[0xF4, 0x18, 0xFC]), &mut events);
        reader.read(None, &unit(&[0xFC]), &mut events);
        assert_eq!(times(&events), [9_000, 9_900, 15_300, 17_100]);
    }

    #[test]
    fn further_channels_of_dolby_audio_take_no_time() {
        // Two frames of 5.1, each with a frame that adds the channels of 7.1.
        let frame = |kind: u8| [0x0B, 0x77, kind, 3, 0x3F, 0x86, 0, 0];
        let unit = [frame(0), frame(0x40), frame(0), frame(0x40)].concat();
        let (mut reader, mut events) = (AudioUnits::new(Codec::Eac3, 0), Vec::new());
        reader.read(Some(9_000), &unit, &mut events);
        assert_eq!(times(&events), [9_000, 11_880, 11_880, 14_760]);
    }
}
