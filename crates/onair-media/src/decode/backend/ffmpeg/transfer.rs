//! Converts wide-gamut and HDR signals to light (PQ: SMPTE ST 2084; HLG: ARIB STD-B67 with the OOTF
//! of ITU-R BT.2100; otherwise a BT.1886 display) and to the closest BT.709 signals. The curve of
//! ITU-R BT.2390 §5.4 reduces the brightness of HDR so that the reference white of BT.2408 (203
//! cd/m²) is just below white. Colors outside BT.709 move to its edge at constant luminance. This
//! module is pure and uses double precision, because it fills tables.

/// The reference white of HDR in cd/m² (BT.2408), also used for SDR white.
const REFERENCE_WHITE_NITS: f64 = 203.0;
/// The peak of a mastering display if the stream does not declare it.
const DEFAULT_MASTERING_PEAK: u16 = 1_000;
/// The maximum luminance of PQ in cd/m².
const MAX_LUMINANCE: f64 = 10_000.0;
/// The peak of the reference display of HLG production in cd/m².
const HLG_PEAK: f64 = 1_000.0;
/// The gamma of the reference display of HLG production.
const HLG_GAMMA: f64 = 1.2;
/// The gamma of SDR displays (BT.1886 with zero black level).
const SDR_GAMMA: f64 = 2.4;
/// Maximum of SDR signals, which may exceed white within the limited range.
const MAX_SDR_SIGNAL: f64 = 1.1;
/// The channel value, as a signal at luminance 1, below which the compression near the edge of
/// BT.709 begins.
const COMPRESSION_THRESHOLD: f64 = 0.1;

/// The transfer function of signals.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Pq,
    Hlg,
    /// SDR.
    Gamma,
}

/// Color primaries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Primaries {
    Bt2020,
    /// DCI-P3 with a daylight white point (D65).
    P3,
    Bt709,
}

/// The Y'CbCr matrix: the weights of red and blue in luma.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Matrix {
    Bt2020,
    Bt709,
    Bt601,
}

/// A kind of frames that need a color conversion. The codes of these frames have 10 bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub transfer: Transfer,
    pub primaries: Primaries,
    pub matrix: Matrix,
    pub full: bool,
    /// The peak in cd/m², or `None` if the stream does not declare it.
    pub peak: Option<u16>,
}

type Three = [f64; 3];

impl Primaries {
    /// Returns the matrix from linear light of these primaries to BT.709 (BT.2087; the matrix of P3
    /// is computed in the same way).
    fn to_709(self) -> [Three; 3] {
        match self {
            Self::Bt2020 => [
                [1.660_491, -0.587_641, -0.072_850],
                [-0.124_550, 1.132_900, -0.008_349],
                [-0.018_151, -0.100_579, 1.118_730],
            ],
            Self::P3 => [
                [1.224_940, -0.224_940, 0.0],
                [-0.042_057, 1.042_057, 0.0],
                [-0.019_638, -0.078_636, 1.098_273],
            ],
            Self::Bt709 => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        }
    }

    /// Returns the weights of red, green and blue in luminance.
    fn luminance(self) -> Three {
        match self {
            Self::Bt2020 => [0.2627, 0.6780, 0.0593],
            Self::P3 => [0.2290, 0.6917, 0.0793],
            Self::Bt709 => BT709_LUMINANCE_WEIGHTS,
        }
    }
}

const BT709_LUMINANCE_WEIGHTS: Three = [0.2126, 0.7152, 0.0722];

fn dot(a: Three, b: Three) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Converts cd/m² to a PQ signal.
fn to_pq(light: f64) -> f64 {
    let power = (light.clamp(0.0, MAX_LUMINANCE) / MAX_LUMINANCE).powf(2_610.0 / 16_384.0);
    let (c1, c2, c3) = (3_424.0 / 4_096.0, 2_413.0 / 128.0, 2_392.0 / 128.0);
    ((c1 + c2 * power) / (1.0 + c3 * power)).powf(2_523.0 / 32.0)
}

