//! Filters made of second-order sections (R. Bristow-Johnson's cookbook, implemented by `biquad`):
//! high pass, low pass, three-band and ten-band equalizer. The filters compute with 64 bits,
//! because 32 bits are too imprecise at 30 Hz.

use biquad::{Biquad, Coefficients, DirectForm2Transposed, Q_BUTTERWORTH_F64, ToHertz, Type};

use crate::mix::block::{Shape, within};
use crate::mix::filter::settings::{Filter, TEN_BAND_FREQUENCIES_HZ};

/// The Q of a bell with a width of one octave.
const OCTAVE_Q: f64 = 1.414;

/// Sections in sequence, each with a state per channel.
pub struct Equalizer {
    sections: Vec<Vec<DirectForm2Transposed<f64>>>,
}

impl Equalizer {
    pub fn new(filter: &Filter, shape: Shape) -> Self {
        let state = |it| vec![DirectForm2Transposed::<f64>::new(it); shape.channels];
        Self { sections: coefficients(filter, shape).into_iter().map(state).collect() }
    }

    /// Applies other settings of the same kind without interrupting the audio.
    pub fn adjust(&mut self, filter: &Filter, shape: Shape) -> bool {
        let sections = coefficients(filter, shape);
        if sections.len() != self.sections.len() {
            return false;
        }
        for (section, new) in self.sections.iter_mut().zip(sections) {
            section.iter_mut().for_each(|channel| channel.update_coefficients(new));
        }
        true
    }

    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        for section in &mut self.sections {
            for frame in block.chunks_mut(channels) {
                for (sample, channel) in frame.iter_mut().zip(section.iter_mut()) {
                    *sample = channel.run(f64::from(*sample)) as f32;
                }
            }
        }
    }
}

/// Returns the sections of a filter. Sections without effect, or beyond the rate's range, stay
/// flat, so that the number of sections is constant.
fn coefficients(filter: &Filter, shape: Shape) -> Vec<Coefficients<f64>> {
    let section = |kind: Type<f64>, hz: f32, q: f64| {
        let most = shape.rate as f32 * 0.49;
        let hz = f64::from(within(hz, 20.0, 20_000.0, 1_000.0).min(most));
        Coefficients::<f64>::from_params(kind, f64::from(shape.rate).hz(), hz.hz(), q)
            .unwrap_or(FLAT_COEFFICIENTS)
    };
    let db = |value: f32| f64::from(within(value, -20.0, 20.0, 0.0));
    match *filter {
        Filter::HighPass { hz } => vec![section(Type::HighPass, hz, Q_BUTTERWORTH_F64)],
        Filter::LowPass { hz } => vec![section(Type::LowPass, hz, Q_BUTTERWORTH_F64)],
        Filter::ThreeBand { low_db, middle_db, high_db } => vec![
            section(Type::LowShelf(db(low_db)), 250.0, Q_BUTTERWORTH_F64),
            section(Type::PeakingEQ(db(middle_db)), 1_000.0, 0.7),
            section(Type::HighShelf(db(high_db)), 4_000.0, Q_BUTTERWORTH_F64),
        ],
        Filter::TenBand { db: bands } => TEN_BAND_FREQUENCIES_HZ
            .iter()
            .zip(bands)
            .map(|(&hz, gain)| {
                if hz < shape.rate as f32 * 0.45 {
                    section(Type::PeakingEQ(db(gain)), hz, OCTAVE_Q)
                } else {
                    FLAT_COEFFICIENTS
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Coefficients without effect.
const FLAT_COEFFICIENTS: Coefficients<f64> =
    Coefficients { a1: 0.0, a2: 0.0, b0: 1.0, b1: 0.0, b2: 0.0 };
