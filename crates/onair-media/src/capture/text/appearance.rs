//! The style, width and motion of a text: everything but its content.

use crate::capture::rgb::Rgba;
use crate::media::Size;

/// The style, width and motion of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextAppearance {
    pub style: Style,
    /// The line width in pixels; `None` for the program's width. For a scrolling text, the value is
    /// the visible width.
    pub width: Option<u32>,
    /// The scrolling; `None` for a static text.
    pub scroll: Option<Scroll>,
    /// The visible height of a text that scrolls up or down, in pixels; `None` for the program's
    /// height.
    pub height: Option<u32>,
}

impl TextAppearance {
    /// Minimum width and height in pixels.
    pub const MIN_SIDE: u32 = 16;

    /// Clamps every value to its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        let side = |side: u32| side.clamp(Self::MIN_SIDE, Size::MAX_SIDE);
        Self {
            style: self.style.bounded(),
            width: self.width.map(side),
            height: self.height.map(side),
            scroll: self
                .scroll
                .map(|it| Scroll { speed: it.speed.clamp(1, Scroll::MAX_SCROLL_SPEED), ..it }),
        }
    }

    /// Returns true if both appearances differ only in numbers, colors and the font family.
    pub fn differs_only_in_values(&self, other: &Self) -> bool {
        let switched = |look: &Self| {
            let Style { italic, outline, shadow, background, align, .. } = &look.style;
            let parts = [outline.is_some(), shadow.is_some(), background.is_some()];
            let sides = (look.width.is_some(), look.height.is_some());
            (*italic, parts, *align, sides, look.scroll.map(|it| it.direction))
        };
        switched(self) == switched(other)
    }
}

/// Direction of scrolling.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ScrollDirection {
    Left,
    Right,
    Up,
    Down,
}

/// The motion of a text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scroll {
    pub direction: ScrollDirection,
    /// Speed in pixels per second.
    pub speed: u32,
}

impl Scroll {
    /// Maximum speed in pixels per second.
    pub const MAX_SCROLL_SPEED: u32 = 10_000;

    /// Returns true for horizontal scrolling.
    pub(super) fn is_horizontal(self) -> bool {
        matches!(self.direction, ScrollDirection::Left | ScrollDirection::Right)
    }
}

/// The alignment of lines.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
}

/// The shadow of the letters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shadow {
    pub color: Rgba,
    /// The offset to the right and down, in pixels.
    pub right: i32,
    pub down: i32,
    /// The blur radius in pixels; zero for no blur.
    pub blur: u32,
}

/// The style of a text. Lengths are in pixels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Style {
    /// A font family of the system; empty for the built-in family. Other fonts provide missing
    /// characters.
    pub family: String,
    /// Font size, 4 to 1,000.
    pub size: u32,
    /// Font weight: 100 (thin) to 900 (black), 400 is regular.
    pub weight: u16,
    pub italic: bool,
    pub color: Rgba,
    /// Color and width of the outline, if any.
    pub outline: Option<(Rgba, u32)>,
    pub shadow: Option<Shadow>,
    /// Color of the background, which extends `padding` beyond the letters.
    pub background: Option<Rgba>,
    pub padding: u32,
    pub align: Align,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            family: String::new(),
            size: 64,
            weight: 400,
            italic: false,
            color: Rgba::WHITE,
            outline: None,
            shadow: None,
            background: None,
            padding: 0,
            align: Align::Left,
        }
    }
}

impl Style {
    /// Maximum length of a family name.
    pub const MAX_FAMILY: usize = 100;
    /// Valid font sizes.
    pub const FONT_SIZE_RANGE: std::ops::RangeInclusive<u32> = 4..=1_000;
    /// Maximum width of an outline, and maximum blur of a shadow, in pixels.
    pub const MAX_OUTLINE_WIDTH: u32 = 100;
    /// Maximum offset of a shadow, in pixels.
    pub const MAX_SHADOW_OFFSET: i32 = 500;
    pub const MAX_PADDING: u32 = 1_000;

    /// Clamps every value to its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        let most = Self::MAX_SHADOW_OFFSET;
        let family = self.family.trim().chars().filter(|sign| !sign.is_control());
        Self {
            family: family.take(Self::MAX_FAMILY).collect(),
            size: self.size.clamp(*Self::FONT_SIZE_RANGE.start(), *Self::FONT_SIZE_RANGE.end()),
            weight: self.weight.clamp(100, 900),
            outline: self.outline.map(|(color, width)| (color, width.min(Self::MAX_OUTLINE_WIDTH))),
            shadow: self.shadow.map(|it| Shadow {
                right: it.right.clamp(-most, most),
                down: it.down.clamp(-most, most),
                blur: it.blur.min(Self::MAX_OUTLINE_WIDTH),
                ..it
            }),
            padding: self.padding.min(Self::MAX_PADDING),
            ..self
        }
    }
}
