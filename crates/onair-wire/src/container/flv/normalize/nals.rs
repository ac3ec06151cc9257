//! NAL units of H.264 and HEVC: what differs between the two, and the conversion of Annex B.

use bytes::{BufMut, Bytes, BytesMut};

use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::codec::h264::{DecoderConfig, NalType, annexb_nals, avcc_nals};
use crate::wire::codec::{hevc_parameter_sets, hevc_record};
use crate::wire::container::track_config::MAX_CONFIG_BYTES;

/// Maximum number of parameter sets of one kind in a config.
const MAX_SETS: usize = 31;
/// The length of NAL lengths in configs made here.
pub(super) const LENGTH_SIZE: usize = 4;

/// A codec whose frames consist of NAL units.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    H264,
    Hevc,
}

/// What a config says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub length_size: usize,
    pub has_sets: bool,
}

/// What a NAL unit is, as far as it matters here.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Unit {
    /// A parameter set; those of one kind are in one list.
    Set(usize),
    Slice,
    Other,
}

impl Codec {
    pub const fn of(format: VideoFormat) -> Option<Self> {
        match format {
            VideoFormat::H264 => Some(Self::H264),
            VideoFormat::Hevc => Some(Self::Hevc),
            _ => None,
        }
    }

    /// Reads an avcC or hvcC.
    pub fn parse(self, config: &Bytes) -> Option<Parsed> {
        match self {
            Self::H264 => DecoderConfig::parse(config).ok().map(|config| Parsed {
                length_size: config.length_size,
                has_sets: !config.sps.is_empty(),
            }),
            Self::Hevc if has_start_code(config) => None,
            Self::Hevc => config.get(21).map(|byte| Parsed {
                length_size: usize::from(byte & 3) + 1,
                has_sets: !hevc_parameter_sets(config).is_empty(),
            }),
        }
    }

    /// Makes a config of the parameter sets in `data`, which is Annex B or has lengths.
    pub fn record(self, data: &Bytes, is_annexb: bool) -> Option<Bytes> {
        let record = match is_annexb {
            true => self.record_of(annexb_nals(data), data),
            false => self.record_of(avcc_nals(data, LENGTH_SIZE).map_while(Result::ok), data),
        };
        record.filter(|it| it.len() <= MAX_CONFIG_BYTES)
    }

    fn record_of<'a>(self, nals: impl Iterator<Item = &'a [u8]>, data: &Bytes) -> Option<Bytes> {
        let mut found: [Vec<Bytes>; 3] = Default::default();
        for nal in nals {
            let kind = match self.unit(nal) {
                Unit::Set(kind) => kind,
                // Parameter sets come first.
                Unit::Slice => break,
                Unit::Other => continue,
            };
            let Some(sets) = found.get_mut(kind) else { continue };
            // A slice would keep the whole frame in memory.
            let set = Bytes::copy_from_slice(&data.slice_ref(nal));
            if sets.len() < MAX_SETS && !sets.contains(&set) {
                sets.push(set);
            }
        }
        let [vps, sps, pps] = found;
        match self {
            Self::H264 => {
                let mut config =
                    DecoderConfig::new(sps.first()?.clone(), pps.first()?.clone()).ok()?;
                (config.sps, config.pps) = (sps, pps);
                config.build().ok()
            }
            Self::Hevc if vps.is_empty() || pps.is_empty() => None,
            Self::Hevc => hevc_record([&vps, &sps, &pps]),
        }
    }

    /// Tells the kind of a NAL unit (H.264 Table 7-1, H.265 Table 7-1).
    fn unit(self, nal: &[u8]) -> Unit {
        match (self, nal) {
            (Self::H264, nal) => match NalType::of(nal) {
                Some(NalType::Sps) => Unit::Set(1),
                Some(NalType::Pps) => Unit::Set(2),
                Some(NalType::Idr | NalType::Slice) => Unit::Slice,
                _ => Unit::Other,
            },
            (Self::Hevc, [head, ..]) => match head >> 1 & 0x3F {
                kind @ 32..=34 => Unit::Set(usize::from(kind) - 32),
                0..32 => Unit::Slice,
                _ => Unit::Other,
            },
            (Self::Hevc, []) => Unit::Other,
        }
    }

    /// Returns true if the data consists of valid NAL units with lengths.
    pub fn has_lengths(self, data: &[u8], length_size: usize) -> bool {
        avcc_nals(data, length_size).all(|nal| nal.is_ok_and(|nal| self.is_valid(nal)))
    }

    /// Returns true if the header of the NAL unit is possible: the first bit is zero, the type is
    /// defined, and an HEVC unit has a temporal id.
    fn is_valid(self, nal: &[u8]) -> bool {
        match (self, nal) {
            // A parameter set and an IDR slice are reference data; SEI, delimiters and ends are not.
            (Self::H264, [head, ..]) => {
                let (is_reference, kind) = (head & 0x60 != 0, head & 0x1F);
                let is_possible = match kind {
                    5 | 7 | 8 | 13 | 15 => is_reference,
                    6 | 9..=12 => !is_reference,
                    kind => (1..24).contains(&kind),
                };
                head & 0x80 == 0 && is_possible
            }
            (Self::Hevc, [head, more, ..]) => {
                head & 0x80 == 0 && (head >> 1 & 0x3F) < 41 && more & 7 != 0
            }
            _ => false,
        }
    }

    /// Returns the front of a config's body, in the form of the frame whose body begins with `first`.
    pub const fn config_front(self, first: u8) -> &'static [u8] {
        match self {
            Self::H264 => &[0x17, 0, 0, 0, 0],
            Self::Hevc if first & 0x80 != 0 => b"\x90hvc1",
            Self::Hevc => &[0x1C, 0, 0, 0, 0],
        }
    }
}

/// Returns true if the data begins with a start code.
pub(super) fn has_start_code(data: &[u8]) -> bool {
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

/// Converts Annex B to NAL units with lengths. Returns `None` if a NAL unit is too long for its length.
pub(super) fn to_lengths(data: &[u8], length_size: usize) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(data.len() + data.len() / 4);
    for nal in annexb_nals(data) {
        let length = u32::try_from(nal.len()).ok()?.to_be_bytes();
        let (zeros, length) = length.split_at_checked(4_usize.checked_sub(length_size)?)?;
        if zeros.iter().any(|zero| *zero != 0) {
            return None;
        }
        out.put_slice(length);
        out.put_slice(nal);
    }
    (!out.is_empty()).then(|| out.freeze())
}
