//! Draws the last lines of a text in a frame whose size does not depend on the text.

use vello_cpu::kurbo::Affine;

use crate::capture::rgb;
use crate::capture::text::appearance::Style;
use crate::capture::text::draw::{
    Extent, MAX_PIXELS, MAX_SIDE, TextPixels, enlarged, lay_out, pixels,
};
use crate::media::Size;

/// Works like [`draw::draw_enlarged`](super::draw::draw_enlarged), but in a frame that is as high as this number of lines, at most `height`, and as
/// wide as `wrap`, whatever the text is. The text is at the bottom, and what is higher than the frame is not seen.
/// The result has no [`TextPixels::lines`].
pub(super) fn draw_last_lines(
    words: &str,
    style: &Style,
    (wrap, lines, height): (f32, usize, f32),
    scale: impl FnOnce(Size) -> f64,
) -> TextPixels {
    let layout = lay_out(words, style, Some(wrap));
    let room = lay_out(&vec!["W"; lines.max(1)].join("\n"), style, Some(wrap));
    let Extent { margin_x, margin_y, height: text_height, .. } =
        Extent::of(&layout, style, Some(wrap));
    let width = (wrap + 2.0 * margin_x as f32).ceil().clamp(2.0, MAX_SIDE);
    let height = Extent::of(&room, style, Some(wrap)).height.min(height);
    let height = height.clamp(2.0, MAX_SIDE.min(MAX_PIXELS / width));
    let own = rgb::even(width as u32, height as u32);
    let (width, height) = (own.width as f32, own.height as f32);
    let shift = margin_y + f64::from(height - text_height);
    let (width, height, scale) = enlarged(width, height, scale(own));
    let place = Affine::scale(scale).pre_translate((margin_x, shift).into());
    let rgba = pixels(&layout, style, (width, height), place, scale);
    TextPixels { width: width.into(), height: height.into(), rgba, lines: Vec::new() }
}
