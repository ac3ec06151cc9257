//! Color description of a stream or file: code points of ITU-T H.273, and the brightness of HDR
//! (CTA-861.3, SMPTE ST 2086). The names of code points are those of FFmpeg.

use crate::wire::amf0::Value;

/// The code point "unspecified", the same in every table.
const UNSPECIFIED_CODE_POINT: u8 = 2;

/// The interpretation of the values in frames. A field is `None` if the value is unspecified.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Colors {
    pub full_range: Option<bool>,
    pub primaries: Option<u8>,
    pub transfer: Option<u8>,
    pub matrix: Option<u8>,
    pub light: Light,
}

/// Brightness of frames in cd/m².
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Light {
    /// The brightest pixel (MaxCLL).
    pub max_content: Option<f64>,
    /// The highest average of a frame (MaxFALL).
    pub max_average: Option<f64>,
    /// Black and white level of the mastering display.
    pub display: Option<(f64, f64)>,
}

/// Transfer function of HDR.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Hdr {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

impl Hdr {
    /// Returns the name in lowercase, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pq => "pq",
            Self::Hlg => "hlg",
        }
    }
}

impl Light {
    /// Reads the levels of CTA-861.3, where 0 means unknown.
    pub fn levels(max_content: u16, max_average: u16) -> Self {
        let known = |level: u16| (level > 0).then(|| f64::from(level));
        let (max_content, max_average) = (known(max_content), known(max_average));
        Self { max_content, max_average, display: None }
    }

    /// Makes the brightness data of a mastering display with these black and white levels.
    pub fn display(black: f64, white: f64) -> Self {
        let sane = white > 0.0 && white <= 1e6 && (0.0..white).contains(&black);
        Self { display: sane.then_some((black, white)), ..Self::default() }
    }

    /// Fills missing values from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            max_content: self.max_content.or(other.max_content),
            max_average: self.max_average.or(other.max_average),
            display: self.display.or(other.display),
        }
    }
}

impl Colors {
    /// Makes colors from code points, each of which may be "unspecified".
    pub fn of(primaries: u8, transfer: u8, matrix: u8) -> Self {
        let specified = |code: u8| (code != UNSPECIFIED_CODE_POINT).then_some(code);
        Self {
            primaries: specified(primaries),
            transfer: specified(transfer),
            matrix: specified(matrix),
            ..Self::default()
        }
    }

    /// Fills missing values from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            full_range: self.full_range.or(other.full_range),
            primaries: self.primaries.or(other.primaries),
            transfer: self.transfer.or(other.transfer),
            matrix: self.matrix.or(other.matrix),
            light: self.light.or(other.light),
        }
    }

    /// Returns the kind of HDR, or `None` for SDR.
    pub const fn hdr(&self) -> Option<Hdr> {
        match self.transfer {
            Some(16) => Some(Hdr::Pq),
            Some(18) => Some(Hdr::Hlg),
            _ => None,
        }
    }

    /// Returns the values of `colorInfo` ("Enhanced RTMP", Metadata Frame) of a video with this bit
    /// depth, or `None` if nothing is known that it could say. It has no field for the range.
    pub fn enhanced(&self, bit_depth: Option<u8>) -> Option<[Value; 2]> {
        let Self { primaries, transfer, matrix, light, .. } = *self;
        let number = |name, value: Option<f64>| Some((name, Value::from(value?)));
        let code = |code: Option<u8>| code.map(f64::from);
        let config = [
            number("bitDepth", code(bit_depth)),
            number("colorPrimaries", code(primaries)),
            number("transferCharacteristics", code(transfer)),
            number("matrixCoefficients", code(matrix)),
        ];
        let level = [number("maxFall", light.max_average), number("maxCLL", light.max_content)];
        let display = [
            number("maxLuminance", light.display.map(|(_, white)| white)),
            number("minLuminance", light.display.map(|(black, _)| black)),
        ];
        let part = |name, values: Vec<(&'static str, Value)>| {
            (!values.is_empty()).then(|| (name, Value::object(values)))
        };
        let parts: Vec<_> = [
            part("colorConfig", config.into_iter().flatten().collect()),
            part("hdrCll", level.into_iter().flatten().collect()),
            part("hdrMdcv", display.into_iter().flatten().collect()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let is_known = primaries.or(transfer).or(matrix).is_some() || light != Light::default();
        is_known.then(|| [Value::from("colorInfo"), Value::object(parts)])
    }

    /// Reads `colorInfo` ("Enhanced RTMP", Metadata Frame) from the values of a body.
    pub fn of_enhanced(values: &[Value]) -> Option<Self> {
        let [name, info, ..] = values else { return None };
        if name.as_str() != Some("colorInfo") {
            return None;
        }
        let code = |name: &str| {
            let code = info.get("colorConfig")?.get_number(name)?;
            (code.fract() == 0.0 && (0.0..256.0).contains(&code)).then_some(code as u8)
        };
        let code = |name| code(name).unwrap_or(UNSPECIFIED_CODE_POINT);
        let level = |name: &str| {
            let level = info.get("hdrCll")?.get_number(name)?;
            (level > 0.0 && level <= 65_535.0).then_some(level)
        };
        let bound = |name: &str| info.get("hdrMdcv")?.get_number(name);
        let display = bound("minLuminance").zip(bound("maxLuminance"));
        let light = Light {
            max_content: level("maxCLL"),
            max_average: level("maxFall"),
            ..display.map_or_else(Light::default, |(black, white)| Light::display(black, white))
        };
        let colors = Self::of(
            code("colorPrimaries"),
            code("transferCharacteristics"),
            code("matrixCoefficients"),
        );
        Some(Self { light, ..colors })
    }
}

/// Returns the name of color primaries, or `None` if the code has no name.
pub const fn primaries_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "film",
        9 => "bt2020",
        10 => "smpte428",
        11 => "smpte431",
        12 => "smpte432",
        22 => "ebu3213",
        _ => return None,
    })
}

