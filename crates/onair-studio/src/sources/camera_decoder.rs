//! Decodes frames of cameras that deliver H.264. Parameter sets are among the frames, and each
//! frame must be decoded as soon as it arrives.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::decode::{self, VideoBackend};
use crate::media::feed::{FrameDecoder, OpenDecoder};
use crate::media::{
    BitsPerSecond, EncodedPacket, FrameRate, Priority, Rotation, Size, Track, VideoCodec,
    VideoConfig, VideoFrame,
};
use crate::wire::codec::h264::{
    DecoderConfig, NalType, Pps, Sps, VuiChanges, annexb_nals, annexb_to_avcc, rewrite_sps_vui,
};

/// Maximum size of a camera's frame in bytes.
const MAX_FRAME_BYTES: usize = 16 << 20;

/// Creates a decoder for any camera.
pub fn unpacker() -> FrameDecoder {
    FrameDecoder::new(|| Box::new(H264::default()))
}

/// Maximum number of parameter sets of each kind in a decoder's configuration. The oldest are
/// dropped.
const MAX_PARAMETER_SETS: usize = 31;

/// Parameter sets and their ids, the newest first. Frames refer to the sets that they need.
#[derive(Clone, Default)]
struct Sets {
    sps: Vec<(u32, Bytes)>,
    pps: Vec<(u32, Bytes)>,
}

impl Sets {
    /// Takes the parameter sets that a frame contains. Returns true if they changed.
    fn take(&mut self, data: &[u8]) -> Result<bool, String> {
        let mut others = false;
        for nal in annexb_nals(data) {
            let (sets, id) = match NalType::of(nal) {
                Some(NalType::Sps) => {
                    (&mut self.sps, Sps::parse_for_decoding(nal).map(|sps| sps.id))
                }
                Some(NalType::Pps) => (&mut self.pps, Pps::id_of(nal)),
                _ => continue,
            };
            let id = id.map_err(|error| error.to_string())?;
            if !sets.iter().any(|(known, set)| *known == id && set.as_ref() == nal) {
                sets.retain(|(known, _)| *known != id);
                sets.insert(0, (id, Bytes::copy_from_slice(nal)));
                sets.truncate(MAX_PARAMETER_SETS);
                others = true;
            }
        }
        Ok(others)
    }

    /// Opens a decoder for the parameter sets. Returns `None` if a set of one kind is still
    /// missing.
    fn open(&self) -> Option<Result<Box<dyn VideoBackend>, String>> {
        let ((_, first), (_, pps)) = (self.sps.first()?, self.pps.first()?);
        // Cameras deliver frames in capture order, but few declare it.
        let changes = VuiChanges { no_reordering: true, ..VuiChanges::default() };
        let prompt = |sps: &Bytes| rewrite_sps_vui(sps, &changes).unwrap_or_else(|_| sps.clone());
        let config = DecoderConfig::new(prompt(first), pps.clone()).and_then(|config| {
            let sps = self.sps.iter().map(|(_, set)| prompt(set)).collect();
            let pps = self.pps.iter().map(|(_, set)| set.clone()).collect();
            DecoderConfig { sps, pps, ..config }.build()
        });
        let opened = config.map_err(|error| error.to_string()).and_then(|config| {
            let parameters = VideoConfig {
                codec: VideoCodec::H264,
                size: Size::new(0, 0),
                frame_rate: FrameRate::FPS_30,
                bitrate: BitsPerSecond(0),
                codec_config: config,
                pixel_aspect: None,
                rotation: Rotation::None,
            };
            decode::open_video(&parameters).map_err(|error| error.to_string())
        });
        Some(opened)
    }
}

/// The H.264 decoder of a camera; see the module documentation.
#[derive(Default)]
struct H264 {
    /// The decoder, or the reason why there is none, which is reported with every frame until the
    /// parameter sets change.
    decoder: Option<Result<Box<dyn VideoBackend>, String>>,
    sets: Sets,
    number: i64,
}

impl H264 {
    /// Opens a new decoder if the parameter sets changed.
    fn configure(&mut self, data: &[u8]) -> Result<(), String> {
        let mut sets = self.sets.clone();
        match sets.take(data) {
            Ok(true) => {
                self.sets = sets;
                self.decoder = None;
                self.decoder = self.sets.open();
            }
            Ok(false) => {}
            Err(why) => {
                if self.decoder.is_none() {
                    self.decoder = Some(Err(why.clone()));
                }
                return Err(why);
            }
        }
        Ok(())
    }
}

