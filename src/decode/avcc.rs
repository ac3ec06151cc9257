//! What the H.264 decoder must know of a stream's bytes (ISO/IEC 14496-15 §5): its parameter sets,
//! and the way from packets to the byte stream of ITU-T H.264 annex B.

use bytes::Bytes;

use crate::decode::Error;
use crate::media::Color;

/// The decoder configuration record, read.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    /// Bytes of a NAL unit's length.
    pub length_size: usize,
    profile: u8,
    /// NAL units.
    sets: Vec<Bytes>,
}

fn damaged(reason: &str) -> Error {
    Error::Parameters { what: "H.264 decoder configuration", reason: reason.to_owned() }
}

impl Configuration {
    pub(super) fn parse(record: &Bytes) -> Result<Self, Error> {
        let short = || damaged("it is too short");
        let [1, profile, _, _, lengths, sps_count, ..] = record[..] else {
            return Err(short());
        };
        let length_size = usize::from(lengths & 3) + 1;
        let mut at = 6;
        let mut sets = Vec::new();
        let mut read = |count: u8, at: &mut usize| {
            for _ in 0..count {
                let len = record.get(*at..*at + 2).ok_or_else(short)?;
                let len = len.iter().fold(0, |len, byte| (len << 8) | usize::from(*byte));
                *at += 2;
                let set = record.get(*at..*at + len).ok_or_else(short)?;
                sets.push(record.slice_ref(set));
                *at += len;
            }
            Ok(())
        };
        read(sps_count & 31, &mut at)?;
        let pps_count = *record.get(at).ok_or_else(short)?;
        at += 1;
        read(pps_count, &mut at)?;
        Ok(Self { length_size, profile, sets })
    }

    pub(super) fn profile_name(&self) -> &'static str {
        match self.profile {
            66 => "Baseline",
            77 => "Main",
            100 => "High",
            _ => "of another profile",
        }
    }

    pub(super) fn color(&self) -> Color {
        Color::PROGRAM
    }

    /// Appends the parameter sets as the decoder is to see them.
    pub(super) fn write_parameter_sets(&self, out: &mut Vec<u8>) {
        for set in &self.sets {
            write_nal(set, out);
        }
    }
}

/// What a packet holds.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Contents {
    /// A slice of an IDR picture.
    pub idr: bool,
}

impl Contents {
    /// The configuration that parameter sets inside the packet bring, if they do.
    #[allow(clippy::unused_self, reason = "comes with the parser")]
    pub(super) fn parameter_sets(
        self,
        _current: &Configuration,
    ) -> Result<Option<Configuration>, Error> {
        Ok(None)
    }
}

fn nals(data: &[u8], length_size: usize) -> impl Iterator<Item = Result<&[u8], String>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = rest.split_at_checked(length_size).and_then(|(len, after)| {
            let len = len.iter().fold(0, |len, byte| (len << 8) | usize::from(*byte));
            after.split_at_checked(len)
        });
        match split {
            Some((nal, after)) => {
                rest = after;
                Some(Ok(nal))
            }
            None => {
                rest = &[];
                Some(Err("a NAL unit reaches beyond its packet".to_owned()))
            }
        }
    })
}

/// Looks through a packet.
pub(super) fn survey(data: &[u8], length_size: usize) -> Result<Contents, String> {
    let mut contents = Contents::default();
    let mut slices = 0;
    for nal in nals(data, length_size) {
        match nal?.first().map_or(0, |header| header & 0x1f) {
            5 => {
                contents.idr = true;
                slices += 1;
            }
            1 => slices += 1,
            _ => {}
        }
    }
    if slices == 0 { Err("no picture in it".to_owned()) } else { Ok(contents) }
}

fn write_nal(nal: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    let from = out.len();
    out.extend_from_slice(nal);
    // High to Scalable Baseline: the same syntax, no reordering; see the backend.
    if let Some([header, profile, ..]) = out.get_mut(from..)
        && *header & 0x1f == 7
        && *profile == 100
    {
        *profile = 83;
    }
}

/// Appends a packet as a byte stream; the packet was surveyed before.
pub(super) fn write_byte_stream(data: &[u8], length_size: usize, out: &mut Vec<u8>) {
    for nal in nals(data, length_size).flatten() {
        // Slices and parameter sets; the decoder needs nothing else.
        if matches!(nal.first().map(|header| header & 0x1f), Some(1 | 5 | 7 | 8)) {
            write_nal(nal, out);
        }
    }
}
