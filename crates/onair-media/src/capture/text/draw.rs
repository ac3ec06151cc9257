//! Draws texts as pixels. parley lays them out (in any script, with the system's fonts for
//! characters that the built-in font lacks), and vello_cpu draws them with outline, shadow and
//! background.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use parley::fontique::Blob;
use parley::{
    Alignment, AlignmentOptions, FontContext, FontFamily, FontFamilyName, FontStyle, FontWeight,
    GenericFamily, GlyphRun, Layout, LayoutContext, PositionedLayoutItem, StyleProperty,
};
use vello_cpu::color::AlphaColor;
use vello_cpu::kurbo::{Affine, Join, Rect, Stroke};
use vello_cpu::{Glyph, Pixmap, RenderContext, Resources};

use crate::capture::rgb::{self, Rgba};
use crate::capture::text::appearance::{Align, Style};
use crate::media::Size;

/// The built-in font faces.
const BUILT_IN_FACES: [&[u8]; 2] = [
    include_bytes!("../../../../../assets/fonts/latin-400.otf"),
    include_bytes!("../../../../../assets/fonts/latin-700.otf"),
];
/// Maximum width of a line without line breaks, in pixels.
pub(super) const MAX_LINE_WIDTH: f32 = 8_000.0;
pub(super) const MAX_SIDE: f32 = Size::MAX_SIDE as f32;
/// Maximum number of pixels of a text.
pub(super) const MAX_PIXELS: f32 = 24e6;
/// Maximum number of pages of a text that is higher than a frame. Together, they can take 480 MB.
const MAX_PAGES: u32 = 8;
/// Maximum number of pixels of an enlarged text: that of a program of 3840×2160.
const MAX_ENLARGED_PIXELS: f64 = 3_840.0 * 2_160.0;

/// The fonts, which are searched only once because the search takes a moment.
static LOADED_FONTS: LazyLock<Mutex<Fonts>> = LazyLock::new(|| {
    let mut context = FontContext::new();
    let mut family = String::new();
    for face in BUILT_IN_FACES {
        let blob = Blob::new(Arc::new(face));
        for (id, _) in context.collection.register_fonts(blob, None) {
            if let Some(name) = context.collection.family_name(id) {
                name.clone_into(&mut family);
            }
        }
    }
    Mutex::new(Fonts { context, layouts: LayoutContext::new(), family })
});

/// Returns true if the system has a font family with this name, or `None` while a text is drawn.
pub fn is_installed(family: &str) -> Option<bool> {
    let mut fonts = LOADED_FONTS.try_lock()?;
    Some(fonts.context.collection.family_id(family).is_some())
}

struct Fonts {
    context: FontContext,
    layouts: LayoutContext<()>,
    /// Name of the built-in family.
    family: String,
}

/// Straight RGBA pixels with four bytes each.
pub(super) struct TextPixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgba: Vec<u8>,
    /// The start and width of each line in pixels from the top left, for scrolling.
    pub(super) lines: Vec<Row>,
}

/// One line of a text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) top: u32,
    pub(super) height: u32,
    pub(super) width: u32,
}

/// Lays out and draws a text. `wrap` is the width for line breaks, in pixels.
pub(super) fn draw(words: &str, style: &Style, wrap: Option<f32>) -> TextPixels {
    draw_enlarged(words, style, wrap, |_| 1.0)
}

