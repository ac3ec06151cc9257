//! Every color and size of the window. The rest of `ui/` contains no color values, and takes its
//! lengths from the 4-point grid below. The design is a calm control room: the video frame is the
//! brightest part, there is one accent color, and red is reserved for *on air*, recording,
//! clipping, errors, and buttons that end or remove something.

#![allow(clippy::mistyped_literal_suffixes, reason = "colours are written byte by byte")]

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, Vec2};

/// Gaps of the 4-point grid.
pub mod gap {
    /// The gap between elements that belong together.
    pub const XS: f32 = 4.0;
    /// The gap between elements of a group.
    pub const S: f32 = 8.0;
    /// The gap between groups.
    pub const M: f32 = 12.0;
    /// The padding of panels.
    pub const L: f32 = 16.0;
    /// The gap between sections.
    pub const XL: f32 = 24.0;
}

/// Sizes of the fixed parts of the window, in points.
pub mod size {
    pub const TOP_BAR_HEIGHT: f32 = 44.0;
    pub const HEALTH_BAR_HEIGHT: f32 = 40.0;
    pub const STATUS_BAR_HEIGHT: f32 = 28.0;
    pub const LEFT_PANEL_WIDTH: f32 = 228.0;
    pub const RIGHT_PANEL_WIDTH: f32 = 304.0;
    /// The width of the left panel in a window narrower than [`NARROW_WINDOW_WIDTH`].
    pub const NARROW_LEFT_PANEL_WIDTH: f32 = 200.0;
    /// The width of the right panel in a window narrower than [`NARROW_WINDOW_WIDTH`].
    pub const NARROW_RIGHT_PANEL_WIDTH: f32 = 264.0;
    pub const NARROW_WINDOW_WIDTH: f32 = 1120.0;
    /// The width of the left panel in a window at least as wide as [`WIDE_WINDOW_WIDTH`].
    pub const WIDE_LEFT_PANEL_WIDTH: f32 = 280.0;
    pub const WIDE_WINDOW_WIDTH: f32 = 1600.0;
    pub const MIXER_HEIGHT: f32 = 124.0;
    /// The height of the address bar on the *Watch* page.
    pub const WATCH_ADDRESS_BAR_HEIGHT: f32 = 52.0;
    /// The height of the control bar on the *Watch* page.
    pub const WATCH_CONTROL_BAR_HEIGHT: f32 = 56.0;
    /// The height of a field, a select or a button.
    pub const CONTROL_HEIGHT: f32 = 34.0;
    /// The height of a small field, select or button.
    pub const SMALL_CONTROL_HEIGHT: f32 = 28.0;
    /// The height of a source in a list. It is the same for one line or two, so that a selection
    /// moves nothing.
    pub const LIST_ROW_HEIGHT: f32 = 44.0;
    pub const GO_LIVE_BUTTON_HEIGHT: f32 = 52.0;
    pub const RECORD_BUTTON_HEIGHT: f32 = 36.0;
    /// The size of the window that the page needs. In a smaller window, the page scrolls.
    pub const MIN_WINDOW_SIZE: [f32; 2] = [960.0, 600.0];
    pub const INITIAL_WINDOW: [f32; 2] = [1280.0, 720.0];
}

/// The corner radius of controls.
pub const CONTROL_RADIUS: u8 = 6;
/// The corner radius of cards, dialogs and the *Go Live* button.
pub const CARD_RADIUS: u8 = 8;
/// The width of every border.
pub const BORDER_WIDTH: f32 = 1.0;
/// The height of the part of a scrolling list that fades out at its edge, in points.
const SCROLL_FADE_SIZE_POINTS: f32 = 28.0;
/// The opacity of the handle of a scroll bar, which has the color of text.
const SCROLL_HANDLE_OPACITY: f32 = 0.45;
/// The opacity of this handle under the pointer.
const SCROLL_HANDLE_HOVER_OPACITY: f32 = 0.6;
/// The width of the focus ring.
pub const FOCUS_RING_WIDTH: f32 = 2.0;
/// The maximum duration of an animation, in seconds.
pub const MAX_ANIMATION_SECONDS: f32 = 0.12;

