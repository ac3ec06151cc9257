//! The words for transitions in settings and on the command line.

use crate::compose::transition::{Kind, Pattern, Side};

const SIDES: [(&str, Side); 4] =
    [("right", Side::Right), ("left", Side::Left), ("top", Side::Top), ("bottom", Side::Bottom)];

const PATTERNS: [(&str, Pattern); 5] = [
    ("circle", Pattern::Circle),
    ("clock", Pattern::Clock),
    ("diagonal", Pattern::Diagonal),
    ("doors", Pattern::Doors),
    ("blinds", Pattern::Blinds),
];

/// A transition in a word: `fade`, `slide-left`, `color-#ffffff`, `luma-clock`.
pub fn transition_text(kind: Kind) -> String {
    let side = |wanted| SIDES.iter().find(|(_, it)| *it == wanted).map_or("", |(name, _)| name);
    match kind {
        Kind::Cut => "cut".into(),
        Kind::Fade => "fade".into(),
        Kind::FadeColor([r, g, b]) => format!("color-#{r:02x}{g:02x}{b:02x}"),
        Kind::Slide(from) => format!("slide-{}", side(from)),
        Kind::Swipe(from) => format!("swipe-{}", side(from)),
        Kind::Luma(wanted) => {
            let name = PATTERNS.iter().find(|(_, it)| *it == wanted).map_or("", |(name, _)| name);
            format!("luma-{name}")
        }
    }
}

/// The transition that a word names.
pub fn transition_of(text: &str) -> Option<Kind> {
    let (word, rest) = text.split_once('-').unwrap_or((text, ""));
    let side = || SIDES.iter().find(|(name, _)| *name == rest).map(|(_, side)| *side);
    match word {
        "cut" => Some(Kind::Cut),
        "fade" => Some(Kind::Fade),
        "color" => {
            let hex = rest.strip_prefix('#').filter(|hex| hex.len() == 6)?;
            let number = u32::from_str_radix(hex, 16).ok()?;
            let [_, r, g, b] = number.to_be_bytes();
            Some(Kind::FadeColor([r, g, b]))
        }
        "slide" => side().map(Kind::Slide),
        "swipe" => side().map(Kind::Swipe),
        "luma" => PATTERNS.iter().find(|(name, _)| *name == rest).map(|(_, it)| Kind::Luma(*it)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_has_its_word() {
        let mut kinds = vec![Kind::Cut, Kind::Fade, Kind::FadeColor([1, 255, 16])];
        kinds.extend(SIDES.iter().flat_map(|(_, side)| [Kind::Slide(*side), Kind::Swipe(*side)]));
        kinds.extend(PATTERNS.iter().map(|(_, pattern)| Kind::Luma(*pattern)));
        for kind in kinds {
            assert_eq!(transition_of(&transition_text(kind)), Some(kind));
        }
        for bad in ["", "fades", "slide", "color-#12345", "color-#1é345", "luma-x"] {
            assert_eq!(transition_of(bad), None, "{bad}");
        }
    }
}