/// Works like [`draw`], but enlarged by `scale`. Lines break at the same positions, and letters are
/// drawn at the larger size.
pub(super) fn draw_enlarged(
    words: &str,
    style: &Style,
    wrap: Option<f32>,
    scale: impl FnOnce(Size) -> f64,
) -> TextPixels {
    let layout = lay_out(words, style, wrap);
    let Extent { margin_x, margin_y, width, height } = Extent::of(&layout, style, wrap);
    let height = height.clamp(2.0, MAX_SIDE.min(MAX_PIXELS / width));
    let scale = scale(rgb::even(width as u32, height as u32));
    let (width, height, scale) = enlarged(width, height, scale);
    let place = Affine::scale(scale).pre_translate((margin_x, margin_y).into());
    let rgba = pixels(&layout, style, (width, height), place, scale);
    let lines = layout.lines().map(|line| {
        let metrics = line.metrics();
        let top = ((f64::from(metrics.block_min_coord) + margin_y) * scale).max(0.0) as u32;
        let advance = f64::from(metrics.advance) + f64::from(metrics.offset);
        Row {
            top: top.min(height.into()),
            height: ((f64::from(metrics.line_height) * scale).max(1.0) as u32)
                .min(u32::from(height)),
            width: (((advance + margin_x * 2.0) * scale).ceil() as u32).min(width.into()),
        }
    });
    let lines = lines.collect();
    TextPixels { width: width.into(), height: height.into(), rgba, lines }
}

/// Works like [`draw`], but draws a text that is higher than a frame in several pages, from top to
/// bottom. The pages have no [`TextPixels::lines`].
pub(super) fn draw_pages(
    words: &str,
    style: &Style,
    wrap: Option<f32>,
) -> impl Iterator<Item = TextPixels> {
    let layout = lay_out(words, style, wrap);
    let Extent { margin_x, margin_y, width, height } = Extent::of(&layout, style, wrap);
    // The blurred shadow of the rows around a page reaches into the page.
    let around = style.shadow.map_or(0, |it| it.blur.min(100) * 2);
    let page_rows = (MAX_SIDE.min(MAX_PIXELS / width) as u32 - 2 * around) & !1;
    let (width, rows) = (width as u16, (height as u32).clamp(2, MAX_PAGES * page_rows));
    (0..rows).step_by(page_rows as usize).map(move |top| {
        let height = page_rows.min(rows - top);
        let shift = margin_y + f64::from(around) - f64::from(top);
        let size = (width, (height + 2 * around) as u16);
        let mut rgba = pixels(&layout, style, size, Affine::translate((margin_x, shift)), 1.0);
        let bytes = |rows: u32| rows as usize * usize::from(width) * 4;
        rgba.truncate(bytes(around + height));
        drop(rgba.drain(..bytes(around)));
        TextPixels { width: width.into(), height, rgba, lines: Vec::new() }
    })
}

/// The size of a text in pixels, and the margins for outline, shadow and padding.
pub(super) struct Extent {
    pub(super) margin_x: f64,
    pub(super) margin_y: f64,
    /// The width, within the limit.
    width: f32,
    /// The height, which can exceed the limit.
    pub(super) height: f32,
}

impl Extent {
    pub(super) fn of(layout: &Layout<()>, style: &Style, wrap: Option<f32>) -> Self {
        let outline = style.outline.map_or(0.0, |(_, width)| f64::from(width.min(100)));
        let (shift_x, shift_y, blur) =
            style.shadow.map_or((0, 0, 0), |it| (it.right, it.down, it.blur.min(100)));
        // Margin for outline and shadow, the same on opposite sides.
        let reach = |shift: i32| f64::from(shift.clamp(-500, 500).abs()) + f64::from(blur) * 2.0;
        let padding = f64::from(style.padding.min(1_000));
        let margin_x = (outline.max(reach(shift_x)) + padding).ceil();
        let margin_y = (outline.max(reach(shift_y)) + padding).ceil();
        let text_width = if wrap.is_some() && style.align != Align::Left {
            wrap.unwrap_or(0.0).max(layout.width())
        } else {
            layout.width()
        };
        let width = (text_width + 2.0 * margin_x as f32).ceil().clamp(2.0, MAX_SIDE);
        let height = (layout.height() + 2.0 * margin_y as f32).ceil();
        Self { margin_x, margin_y, width, height }
    }
}

