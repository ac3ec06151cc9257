//! Reads the brightness and color metadata that accompanies frames: SEI of H.264 and HEVC (H.265
//! Annex D), metadata OBUs of AV1 (AV1 §5.8).

use crate::wire::codec::color::{Colors, Light};
use crate::wire::codec::h264::nal::unescape;
use crate::wire::codec::obu::obus;

/// Maximum number of units that are read per frame, and of messages per unit.
const MAX_UNITS: usize = 64;
/// Maximum number of bytes of a unit that are read.
const MAX_UNIT_BYTES: usize = 1 << 10;

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Reads the messages of a unit without its NAL header.
fn messages(unit: &[u8]) -> Colors {
    let data = unescape(unit.get(..MAX_UNIT_BYTES).unwrap_or(unit));
    let mut found = Colors::default();
    let mut rest = &data[..];
    for _ in 0..MAX_UNITS {
        let (Some(kind), Some(size)) = (number(&mut rest), number(&mut rest)) else { break };
        let Some((payload, after)) = rest.split_at_checked(size) else { break };
        rest = after;
        match kind {
            137 => found.light = found.light.or(display_volume(payload).unwrap_or_default()),
            144 => found.light = found.light.or(levels(payload).unwrap_or_default()),
            // The preferred transfer function; the VUI has a substitute for receivers that do not
            // know it.
            147 => found.transfer = payload.first().copied().or(found.transfer),
            _ => {}
        }
    }
    found
}

/// Reads a number that is coded as a sum of bytes (§7.3.5).
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut sum = 0;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        sum += usize::from(byte);
        if byte != 0xFF {
            return Some(sum);
        }
    }
}

/// Reads `content_light_level_info()`, whose content is the same in `clli` and AV1.
pub fn levels(payload: &[u8]) -> Option<Light> {
    Some(Light::levels(u16_at(payload, 0)?, u16_at(payload, 2)?))
}

/// Reads `mastering_display_colour_volume()`, whose content is the same in `mdcv`: the primaries
/// and the white point, then maximum and minimum luminance in 0.0001 cd/m².
pub fn display_volume(payload: &[u8]) -> Option<Light> {
    let tell = |at| u32_at(payload, at).map(|value| f64::from(value) / 10_000.0);
    let (white, black) = (tell(16)?, tell(20)?);
    Some(Light::display(black, white))
}

/// Reads the metadata of an H.264 frame in AVCC format.
pub fn of_h264(frame: &[u8], length_size: usize) -> Colors {
    units(frame, length_size, |unit| match unit {
        [head, payload @ ..] if head & 0x1F == 6 => Some(payload),
        _ => None,
    })
}

/// Reads the metadata of an HEVC frame in MP4 format, or of the arrays in its configuration.
pub fn of_hevc(frame: &[u8], length_size: usize) -> Colors {
    units(frame, length_size, |unit| match unit {
        [head, _, payload @ ..] if head >> 1 & 0x3F == 39 => Some(payload),
        _ => None,
    })
}

/// Reads the metadata of a unit of type `kind` in a configuration.
pub(super) fn of_hevc_unit(kind: u8, unit: &[u8]) -> Colors {
    if kind == 39 { messages(unit.get(2..).unwrap_or_default()) } else { Colors::default() }
}

fn units<'a>(
    mut frame: &'a [u8],
    length_size: usize,
    message: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
) -> Colors {
    let mut found = Colors::default();
    for _ in 0..MAX_UNITS {
        let Some((length, rest)) = frame.split_at_checked(length_size.clamp(1, 4)) else { break };
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let Some((unit, after)) = rest.split_at_checked(length) else { break };
        if let Some(payload) = message(unit) {
            found = found.or(messages(payload));
        }
        frame = after;
    }
    found
}

/// Reads the metadata of an AV1 frame, or of its configuration.
pub fn of_av1(units: &[u8]) -> Colors {
    let mut light = Light::default();
    for (kind, payload) in obus(units).take(MAX_UNITS) {
        // Only metadata OBUs; their types take one byte each.
        if kind != 5 {
            continue;
        }
        let found = match payload {
            [1, rest @ ..] => levels(rest),
            [2, rest @ ..] => {
                let tell =
                    |at, bits: i32| Some(f64::from(u32_at(rest, at)?) / f64::from(1 << bits));
                tell(16, 8).zip(tell(20, 14)).map(|(white, black)| Light::display(black, white))
            }
            _ => None,
        };
        light = light.or(found.unwrap_or_default());
    }
    Colors { light, ..Colors::default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn volume(white: u32, black: u32) -> Vec<u8> {
        [&[0; 16][..], &white.to_be_bytes(), &black.to_be_bytes()].concat()
    }

    #[test]
    fn messages_beside_frames_are_read() {
        let mut unit = vec![0x4E, 1, 137, 24];
        unit.extend(volume(10_000_000, 50));
        unit.extend([144, 4, 0x03, 0xE8, 0x01, 0x90, 147, 1, 18, 0x80]);
        let unit = [&unit[..2], &crate::wire::codec::h264::nal::escape(&unit[2..])].concat();
        // A slice comes first.
        let mut frame = vec![0, 0, 0, 2, 0x26, 1, 0, 0, 0, unit.len() as u8];
        frame.extend(&unit);
        let light = Light {
            max_content: Some(1_000.0),
            max_average: Some(400.0),
            display: Some((0.005, 1_000.0)),
        };
        let expected = Colors { transfer: Some(18), light, ..Colors::default() };
        assert_eq!(of_hevc(&frame, 4), expected);
        let mut avc = vec![0, 0, 0, unit.len() as u8 - 1, 6];
        avc.extend(&unit[2..]);
        assert_eq!(of_h264(&avc, 4), expected);

        let mut av1 = vec![0x12, 0, 0x2A, 5, 1, 0x03, 0xE8, 0x01, 0x90, 0x2A, 25, 2];
        av1.extend(volume(1_000 << 8, 82));
        let light = of_av1(&av1).light;
        assert_eq!((light.max_content, light.max_average), (Some(1_000.0), Some(400.0)));
        let (black, white) = light.display.unwrap();
        assert!((black - 0.005).abs() < 1e-4 && (white - 1_000.0).abs() < 1e-9, "{light:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 0_usize..9) {
            let _ = (of_h264(&bytes, size), of_hevc(&bytes, size), of_av1(&bytes));
            let _ = (messages(&bytes), levels(&bytes), display_volume(&bytes));
        }
    }
}
