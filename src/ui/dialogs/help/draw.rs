//! Draws a page of the guide: text that wraps around links, images, lists, code to copy, and
//! tables.

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, CornerRadius, Frame, Label, Margin, RichText, Role, Sense, Ui, Vec2, WidgetInfo, vec2,
};

use crate::ui::dialogs::help::images::{HelpImages, IMAGE_SHAPE};
use crate::ui::dialogs::help::markdown::{Block, Content, Emphasis, Marker, Span, plain};
use crate::ui::dialogs::help::pages;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{focus_ring, icon_button, paragraph};

/// Height of a line of text in points.
const LINE_HEIGHT_POINTS: f32 = 21.0;
/// Indentation of a list level in points.
const INDENT_POINTS: f32 = 24.0;
/// Maximum line width in points, for readability.
const MAX_LINE_WIDTH_POINTS: f32 = 720.0;
/// Minimum column width of a table in points.
const MIN_COLUMN_WIDTH_POINTS: f32 = 72.0;

/// Draws the blocks of a page, and scrolls once to `heading`. Returns the link that was followed.
pub fn page(
    ui: &mut Ui,
    view: &View<'_>,
    page: &pages::Page,
    blocks: &[Block],
    heading: &mut Option<String>,
    images: &mut HelpImages,
) -> Option<String> {
    ui.set_max_width(ui.available_width().min(MAX_LINE_WIDTH_POINTS));
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let mut drawing = Drawing { view, page, images, followed: None };
    for (number, block) in blocks.iter().enumerate() {
        ui.add_space(space_above(block, number == 0));
        let top = ui.cursor().top();
        ui.push_id(number, |ui| drawing.block(ui, block));
        if heading.is_some() && pages::anchor_of(block) == *heading {
            let rect =
                egui::Rect::from_min_size(egui::pos2(ui.min_rect().left(), top), vec2(1.0, 1.0));
            ui.scroll_to_rect(rect, Some(egui::Align::Min));
            *heading = None;
        }
    }
    ui.add_space(gap::XL);
    drawing.followed
}

fn space_above(block: &Block, first: bool) -> f32 {
    match (&block.content, block.marker) {
        _ if first => 0.0,
        (Content::Heading(..), _) => gap::XL,
        (_, Some(_)) => gap::XS,
        _ => gap::M,
    }
}

struct Drawing<'a> {
    view: &'a View<'a>,
    page: &'a pages::Page,
    images: &'a mut HelpImages,
    followed: Option<String>,
}