impl OpenDecoder for H264 {
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String> {
        if data.len() > MAX_FRAME_BYTES {
            return Err(format!("a frame of {} bytes", data.len()));
        }
        self.configure(data)?;
        let decoder = match &mut self.decoder {
            None => return Ok(None),
            Some(Ok(decoder)) => decoder,
            Some(Err(why)) => return Err(why.clone()),
        };
        let is_slice = |nal: &[u8]| {
            matches!(NalType::of(nal), Some(NalType::Slice | NalType::Idr | NalType::Sei))
        };
        let keyframe = annexb_nals(data).any(|nal| NalType::of(nal) == Some(NalType::Idr));
        let slices = annexb_to_avcc(data, is_slice).map_err(|error| error.to_string())?;
        if slices.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let at = Timestamp::from_millis(self.number);
        let packet = EncodedPacket {
            track: Track::Video,
            pts: at,
            dts: at,
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data: slices,
            captured: at,
            rendition: None,
        };
        let frames = decoder.decode(&packet).map_err(|error| error.to_string())?;
        Ok(frames.into_iter().next_back())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::base::{Pooled, queue};
    use crate::encode::{Choice, Preset, RateControl, VideoEncoder};
    use crate::media::{Color, Planes};
    use crate::wire::codec::h264::{avcc_nals, nals_to_annexb};

    const FRAME_SIZE: Size = Size::new(320, 192);

    /// Returns the output of a camera: separate frames, with parameter sets before the first frame.
    fn given(count: u8, size: Size) -> Vec<Vec<u8>> {
        let config = crate::encode::video::Config {
            size,
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(4_000_000),
            keyframe_interval: Duration::from_secs(10),
            encoder: Choice::Auto,
            preset: Preset::Auto,
            rate_control: RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
        };
        let (frames, input) = queue::bounded("frames", 1, queue::Full::Block);
        let (output, packets) = queue::bounded("packets", 1, queue::Full::Block);
        let encoder = VideoEncoder::spawn(config, input, output).unwrap();
        let mut given = Vec::new();
        for number in 0..count {
            let mut planes = Planes::black(size);
            planes.y.fill(luma(number));
            let pts = Timestamp::from_micros(i64::from(number) * 33_333);
            let planes = Arc::new(Pooled::unpooled(planes));
            frames.send(VideoFrame { pts, color: Color::PROGRAM, surface: planes.into() }).unwrap();
            let packet = packets.recv().unwrap();
            let mut unit = vec![0, 0, 0, 1, 9, 0xF0];
            let record = DecoderConfig::parse(&encoder.config().codec_config).unwrap();
            let sets = record.sps.iter().chain(&record.pps).filter(|_| packet.keyframe);
            let nals: Vec<_> = avcc_nals(&packet.data, 4).map(Result::unwrap).collect();
            unit.extend_from_slice(&nals_to_annexb(sets.map(|set| &set[..]).chain(nals)));
            given.push(unit);
        }
        given
    }

    fn luma(number: u8) -> u8 {
        40 + number * 7
    }

    #[test]
    fn each_frame_is_there_as_soon_as_it_came() {
        let mut camera = unpacker().open().unwrap();
        let units = given(20, FRAME_SIZE);
        // If decoding begins in the middle, there is no frame and no error until a keyframe
        // arrives.
        assert!(camera.unpack(&units[5]).unwrap().is_none());
        for (number, unit) in (0..).zip(&units) {
            let frame = camera.unpack(unit).unwrap().unwrap();
            assert_eq!(frame.size(), FRAME_SIZE);
            let middle = frame.planes().y[160 + 320 * 96];
            assert!(middle.abs_diff(luma(number)) <= 3, "{number}: {middle}");
        }
        // The size changes here.
        let small = given(2, Size::new(160, 96));
        let frame = camera.unpack(&small[0]).unwrap().unwrap();
        assert_eq!(frame.size(), Size::new(160, 96));
    }

    /// Returns a frame with another unit after its picture parameter set.
    fn with(unit: &[u8], more: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        for nal in annexb_nals(unit) {
            let more = Some(more).filter(|_| NalType::of(nal) == Some(NalType::Pps));
            for nal in [Some(nal), more].into_iter().flatten() {
                made.extend_from_slice(&[0, 0, 0, 1]);
                made.extend_from_slice(nal);
            }
        }
        made
    }

    #[test]
    fn every_parameter_set_counts_not_only_the_last_one() {
        let mut camera = unpacker().open().unwrap();
        let units = given(3, FRAME_SIZE);
        // Picture parameter set 1, which no frame uses.
        let other = [0x68, 0x53, 0x8E, 0x20];
        assert_eq!((Pps::id_of(&other), Pps::parse(&other, None).unwrap().id), (Ok(1), 1));
        let first = with(&units[0], &other);
        for (number, unit) in (0..).zip([&first, &units[1], &units[2]]) {
            let frame = camera.unpack(unit).unwrap().unwrap();
            let middle = frame.planes().y[160 + 320 * 96];
            assert!(middle.abs_diff(luma(number)) <= 3, "{number}: {middle}");
        }
    }

    #[test]
    fn a_missing_decoder_is_reported_until_there_are_other_parameter_sets() {
        let mut camera = unpacker().open().unwrap();
        let units = given(2, FRAME_SIZE);
        // A picture parameter set that is too long for a decoder's configuration.
        let pps = |nal: &&[u8]| NalType::of(nal) == Some(NalType::Pps);
        let mut long = annexb_nals(&units[0]).find(pps).unwrap().to_vec();
        long.resize(65_536, 0xFF);
        let why = camera.unpack(&with(&units[0], &long)).unwrap_err();
        assert_eq!(camera.unpack(&units[1]).unwrap_err(), why);
        assert!(camera.unpack(&units[0]).unwrap().is_some());
    }

    #[test]
    fn what_makes_no_sense_is_a_fault_and_the_next_beginning_is_shown() {
        let mut camera = unpacker().open().unwrap();
        let units = given(3, FRAME_SIZE);
        for bad in [b"".as_slice(), b"no picture at all", &[0, 0, 0, 1], &[0, 0, 1, 0x67, 1, 2]] {
            assert!(!matches!(camera.unpack(bad), Ok(Some(_))), "{bad:?}");
        }
        let mut cut = units[0].clone();
        cut.truncate(cut.len() / 2);
        let _ = camera.unpack(&cut);
        assert!(camera.unpack(&units[0]).unwrap().is_some());
        assert!(camera.unpack(&vec![0; MAX_FRAME_BYTES + 1]).unwrap_err().contains("bytes"));
    }
}
