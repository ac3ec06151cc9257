//! How a text looks.

use crate::capture::rgb::Rgba;

/// Where lines stand.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
}

/// What lies behind the letters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shadow {
    pub color: Rgba,
    /// How far to the right and down, pixels.
    pub right: i32,
    pub down: i32,
    /// How soft, pixels; zero: not at all.
    pub blur: u32,
}

/// How a text looks. Lengths are pixels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Style {
    /// A family of the system's fonts; empty: the built-in one. Signs that it lacks are taken from
    /// other fonts.
    pub family: String,
    /// Of the font, 4 to 1,000.
    pub size: u32,
    /// 100 (thin) to 900 (black), 400 as books have it.
    pub weight: u16,
    pub italic: bool,
    pub color: Rgba,
    /// Colour and width.
    pub outline: Option<(Rgba, u32)>,
    pub shadow: Option<Shadow>,
    /// The ground, which reaches `padding` beyond the letters.
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
    /// Letters of a family's name.
    pub const MAX_FAMILY: usize = 100;
    /// Sizes of the font.
    pub const SIZES: std::ops::RangeInclusive<u32> = 4..=1_000;
    /// Widths of an outline, and how soft a shadow is.
    pub const MAX_AROUND: u32 = 100;
    /// How far a shadow lies away.
    pub const MAX_SHIFT: i32 = 500;
    pub const MAX_PADDING: u32 = 1_000;

    /// With every number where it may be.
    #[must_use]
    pub fn bounded(self) -> Self {
        let most = Self::MAX_SHIFT;
        let family = self.family.trim().chars().filter(|sign| !sign.is_control());
        Self {
            family: family.take(Self::MAX_FAMILY).collect(),
            size: self.size.clamp(*Self::SIZES.start(), *Self::SIZES.end()),
            weight: self.weight.clamp(100, 900),
            outline: self.outline.map(|(color, width)| (color, width.min(Self::MAX_AROUND))),
            shadow: self.shadow.map(|it| Shadow {
                right: it.right.clamp(-most, most),
                down: it.down.clamp(-most, most),
                blur: it.blur.min(Self::MAX_AROUND),
                ..it
            }),
            padding: self.padding.min(Self::MAX_PADDING),
            ..self
        }
    }
}
