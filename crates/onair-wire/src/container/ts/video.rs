//! H.264 and HEVC in a transport stream: converts Annex B with in-band parameter sets to NAL units
//! with lengths and a separate configuration record.

use bytes::Bytes;

use crate::wire::codec::h264::{DecoderConfig, NalType, annexb_nals, annexb_to_avcc};
use crate::wire::codec::hevc_record;
use crate::wire::container::ts::event::{Codec, Event, TICKS_PER_SECOND};

/// Maximum number of parameter sets that are kept per frame.
const MAX_PARAMETER_SETS: usize = 16;

/// Parameter sets: VPS (only HEVC), SPS and PPS.
type Sets = [Vec<Bytes>; 3];

/// The video reader.
#[derive(Debug)]
pub(super) struct VideoUnits {
    codec: Codec,
    sets: Sets,
    /// The last reported parameter sets.
    reported: Option<Sets>,
    last: Option<i64>,
    step: i64,
}

/// Kind of a NAL unit.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Unit {
    /// A parameter set, by its index in [`Sets`].
    Set(usize),
    /// A slice. The value is true if decoding may begin at the slice.
    Slice(bool),
    /// A delimiter or filler data between access units.
    Border,
    Other,
}

fn unit(codec: Codec, nal: &[u8]) -> Unit {
    if codec == Codec::Hevc {
        // H.265 table 7-1.
        return match nal.first().map(|head| head >> 1 & 0x3F) {
            Some(kind @ 0..=31) => Unit::Slice((16..=23).contains(&kind)),
            Some(kind @ 32..=34) => Unit::Set(usize::from(kind - 32)),
            Some(35..=38) | None => Unit::Border,
            Some(_) => Unit::Other,
        };
    }
    match NalType::of(nal) {
        Some(NalType::Sps) => Unit::Set(1),
        Some(NalType::Pps) => Unit::Set(2),
        Some(NalType::Idr) => Unit::Slice(true),
        Some(NalType::Slice) => Unit::Slice(false),
        None | Some(NalType::Aud | NalType::Other(10..=12)) => Unit::Border,
        Some(_) => Unit::Other,
    }
}

impl VideoUnits {
    /// Creates a reader for this codec: H.264 or HEVC.
    pub fn new(codec: Codec) -> Self {
        Self { codec, sets: Sets::default(), reported: None, last: None, step: 0 }
    }

    /// Reads an access unit.
    pub fn read(
        &mut self,
        dts: Option<i64>,
        pts: Option<i64>,
        data: &[u8],
        events: &mut Vec<Event>,
    ) {
        let codec = self.codec;
        let (mut fresh, mut keyframe, mut slices) = (Sets::default(), false, false);
        for nal in annexb_nals(data) {
            match unit(codec, nal) {
                Unit::Set(place) => {
                    if let Some(sets) =
                        fresh.get_mut(place).filter(|sets| sets.len() < MAX_PARAMETER_SETS)
                    {
                        sets.push(Bytes::copy_from_slice(nal));
                    }
                }
                Unit::Slice(key) => (keyframe, slices) = (keyframe || key, true),
                Unit::Border | Unit::Other => {}
            }
        }
        for (kept, fresh) in self.sets.iter_mut().zip(fresh) {
            if !fresh.is_empty() {
                *kept = fresh;
            }
        }
        // Without a time, a frame follows the previous one at the usual distance.
        let dts = dts.or_else(|| self.last.map(|last| last.saturating_add(self.step.max(1))));
        let Some(dts) = dts else { return };
        if let Some(last) = self.last
            && (1..=TICKS_PER_SECOND).contains(&(dts - last))
        {
            self.step = dts - last;
        }
        self.last = Some(dts);
        if !slices {
            return;
        }
        self.tell(events);
        let keep = |nal: &[u8]| matches!(unit(codec, nal), Unit::Slice(_) | Unit::Other);
        if let Ok(data) = annexb_to_avcc(data, keep)
            && self.reported.is_some()
        {
            events.push(Event::Video { codec, dts, pts: pts.unwrap_or(dts), keyframe, data });
        }
    }

    /// Reports the configuration if it is new.
    fn tell(&mut self, events: &mut Vec<Event>) {
        if self.reported.as_ref() == Some(&self.sets) {
            return;
        }
        if let Some(config) = record(self.codec, &self.sets) {
            self.reported = Some(self.sets.clone());
            events.push(Event::VideoConfig { codec: self.codec, config });
        }
    }
}

/// Makes the configuration record of these sets, once all are available.
fn record(codec: Codec, sets: &Sets) -> Option<Bytes> {
    let [video, sequence, pictures] = sets;
    let (sps, pps) = (sequence.first()?, pictures.first()?);
    if codec == Codec::Hevc {
        return hevc_record([video, sequence, pictures]);
    }
    let mut config = DecoderConfig::new(sps.clone(), pps.clone()).ok()?;
    config.sps.clone_from(sequence);
    config.pps.clone_from(pictures);
    config.build().ok()
}
