//! WAV (RIFF, and RF64 as in EBU Tech 3306): uncompressed audio with computable positions.

use crate::base::Timestamp;
use crate::wire::codec::pcm::{Coding, Pcm};
use crate::wire::container::audio::packets::{
    Kind, audio_span, index_of, peek, several, time, units,
};
use crate::wire::container::{
    Demuxer, Error, FilePart, Index, ReadAt, SampleLocation, TrackId, Unit, UnsupportedContent,
    read,
};

/// Maximum number of chunks before the audio.
const MAX_CHUNKS: usize = 1_024;
/// Maximum number of bytes read from a `fmt ` chunk.
const MAX_FORMAT_BYTES: usize = 64;
/// The length in a header whose writer did not know the final length.
const UNKNOWN_LENGTH: u64 = 0xFFFF_FFFF;
/// Number of packets per second.
const PACKETS_PER_SECOND: u32 = 50;
/// Maximum plausible length in bytes. A file that claims to be longer has an unknown end.
pub(super) const MAX_PLAUSIBLE_BYTES: u64 = 1 << 60;

/// Returns true if a file begins like WAV.
pub(super) fn begins(head: &[u8; 12]) -> bool {
    (head.starts_with(b"RIFF") || head.starts_with(b"RF64")) && head.ends_with(b"WAVE")
}

/// Format and position of the audio in a file, from its header.
#[derive(Copy, Clone, Debug)]
pub struct WavAudio {
    pub pcm: Pcm,
    pub begins: u64,
    pub ends: u64,
}

impl WavAudio {
    /// Finds the audio in a file that begins at `begin`.
    ///
    /// # Errors
    /// Fails if the file is not WAV, cannot be read, or has an unsupported format.
    pub fn find(source: &mut dyn ReadAt, begin: u64) -> Result<Self, Error> {
        let head = read(source, begin, 12, 12, FilePart::Header)?;
        if !head.first_chunk().is_some_and(begins) {
            return Err(Error::UnknownFormat);
        }
        let (mut at, mut format, mut long) = (begin + 12, None, None);
        for _ in 0..MAX_CHUNKS {
            let head = read(source, at, 8, 8, FilePart::Header)?;
            let &[a, b, c, d, s0, s1, s2, s3] =
                head.first_chunk::<8>().ok_or(Error::Damaged(FilePart::Header))?;
            let mut size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
            let content = at + 8;
            match &[a, b, c, d] {
                b"fmt " => {
                    format = Some(read(
                        source,
                        content,
                        size.min(MAX_FORMAT_BYTES as u64),
                        MAX_FORMAT_BYTES,
                        FilePart::Header,
                    )?);
                }
                // 64-bit sizes of the file and of the audio.
                b"ds64" => {
                    let sizes = read(source, content, size.min(16), 16, FilePart::Header)?;
                    let data_size = sizes.get(8..).and_then(<[u8]>::first_chunk::<8>);
                    long = data_size.map(|data_size| u64::from_le_bytes(*data_size));
                }
                b"data" => {
                    if size == UNKNOWN_LENGTH {
                        size = long.unwrap_or(0);
                    }
                    let format = format.ok_or(Error::Damaged(FilePart::Header))?;
                    let pcm = Pcm::of_wave(&format).ok_or_else(|| {
                        let kind = format.first_chunk().map_or(0, |kind| u16::from_le_bytes(*kind));
                        Error::Unsupported(UnsupportedContent::Codec(format!("WAV 0x{kind:04X}")))
                    })?;
                    let known_end = content.saturating_add(size);
                    // An unknown length means that the audio extends to the end of the file.
                    let ends = if size == 0 { source.size() } else { known_end };
                    return Ok(Self { pcm, begins: content, ends });
                }
                _ => {}
            }
            // Chunks begin at even positions.
            at = content.saturating_add(size).saturating_add(size & 1);
        }
        Err(Error::TooMuch(FilePart::Header))
    }
}