/// Returns the name of transfer characteristics, or `None` if the code has no name.
pub const fn transfer_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "linear",
        9 => "log100",
        10 => "log316",
        11 => "iec61966-2-4",
        12 => "bt1361e",
        13 => "iec61966-2-1",
        14 => "bt2020-10",
        15 => "bt2020-12",
        16 => "smpte2084",
        17 => "smpte428",
        18 => "arib-std-b67",
        _ => return None,
    })
}

/// Returns the name of matrix coefficients, or `None` if the code has no name.
pub const fn matrix_name(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "gbr",
        1 => "bt709",
        4 => "fcc",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "ycgco",
        9 => "bt2020nc",
        10 => "bt2020c",
        11 => "smpte2085",
        12 => "chroma-derived-nc",
        13 => "chroma-derived-c",
        14 => "ictcp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_info_of_enhanced_rtmp_is_read_and_nonsense_in_it_is_not() {
        let info = |primaries: f64, white: f64| {
            let config = Value::object([
                ("bitDepth", 10.0.into()),
                ("colorPrimaries", primaries.into()),
                ("transferCharacteristics", 16.0.into()),
                ("matrixCoefficients", 9.0.into()),
            ]);
            let level = Value::object([("maxFall", 400.0.into()), ("maxCLL", 1_000.0.into())]);
            let display =
                Value::object([("maxLuminance", white.into()), ("minLuminance", 0.005.into())]);
            let parts = [("colorConfig", config), ("hdrCll", level), ("hdrMdcv", display)];
            Colors::of_enhanced(&["colorInfo".into(), Value::object(parts)]).unwrap()
        };
        let light = Light {
            max_content: Some(1_000.0),
            max_average: Some(400.0),
            display: Some((0.005, 4_000.0)),
        };
        assert_eq!(info(9.0, 4_000.0), Colors { light, ..Colors::of(9, 16, 9) });
        assert_eq!(info(9.0, 4_000.0).hdr(), Some(Hdr::Pq));
        let odd = info(f64::NAN, f64::INFINITY);
        assert_eq!((odd.primaries, odd.light.display), (None, None));
        assert_eq!(Colors::of_enhanced(&["other".into(), Value::object([])]), None);
    }

    #[test]
    fn color_info_is_read_as_it_is_written() {
        let light = Light {
            max_content: Some(1_000.0),
            max_average: Some(400.0),
            display: Some((0.005, 4_000.0)),
        };
        for colors in [
            Colors::of(1, 1, 1),
            Colors { light, ..Colors::of(9, 16, 9) },
            Colors { light: Light::levels(600, 0), ..Colors::default() },
        ] {
            let values = colors.enhanced(Some(10)).unwrap();
            assert_eq!(Colors::of_enhanced(&values), Some(colors));
            let depth = values[1].get("colorConfig").unwrap().get_number("bitDepth");
            assert_eq!(depth, Some(10.0));
        }
        assert_eq!(Colors::default().enhanced(Some(8)), None);
    }

    #[test]
    fn what_one_does_not_tell_another_may() {
        let stream = Colors { full_range: Some(false), ..Colors::of(9, 2, 9) };
        let file = Colors { light: Light::levels(600, 0), ..Colors::of(1, 18, 1) };
        let both = stream.or(file);
        assert_eq!((both.primaries, both.transfer, both.matrix), (Some(9), Some(18), Some(9)));
        assert_eq!((both.full_range, both.light.max_content), (Some(false), Some(600.0)));
        assert_eq!((both.light.max_average, both.hdr()), (None, Some(Hdr::Hlg)));
    }
}