/// Converts a PQ signal to cd/m².
fn from_pq(signal: f64) -> f64 {
    let power = signal.clamp(0.0, 1.0).powf(32.0 / 2_523.0);
    let (c1, c2, c3) = (3_424.0 / 4_096.0, 2_413.0 / 128.0, 2_392.0 / 128.0);
    MAX_LUMINANCE * ((power - c1).max(0.0) / (c2 - c3 * power)).powf(16_384.0 / 2_610.0)
}

/// Converts an HLG signal to scene light (0…1).
fn from_hlg(signal: f64) -> f64 {
    let signal = signal.clamp(0.0, 1.0);
    let a = 0.178_832_77_f64;
    let (b, c) = (1.0 - 4.0 * a, 0.5 - a * (4.0 * a).ln());
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - c) / a).exp() + b) / 12.0 }
}

impl Kind {
    /// Returns the label that users see, if the kind is HDR.
    pub fn hdr_label(self) -> Option<&'static str> {
        match self.transfer {
            Transfer::Pq => Some("HDR (PQ) → SDR"),
            Transfer::Hlg => Some("HDR (HLG) → SDR"),
            Transfer::Gamma => None,
        }
    }

    /// Precomputes the values that are constant for all pixels.
    pub fn ready(self) -> Ready {
        let peak = match self.transfer {
            Transfer::Pq => f64::from(self.peak.unwrap_or(DEFAULT_MASTERING_PEAK))
                .clamp(REFERENCE_WHITE_NITS, MAX_LUMINANCE),
            Transfer::Hlg => HLG_PEAK,
            Transfer::Gamma => REFERENCE_WHITE_NITS,
        };
        let (red, blue) = match self.matrix {
            Matrix::Bt2020 => (0.2627, 0.0593),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt601 => (0.299, 0.114),
        };
        Ready {
            kind: self,
            red,
            blue,
            peak: to_pq(peak),
            white: to_pq(REFERENCE_WHITE_NITS) / to_pq(peak),
            to_709: self.primaries.to_709(),
            luminance: self.primaries.luminance(),
            most: if self.transfer == Transfer::Gamma { MAX_SDR_SIGNAL } else { 1.0 },
        }
    }
}

/// A kind with precomputed values.
pub(super) struct Ready {
    kind: Kind,
    red: f64,
    blue: f64,
    /// The PQ signal of the peak.
    peak: f64,
    /// White, relative to the peak.
    white: f64,
    to_709: [Three; 3],
    luminance: Three,
    /// The highest signal of the input and the output.
    most: f64,
}

impl Ready {
    /// Converts 10-bit codes (Y', Cb, Cr) to 8-bit codes of [`Color::PROGRAM`], with fractions.
    ///
    /// [`Color::PROGRAM`]: crate::media::Color::PROGRAM
    pub fn shown(&self, codes: Three) -> Three {
        let light = self.toned(self.light(self.signals(codes)));
        let most = self.most.powf(SDR_GAMMA);
        let [r, g, b] = fitted(self.to_709.map(|row| dot(row, light)), most)
            .map(|channel| channel.clamp(0.0, most).powf(1.0 / SDR_GAMMA));
        let [of_red, of_green, of_blue] = BT709_LUMINANCE_WEIGHTS;
        let luma = of_red * r + of_green * g + of_blue * b;
        let chroma = |channel: f64, part: f64| 128.0 + 112.0 * (channel - luma) / (1.0 - part);
        [16.0 + 219.0 * luma, chroma(b, of_blue), chroma(r, of_red)]
    }

    /// Converts codes to R'G'B' signals.
    fn signals(&self, [luma, cb, cr]: Three) -> Three {
        let (luma, cb, cr) = if self.kind.full {
            (luma / 1_023.0, (cb - 512.0) / 1_023.0, (cr - 512.0) / 1_023.0)
        } else {
            ((luma - 64.0) / 876.0, (cb - 512.0) / 896.0, (cr - 512.0) / 896.0)
        };
        let r = luma + 2.0 * (1.0 - self.red) * cr;
        let b = luma + 2.0 * (1.0 - self.blue) * cb;
        let g = (luma - self.red * r - self.blue * b) / (1.0 - self.red - self.blue);
        [r, g, b].map(|channel| channel.clamp(0.0, self.most))
    }