/// Draws a part of a text as straight RGBA pixels. `place` maps from the layout to the pixels, and
/// enlarges by `scale`.
pub(super) fn pixels(
    layout: &Layout<()>,
    style: &Style,
    (width, height): (u16, u16),
    place: Affine,
    scale: f64,
) -> Vec<u8> {
    let mut resources = Resources::new();
    let mut text = RenderContext::new(width, height);
    let full = Rect::new(0.0, 0.0, width.into(), height.into());
    let mut shadow = None;
    if let Some(style_of) = style.shadow {
        let at = place.pre_translate((f64::from(style_of.right), f64::from(style_of.down)).into());
        let flat = Style {
            color: style_of.color,
            outline: style.outline.map(|(_, width)| (style_of.color, width)),
            ..style.clone()
        };
        let mut under = RenderContext::new(width, height);
        letters(&mut under, &mut resources, layout, &flat, at);
        under.flush();
        let mut pixels = Pixmap::new(width, height);
        under.render(&mut pixels, &mut resources);
        let blur = (f64::from(style_of.blur.min(100)) * scale).round() as usize;
        soften(pixels.data_as_u8_slice_mut(), width.into(), blur);
        shadow = Some(pixels);
    }
    letters(&mut text, &mut resources, layout, style, place);
    text.flush();
    let mut pixels = Pixmap::new(width, height);
    text.render(&mut pixels, &mut resources);
    if let Some(shadow) = &shadow {
        under(pixels.data_as_u8_slice_mut(), shadow.data_as_u8_slice());
    }
    if let Some(ground) = style.background {
        let mut below = RenderContext::new(width, height);
        below.set_paint(paint(ground));
        below.fill_rect(&full);
        below.flush();
        let mut filled = Pixmap::new(width, height);
        below.render(&mut filled, &mut resources);
        under(pixels.data_as_u8_slice_mut(), filled.data_as_u8_slice());
    }
    let mut rgba = Vec::with_capacity(usize::from(width) * usize::from(height) * 4);
    for pixel in pixels.take_unpremultiplied() {
        rgba.extend_from_slice(&[pixel.r, pixel.g, pixel.b, pixel.a]);
    }
    rgba
}

/// Returns the pixel size and the scale of an enlarged text, within the limit. The enlarged text
/// has the aspect ratio of the original even-sided frame, and therefore the same position.
pub(super) fn enlarged(width: f32, height: f32, scale: f64) -> (u16, u16, f64) {
    if (scale - 1.0).abs() < 1e-6 {
        return (width as u16, height as u16, 1.0);
    }
    let even = rgb::even(width as u32, height as u32);
    let (width, height) = (f64::from(even.width), f64::from(even.height));
    let most = f64::from(MAX_SIDE) / width.max(height);
    let most = most.min((MAX_ENLARGED_PIXELS / (width * height)).sqrt()).max(1.0);
    let scale = scale.clamp(0.05, most);
    let side = |length: f64| ((length * scale / 2.0).round().max(1.0) * 2.0) as u16;
    (side(width), side(height), scale)
}

pub(super) fn lay_out(words: &str, style: &Style, wrap: Option<f32>) -> Layout<()> {
    let mut fonts = LOADED_FONTS.lock();
    let Fonts { context, layouts, family } = &mut *fonts;
    let mut families = Vec::new();
    if !style.family.is_empty() {
        families.push(FontFamilyName::Named(Cow::Borrowed(style.family.as_str())));
    }
    families.push(FontFamilyName::Named(Cow::Borrowed(family.as_str())));
    families.push(FontFamilyName::Generic(GenericFamily::SansSerif));
    families.push(FontFamilyName::Generic(GenericFamily::Emoji));
    let mut builder = layouts.ranged_builder(context, words, 1.0, true);
    builder.push_default(StyleProperty::FontFamily(FontFamily::List(Cow::Owned(families))));
    builder.push_default(StyleProperty::FontSize(style.size.clamp(4, 1_000) as f32));
    let weight = f32::from(style.weight.clamp(1, 1_000));
    builder.push_default(StyleProperty::FontWeight(FontWeight::new(weight)));
    let slant = if style.italic { FontStyle::Italic } else { FontStyle::Normal };
    builder.push_default(StyleProperty::FontStyle(slant));
    let mut layout: Layout<()> = builder.build(words);
    layout.break_all_lines(wrap.or(Some(MAX_LINE_WIDTH)));
    // Without line breaks, there is no width to align to.
    let align = match style.align {
        Align::Center if wrap.is_some() => Alignment::Center,
        Align::Right if wrap.is_some() => Alignment::Right,
        _ => Alignment::Left,
    };
    layout.align(align, AlignmentOptions::default());
    layout
}

