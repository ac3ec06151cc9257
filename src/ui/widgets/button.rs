//! Buttons.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, CornerRadius, Galley, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, vec2,
};

use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER_WIDTH, CONTROL_RADIUS, Theme, Type, gap, size};
use crate::ui::widgets::{elided, focus_ring};

/// The visual weight of a button.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ButtonWeight {
    /// The most important button.
    Primary,
    /// A button with a border.
    Plain,
    /// A button with a border and a separate background, for tinted bars.
    Raised,
    /// A button that shows only its text until the pointer is over it.
    Quiet,
    /// A button with a red border and red text, which ends or removes something.
    Live,
    /// A button with an amber border and amber text, which needs attention.
    Warn,
}

/// A button with text, an icon, or both.
#[derive(Debug)]
pub struct Button<'a> {
    text: &'a str,
    second: &'a str,
    icon: Option<(Icon, Option<Color32>)>,
    weight: ButtonWeight,
    kind: Type,
    height: f32,
    width: Option<f32>,
    radius: u8,
    enabled: bool,
    name: Option<&'a str>,
    selected: Option<bool>,
    leading: bool,
}

impl<'a> Button<'a> {
    /// Creates a plain button.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            second: "",
            icon: None,
            weight: ButtonWeight::Plain,
            kind: Type::BodyStrong,
            height: size::CONTROL_HEIGHT,
            width: None,
            radius: CONTROL_RADIUS,
            enabled: true,
            name: None,
            selected: None,
            leading: false,
        }
    }

    /// Adds a smaller line below the text.
    pub fn second(mut self, second: &'a str) -> Self {
        self.second = second;
        self
    }

    pub fn weight(mut self, weight: ButtonWeight) -> Self {
        self.weight = weight;
        self
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some((icon, None));
        self
    }

    /// Adds an icon with a different color from the text.
    pub fn icon_colored(mut self, icon: Icon, color: Color32) -> Self {
        self.icon = Some((icon, Some(color)));
        self
    }

    pub fn kind(mut self, kind: Type) -> Self {
        self.kind = kind;
        self
    }

    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    pub fn radius(mut self, radius: u8) -> Self {
        self.radius = radius;
        self
    }

    pub fn small(self) -> Self {
        self.height(size::SMALL_CONTROL_HEIGHT).kind(Type::FigureStrong)
    }

    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the accessible name, if the text is not sufficient.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Makes the button one option of a choice. `selected` means that it is the selected option.
    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = Some(selected);
        self
    }

    /// Aligns text and icon to the left, as in a list of buttons.
    pub fn leading(mut self) -> Self {
        self.leading = true;
        self
    }

    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let icon_side = if self.icon.is_some() { 16.0 } else { 0.0 };
        let between = if self.icon.is_some() && !self.text.is_empty() { gap::S } else { 0.0 };
        let galley = (!self.text.is_empty()).then(|| {
            let (text, font) = (self.text.to_owned(), self.kind.font());
            let mut job = LayoutJob::simple_singleline(text, font, Color32::PLACEHOLDER);
            if let Some(width) = self.width {
                let room = width - icon_side - between - 2.0 * gap::XS;
                job.wrap = TextWrapping::truncate_at_width(room.max(0.0));
            }
            ui.painter().layout_job(job)
        });
        let text_width = galley.as_ref().map_or(0.0, |galley| galley.size().x);
        let content = icon_side + between + text_width;
        let padding = if galley.is_some() { gap::M } else { (self.height - icon_side) / 2.0 };
        let width = self.width.unwrap_or(content + 2.0 * padding);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(vec2(width, self.height), sense);
        let enabled = self.enabled && ui.is_enabled();
        response.widget_info(|| {
            let name = self.name.unwrap_or(self.text);
            match self.selected {
                Some(selected) => WidgetInfo::selected(Role::Button, enabled, selected, name),
                None => WidgetInfo::labeled(Role::Button, enabled, name),
            }
        });
        if ui.is_rect_visible(rect) {
            self.paint(ui, theme, rect, &response, galley, content);
        }
        focus_ring(ui, theme, &response, self.radius);
        response
    }

    fn paint(
        &self,
        ui: &Ui,
        theme: &Theme,
        rect: Rect,
        response: &Response,
        galley: Option<Arc<Galley>>,
        content: f32,
    ) {
        let hovered = self.enabled && response.hovered();
        let on = self.selected == Some(true);
        let (mut fill, mut border, mut text) = match self.weight {
            ButtonWeight::Primary => {
                let fill = if hovered { theme.accent_hover } else { theme.accent };
                (fill, Color32::TRANSPARENT, theme.on_accent)
            }
            ButtonWeight::Plain if on => (theme.raised, theme.accent, theme.text),
            ButtonWeight::Plain => {
                (if hovered { theme.hover } else { Color32::TRANSPARENT }, theme.line, theme.text)
            }
            ButtonWeight::Raised => {
                (if hovered { theme.hover } else { theme.panel }, theme.line, theme.text)
            }
            ButtonWeight::Quiet => {
                let fill = if on {
                    theme.selected()
                } else if hovered && self.selected.is_some() {
                    theme.raised
                } else if hovered {
                    theme.hover
                } else {
                    Color32::TRANSPARENT
                };
                let text = if on || hovered { theme.text } else { theme.secondary };
                (fill, Color32::TRANSPARENT, text)
            }
            ButtonWeight::Live => {
                let fill = if hovered { theme.live_tint } else { Color32::TRANSPARENT };
                (fill, theme.live, theme.live)
            }
            ButtonWeight::Warn => {
                let fill = if hovered { theme.warn_tint } else { Color32::TRANSPARENT };
                (fill, theme.warn, theme.warn)
            }
        };
        if !self.enabled {
            fill = Color32::TRANSPARENT;
            border = match self.weight {
                ButtonWeight::Quiet => Color32::TRANSPARENT,
                _ if on => theme.accent,
                _ => theme.line,
            };
            text = theme.disabled();
        }
        let width = if matches!(self.weight, ButtonWeight::Live | ButtonWeight::Warn) {
            1.5
        } else {
            BORDER_WIDTH
        };
        let (radius, stroke) = (CornerRadius::same(self.radius), Stroke::new(width, border));
        ui.painter().rect(rect, radius, fill, stroke, StrokeKind::Inside);
        let middle = rect.center().x - content / 2.0;
        let mut x =
            if self.leading { rect.left() + gap::S } else { middle.max(rect.left() + gap::XS) };
        if let Some((icon, color)) = self.icon {
            let at = Rect::from_min_size(egui::pos2(x, rect.center().y - 8.0), Vec2::splat(16.0));
            icons::paint(ui.painter(), icon, at, color.unwrap_or(text));
            x = at.right() + gap::S;
        }
        let middle = if self.second.is_empty() { rect.center().y } else { rect.center().y - 9.0 };
        if let Some(galley) = galley {
            let at = Align2::LEFT_CENTER.anchor_size(egui::pos2(x, middle), galley.size());
            ui.painter()
                .with_clip_rect(rect.intersect(ui.clip_rect()))
                .galley(at.min, galley, text);
        }
        if !self.second.is_empty() {
            let at = rect.center() + vec2(0.0, 11.0);
            let line = Rect::from_center_size(at, vec2(rect.width() - 2.0 * gap::S, 16.0));
            let align = if self.leading { egui::Align::Min } else { egui::Align::Center };
            elided(ui, line, align, self.second, Type::Small.font(), text);
        }
    }
}

/// Draws a button that expands and collapses the fields below it. A chevron points at them while
/// they are expanded.
pub fn expander(ui: &mut Ui, theme: &Theme, text: &str, expanded: &mut bool) {
    let icon = if *expanded { Icon::ChevronDown } else { Icon::ChevronRight };
    if Button::new(text).icon(icon).small().selected(*expanded).show(ui, theme).clicked() {
        *expanded = !*expanded;
    }
}

/// Draws a quiet square button with an icon. `name` is the accessible name and the tooltip.
pub fn icon_button(ui: &mut Ui, theme: &Theme, icon: Icon, name: &str, side: f32) -> Response {
    weighted_icon_button(ui, theme, icon, name, side, ButtonWeight::Quiet)
}

/// Draws an [`icon_button`] with this weight.
pub fn weighted_icon_button(
    ui: &mut Ui,
    theme: &Theme,
    icon: Icon,
    name: &str,
    side: f32,
    weight: ButtonWeight,
) -> Response {
    Button::new("")
        .icon(icon)
        .weight(weight)
        .height(side)
        .width(side)
        .name(name)
        .show(ui, theme)
        .on_hover_text(name)
}
