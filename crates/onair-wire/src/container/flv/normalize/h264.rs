//! H.264: takes the parameter sets from frames if there is no config, and converts Annex B to AVCC.

use bytes::{BufMut, Bytes, BytesMut};

use super::remark::{MIN_BARE_BODIES, Remark};
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::codec::h264::{DecoderConfig, NalType, annexb_nals, avcc_nals};
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{FrameType, parse_video};
use crate::wire::container::track_config::MAX_CONFIG_BYTES;

/// Maximum number of parameter sets of one kind in a config.
const MAX_SETS: usize = 31;
/// The length of NAL lengths in configs made here.
const LENGTH_SIZE: usize = 4;

/// The H.264 track of a publisher.
#[derive(Debug, Default)]
pub(super) struct H264Track {
    /// The config that the publisher sent, or the one from its frames.
    config: Option<DecoderConfig>,
    /// True if the config is from frames.
    is_in_band: bool,
    /// Frames without a config.
    bare: u32,
}

impl H264Track {
    /// Takes a body. Returns a config that must precede it, if any, and the body in AVCC.
    pub fn take(&mut self, body: Bytes, remark: &mut dyn FnMut(Remark)) -> (Option<Bytes>, Bytes) {
        let Ok(tag) = parse_video(&body) else { return (None, body) };
        if tag.is_multitrack || tag.track.format != VideoFormat::H264 {
            return (None, body);
        }
        match &tag.track.packet {
            VideoPacket::SequenceStart(config) => (None, self.config(config, &body, remark)),
            VideoPacket::Frame { data, .. } if !data.is_empty() => {
                self.frame(tag.frame_type == FrameType::Key, data, &body, remark)
            }
            _ => (None, body),
        }
    }

    /// Takes a config. Returns its body as avcC.
    fn config(&mut self, config: &Bytes, body: &Bytes, remark: &mut dyn FnMut(Remark)) -> Bytes {
        if let Ok(parsed) = DecoderConfig::parse(config) {
            if !parsed.sps.is_empty() {
                (self.config, self.is_in_band) = (Some(parsed), false);
            }
            return body.clone();
        }
        let converted = has_start_code(config).then(|| sets(annexb_nals(config), config)).flatten();
        let record = converted.as_ref().and_then(|config| config.build().ok());
        let Some(record) = record.filter(|it| it.len() <= MAX_CONFIG_BYTES) else {
            return body.clone();
        };
        remark(Remark::AnnexB);
        (self.config, self.is_in_band) = (converted, false);
        joined(body, config, &record)
    }

    fn frame(
        &mut self,
        is_key: bool,
        data: &Bytes,
        body: &Bytes,
        remark: &mut dyn FnMut(Remark),
    ) -> (Option<Bytes>, Bytes) {
        let length_size = self.config.as_ref().map_or(LENGTH_SIZE, |config| config.length_size);
        let annexb = has_start_code(data) && !is_avcc(data, length_size);
        let mut before = None;
        if is_key && (self.config.is_none() || self.is_in_band) {
            let found = match annexb {
                true => sets(annexb_nals(data), data),
                false => sets(avcc_nals(data, LENGTH_SIZE).map_while(Result::ok), data),
            };
            let record = found.as_ref().and_then(|found| found.build().ok());
            let record = record.filter(|it| it.len() <= MAX_CONFIG_BYTES);
            if let Some(record) = record
                && found != self.config
            {
                remark(Remark::VideoConfigInBand);
                (self.config, self.is_in_band) = (found, true);
                before = Some([&[0x17, 0, 0, 0, 0], &record[..]].concat().into());
            }
        }
        if self.config.is_none() {
            self.bare = self.bare.saturating_add(1);
            if self.bare == MIN_BARE_BODIES {
                remark(Remark::NoVideoConfig);
            }
        }
        let converted = annexb.then(|| to_avcc(data, length_size)).flatten();
        let Some(converted) = converted else { return (before, body.clone()) };
        remark(Remark::AnnexB);
        (before, joined(body, data, &converted))
    }
}

