//! The fingerprint of a certificate.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

use crate::text::problem::{Problem, problem};

/// The SHA-256 of a certificate in DER form.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct CertificatePin([u8; 32]);

impl CertificatePin {
    /// Returns the pin of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for CertificatePin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl std::str::FromStr for CertificatePin {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.replace(':', "");
        let pin = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        pin.and_then(|pin| pin.try_into().ok()).map(Self).ok_or_else(|| problem!("route-pin"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_parse_with_and_without_colons() {
        let pin = CertificatePin::of(b"certificate");
        let plain = pin.to_string();
        let colons: Vec<String> = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        assert_eq!(plain.parse(), Ok(pin));
        assert_eq!(colons.join(":").parse(), Ok(pin));
        for bad in ["", "00", &plain[1..], &format!("{plain}0"), &"zz".repeat(32), &"+1".repeat(32)]
        {
            assert!(bad.parse::<CertificatePin>().is_err(), "{bad}");
        }
    }
}