fn paint(color: Rgba) -> AlphaColor<vello_cpu::color::Srgb> {
    let [r, g, b, a] = color.channels();
    AlphaColor::from_rgba8(r, g, b, a)
}

/// Draws the letters, with their outline first.
fn letters(
    context: &mut RenderContext,
    resources: &mut Resources,
    layout: &Layout<()>,
    style: &Style,
    place: Affine,
) {
    context.set_transform(place);
    let passes =
        [style.outline.map(|(color, width)| (color, Some(width))), Some((style.color, None))];
    for (color, stroke) in passes.into_iter().flatten() {
        context.set_paint(paint(color));
        if let Some(width) = stroke {
            // Half of a stroke is inside the letter.
            let line = Stroke::new(f64::from(width.min(100)) * 2.0).with_join(Join::Round);
            context.set_stroke(line);
        }
        for line in layout.lines() {
            for item in line.items() {
                if let PositionedLayoutItem::GlyphRun(run) = item {
                    glyphs(context, resources, &run, stroke.is_some());
                }
            }
        }
    }
}

fn glyphs(
    context: &mut RenderContext,
    resources: &mut Resources,
    run: &GlyphRun<'_, ()>,
    stroke: bool,
) {
    let positioned =
        run.positioned_glyphs().map(|glyph| Glyph { id: glyph.id, x: glyph.x, y: glyph.y });
    let of = run.run();
    let coords = of.normalized_coords();
    let builder = context.glyph_run(resources, of.font()).font_size(of.font_size()).hint(false);
    let mut builder = builder.normalized_coords(coords);
    if let Some(skew) = of.synthesis().skew() {
        let slant = f64::from(skew).to_radians().tan();
        builder = builder.glyph_transform(Affine::skew(slant, 0.0));
    }
    if stroke {
        builder.stroke_glyphs(positioned);
    } else {
        builder.fill_glyphs(positioned);
    }
}

/// Blurs premultiplied pixels with three box blurs, which approximate a Gaussian.
fn soften(pixels: &mut [u8], width: usize, radius: usize) {
    if radius == 0 || width == 0 {
        return;
    }
    let height = pixels.len() / 4 / width;
    let mut line = Vec::new();
    for _ in 0..3 {
        for row in 0..height {
            blur_line(pixels, row * width, 1, width, radius.div_ceil(2), &mut line);
        }
        for column in 0..width {
            blur_line(pixels, column, width, height, radius.div_ceil(2), &mut line);
        }
    }
}

/// Applies one box blur along `count` pixels from `first`, `step` apart. Pixels beyond the ends
/// count as zero.
fn blur_line(
    pixels: &mut [u8],
    first: usize,
    step: usize,
    count: usize,
    radius: usize,
    line: &mut Vec<[u8; 4]>,
) {
    let at = |index: usize| (first + index * step) * 4;
    line.clear();
    line.extend((0..count).map(|index| match pixels.get(at(index)..at(index) + 4) {
        Some(&[a, b, c, d]) => [a, b, c, d],
        _ => [0; 4],
    }));
    let pixel = |index: usize| line.get(index).copied().unwrap_or([0; 4]);
    let span = (radius * 2 + 1) as u32;
    let mut sums = [0_u32; 4];
    for index in 0..radius {
        for (sum, value) in sums.iter_mut().zip(pixel(index)) {
            *sum += u32::from(value);
        }
    }
    for index in 0..count {
        for (sum, value) in sums.iter_mut().zip(pixel(index + radius)) {
            *sum += u32::from(value);
        }
        if let Some(out) = pixels.get_mut(at(index)..at(index) + 4) {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = ((sum + span / 2) / span) as u8;
            }
        }
        if let Some(gone) = index.checked_sub(radius) {
            for (sum, value) in sums.iter_mut().zip(pixel(gone)) {
                *sum -= u32::from(value);
            }
        }
    }
}