/// The weights of the text font.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Medium,
    SemiBold,
    Bold,
}

impl Weight {
    /// Returns the font family under which the weight is installed.
    pub fn family(self) -> FontFamily {
        match self {
            Self::Regular => FontFamily::Proportional,
            Self::Medium => FontFamily::Name("medium".into()),
            Self::SemiBold => FontFamily::Name("semibold".into()),
            Self::Bold => FontFamily::Name("bold".into()),
        }
    }
}

/// The text styles. Digits are tabular in all of them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Tags on the frame and scales: 11 points, medium.
    Tiny,
    /// Secondary lines: 12 points.
    Small,
    /// Emphasized secondary lines: 12 points, medium.
    SmallStrong,
    /// Headings of sections: 12 points, semibold.
    Section,
    /// Figures and their names: 13 points.
    Figure,
    /// Emphasized figures: 13 points, medium.
    FigureStrong,
    /// Normal text: 14 points.
    Body,
    /// Emphasized text: 14 points, medium.
    BodyStrong,
    /// The health sentence and titles of notices: 14 points, semibold.
    Sentence,
    /// The activity of the studio: 13 points, bold.
    Pill,
    /// Titles: 16 points, semibold.
    Title,
    /// The name and the timer: 16 points, bold.
    Timer,
    /// The *Go Live* button: 18 points, bold.
    Big,
    /// Key figures: 22 points, semibold.
    Key,
}

impl Type {
    /// Returns the font and size.
    pub fn font(self) -> FontId {
        let (size, weight) = match self {
            Self::Tiny => (11.0, Weight::Medium),
            Self::Small => (12.0, Weight::Regular),
            Self::SmallStrong => (12.0, Weight::Medium),
            Self::Section => (12.0, Weight::SemiBold),
            Self::Figure => (13.0, Weight::Regular),
            Self::FigureStrong => (13.0, Weight::Medium),
            Self::Body => (14.0, Weight::Regular),
            Self::BodyStrong => (14.0, Weight::Medium),
            Self::Sentence => (14.0, Weight::SemiBold),
            Self::Pill => (13.0, Weight::Bold),
            Self::Title => (16.0, Weight::SemiBold),
            Self::Timer => (16.0, Weight::Bold),
            Self::Big => (18.0, Weight::Bold),
            Self::Key => (22.0, Weight::SemiBold),
        };
        FontId::new(size, weight.family())
    }
}

/// The colors of one theme.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub dark: bool,
    /// True if animations are off.
    pub still: bool,
    /// The background behind the frame.
    pub canvas: Color32,
    pub panel: Color32,
    /// The background of fields and cards, and of a row under the pointer.
    pub raised: Color32,
    /// The background of a control under the pointer.
    pub hover: Color32,
    /// The color of borders and rails.
    pub line: Color32,
    pub text: Color32,
    pub secondary: Color32,
    pub accent: Color32,
    /// The accent color under the pointer.
    pub accent_hover: Color32,
    /// The color of text on the accent color.
    pub on_accent: Color32,
    /// The red of *on air*, recording, clipping, errors, and buttons that end or remove something.
    /// Nothing else uses this color.
    pub live: Color32,
    /// The red tint behind a lit clip lamp, and behind a red button under the pointer.
    pub live_tint: Color32,
    /// The background of white text that means *on air*.
    pub live_fill: Color32,
    pub good: Color32,
    pub warn: Color32,
    /// The amber of frames and marks, which need less contrast than text.
    pub warn_frame: Color32,
    pub warn_tint: Color32,
    /// The zones of a level meter: normal, high, too high. A bar needs less contrast than text.
    pub meter: [Color32; 3],
}

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// The background of a frame that does not fill its space, and of text on a frame, in both themes.
pub const FRAME_BACKGROUND: Color32 = rgb(0x07_09_0C);
/// The color of text on a frame.
pub const VIDEO_TEXT_COLOR: Color32 = rgb(0xFF_FF_FF);
/// The color of secondary text on a frame.
pub const VIDEO_SECONDARY_TEXT_COLOR: Color32 = rgb(0xC6_CF_DB);
/// The plate under text on a frame. It is opaque enough to make the text readable on white.
pub const TEXT_PLATE: Color32 = Color32::from_rgba_premultiplied(9, 12, 18, 210);