    /// Converts signals to displayed light, where 1 is [`REFERENCE_WHITE_NITS`].
    fn light(&self, signals: Three) -> Three {
        match self.kind.transfer {
            Transfer::Pq => signals.map(|signal| from_pq(signal) / REFERENCE_WHITE_NITS),
            Transfer::Hlg => {
                let scene = signals.map(from_hlg);
                let luminance = dot(self.luminance, scene);
                let gain = HLG_PEAK / REFERENCE_WHITE_NITS * luminance.powf(HLG_GAMMA - 1.0);
                scene.map(|channel| channel * gain)
            }
            Transfer::Gamma => signals.map(|signal| signal.powf(SDR_GAMMA)),
        }
    }

    /// Limits the light to white. All channels are scaled by the value of the curve at the
    /// brightest channel, so that hues do not change.
    fn toned(&self, light: Three) -> Three {
        let most = light.iter().copied().fold(0.0, f64::max);
        if self.kind.transfer == Transfer::Gamma || most <= 0.0 {
            return light;
        }
        let signal = (to_pq(most * REFERENCE_WHITE_NITS) / self.peak).min(1.0);
        let gain = from_pq(self.lowered(signal) * self.peak) / REFERENCE_WHITE_NITS / most;
        light.map(|channel| channel * gain)
    }

    /// Applies the curve (BT.2390's EETF with constant black), which is linear up to the knee, and
    /// then a spline that ends at white.
    fn lowered(&self, signal: f64) -> f64 {
        let knee = 1.5 * self.white - 0.5;
        if knee >= 1.0 || signal < knee {
            return signal;
        }
        let t = (signal - knee) / (1.0 - knee);
        let (square, cube) = (t * t, t * t * t);
        (2.0 * cube - 3.0 * square + 1.0) * knee
            + (cube - 2.0 * square + t) * (1.0 - knee)
            + (3.0 * square - 2.0 * cube) * self.white
    }
}