impl Drawing<'_> {
    fn block(&mut self, ui: &mut Ui, block: &Block) {
        if block.depth == 0 {
            self.content(ui, &block.content);
            return;
        }
        ui.horizontal_top(|ui| {
            let indent = INDENT_POINTS * block.depth as f32;
            let marker = match block.marker {
                Some(Marker::Bullet) => "•".to_owned(),
                Some(Marker::Number(number)) => format!("{number}."),
                None => String::new(),
            };
            ui.add_space(indent - INDENT_POINTS + gap::XS);
            let place = vec2(INDENT_POINTS - gap::XS, LINE_HEIGHT_POINTS);
            ui.allocate_ui(place, |ui| {
                ui.set_min_size(place);
                if !marker.is_empty() {
                    let format = self.format(Emphasis::None, Type::Body, self.view.theme.secondary);
                    ui.add(Label::new(LayoutJob::single_section(marker, format)).selectable(false));
                }
            });
            ui.vertical(|ui| self.content(ui, &block.content));
        });
    }

    fn content(&mut self, ui: &mut Ui, content: &Content) {
        let theme = self.view.theme;
        match content {
            Content::Heading(level, spans) => {
                let kind = match level {
                    1 => Type::Key,
                    2 => Type::Title,
                    _ => Type::BodyStrong,
                };
                let format = self.format(Emphasis::None, kind, theme.text);
                let text = plain(spans);
                let shown =
                    ui.add(Label::new(LayoutJob::single_section(text.clone(), format)).wrap());
                shown.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &text));
            }
            Content::Paragraph(spans) => self.spans(ui, spans, Type::Body, theme.text),
            Content::Image(file, alternative) => self.image(ui, file, alternative),
            Content::Code(code) => self.code(ui, code),
            Content::Table(rows) => self.table(ui, rows),
        }
    }

    fn format(&self, emphasis: Emphasis, kind: Type, color: Color32) -> TextFormat {
        let (kind, background) = match emphasis {
            Emphasis::None => (kind, Color32::TRANSPARENT),
            Emphasis::Medium => (Type::BodyStrong, Color32::TRANSPARENT),
            Emphasis::Strong => (Type::Sentence, Color32::TRANSPARENT),
            Emphasis::Code => (kind, self.view.theme.raised),
        };
        let font_id = kind.font();
        let line_height = Some(LINE_HEIGHT_POINTS.max(font_id.size * 1.4));
        TextFormat { font_id, color, background, line_height, ..TextFormat::default() }
    }

    /// Draws text over as many lines as it needs. Each link has its own keyboard focus.
    fn spans(&mut self, ui: &mut Ui, spans: &[Span], kind: Type, color: Color32) {
        ui.scope(|ui| {
            ui.spacing_mut().interact_size.y = LINE_HEIGHT_POINTS;
            ui.horizontal_wrapped(|ui| {
                let mut run = LayoutJob::default();
                for span in spans {
                    let target =
                        span.link.as_deref().filter(|link| self.page.target(link).is_some());
                    match target {
                        None => {
                            run.append(&span.text, 0.0, self.format(span.emphasis, kind, color));
                        }
                        Some(link) => {
                            flush(ui, &mut run);
                            self.link(ui, span, link, kind);
                        }
                    }
                }
                flush(ui, &mut run);
            });
        });
    }

    fn link(&mut self, ui: &mut Ui, span: &Span, link: &str, kind: Type) {
        let theme = self.view.theme;
        let kind = if span.emphasis == Emphasis::None { kind } else { Type::BodyStrong };
        let text =
            RichText::new(&span.text).font(kind.font()).line_height(Some(LINE_HEIGHT_POINTS));
        let response = ui.add(egui::Link::new(text.color(theme.accent).underline()));
        focus_ring(ui, theme, &response, CONTROL_RADIUS);
        if response.clicked() {
            self.followed = Some(link.to_owned());
        }
    }

    /// Draws an image as wide as the page, or its alternative text if there is no image.
    fn image(&mut self, ui: &mut Ui, file: &str, alternative: &str) {
        let theme = self.view.theme;
        let Some(image) = self.images.get(file) else {
            paragraph(ui, alternative, Type::Body, theme.secondary);
            return;
        };
        let width = ui.available_width();
        let size = vec2(width, width / IMAGE_SHAPE);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, alternative));
        if ui.is_rect_visible(rect) {
            ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.raised);
            image.paint(ui, rect);
        }
    }

    /// Draws code on a separate background, with a button that copies it.
    fn code(&mut self, ui: &mut Ui, code: &str) {
        let theme = self.view.theme;
        let frame =
            Frame::new().fill(theme.raised).corner_radius(CornerRadius::same(CONTROL_RADIUS));
        frame.inner_margin(Margin::same(10)).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                let width = (ui.available_width() - 36.0).max(0.0);
                ui.allocate_ui(vec2(width, 0.0), |ui| {
                    ui.set_min_width(width);
                    let format = self.format(Emphasis::None, Type::Figure, theme.text);
                    ui.add(Label::new(LayoutJob::single_section(code.to_owned(), format)).wrap());
                });
                let first = code.lines().next().unwrap_or_default();
                let name = self.view.texts.with("help-copy", &[("code", first.into())]);
                if icon_button(ui, theme, Icon::Copy, &name, 28.0).clicked() {
                    ui.ctx().copy_text(code.to_owned());
                }
            });
        });
    }

    fn table(&mut self, ui: &mut Ui, rows: &[Vec<Vec<Span>>]) {
        let theme = self.view.theme;
        let widths = self.widths(ui, rows);
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                let rail = ui.available_rect_before_wrap();
                ui.painter().hline(rail.left()..=rail.right(), rail.top(), theme.border());
                ui.add_space(gap::XS);
            }
            let (kind, color) = if number == 0 {
                (Type::SmallStrong, theme.secondary)
            } else {
                (Type::Body, theme.text)
            };
            ui.horizontal_top(|ui| {
                for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                    ui.push_id(column, |ui| {
                        ui.allocate_ui(vec2(*width, LINE_HEIGHT_POINTS), |ui| {
                            ui.set_width(*width);
                            self.spans(ui, cell, kind, color);
                        });
                    });
                    ui.add_space(gap::M);
                }
            });
            ui.add_space(gap::XS);
        }
    }

    /// Returns the widths of the columns. If all fit, each is as wide as its content. Otherwise,
    /// columns that fit into an equal share keep their width, and the others share the remaining
    /// width.
    fn widths(&self, ui: &Ui, rows: &[Vec<Vec<Span>>]) -> Vec<f32> {
        let columns = rows.first().map_or(0, Vec::len);
        let natural = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let width = |spans: &Vec<Span>| {
                let mut job = LayoutJob::default();
                for span in spans {
                    job.append(
                        &span.text,
                        0.0,
                        self.format(span.emphasis, Type::Body, Color32::WHITE),
                    );
                }
                ui.painter().layout_job(job).size().x
            };
            cells.map(width).fold(MIN_COLUMN_WIDTH_POINTS, f32::max).ceil() + 1.0
        };
        let natural: Vec<f32> = (0..columns).map(natural).collect();
        share(&natural, ui.available_width() - gap::M * columns as f32)
    }
}

fn flush(ui: &mut Ui, run: &mut LayoutJob) {
    let run = std::mem::take(run);
    if !run.is_empty() {
        ui.add(Label::new(run).wrap());
    }
}

fn share(natural: &[f32], room: f32) -> Vec<f32> {
    let mut widths = natural.to_vec();
    let mut wide: Vec<bool> = vec![true; natural.len()];
    loop {
        let kept: f32 =
            natural.iter().zip(&wide).filter(|(_, wide)| !**wide).map(|(it, _)| it).sum();
        let count = wide.iter().filter(|wide| **wide).count();
        let part = ((room - kept) / count.max(1) as f32).max(MIN_COLUMN_WIDTH_POINTS);
        let mut changed = false;
        for ((width, natural), wide) in widths.iter_mut().zip(natural).zip(&mut wide) {
            if *wide {
                *width = part.min(*natural);
                if *natural <= part {
                    (*wide, changed) = (false, true);
                }
            }
        }
        if !changed {
            return widths;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_their_width_where_all_fit_and_wide_ones_share_the_rest() {
        assert_eq!(share(&[100.0, 200.0], 400.0), [100.0, 200.0]);
        assert_eq!(share(&[100.0, 900.0], 400.0), [100.0, 300.0]);
        assert_eq!(share(&[100.0, 900.0, 700.0], 500.0), [100.0, 200.0, 200.0]);
        // The minimum applies however little space there is.
        assert_eq!(
            share(&[500.0, 900.0], 40.0),
            [MIN_COLUMN_WIDTH_POINTS, MIN_COLUMN_WIDTH_POINTS]
        );
        assert!(share(&[], 40.0).is_empty());
    }
}