impl Theme {
    /// The dark theme, the default.
    pub const DARK: Self = Self {
        dark: true,
        still: false,
        canvas: rgb(0x0E_11_16),
        panel: rgb(0x16_1A_22),
        raised: rgb(0x1E_24_30),
        hover: rgb(0x26_2D_3B),
        line: rgb(0x2A_32_42),
        text: rgb(0xE8_EB_F1),
        secondary: rgb(0x9B_A6_B6),
        accent: rgb(0x5B_9B_FF),
        accent_hover: rgb(0x76_AC_FF),
        on_accent: rgb(0x08_12_1F),
        live: rgb(0xFF_41_55),
        live_tint: rgb(0x33_1D_27),
        live_fill: rgb(0xDB_24_3A),
        good: rgb(0x35_C9_8E),
        warn: rgb(0xF2_B5_44),
        warn_frame: rgb(0xF2_B5_44),
        warn_tint: rgb(0x35_30_27),
        meter: [rgb(0x35_C9_8E), rgb(0xF2_B5_44), rgb(0xFF_41_55)],
    };

    /// The light theme.
    pub const LIGHT: Self = Self {
        dark: false,
        still: false,
        canvas: rgb(0xF5_F6_F8),
        panel: rgb(0xFF_FF_FF),
        raised: rgb(0xEE_F1_F5),
        hover: rgb(0xE4_E9_F0),
        line: rgb(0xD7_DD_E6),
        text: rgb(0x17_1B_22),
        secondary: rgb(0x5A_65_73),
        accent: rgb(0x1F_66_E0),
        accent_hover: rgb(0x18_57_C6),
        on_accent: rgb(0xFF_FF_FF),
        live: rgb(0xD9_1E_36),
        live_tint: rgb(0xFF_F6_F7),
        live_fill: rgb(0xD9_1E_36),
        good: rgb(0x0E_78_50),
        warn: rgb(0x92_5E_00),
        warn_frame: rgb(0xBF_7A_00),
        warn_tint: rgb(0xFB_F3_E6),
        meter: [rgb(0x1F_B3_7C), rgb(0xF0_B4_29), rgb(0xE5_48_4D)],
    };

    /// Returns the stroke of borders.
    pub fn border(&self) -> Stroke {
        Stroke::new(BORDER_WIDTH, self.line)
    }

    /// Returns the background of the selected row of a list.
    pub fn selected(&self) -> Color32 {
        self.panel.lerp_to_gamma(self.accent, 0.14)
    }

    /// Returns the color of text and icons on a disabled button. It is fainter than that of any
    /// button that works.
    pub fn disabled(&self) -> Color32 {
        self.panel.lerp_to_gamma(self.secondary, 0.7)
    }

    /// Returns the border color of elements that need attention.
    pub fn warn_line(&self) -> Color32 {
        self.panel.lerp_to_gamma(self.warn_frame, 0.5)
    }

    /// Gives egui's own widgets the style of the theme.
    pub fn apply(&self, ctx: &egui::Context) {
        let theme = if self.dark { egui::Theme::Dark } else { egui::Theme::Light };
        ctx.set_theme(theme);
        ctx.style_mut_of(theme, |style| self.restyle(style));
    }

