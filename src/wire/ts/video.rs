//! H.264 in a transport stream: Annex B with its parameter sets inside becomes AVCC with them beside.

use bytes::Bytes;

use super::event::{CLOCK, Event};
use crate::wire::h264::{DecoderConfig, NalType, annexb_nals, annexb_to_avcc};

/// Parameter sets of one picture that are kept.
const MAX_SETS: usize = 16;

/// The reader.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    sps: Vec<Bytes>,
    pps: Vec<Bytes>,
    /// As last told.
    told: Option<(Vec<Bytes>, Vec<Bytes>)>,
    last: Option<i64>,
    step: i64,
}

impl Pictures {
    /// Reads an access unit.
    pub fn read(
        &mut self,
        dts: Option<i64>,
        pts: Option<i64>,
        data: &[u8],
        events: &mut Vec<Event>,
    ) {
        let (mut sps, mut pps, mut idr, mut slices) = (Vec::new(), Vec::new(), false, false);
        for nal in annexb_nals(data) {
            match NalType::of(nal) {
                Some(NalType::Sps) if sps.len() < MAX_SETS => sps.push(Bytes::copy_from_slice(nal)),
                Some(NalType::Pps) if pps.len() < MAX_SETS => pps.push(Bytes::copy_from_slice(nal)),
                Some(NalType::Idr) => (idr, slices) = (true, true),
                Some(NalType::Slice) => slices = true,
                _ => {}
            }
        }
        if !sps.is_empty() {
            self.sps = sps;
        }
        if !pps.is_empty() {
            self.pps = pps;
        }
        // Without a time it follows the one before it by the usual step.
        let dts = dts.or_else(|| self.last.map(|last| last.saturating_add(self.step.max(1))));
        let Some(dts) = dts else { return };
        if let Some(last) = self.last
            && (1..=CLOCK).contains(&(dts - last))
        {
            self.step = dts - last;
        }
        self.last = Some(dts);
        if !slices {
            return;
        }
        self.tell(events);
        let keep = |nal: &[u8]| {
            !matches!(
                NalType::of(nal),
                None | Some(NalType::Sps | NalType::Pps | NalType::Aud | NalType::Other(10..=12))
            )
        };
        if let Ok(data) = annexb_to_avcc(data, keep)
            && self.told.is_some()
        {
            events.push(Event::Picture { dts, pts: pts.unwrap_or(dts), keyframe: idr, data });
        }
    }

    /// Tells the configuration where it is new.
    fn tell(&mut self, events: &mut Vec<Event>) {
        let (Some(sps), Some(pps)) = (self.sps.first(), self.pps.first()) else { return };
        if self.told.as_ref().is_some_and(|(s, p)| (s, p) == (&self.sps, &self.pps)) {
            return;
        }
        let Ok(mut config) = DecoderConfig::new(sps.clone(), pps.clone()) else { return };
        config.sps.clone_from(&self.sps);
        config.pps.clone_from(&self.pps);
        if let Ok(record) = config.build() {
            self.told = Some((self.sps.clone(), self.pps.clone()));
            events.push(Event::VideoConfig(record));
        }
    }
}
