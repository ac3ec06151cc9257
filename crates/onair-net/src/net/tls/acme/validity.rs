//! When a certificate is valid (RFC 5280 §4.1.2.5). This module is pure.

use time::{Date, Month, OffsetDateTime, Time};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Returns the begin and the end of the validity of a certificate in DER, or `None` if it is damaged.
pub(super) fn of(certificate: &[u8]) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let (_, certificate) = element(&mut &*certificate, Some(SEQUENCE))?;
    let (_, mut body) = element(&mut &*certificate, Some(SEQUENCE))?;
    let fields = &mut body;
    if fields.first() == Some(&VERSION) {
        element(fields, Some(VERSION))?;
    }
    // The serial number, the algorithm, and the issuer.
    element(fields, Some(INTEGER))?;
    element(fields, Some(SEQUENCE))?;
    element(fields, Some(SEQUENCE))?;
    let (_, mut validity) = element(fields, Some(SEQUENCE))?;
    Some((instant(&mut validity)?, instant(&mut validity)?))
}

/// Reads an element, and returns its type and its contents.
fn element<'a>(input: &mut &'a [u8], wanted: Option<u8>) -> Option<(u8, &'a [u8])> {
    let (&kind, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7F);
        if !(1..=3).contains(&count) {
            return None;
        }
        let (digits, after) = rest.split_at_checked(count)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = after;
    }
    let (contents, after) = rest.split_at_checked(length)?;
    *input = after;
    wanted.is_none_or(|wanted| wanted == kind).then_some((kind, contents))
}

/// Reads a time in UTC.
fn instant(input: &mut &[u8]) -> Option<OffsetDateTime> {
    let (kind, text) = element(input, None)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i32 = year.parse().ok()?;
            (if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let month = Month::try_from(part(0)?).ok()?;
    let date = Date::from_calendar_date(year, month, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    Some(OffsetDateTime::new_utc(date, time))
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn the_validity_is_that_in_the_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        for days in [90, 20_000] {
            let mut parameters = rcgen::CertificateParams::new(vec!["h".to_owned()]).unwrap();
            let begin = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
            let end = begin + Duration::days(days);
            (parameters.not_before, parameters.not_after) = (begin, end);
            let certificate = parameters.self_signed(&key).unwrap();
            assert_eq!(of(certificate.der()), Some((begin, end)));
            for cut in 0..certificate.der().len() {
                assert_eq!(of(&certificate.der()[..cut]), None);
            }
        }
        assert_eq!(of(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]), None);
    }
}