    fn restyle(&self, style: &mut egui::Style) {
        use egui::TextStyle;
        style.text_styles = [
            (TextStyle::Small, Type::Small.font()),
            (TextStyle::Body, Type::Body.font()),
            (TextStyle::Button, Type::BodyStrong.font()),
            (TextStyle::Heading, Type::Title.font()),
            (TextStyle::Monospace, Type::Body.font()),
        ]
        .into();
        style.animation_time = if self.still { 0.0 } else { MAX_ANIMATION_SECONDS };
        style.scroll_animation = if self.still {
            egui::style::ScrollAnimation::none()
        } else {
            egui::style::ScrollAnimation::duration(MAX_ANIMATION_SECONDS)
        };
        style.explanation_tooltips = false;

        let spacing = &mut style.spacing;
        spacing.item_spacing = Vec2::new(gap::S, gap::S);
        spacing.button_padding = Vec2::new(10.0, 6.0);
        spacing.menu_margin = Margin::same(4);
        // Only a menu becomes as wide as its items need, not a list of values.
        spacing.menu_width = 0.0;
        spacing.interact_size = Vec2::new(40.0, 28.0);
        spacing.slider_rail_height = 3.0;
        spacing.tooltip_width = 280.0;
        spacing.scroll = egui::style::ScrollStyle::thin();
        // The bar shows that a list continues, even if its last visible row ends at the edge.
        spacing.scroll.foreground_color = true;
        spacing.scroll.dormant_handle_opacity = SCROLL_HANDLE_OPACITY;
        spacing.scroll.active_handle_opacity = SCROLL_HANDLE_OPACITY;
        spacing.scroll.interact_handle_opacity = SCROLL_HANDLE_HOVER_OPACITY;
        // A card at the edge must not look as if it ended there.
        spacing.scroll.fade.strength = 1.0;
        spacing.scroll.fade.size = SCROLL_FADE_SIZE_POINTS;

        let visuals = &mut style.visuals;
        visuals.dark_mode = self.dark;
        visuals.override_text_color = None;
        visuals.weak_text_color = Some(self.secondary);
        visuals.hyperlink_color = self.accent;
        visuals.faint_bg_color = self.raised;
        visuals.extreme_bg_color = self.raised;
        visuals.text_edit_bg_color = Some(self.raised);
        visuals.code_bg_color = self.raised;
        visuals.warn_fg_color = self.warn;
        visuals.error_fg_color = self.warn;
        visuals.panel_fill = self.panel;
        visuals.window_fill = self.panel;
        visuals.window_stroke = self.border();
        visuals.window_corner_radius = CornerRadius::same(CARD_RADIUS);
        visuals.menu_corner_radius = CornerRadius::same(CARD_RADIUS);
        let shadow = |alpha| egui::Shadow {
            offset: [0, 8],
            blur: 24,
            spread: 0,
            color: Color32::from_black_alpha(alpha),
        };
        visuals.window_shadow = shadow(if self.dark { 120 } else { 40 });
        visuals.popup_shadow = shadow(if self.dark { 96 } else { 32 });
        visuals.selection.bg_fill = self.accent.gamma_multiply(0.35);
        visuals.selection.stroke = Stroke::new(BORDER_WIDTH, self.text);
        visuals.text_cursor.stroke = Stroke::new(2.0, self.accent);
        visuals.text_cursor.blink = !self.still;
        visuals.slider_trailing_fill = true;
        visuals.handle_shape = egui::style::HandleShape::Circle;
        visuals.interact_cursor = Some(egui::CursorIcon::PointingHand);
        visuals.disabled_alpha = 0.55;

        let widgets = &mut visuals.widgets;
        let radius = CornerRadius::same(CONTROL_RADIUS);
        for (widget, fill, border) in [
            (&mut widgets.noninteractive, self.panel, self.line),
            (&mut widgets.inactive, self.line, self.line),
            (&mut widgets.hovered, self.line, self.secondary),
            (&mut widgets.active, self.line, self.accent),
            (&mut widgets.open, self.raised, self.line),
        ] {
            widget.bg_fill = fill;
            widget.weak_bg_fill = self.raised;
            widget.bg_stroke = Stroke::new(BORDER_WIDTH, border);
            widget.fg_stroke = Stroke::new(1.0, self.text);
            widget.corner_radius = radius;
            widget.expansion = 0.0;
        }
    }
}

