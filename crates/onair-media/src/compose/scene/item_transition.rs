//! The transition with which a single item appears or disappears.

use std::time::Duration;

/// How a single item appears or disappears while its scene stays.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemTransition {
    pub kind: ItemTransitionKind,
    pub duration: Duration,
}

impl Default for ItemTransition {
    fn default() -> Self {
        Self { kind: ItemTransitionKind::Fade, duration: Duration::from_millis(300) }
    }
}

impl ItemTransition {
    /// Maximum duration.
    pub const MAX: Duration = Duration::from_secs(20);

    /// Returns the transition with its duration within the range.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self { duration: self.duration.min(Self::MAX), ..self }
    }
}

/// The kind of an [`ItemTransition`]. A slide comes from this side of the canvas, or leaves there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum ItemTransitionKind {
    #[default]
    Fade,
    SlideLeft,
    SlideRight,
    SlideTop,
    SlideBottom,
}

impl ItemTransitionKind {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 5] = [
        ("fade", Self::Fade),
        ("slide-left", Self::SlideLeft),
        ("slide-right", Self::SlideRight),
        ("slide-top", Self::SlideTop),
        ("slide-bottom", Self::SlideBottom),
    ];
}
