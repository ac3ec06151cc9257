//! Scrolling text, which moves horizontally like a ticker, or vertically like film credits. The
//! drawn text is an endless strip. The time alone determines which part of the strip is visible.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Pool, Pooled};
use crate::capture::rgb;
use crate::capture::text::appearance::{Scroll, ScrollDirection};
use crate::capture::text::draw::TextPixels;
use crate::media::{Planes, Size};

/// A strip of pieces in sequence.
pub(super) struct Strip {
    /// The pages of the text, from top to bottom. A ticker has one page.
    pages: Vec<Planes>,
    /// The top and width of each piece of a ticker; empty for vertical scrolling.
    pieces: Vec<(usize, usize)>,
    view: Size,
    scroll: Scroll,
    pool: Pool<Planes>,
}

impl Strip {
    /// Makes a strip of the drawn pages of a text that scrolls through a view of this size (a
    /// ticker is one line high).
    pub(super) fn new(
        drawn: impl IntoIterator<Item = TextPixels>,
        view: Size,
        scroll: Scroll,
    ) -> Self {
        let even = |side: u32| side.max(2) & !1;
        let (mut pages, mut pieces) = (Vec::new(), Vec::new());
        let mut view = Size::new(even(view.width), even(view.height));
        for drawn in drawn {
            let mut planes = rgb::planes(&drawn.rgba, drawn.width, drawn.height);
            let size = planes.size();
            planes.alpha.get_or_insert_with(|| vec![255; size.pixels()]);
            pages.push(planes);
            if !scroll.is_horizontal() {
                continue;
            }
            // Each line is a piece; a single line includes everything around it.
            let height = match drawn.lines.as_slice() {
                [] | [_] => size.height,
                [first, ..] => even(first.height),
            };
            view.height = height.min(Size::MAX_SIDE);
            for row in &drawn.lines {
                let top = if drawn.lines.len() == 1 { 0 } else { row.top & !1 };
                pieces.push((top as usize, (even(row.width)).min(size.width) as usize));
            }
        }
        let pool = Planes::alpha_pool(view, 4);
        Self { pages, pieces, view, scroll, pool }
    }

    pub(super) fn view(&self) -> Size {
        self.view
    }

    /// Returns the scrolled distance after this time, in complete chroma samples.
    pub(super) fn step(&self, since: Duration) -> u64 {
        (since.as_secs_f64() * f64::from(self.scroll.speed.min(Scroll::MAX_SCROLL_SPEED)) / 2.0)
            as u64
    }

    /// Returns the frame at this step.
    pub(super) fn frame(&self, step: u64) -> Arc<Pooled<Planes>> {
        let mut out = self.pool.fresh();
        out.y.fill(16);
        out.u.fill(128);
        out.v.fill(128);
        if let Some(alpha) = &mut out.alpha {
            alpha.fill(0);
        }
        let gone = usize::try_from(step % (1 << 40)).unwrap_or(0) * 2;
        if self.scroll.is_horizontal() {
            self.level(gone, &mut out);
        } else {
            self.upright(gone, &mut out);
        }
        out.share()
    }

    /// Draws a horizontally scrolling text, which enters at one side, leaves at the other, and
    /// repeats.
    fn level(&self, gone: usize, out: &mut Planes) {
        let Some(page) = self.pages.first() else { return };
        let view = self.view.width as usize;
        let length: usize = self.pieces.iter().map(|(_, width)| width).sum();
        let around = length + view;
        let gone = gone % around;
        // Start of the strip in the view.
        let start = match self.scroll.direction {
            ScrollDirection::Right => gone as i64 - length as i64,
            _ => view as i64 - gone as i64,
        };
        let mut x = start;
        for &(top, width) in &self.pieces {
            copy(page, (0, top), (x, 0), (width, self.view.height as usize), out);
            x += width as i64;
        }
    }

    fn upright(&self, gone: usize, out: &mut Planes) {
        let view = self.view.height as usize;
        let length: usize = self.pages.iter().map(|page| page.size().height as usize).sum();
        let gone = gone % (length + view);
        let mut y = match self.scroll.direction {
            ScrollDirection::Down => gone as i64 - length as i64,
            _ => view as i64 - gone as i64,
        };
        for page in &self.pages {
            let Size { width, height } = page.size();
            // The text is centered.
            let x = ((i64::from(self.view.width) - i64::from(width)) / 2) & !1;
            copy(page, (0, 0), (x, y), (width as usize, height as usize), out);
            y += i64::from(height);
        }
    }
}