/// Returns the contrast of two opaque colors according to WCAG 2: from 1 (none) to 21.
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let luminance = |color: Color32| {
        let channel = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_text_has_enough_contrast() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let mut style = egui::Style::default();
            theme.restyle(&mut style);
            let selection = &style.visuals.selection;
            let selected = theme.raised.blend(selection.bg_fill);
            let pairs = [
                ("selected text in a field", selection.stroke.color, selected),
                ("text on canvas", theme.text, theme.canvas),
                ("text on panel", theme.text, theme.panel),
                ("text on raised", theme.text, theme.raised),
                ("text on hover", theme.text, theme.hover),
                ("text on selected", theme.text, theme.selected()),
                ("text on live tint", theme.text, theme.live_tint),
                ("text on warn tint", theme.text, theme.warn_tint),
                ("secondary on canvas", theme.secondary, theme.canvas),
                ("secondary on panel", theme.secondary, theme.panel),
                ("secondary on raised", theme.secondary, theme.raised),
                ("secondary on hover", theme.secondary, theme.hover),
                ("secondary on selected", theme.secondary, theme.selected()),
                ("secondary on warn tint", theme.secondary, theme.warn_tint),
                ("accent on panel", theme.accent, theme.panel),
                ("accent on raised", theme.accent, theme.raised),
                ("on accent", theme.on_accent, theme.accent),
                ("on accent, hovered", theme.on_accent, theme.accent_hover),
                ("live on panel", theme.live, theme.panel),
                ("live on live tint", theme.live, theme.live_tint),
                ("white on air", Color32::WHITE, theme.live_fill),
                ("good on panel", theme.good, theme.panel),
                ("good on canvas", theme.good, theme.canvas),
                ("warn on panel", theme.warn, theme.panel),
                ("warn on raised", theme.warn, theme.raised),
                ("warn on warn tint", theme.warn, theme.warn_tint),
                ("words on a black picture", VIDEO_TEXT_COLOR, FRAME_BACKGROUND),
                ("second line on a picture", VIDEO_SECONDARY_TEXT_COLOR, FRAME_BACKGROUND),
            ];
            for (what, text, background) in pairs {
                let contrast = contrast(text, background);
                assert!(contrast >= 4.5, "{what}, dark {}: {contrast:.2}", theme.dark);
            }
        }
        // This is the color of the plate over a white frame.
        let over_white = |channel: u8| channel + (255 - TEXT_PLATE.a());
        let worst = Color32::from_rgb(
            over_white(TEXT_PLATE.r()),
            over_white(TEXT_PLATE.g()),
            over_white(TEXT_PLATE.b()),
        );
        assert!(contrast(VIDEO_TEXT_COLOR, worst) >= 4.5);
    }

    /// WCAG 2.2, success criterion 1.4.11.
    #[test]
    fn frames_and_scroll_bars_have_enough_contrast() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let mut style = egui::Style::default();
            theme.restyle(&mut style);
            assert!(style.spacing.scroll.foreground_color);
            let opacity = style.spacing.scroll.dormant_handle_opacity;
            let handle = style.visuals.extreme_bg_color.lerp_to_gamma(theme.text, opacity);
            for (what, shape, background) in [
                ("frame on canvas", theme.warn_frame, theme.canvas),
                ("frame on panel", theme.warn_frame, theme.panel),
                ("scroll bar on panel", handle, theme.panel),
            ] {
                let contrast = contrast(shape, background);
                assert!(contrast >= 3.0, "{what}, dark {}: {contrast:.2}", theme.dark);
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(Color32::WHITE, Color32::WHITE) - 1.0).abs() < 0.01);
    }
}
