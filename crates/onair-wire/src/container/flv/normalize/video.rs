//! H.264 and HEVC: takes the parameter sets from frames if there is no config, and converts Annex B.

use bytes::Bytes;

use super::nals::{Codec, LENGTH_SIZE, has_start_code, to_lengths};
use super::remark::{MIN_BARE_BODIES, Remark};
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{FrameType, parse_video};

/// The video track of a publisher.
#[derive(Debug, Default)]
pub(super) struct VideoTrack {
    /// The codec of the config.
    codec: Option<Codec>,
    /// The config that the publisher sent, or the one from its frames.
    config: Option<Bytes>,
    /// The length of NAL lengths according to the config.
    length_size: usize,
    /// True if the config is from frames.
    is_in_band: bool,
    /// Frames without a config.
    bare: u32,
}

impl VideoTrack {
    /// Takes a body. Returns a config that must precede it, if any, and the body with NAL lengths.
    pub fn take(&mut self, body: Bytes, remark: &mut dyn FnMut(Remark)) -> (Option<Bytes>, Bytes) {
        let Ok(tag) = parse_video(&body) else { return (None, body) };
        let Some(codec) = Codec::of(tag.track.format).filter(|_| !tag.is_multitrack) else {
            return (None, body);
        };
        if self.codec != Some(codec) {
            *self = Self { codec: Some(codec), ..Self::default() };
        }
        match &tag.track.packet {
            VideoPacket::SequenceStart(config) => (None, self.config(codec, config, &body, remark)),
            VideoPacket::Frame { data, .. } if !data.is_empty() => {
                self.frame(codec, tag.frame_type == FrameType::Key, data, &body, remark)
            }
            _ => (None, body),
        }
    }

    /// Takes a config. Returns its body as avcC or hvcC.
    fn config(
        &mut self,
        codec: Codec,
        config: &Bytes,
        body: &Bytes,
        remark: &mut dyn FnMut(Remark),
    ) -> Bytes {
        if let Some(parsed) = codec.parse(config) {
            if parsed.has_sets {
                self.set(config.clone(), parsed.length_size, false);
            }
            return body.clone();
        }
        let record = has_start_code(config).then(|| codec.record(config, true)).flatten();
        let Some(record) = record else { return body.clone() };
        remark(Remark::AnnexB);
        let body = joined(body, config, &record);
        self.set(record, LENGTH_SIZE, false);
        body
    }

    fn set(&mut self, config: Bytes, length_size: usize, is_in_band: bool) {
        self.config = Some(config);
        (self.length_size, self.is_in_band) = (length_size, is_in_band);
    }

    fn frame(
        &mut self,
        codec: Codec,
        is_key: bool,
        data: &Bytes,
        body: &Bytes,
        remark: &mut dyn FnMut(Remark),
    ) -> (Option<Bytes>, Bytes) {
        let length_size = if self.config.is_some() { self.length_size } else { LENGTH_SIZE };
        let is_annexb = has_start_code(data) && !codec.has_lengths(data, length_size);
        let mut before = None;
        if is_key && (self.config.is_none() || self.is_in_band) {
            let found = codec.record(data, is_annexb);
            if let Some(record) = found.filter(|found| self.config.as_ref() != Some(found)) {
                remark(Remark::VideoConfigInBand);
                let front = codec.config_front(body.first().copied().unwrap_or_default());
                before = Some([front, &record[..]].concat().into());
                self.set(record, LENGTH_SIZE, true);
            }
        }
        if self.config.is_none() {
            self.bare = self.bare.saturating_add(1);
            if self.bare == MIN_BARE_BODIES {
                remark(Remark::NoVideoConfig);
            }
        }
        let converted = is_annexb.then(|| to_lengths(data, length_size)).flatten();
        let Some(converted) = converted else { return (before, body.clone()) };
        remark(Remark::AnnexB);
        (before, joined(body, data, &converted))
    }
}

/// Returns a body with other data at its end.
fn joined(body: &Bytes, old: &Bytes, new: &Bytes) -> Bytes {
    let front = body.get(..body.len().saturating_sub(old.len())).unwrap_or_default();
    [front, &new[..]].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::codec::hevc_record;

    const SPS: &[u8] = &[0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90];
    const PPS: &[u8] = &[0x68, 0xce, 0x38, 0x80];
    const IDR: &[u8] = &[0x65, 0x88, 0x80, 0x40];
    /// Of x265, 64×64.
    const HEVC_SETS: [&[u8]; 3] = [
        &[
            0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0, 0, 0x03, 0, 0x90, 0, 0, 0x03, 0, 0,
            0x03, 0, 0x1e, 0x95, 0x98, 0x09,
        ],
        &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0, 0, 0x03, 0, 0x90, 0, 0, 0x03, 0, 0, 0x03, 0, 0x1e,
            0xa0, 0x20, 0x81, 0x05, 0x96, 0x56, 0x69, 0x24, 0xca, 0xf0, 0x16, 0x80, 0x80, 0, 0,
            0x03, 0, 0x80, 0, 0, 0x0c, 0x84,
        ],
        &[0x44, 0x01, 0xc1, 0x72, 0xb4, 0x22, 0x40],
    ];
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
        let (mut track, mut remarks) = (VideoTrack::default(), Vec::new());
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

    #[test]
    fn hevc_parameter_sets_within_frames_become_a_config_in_the_form_of_the_frame() {
        let [vps, sps, pps] = HEVC_SETS;
        let idr: &[u8] = &[0x26, 1, 0xAF, 0x1D];
        let record = hevc_record(
            [vps, sps, pps].map(|set| [Bytes::from_static(set)]).each_ref().map(|set| &set[..]),
        );
        let record = record.unwrap();
        for (frame, config) in
            [(&b"\x91hvc1\0\0\0"[..], &b"\x90hvc1"[..]), (&[0x1C, 1, 0, 0, 0], &[0x1C, 0, 0, 0, 0])]
        {
            let plain = body(frame, &avcc(&[vps, sps, pps, idr]));
            for data in [avcc(&[vps, sps, pps, idr]), annexb(&[vps, sps, pps, idr])] {
                let (taken, remarks) = run(&[body(frame, &data), body(frame, &data)]);
                assert_eq!(taken[0], (Some(body(config, &record)), plain.clone()));
                assert_eq!(taken[1], (None, plain.clone()), "the same again");
                assert_eq!(remarks[0], Remark::VideoConfigInBand);
            }
        }
    }

    #[test]
    fn lengths_before_impossible_units_are_start_codes() {
        // Read as lengths, these are units of 1 byte: an IDR slice that is no reference.
        let data = [0, 0, 0, 1, 0x05, 0, 0, 0, 1, 0x05];
        let (taken, _) = run(&[header(SPS), body(&[0x27, 1, 0, 0, 0], &data)]);
        assert_eq!(taken[1].1, body(&[0x27, 1, 0, 0, 0], &avcc(&[&[0x05], &[0x05]])));
    }
}