/// Draws the premultiplied pixels of `below` under those of `over`. Both have the same size.
fn under(over: &mut [u8], below: &[u8]) {
    for (over, below) in over.chunks_exact_mut(4).zip(below.chunks_exact(4)) {
        let rest = 255 - u16::from(over.last().copied().unwrap_or(255));
        for (over, below) in over.iter_mut().zip(below) {
            *over = over.saturating_add(((u16::from(*below) * rest + 127) / 255) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::text::appearance::Shadow;

    fn style() -> Style {
        Style { size: 64, ..Style::default() }
    }

    /// Returns the number of pixels that are more than half covered.
    fn ink(drawn: &TextPixels) -> usize {
        drawn.rgba.chunks_exact(4).filter(|pixel| pixel[3] > 127).count()
    }

    #[test]
    fn letters_are_drawn_in_their_colour_on_nothing() {
        let color = Rgba::opaque(250, 120, 10);
        let drawn = draw("IIII", &Style { color, ..style() }, None);
        assert!(drawn.rgba.chunks_exact(4).any(|pixel| pixel == color.channels()));
        assert!(drawn.rgba.chunks_exact(4).any(|pixel| pixel[3] == 0));
        assert!(drawn.height > 60 && drawn.height < 120, "{}", drawn.height);
        assert!(ink(&drawn) > 500, "{}", ink(&drawn));
        let bold = draw("IIII", &Style { weight: 700, ..style() }, None);
        assert!(ink(&bold) > ink(&drawn) * 5 / 4, "{} {}", ink(&bold), ink(&drawn));
        let small = draw("IIII", &Style { size: 32, ..style() }, None);
        assert!(small.width * 2 <= drawn.width + 4);
    }

    #[test]
    fn an_enlarged_text_is_redrawn_and_not_blurred() {
        let look = Style { background: Some(Rgba::BLACK), ..style() };
        let words = "Wide words that go over two lines";
        let own = draw(words, &look, Some(400.0));
        let large = draw_enlarged(words, &look, Some(400.0), |_| 4.0);
        let even = rgb::even(own.width, own.height);
        assert_eq!((large.width, large.height), (even.width * 4, even.height * 4));
        assert_eq!(large.lines.len(), own.lines.len(), "broken at the same places");
        // The edges are as sharp as before: they are four times as long, and their share of all
        // pixels is a quarter of the previous share.
        let soft = |it: &TextPixels| {
            let soft = it.rgba.chunks_exact(4).filter(|it| (16..240).contains(&it[0])).count();
            soft as f64 / f64::from(it.width * it.height)
        };
        assert!(soft(&large) < soft(&own) / 2.5, "{} {}", soft(&large), soft(&own));
        let lit = |it: &TextPixels| {
            let lit = it.rgba.chunks_exact(4).filter(|it| it[0] > 127).count();
            lit as f64 / f64::from(it.width * it.height)
        };
        assert!((lit(&large) / lit(&own) - 1.0).abs() < 0.1, "{} {}", lit(&large), lit(&own));
        // Extreme scales stay within the limits.
        for scale in [0.0, 1e9, f64::INFINITY] {
            let drawn = draw_enlarged("I", &style(), None, |_| scale);
            let pixels = f64::from(drawn.width) * f64::from(drawn.height);
            assert!(drawn.width >= 2 && pixels <= MAX_ENLARGED_PIXELS * 1.1, "{scale}: {pixels}");
        }
    }

    #[test]
    fn outline_shadow_and_ground_lie_around_and_below() {
        let plain = draw("I", &style(), None);
        let black = Some((Rgba::BLACK, 6));
        let outlined = draw("I", &Style { outline: black, ..style() }, None);
        assert!(outlined.width >= plain.width + 10 && ink(&outlined) > ink(&plain) * 2);
        let dark = outlined.rgba.chunks_exact(4).filter(|p| p[..3] == [0; 3] && p[3] == 255);
        assert!(dark.count() > 200);
        let blue = Rgba::opaque(0, 0, 255);
        let shadow = Some(Shadow { color: blue, right: 20, down: 0, blur: 0 });
        let shadowed = draw("I", &Style { shadow, ..style() }, None);
        let seen = shadowed.rgba.chunks_exact(4).filter(|p| *p == blue.channels()).count();
        assert!(seen > 200, "{seen}");
        let shadow = Some(Shadow { color: blue, right: 0, down: 0, blur: 10 });
        let soft = draw("I", &Style { shadow, ..style() }, None);
        let half = soft.rgba.chunks_exact(4).filter(|p| (20..200).contains(&p[3])).count();
        assert!(half > 500, "{half}");
        let ground = Rgba { alpha: 128, ..Rgba::opaque(10, 20, 30) };
        let grounded = draw("I", &Style { background: Some(ground), padding: 8, ..style() }, None);
        assert_eq!(grounded.rgba[..4], [10, 20, 30, 128]);
        assert_eq!(grounded.width, plain.width + 16);
    }

    #[test]
    fn long_lines_wrap_and_align() {
        let words = "several words that do not fit into one line";
        let one = draw(words, &style(), None);
        let wrapped = draw(words, &style(), Some(400.0));
        assert!(wrapped.width <= 402 && wrapped.height > one.height * 2);
        assert!(wrapped.lines.len() >= 3);
        let first_ink = |align| {
            let drawn = draw("I", &Style { align, ..style() }, Some(400.0));
            let width = drawn.width as usize;
            let found = drawn.rgba.chunks_exact(4).enumerate().filter(|(_, p)| p[3] > 127);
            found.map(|(index, _)| index % width).min().unwrap()
        };
        let (left, center, right) =
            (first_ink(Align::Left), first_ink(Align::Center), first_ink(Align::Right));
        assert!(
            left < 20 && (180..210).contains(&center) && right > 370,
            "{left} {center} {right}"
        );
        let row = |align| draw("I", &Style { align, ..style() }, None).rgba;
        for align in [Align::Center, Align::Right] {
            assert!(row(align) == row(Align::Left), "{align:?}: it is as wide as its words");
        }
        assert!(draw("two\nlines", &style(), None).height > one.height * 3 / 2);
    }

    #[test]
    fn a_page_ends_without_a_seam() {
        let shadow = Some(Shadow { color: Rgba::BLACK, right: 0, down: 0, blur: 40 });
        let look = Style { shadow, ..style() };
        let words = "w\n".repeat(200);
        let whole = draw(&words, &look, None);
        let mut pages = draw_pages(&words, &look, None);
        let page = pages.next().unwrap();
        assert_eq!((page.width, page.height), (whole.width, Size::MAX_SIDE - 160));
        let alphas = page.rgba.chunks_exact(4).zip(whole.rgba.chunks_exact(4));
        assert!(alphas.map(|(page, whole)| page[3].abs_diff(whole[3])).all(|it| it <= 2));
        assert!(pages.next().is_some_and(|page| ink(&page) > 500));
        let (endless, plain) = ("w\n".repeat(2_000), style());
        let heights = draw_pages(&endless, &plain, None).map(|page| page.height);
        assert_eq!(heights.collect::<Vec<_>>(), [Size::MAX_SIDE; MAX_PAGES as usize]);
    }

    /// Returns the number of characters, and the number of those that no font has, which appear as
    /// boxes.
    fn signs(words: &str) -> (usize, usize) {
        let layout = lay_out(words, &style(), None);
        let mut ids = Vec::new();
        for line in layout.lines() {
            for item in line.items() {
                if let PositionedLayoutItem::GlyphRun(run) = item {
                    ids.extend(run.positioned_glyphs().map(|glyph| glyph.id));
                }
            }
        }
        (ids.len(), ids.iter().filter(|id| **id == 0).count())
    }

    #[test]
    fn scripts_are_no_boxes_run_their_way_and_emoji_have_their_colours() {
        let scripts = ["中文日本語한국어", "שלום", "مرحبا", "Ελληνικά", "Русский", "🚀"];
        if let Some(script) = scripts.iter().find(|words| signs(words).1 > 0) {
            assert!(std::env::var_os("CI").is_none(), "no face for {script}");
            eprintln!(
                "SKIPPED: no face for {script} (packaging/test.sh installs what the tests need)"
            );
            return;
        }
        assert!(scripts.iter().all(|words| signs(words).0 > 0));
        // A character that no font has, to verify that boxes are detected.
        assert_eq!(signs("\u{10FFFD}").1, 1);
        // A person and a rocket with a joiner are one character.
        assert_eq!(signs("👩\u{200D}🚀"), (1, 0));

        let layout = lay_out("abc שלום def", &style(), None);
        let runs: Vec<_> =
            layout.lines().flat_map(|line| line.runs().collect::<Vec<_>>()).collect();
        let ways: Vec<bool> = runs.iter().map(|run| run.is_rtl()).collect();
        assert!(!ways[0] && ways.contains(&true) && !ways[ways.len() - 1], "{ways:?}");
        for run in &runs {
            let places: Vec<usize> =
                run.visual_clusters().map(|cluster| cluster.text_range().start).collect();
            let sorted = places.is_sorted_by(|a, b| if run.is_rtl() { a > b } else { a < b });
            assert!(sorted, "{places:?}");
        }

        let colourful = |words: &str| {
            let drawn = draw(words, &style(), None);
            let pixels = drawn.rgba.chunks_exact(4).filter(|pixel| pixel[3] == 255);
            let spread = |pixel: &&[u8]| {
                let [most, least] = [pixel[..3].iter().max(), pixel[..3].iter().min()];
                most.unwrap() - least.unwrap() > 60
            };
            pixels.filter(spread).count()
        };
        assert_eq!(colourful("中"), 0);
        assert!(colourful("🚀") > 50, "{}", colourful("🚀"));
    }

    #[test]
    fn any_script_and_absurd_styles_are_survived() {
        for words in
            ["", "\n\n", "中文 日本語 한국어", "שלום مرحبا", "नमस्ते", "👩\u{200D}🚀❤\u{FE0F}🏳"]
        {
            let drawn = draw(words, &style(), Some(300.0));
            assert_eq!(drawn.rgba.len(), (drawn.width * drawn.height * 4) as usize, "{words}");
            assert!(words.trim().is_empty() || ink(&drawn) > 50, "{words}");
        }
        let shadow = Some(Shadow { color: Rgba::BLACK, right: i32::MIN, down: i32::MAX, blur: 40 });
        let far = draw("w", &Style { shadow, ..style() }, None);
        assert!(far.width < 1_400 && far.height < 1_400);
        let wild = Style {
            size: u32::MAX,
            weight: 0,
            outline: Some((Rgba::WHITE, u32::MAX)),
            padding: u32::MAX,
            ..style()
        };
        let drawn = draw("w", &wild, Some(f32::MAX));
        assert!(drawn.width <= 8_192 && drawn.height <= 8_192);
        let long = draw(&"word ".repeat(300), &Style { size: 200, ..style() }, None);
        assert!(long.width <= 8_002 && long.height <= 8_192);
    }
}