/// Returns true if the data begins with a start code.
fn has_start_code(data: &[u8]) -> bool {
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

/// Returns true if the data consists of valid NAL units with lengths.
fn is_avcc(data: &[u8], length_size: usize) -> bool {
    avcc_nals(data, length_size).all(|nal| {
        // The first bit is zero, and the types from 24 on are undefined (Table 7-1).
        nal.is_ok_and(|nal| {
            nal.first().is_some_and(|head| head & 0x80 == 0 && (1..24).contains(&(head & 0x1F)))
        })
    })
}

/// Makes a config of the parameter sets among NAL units of `data`.
fn sets<'a>(nals: impl Iterator<Item = &'a [u8]>, data: &Bytes) -> Option<DecoderConfig> {
    let (mut sps, mut pps) = (Vec::new(), Vec::new());
    for nal in nals {
        let sets = match NalType::of(nal) {
            Some(NalType::Sps) => &mut sps,
            Some(NalType::Pps) => &mut pps,
            // Parameter sets come first.
            Some(NalType::Idr | NalType::Slice) => break,
            _ => continue,
        };
        // A slice would keep the whole frame in memory.
        let set = Bytes::copy_from_slice(&data.slice_ref(nal));
        if sets.len() < MAX_SETS && !sets.contains(&set) {
            sets.push(set);
        }
    }
    let mut config = DecoderConfig::new(sps.first()?.clone(), pps.first()?.clone()).ok()?;
    (config.sps, config.pps) = (sps, pps);
    Some(config)
}

/// Converts Annex B. Returns `None` if a NAL unit is too long for its length.
fn to_avcc(data: &[u8], length_size: usize) -> Option<Bytes> {
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

/// Returns a body with other data at its end.
fn joined(body: &Bytes, old: &Bytes, new: &Bytes) -> Bytes {
    let front = body.get(..body.len().saturating_sub(old.len())).unwrap_or_default();
    [front, &new[..]].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90];
    const PPS: &[u8] = &[0x68, 0xce, 0x38, 0x80];
    const IDR: &[u8] = &[0x65, 0x88, 0x80, 0x40];
    const SLICE: &[u8] = &[0x41, 0x9a, 0x02];

    fn avcc(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes()[..], nal].concat()).collect()
    }

    fn annexb(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    fn body(front: &[u8], data: &[u8]) -> Bytes {
        [front, data].concat().into()
    }

    fn header(sps: &[u8]) -> Bytes {
        let [sps, pps] = [sps, PPS].map(Bytes::copy_from_slice);
        body(&[0x17, 0, 0, 0, 0], &DecoderConfig::new(sps, pps).unwrap().build().unwrap())
    }

    /// Takes bodies, and returns the results and the remarks.
    fn run(bodies: &[Bytes]) -> (Vec<(Option<Bytes>, Bytes)>, Vec<Remark>) {
        let (mut track, mut remarks) = (H264Track::default(), Vec::new());
        let taken = bodies.iter().map(|it| track.take(it.clone(), &mut |it| remarks.push(it)));
        (taken.collect(), remarks)
    }

    #[test]
    fn parameter_sets_within_frames_become_a_config_in_both_forms() {
        let front = [0x17, 1, 0, 0, 40];
        let plain = body(&front, &avcc(&[SPS, PPS, IDR]));
        for data in [avcc(&[SPS, PPS, IDR]), annexb(&[SPS, PPS, IDR])] {
            let key = body(&front, &data);
            let (taken, remarks) = run(&[key.clone(), key]);
            assert_eq!(taken[0], (Some(header(SPS)), plain.clone()));
            assert_eq!(taken[1], (None, plain.clone()), "the same again");
            assert_eq!(remarks[0], Remark::VideoConfigInBand);
        }
        let other = [SPS[0], SPS[1], SPS[2], 11, SPS[4], SPS[5], SPS[6], SPS[7]];
        let (taken, _) = run(&[plain, body(&front, &avcc(&[&other, PPS, IDR]))]);
        assert_eq!(taken[1].0, Some(header(&other)), "the publisher changes its encoder");
    }

    #[test]
    fn annex_b_is_converted_and_lengths_that_look_like_it_are_not() {
        let inter = |data: &[u8]| body(&[0x27, 1, 0, 0, 0], data);
        // A length of 256 to 511 looks like a start code of three bytes.
        let long = [SLICE, &[0xAA; 300]].concat();
        let bodies = [header(SPS), inter(&annexb(&[SLICE])), inter(&avcc(&[&long]))];
        let (taken, remarks) = run(&bodies);
        assert_eq!(taken[1], (None, inter(&avcc(&[SLICE]))));
        assert_eq!((&taken[0].1, &taken[2].1), (&bodies[0], &bodies[2]), "unchanged");
        assert_eq!(remarks, [Remark::AnnexB]);
        let (taken, _) = run(&[body(&[0x17, 0, 0, 0, 0], &annexb(&[SPS, PPS]))]);
        assert_eq!(taken[0].1, header(SPS), "a config");
    }

    #[test]
    fn frames_without_any_parameter_sets_are_remarkable() {
        let bodies = vec![body(&[0x17, 1, 0, 0, 0], &avcc(&[IDR])); MIN_BARE_BODIES as usize];
        assert_eq!(run(&bodies[1..]).1, []);
        assert_eq!(run(&bodies).1, [Remark::NoVideoConfig]);
    }
}