/// Makes the header for this many bytes of PCM. A length that exceeds its field is written as
/// unknown, which means up to the end of the file.
pub fn head(pcm: Pcm, bytes: u64) -> Vec<u8> {
    let length = |more: u64| u32::try_from(bytes + more).unwrap_or(u32::MAX).to_le_bytes();
    let frame = u16::try_from(pcm.frame()).unwrap_or(u16::MAX);
    let coding: u16 = if pcm.coding == Coding::Float { 3 } else { 1 };
    let bits = u16::from(pcm.bytes) * 8;
    [
        &b"RIFF"[..],
        &length(36),
        b"WAVEfmt \x10\0\0\0",
        &coding.to_le_bytes(),
        &pcm.channels.to_le_bytes(),
        &pcm.sample_rate.to_le_bytes(),
        &(pcm.sample_rate.saturating_mul(frame.into())).to_le_bytes(),
        &frame.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &length(0),
    ]
    .concat()
}

/// The audio of a file, and the next read position.
#[derive(Clone, Debug)]
pub(super) struct WavCursor {
    index: Index,
    rate: u32,
    /// Size in bytes of one value of every channel.
    frame: u64,
    /// Position of the first audio byte, from the header.
    data: u64,
    /// Position of the end of the audio, from the header.
    end: u64,
    /// Total number of samples, if known.
    all: Option<u64>,
    at: u64,
    units: Vec<Unit>,
}

impl WavCursor {
    pub(super) fn open(source: &mut dyn ReadAt, begin: u64) -> Result<Self, Error> {
        let WavAudio { pcm, begins: data, ends: end } = WavAudio::find(source, begin)?;
        let (frame, rate) = (u64::from(pcm.frame()), pcm.sample_rate);
        let mut index = index_of(pcm.audio_config());
        // The header announces more than the file has: it was cut off.
        index.finished = end <= source.size();
        let there = end.min(source.size());
        let all = (there < MAX_PLAUSIBLE_BYTES).then(|| there.saturating_sub(data) / frame);
        let units = units(all.unwrap_or(0), rate, |at| data + at * frame);
        Ok(Self { index, rate, frame, data, end, all, at: data, units })
    }

    fn samples(&self, at: u64) -> u64 {
        at.saturating_sub(self.data) / self.frame
    }

    /// Reads the next packet. Returns `None` at the end.
    fn step(&mut self, source: &mut dyn ReadAt) -> Result<Option<SampleLocation>, Error> {
        let most = u64::from((self.rate / PACKETS_PER_SECOND).max(1)) * self.frame;
        let mut last = [0];
        // This read may find the end if it is unknown.
        peek(source, self.at.saturating_add(most - 1), &mut last)?;
        let end = self.end.min(source.size());
        let size = end.saturating_sub(self.at).min(most) / self.frame * self.frame;
        if size == 0 {
            return Ok(None);
        }
        let pts = time(self.samples(self.at), self.rate);
        let (at, packet_size) =
            (self.at, u32::try_from(size).map_err(|_| Error::TooMuch(FilePart::Samples))?);
        self.at += size;
        let track = TrackId::Audio(0);
        Ok(Some(SampleLocation { track, keyframe: true, dts: pts, pts, at, size: packet_size }))
    }
}

impl Demuxer for WavCursor {
    fn name(&self) -> &'static str {
        Kind::Wav.extension()
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        several(found, &mut || self.step(source))
    }

    fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.data }
    }

    fn go_to(&mut self, unit: Unit) {
        let offset = unit.at.saturating_sub(self.data);
        self.at = self.data.saturating_add(offset / self.frame * self.frame);
    }

    fn end(&self) -> Option<Timestamp> {
        self.all.map(|all| time(all, self.rate))
    }

    fn audible_from(&self) -> Option<Timestamp> {
        Some(Timestamp::ZERO)
    }

    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        let all = time(self.samples(self.at), self.rate);
        audio_span(Timestamp::ZERO, all, all)
    }

    fn units(&self) -> &[Unit] {
        &self.units
    }
}
