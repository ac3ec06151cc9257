//! Reads the pixel aspect and the color description of an HEVC sequence parameter set (H.265
//! §7.3.2.2.1, §7.3.4, §7.3.7, Annex E.2.1). The fields before them have no lengths, so all of them
//! are parsed.

use crate::media::PixelAspect;
use crate::wire::bits::{BitReader, Error};
use crate::wire::codec::color::Colors;
use crate::wire::codec::h264::vui::AspectRatio;

/// Maximum number of reference picture sets (§7.4.3.2.1).
const MAX_REFERENCE_SETS: u32 = 64;
/// Maximum number of frames in a set, with a margin for wrong values.
const MAX_SET_FRAMES: u32 = 32;
/// Maximum number of long-term reference frames.
const MAX_LONG_TERM_FRAMES: u32 = 33;

/// Reads the pixel aspect and the colors of a set; `bits` must be positioned just after the bit
/// depths. `sub_layers` is the number of sub-layers after the first.
pub(super) fn aspect_and_colors(
    bits: &mut BitReader<'_>,
    sub_layers: u32,
) -> Result<(Option<PixelAspect>, Colors), Error> {
    let order_bits = bits.ue()?.min(12) + 4;
    let layers = if bits.flag()? { sub_layers + 1 } else { 1 };
    // Buffer sizes of each layer, then block sizes.
    for _ in 0..layers * 3 + 6 {
        bits.ue()?;
    }
    if bits.flag()? && bits.flag()? {
        scaling_lists(bits)?;
    }
    bits.skip(2)?;
    if bits.flag()? {
        // Blocks without a transform (PCM).
        bits.skip(8)?;
        bits.ue()?;
        bits.ue()?;
        bits.skip(1)?;
    }
    reference_sets(bits)?;
    if bits.flag()? {
        for _ in 0..bits.ue()?.min(MAX_LONG_TERM_FRAMES) {
            bits.skip(order_bits as usize + 1)?;
        }
    }
    bits.skip(2)?;
    if !bits.flag()? {
        return Ok((None, Colors::default()));
    }
    let aspect = if bits.flag()? { AspectRatio::read(bits)?.pixels() } else { None };
    if bits.flag()? {
        bits.skip(1)?;
    }
    if !bits.flag()? {
        return Ok((aspect, Colors::default()));
    }
    bits.skip(3)?;
    let full_range = Some(bits.flag()?);
    let coded = if bits.flag()? {
        Colors::of(bits.byte(8)?, bits.byte(8)?, bits.byte(8)?)
    } else {
        Colors::default()
    };
    Ok((aspect, Colors { full_range, ..coded }))
}

fn scaling_lists(bits: &mut BitReader<'_>) -> Result<(), Error> {
    for size in 0..4_u32 {
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if !bits.flag()? {
                bits.ue()?;
                continue;
            }
            if size > 1 {
                bits.se()?;
            }
            for _ in 0..64.min(1_u32 << (4 + 2 * size)) {
                bits.se()?;
            }
        }
    }
    Ok(())
}

fn reference_sets(bits: &mut BitReader<'_>) -> Result<(), Error> {
    let mut frames = 0;
    for set in 0..bits.ue()?.min(MAX_REFERENCE_SETS) {
        // Predicted from the previous set.
        if set > 0 && bits.flag()? {
            bits.skip(1)?;
            bits.ue()?;
            let mut kept = 0;
            for _ in 0..=frames {
                // Used by this frame, or perhaps by later frames.
                if bits.flag()? || bits.flag()? {
                    kept += 1;
                }
            }
            frames = kept.min(MAX_SET_FRAMES);
        } else {
            frames = bits.ue()?.min(16) + bits.ue()?.min(16);
            for _ in 0..frames {
                bits.ue()?;
                bits.skip(1)?;
            }
        }
    }
    Ok(())
}