/// Limits all channels of BT.709 light to the range from 0 to `top`. The color is desaturated as
/// much as needed, and slightly more near the edge, so that differences stay visible.
fn fitted(light: Three, top: f64) -> Three {
    let luminance = dot(BT709_LUMINANCE_WEIGHTS, light);
    if luminance <= 1e-9 {
        return [0.0; 3];
    }
    if luminance >= top {
        return [top; 3];
    }
    let towards = |light: Three, part: f64| light.map(|it| luminance + (it - luminance) * part);
    let least = light.iter().copied().fold(f64::MAX, f64::min) / luminance;
    let signal = least.signum() * least.abs().powf(1.0 / SDR_GAMMA);
    let light = if signal < COMPRESSION_THRESHOLD {
        let kept =
            (COMPRESSION_THRESHOLD * (signal / COMPRESSION_THRESHOLD - 1.0).exp()).powf(SDR_GAMMA);
        towards(light, (1.0 - kept) / (1.0 - least))
    } else {
        light
    };
    let most = light.iter().copied().fold(0.0, f64::max);
    if most > top { towards(light, (top - luminance) / (most - luminance)) } else { light }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PQ_BT2020: Kind = Kind {
        transfer: Transfer::Pq,
        primaries: Primaries::Bt2020,
        matrix: Matrix::Bt2020,
        full: false,
        peak: None,
    };

    #[test]
    fn curves_have_the_values_of_their_standards() {
        // BT.2408 table 1: PQ and HLG signals of reference white, in percent.
        assert!((to_pq(203.0) - 0.58).abs() < 0.001);
        assert!((to_pq(1_000.0) - 0.7518).abs() < 1e-4 && (to_pq(10_000.0) - 1.0).abs() < 1e-12);
        for light in [0.005, 1.0, 203.0, 4_000.0] {
            assert!((from_pq(to_pq(light)) / light - 1.0).abs() < 1e-9, "{light}");
        }
        assert!((from_hlg(0.5) - 1.0 / 12.0).abs() < 1e-12 && (from_hlg(1.0) - 1.0).abs() < 1e-6);
        let hlg = Kind { transfer: Transfer::Hlg, ..PQ_BT2020 }.ready();
        let [white, ..] = hlg.light([0.75; 3]);
        assert!((white * REFERENCE_WHITE_NITS - 203.0).abs() < 1.0, "{white}");
        let [most, ..] = hlg.light([1.0; 3]);
        assert!((most * REFERENCE_WHITE_NITS - 1_000.0).abs() < 0.1, "{most}");
    }

    #[test]
    fn the_curve_is_straight_below_its_knee_and_ends_at_white() {
        for peak in [None, Some(400), Some(4_000), Some(10_000)] {
            let ready = Kind { peak, ..PQ_BT2020 }.ready();
            let of = |nits: f64| ready.toned([nits / REFERENCE_WHITE_NITS; 3])[0];
            let peak = f64::from(peak.unwrap_or(1_000));
            assert!((of(peak) - 1.0).abs() < 1e-9 && (of(10_000.0) - 1.0).abs() < 1e-9, "{peak}");
            assert!((of(10.0) - 10.0 / REFERENCE_WHITE_NITS).abs() < 1e-9, "{peak}");
            let steps: Vec<f64> = (0..1_000).map(|it| of(f64::from(it) / 1_000.0 * peak)).collect();
            assert!(steps.is_sorted(), "{peak}");
            // Reference white is bright, but not full white.
            assert!(
                (0.5..0.95).contains(&of(REFERENCE_WHITE_NITS)),
                "{peak}: {}",
                of(REFERENCE_WHITE_NITS)
            );
        }
        // No value is brighter than white, so nothing changes.
        let dim = Kind { peak: Some(100), ..PQ_BT2020 }.ready();
        assert!((dim.toned([0.4; 3])[0] - 0.4).abs() < 1e-9);
    }

    #[test]
    fn greys_stay_grey_and_colours_are_within_bt709() {
        for transfer in [Transfer::Pq, Transfer::Hlg, Transfer::Gamma] {
            let ready = Kind { transfer, ..PQ_BT2020 }.ready();
            for code in (64..=940).step_by(4) {
                let [luma, cb, cr] = ready.shown([f64::from(code), 512.0, 512.0]);
                assert!((16.0..=235.001).contains(&luma), "{luma}");
                assert!((cb - 128.0).abs() < 0.01 && (cr - 128.0).abs() < 0.01, "{code}");
            }
            for r in 0..=8 {
                for g in 0..=8 {
                    for b in 0..=8 {
                        let light = ready.light([r, g, b].map(|it| f64::from(it) / 8.0));
                        let light = ready.toned(light);
                        let before = ready.to_709.map(|row| dot(row, light));
                        let after = fitted(before, 1.0);
                        let all = after.iter().all(|it| (-1e-9..=1.0 + 1e-9).contains(it));
                        assert!(all, "{before:?} {after:?}");
                        let change = dot(BT709_LUMINANCE_WEIGHTS, before).min(1.0)
                            - dot(BT709_LUMINANCE_WEIGHTS, after);
                        assert!(change.abs() < 1e-5, "{before:?} {after:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn sdr_of_bt709_would_come_out_as_it_is() {
        let same = Kind {
            transfer: Transfer::Gamma,
            primaries: Primaries::Bt709,
            matrix: Matrix::Bt709,
            full: false,
            peak: None,
        };
        let ready = same.ready();
        for codes in [
            [500.0, 470.0, 600.0],
            [300.0, 520.0, 500.0],
            [940.0, 512.0, 512.0],
            [1_000.0, 512.0, 512.0],
        ] {
            for (got, code) in ready.shown(codes).iter().zip(codes) {
                assert!((got * 4.0 - code).abs() < 0.5, "{codes:?} {got}");
            }
        }
    }
}
