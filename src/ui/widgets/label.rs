//! Text labels.

use std::sync::Arc;

use egui::accesskit::Live;
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Align2, Color32, FontId, Galley, Label, Layout, Pos2, Rect, Response, RichText, Ui, Vec2,
};

use crate::ui::style::theme::{Theme, Type};

/// Draws one line of text in the layout of the panel.
pub fn label(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(kind.font()).color(color)).selectable(false))
}

/// Draws a text in one line. If the text does not fit, it ends in an ellipsis, and a tooltip shows all
/// of it.
pub fn truncated(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Response {
    let text = RichText::new(text).font(kind.font()).color(color);
    ui.add(Label::new(text).truncate().selectable(false))
}

/// Draws a text with as many lines as it needs.
pub fn paragraph(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Response {
    let text = RichText::new(text).font(kind.font()).color(color);
    let label = Label::new(text).wrap().selectable(false);
    if !ui.layout().horizontal_justify() {
        return ui.add(label);
    }
    // Menus justify their content, which would spread the words of a line.
    ui.with_layout(ui.layout().with_cross_justify(false), |ui| ui.add(label)).inner
}

/// Lets a screen reader announce this text when it appears or changes.
pub fn announced(response: &Response) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
}

/// Draws a line with a label of this size before its control.
pub fn named(ui: &mut Ui, theme: &Theme, size: Vec2, name: &str, control: impl FnOnce(&mut Ui)) {
    let room = Vec2::new(ui.available_width(), size.y);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            label(ui, name, Type::Small, theme.secondary);
        });
        control(ui);
    });
}

/// Returns the height of a line of this type.
pub fn line_height_of(ui: &Ui, kind: Type) -> f32 {
    ui.ctx().fonts_mut(|fonts| fonts.row_height(&kind.font()))
}

/// Returns the distance of the baseline from the top of a line of this type.
pub fn baseline_of(ui: &Ui, kind: Type) -> f32 {
    let line = ui.painter().layout_no_wrap("0".to_owned(), kind.font(), Color32::PLACEHOLDER);
    let glyph = line.rows.first().and_then(|row| row.glyphs.first());
    glyph.map_or(0.0, |glyph| glyph.pos.y)
}

/// Draws the heading of a group.
pub fn section(ui: &mut Ui, theme: &Theme, text: &str) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), 20.0), egui::Sense::hover());
    let font = Type::Section.font();
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, theme.secondary);
    let at = Align2::LEFT_CENTER.anchor_size(rect.left_center(), galley.size());
    ui.painter().galley(at.min, galley, theme.secondary);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    response
}

/// Paints a text at a position, outside the layout. Returns the text's rectangle.
pub fn place(ui: &Ui, at: Pos2, anchor: Align2, text: &str, kind: Type, color: Color32) -> Rect {
    ui.painter().text(at, anchor, text, kind.font(), color)
}

/// Lays out a text in one line of at most `width` points, with an ellipsis if it does not fit.
pub fn one_line(ui: &Ui, text: &str, width: f32, font: FontId, color: Color32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// Paints a text in one line into `rect`, with an ellipsis if it does not fit.
pub fn elided(ui: &Ui, rect: Rect, align: Align, text: &str, font: FontId, color: Color32) -> Rect {
    let galley = one_line(ui, text, rect.width(), font, color);
    let x = match align {
        Align::Min => rect.left(),
        Align::Center => rect.center().x - galley.size().x / 2.0,
        Align::Max => rect.right() - galley.size().x,
    };
    let at = Pos2::new(x, rect.center().y - galley.size().y / 2.0);
    let painted = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, color);
    painted
}

/// A text with several lines outside the layout. A text that does not fit ends in an ellipsis.
#[derive(Debug)]
pub struct Wrapped {
    galley: Arc<Galley>,
    width: f32,
    align: Align,
}

impl Wrapped {
    /// Lays out the text in lines of at most `width`, with a total height of at most `height`, and
    /// always at least one line.
    pub fn new(
        ui: &Ui,
        text: &str,
        kind: Type,
        color: Color32,
        width: f32,
        height: f32,
        align: Align,
    ) -> Self {
        let line = line_height_of(ui, kind).max(1.0);
        let mut job = LayoutJob::simple(text.to_owned(), kind.font(), color, width);
        job.wrap = TextWrapping {
            max_width: width,
            max_rows: ((height / line) as usize).max(1),
            ..TextWrapping::default()
        };
        job.halign = align;
        Self { galley: ui.painter().layout_job(job), width, align }
    }

    /// Returns the height of all lines.
    pub fn height(&self) -> f32 {
        self.galley.size().y
    }

    /// Returns true if the text was shortened.
    pub fn is_elided(&self) -> bool {
        self.galley.elided
    }

    /// Paints the text with its upper left corner at `at`. Returns the rectangle that the text
    /// occupies.
    pub fn paint(&self, ui: &Ui, at: Pos2) -> Rect {
        let x = match self.align {
            Align::Min => at.x,
            Align::Center => at.x + self.width / 2.0,
            Align::Max => at.x + self.width,
        };
        let color = Color32::PLACEHOLDER;
        ui.painter().galley(Pos2::new(x, at.y), Arc::clone(&self.galley), color);
        Rect::from_min_size(at, Vec2::new(self.width, self.height()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_a_line_takes_another_where_there_is_room() {
        let ctx = egui::Context::default();
        ctx.set_fonts(crate::ui::style::fonts::definitions());
        let mut heights = Vec::new();
        let mut lay = |ui: &mut Ui| {
            let text = "Reconnecting automatically. Cause: the server closed the connection.";
            let align = Align::Center;
            let lines =
                |height| Wrapped::new(ui, text, Type::Small, Color32::WHITE, 196.0, height, align);
            heights = vec![lines(100.0), lines(15.0)];
        };
        // The fonts are available from the second frame on.
        for _ in 0..2 {
            ctx.run_ui(egui::RawInput::default(), &mut lay).textures_delta.clear();
        }
        let [all, one] = &heights[..] else { panic!("two of them") };
        assert!(!all.is_elided() && all.height() > 28.0, "{}", all.height());
        assert!(one.is_elided() && one.height() < 18.0, "{}", one.height());
    }

    #[test]
    fn a_menu_does_not_spread_the_words_of_a_paragraph() {
        let ctx = egui::Context::default();
        ctx.set_fonts(crate::ui::style::fonts::definitions());
        let mut widths = Vec::new();
        let mut lay = |ui: &mut Ui| {
            let text = "No hardware decoding: this computer has no device for it.";
            let mut width = |layout| {
                let size = Vec2::new(150.0, 100.0);
                let draw = |ui: &mut Ui| paragraph(ui, text, Type::Small, Color32::WHITE);
                let rect = ui.allocate_ui_with_layout(size, layout, draw).inner.rect;
                assert!(rect.height() > 28.0, "{rect}");
                rect.width()
            };
            let menu = Layout::top_down_justified(Align::Min);
            widths = vec![width(Layout::top_down(Align::Min)), width(menu)];
        };
        // The fonts are available from the second frame on.
        for _ in 0..2 {
            ctx.run_ui(egui::RawInput::default(), &mut lay).textures_delta.clear();
        }
        let [plain, menu] = widths[..] else { panic!("two of them") };
        assert!((plain - menu).abs() < 0.5 && menu < 149.0, "{plain} {menu}");
    }
}
