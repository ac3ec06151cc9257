//! Everything about a text but what it says.

use crate::capture::text::scroll::Scroll;
use crate::capture::text::style::Style;
use crate::media::Size;

/// How a text looks, how wide it is and how it moves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextAppearance {
    pub style: Style,
    /// Where lines are wrapped, pixels; `None`: at the program's width. Of a text that moves: how much
    /// of it is seen.
    pub width: Option<u32>,
    /// `None`: it stands.
    pub scroll: Option<Scroll>,
    /// How much is seen of a text that moves up or down, pixels; `None`: the program's height.
    pub height: Option<u32>,
}

impl TextAppearance {
    /// The narrowest and lowest, pixels.
    pub const MIN_SIDE: u32 = 16;

    /// With every number where it may be.
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

    /// Whether only numbers, colours and the family's name differ.
    pub fn is_drawn_from(&self, other: &Self) -> bool {
        let switched = |look: &Self| {
            let Style { italic, outline, shadow, background, align, .. } = &look.style;
            let parts = [outline.is_some(), shadow.is_some(), background.is_some()];
            let sides = (look.width.is_some(), look.height.is_some());
            (*italic, parts, *align, sides, look.scroll.map(|it| it.way))
        };
        switched(self) == switched(other)
    }
}