/// Copies a part of a page to an even position, which can be outside the view.
fn copy(
    page: &Planes,
    from: (usize, usize),
    to: (i64, i64),
    size: (usize, usize),
    out: &mut Planes,
) {
    let cut = |at: i64| usize::try_from(-at).unwrap_or(0);
    let (cut_x, cut_y) = (cut(to.0), cut(to.1));
    let corner = (from.0 + cut_x, from.1 + cut_y);
    let place = (to.0.max(0) as usize, to.1.max(0) as usize);
    let rest = (size.0.saturating_sub(cut_x), size.1.saturating_sub(cut_y));
    out.copy_rect(page, corner, place, rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::text::draw::Row;

    /// Draws lines of eight by four pixels, alternately dark and bright.
    fn drawn(lines: usize) -> TextPixels {
        let mut rgba = Vec::new();
        for row in 0..8 {
            let grey = if row < 4 { 40 } else { 250 };
            rgba.extend([grey, grey, grey, 255].repeat(8));
        }
        let rows = (0..lines as u32).map(|line| Row { top: line * 4, height: 4, width: 8 });
        TextPixels { width: 8, height: 8, rgba, lines: rows.collect() }
    }

    /// Returns the visible content of a row, with `.` for nothing, `d` for dark, and `b` for
    /// bright.
    fn seen(planes: &Planes, row: usize) -> String {
        let width = planes.luma_stride();
        let alpha = planes.alpha.as_ref().unwrap();
        (row * width..(row + 1) * width)
            .map(|index| match (alpha[index], planes.y[index]) {
                (0, _) => '.',
                (_, luma) if luma < 100 => 'd',
                _ => 'b',
            })
            .collect()
    }

    #[test]
    fn a_ticker_passes_line_behind_line_and_comes_again() {
        let strip =
            |direction| Strip::new([drawn(2)], Size::new(12, 100), Scroll { direction, speed: 60 });
        let left = strip(ScrollDirection::Left);
        assert_eq!(left.view(), Size::new(12, 4));
        assert_eq!(left.step(Duration::from_secs(1)), 30);
        let at = |step| seen(&left.frame(step), 0);
        assert_eq!(at(0), "............");
        assert_eq!(at(1), "..........dd");
        assert_eq!(at(5), "..ddddddddbb");
        assert_eq!(at(8), "ddddbbbbbbbb");
        assert_eq!(at(13), "bb..........");
        assert_eq!(at(14), at(0));
        let right = strip(ScrollDirection::Right);
        assert_eq!(seen(&right.frame(1), 3), "bb..........");
        assert_eq!(seen(&right.frame(8), 3), "ddddddddbbbb".chars().collect::<String>());
    }

    #[test]
    fn credits_rise_through_the_middle() {
        let upward = Scroll { direction: ScrollDirection::Up, speed: 60 };
        let up = Strip::new([drawn(2)], Size::new(16, 6), upward);
        let column = |step| {
            let frame = up.frame(step);
            (0..6).map(|row| seen(&frame, row).chars().nth(8).unwrap()).collect::<String>()
        };
        assert_eq!((column(0).as_str(), column(1).as_str()), ("......", "....dd"));
        assert_eq!((column(4).as_str(), column(6).as_str()), ("ddbbbb", "bb...."));
        assert_eq!(column(7), column(0));
        assert_eq!(seen(&up.frame(2), 5), "....dddddddd....");
        let down = Strip::new(
            [drawn(2)],
            Size::new(16, 6),
            Scroll { direction: ScrollDirection::Down, speed: 60 },
        );
        assert_eq!(seen(&down.frame(1), 0), "....bbbbbbbb....");
        // Several pages follow each other without a gap.
        let pages = Strip::new([drawn(2), drawn(2)], Size::new(16, 6), upward);
        let rows = |step| (0..6).map(|row| seen(&pages.frame(step), row)).collect::<Vec<_>>();
        let (dark, bright) = ("....dddddddd....", "....bbbbbbbb....");
        assert_eq!(rows(5), [bright, bright, bright, bright, dark, dark].map(str::to_owned));
        assert_eq!(rows(10)[0], bright);
        assert_eq!(rows(11), rows(0));
    }
}
