//! Bitrates, and their text form.

use std::fmt;

use crate::text::problem::{Problem, problem};

/// A bitrate in bits per second.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BitsPerSecond(pub u32);

impl BitsPerSecond {
    /// Returns the bitrate in kilobits (1,000 bits) per second, rounded.
    pub const fn as_kbps(self) -> u32 {
        (self.0 + 500) / 1_000
    }
}

impl fmt::Display for BitsPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbps", self.as_kbps())
    }
}

impl std::str::FromStr for BitsPerSecond {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = match text.trim_end().char_indices().next_back() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1e3),
            Some((at, 'm' | 'M')) => (text.get(..at), 1e6),
            _ => (Some(text), 1.0),
        };
        let number = digits.and_then(|digits| digits.trim().parse::<f64>().ok());
        match number.map(|number| number * factor) {
            Some(bits) if (1_000.0..=1e9).contains(&bits) => Ok(Self(bits.round() as u32)),
            _ => Err(problem!("choice-no-bitrate", text = text, least = "1k", most = "1000M")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_parse() {
        assert_eq!("2500k".parse(), Ok(BitsPerSecond(2_500_000)));
        assert_eq!("6M".parse(), Ok(BitsPerSecond(6_000_000)));
        assert_eq!("1.5m".parse(), Ok(BitsPerSecond(1_500_000)));
        assert_eq!("128000".parse(), Ok(BitsPerSecond(128_000)));
        for bad in ["", "k", "0", "-5k", "nan", "inf", "1e99", "12", "5€"] {
            assert!(bad.parse::<BitsPerSecond>().is_err(), "{bad}");
        }
    }
}
