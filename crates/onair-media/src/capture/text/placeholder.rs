//! The placeholder with a source's name, which is shown instead of a source without video.

use std::sync::Arc;

use crate::base::{Latest, Pooled, Worker};
use crate::capture::generated::color_source::ColorSource;
use crate::capture::rgb::{self, Rgba};
use crate::capture::source::{self, Context, Source, StillFeed};
use crate::capture::text::appearance::{Align, Style};
use crate::capture::text::draw::draw;
use crate::media::source_status::{SourceFormat, SourceStatus};
use crate::media::{Planes, Size};

/// The background color, which is as dark as the placeholder without a name.
const BACKGROUND_COLOR: Rgba = Rgba::opaque(18, 20, 26);
const LETTER_COLOR: Rgba = Rgba::opaque(150, 154, 162);
/// The frame's height divided by this is the height of the letters.
const LETTER_HEIGHT_DIVISOR: u32 = 10;
/// The maximum width of lines, as a share of the frame's width.
const MAX_LINE_WIDTH_SHARE: f32 = 0.86;

/// Opens the placeholder with this name. A separate thread draws the placeholder once.
///
/// # Errors
/// Fails if the system cannot start a thread.
pub fn nameplate(name: &str, context: &Context) -> std::io::Result<Source> {
    let status = SourceStatus::new("", name);
    let latest = Latest::default();
    let (size, fps) = (context.size, context.grid.rate.as_f64());
    let (name, its_status, its_latest) = (name.to_owned(), Arc::clone(&status), latest.clone());
    let worker = Worker::spawn("nameplate", move |_| {
        its_latest.publish(source::frame(Pooled::unpooled(drawn(&name, size))));
        its_status.open(SourceFormat::Video { size, fps });
    })?;
    Ok(Source { feed: Box::new(StillFeed { latest, _worker: Some(worker) }), status })
}

/// Draws the name in the middle of the background.
fn drawn(name: &str, size: Size) -> Planes {
    let style = Style {
        size: (size.height / LETTER_HEIGHT_DIVISOR)
            .clamp(*Style::FONT_SIZE_RANGE.start(), *Style::FONT_SIZE_RANGE.end()),
        color: LETTER_COLOR,
        background: Some(BACKGROUND_COLOR),
        align: Align::Center,
        ..Style::default()
    };
    let words = draw(name, &style, Some(size.width as f32 * MAX_LINE_WIDTH_SHARE));
    let words = rgb::planes(&words.rgba, words.width, words.height);
    let mut out = ColorSource::plain(BACKGROUND_COLOR).paint(size);
    // Text that is too large is cropped equally on both sides.
    let cut = |its: u32, room: u32| {
        let half = |more: u32| ((more / 2) & !1) as usize;
        (half(its.saturating_sub(room)), half(room.saturating_sub(its)))
    };
    let inner = words.size();
    let ((skip_x, left), (skip_y, top)) =
        (cut(inner.width, size.width), cut(inner.height, size.height));
    let all = (inner.width as usize, inner.height as usize);
    out.copy_rect(&words, (skip_x, skip_y), (left, top), all);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dark_image_of_the_programs_size_with_the_name_in_the_middle() {
        for name in
            ["Front camera", "正面", "A name that is far too long for one line of any slate", ""]
        {
            let size = Size::new(320, 180);
            let planes = drawn(name, size);
            assert_eq!((planes.size(), planes.alpha.is_none()), (size, true), "opaque");
            let ground = planes.y[0];
            assert!(ground < 40, "{ground}");
            let rows = |from: usize, to: usize| &planes.y[from * 320..to * 320];
            assert!(rows(0, 20).iter().all(|&luma| luma == ground), "{name}: nothing at the top");
            let lit = rows(20, 160).iter().filter(|&&luma| luma > 100).count();
            assert_eq!(lit > 50, !name.is_empty(), "{name}: {lit}");
        }
        // Drawing works at any size.
        drawn("Camera", Size::new(2, 2));
    }
}
