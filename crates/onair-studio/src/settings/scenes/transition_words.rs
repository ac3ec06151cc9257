//! The names of transitions in settings and on the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::compose::scene::{ItemTransition, ItemTransitionKind};
use crate::compose::transition::{Easing, Kind, Matte, Order, Pattern, Side, Stinger, Wipe};
use crate::studio::settings::reading::parts::{meant, word_of};

const SIDE_WORDS: [(&str, Side); 4] =
    [("right", Side::Right), ("left", Side::Left), ("top", Side::Top), ("bottom", Side::Bottom)];

/// Returns the name of a transition: `fade`, `slide-left`, `color-#ffffff`, `luma-clock`,
/// `stinger`. The settings of a wipe and a stinger are separate.
pub fn transition_text(kind: &Kind) -> String {
    let side = |from| word_of(&SIDE_WORDS, &from).unwrap_or_default();
    match *kind {
        Kind::Cut => "cut".into(),
        Kind::Fade => "fade".into(),
        Kind::Move(Easing::Smooth) => "move".into(),
        Kind::Move(easing) => {
            format!("move-{}", word_of(&Easing::ALL, &easing).unwrap_or_default())
        }
        Kind::FadeColor([r, g, b]) => format!("color-#{r:02x}{g:02x}{b:02x}"),
        Kind::Slide(from) => format!("slide-{}", side(from)),
        Kind::Swipe(from) => format!("swipe-{}", side(from)),
        Kind::Luma(Wipe { order: Order::Image(_), .. }) => "luma-image".into(),
        Kind::Luma(Wipe { order: Order::Pattern(pattern), .. }) => {
            format!("luma-{}", word_of(&Pattern::ALL, &pattern).unwrap_or_default())
        }
        Kind::Stinger(_) => "stinger".into(),
    }
}

/// Returns the transition with this name.
pub fn transition_of(text: &str) -> Option<Kind> {
    let (word, rest) = text.split_once('-').unwrap_or((text, ""));
    match word {
        "cut" => Some(Kind::Cut),
        "fade" => Some(Kind::Fade),
        "move" if rest.is_empty() => Some(Kind::Move(Easing::Smooth)),
        "move" => meant(rest, &Easing::ALL).map(Kind::Move),
        "color" => {
            let hex = rest.strip_prefix('#').filter(|hex| hex.len() == 6)?;
            let number = u32::from_str_radix(hex, 16).ok()?;
            let [_, r, g, b] = number.to_be_bytes();
            Some(Kind::FadeColor([r, g, b]))
        }
        "slide" => meant(rest, &SIDE_WORDS).map(Kind::Slide),
        "swipe" => meant(rest, &SIDE_WORDS).map(Kind::Swipe),
        "luma" if rest == "image" => {
            let order = Order::Image(PathBuf::new());
            Some(Kind::Luma(Wipe { order, ..Wipe::default() }))
        }
        "luma" => meant(rest, &Pattern::ALL).map(|pattern| Kind::Luma(Wipe::of(pattern))),
        "stinger" if rest.is_empty() => Some(Kind::Stinger(Stinger::default())),
        _ => None,
    }
}

/// Returns the name and duration of an item's transition: `slide-left 300`.
pub fn item_transition_text(it: ItemTransition) -> String {
    let word = word_of(&ItemTransitionKind::ALL, &it.kind).unwrap_or_default();
    format!("{word} {}", it.duration.as_millis())
}

/// Parses the name of an item's transition, and its duration in milliseconds, which is 300 by
/// default. An empty text and `none` mean no transition. The outer result is `None` for another
/// text.
pub fn item_transition_of(text: &str) -> Option<Option<ItemTransition>> {
    let mut words = text.split_whitespace();
    let word = match words.next() {
        None | Some("none") => return words.next().is_none().then_some(None),
        Some(word) => word,
    };
    let kind = meant(word, &ItemTransitionKind::ALL)?;
    let duration = match words.next() {
        None => ItemTransition::default().duration,
        Some(number) => Duration::from_millis(number.trim_end_matches("ms").parse().ok()?),
    };
    words.next().is_none().then_some(Some(ItemTransition { kind, duration }.bounded()))
}

const MATTE_WORDS: [(&str, Matte); 4] = [
    ("alpha", Matte::Own),
    ("right", Matte::Right),
    ("below", Matte::Below),
    ("dark", Matte::Dark),
];

/// Returns the name of a stinger's transparency: `alpha`, `right`, `#00ff00`.
pub fn matte_text(matte: Matte) -> String {
    match matte {
        Matte::Color([r, g, b]) => format!("#{r:02x}{g:02x}{b:02x}"),
        other => word_of(&MATTE_WORDS, &other).unwrap_or_default().into(),
    }
}

/// Parses the name of a stinger's transparency.
pub fn matte_of(text: &str) -> Option<Matte> {
    match transition_of(&format!("color-{text}")) {
        Some(Kind::FadeColor(color)) => Some(Matte::Color(color)),
        _ => meant(text, &MATTE_WORDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_transition_has_a_word_and_a_bounded_duration() {
        for (word, kind) in ItemTransitionKind::ALL {
            let it = ItemTransition { kind, duration: Duration::from_millis(450) };
            assert_eq!(item_transition_text(it), format!("{word} 450"));
            assert_eq!(item_transition_of(&item_transition_text(it)), Some(Some(it)));
        }
        assert_eq!(item_transition_of("fade"), Some(Some(ItemTransition::default())));
        assert_eq!([item_transition_of(""), item_transition_of("none")], [Some(None); 2]);
        let long = item_transition_of("fade 999999999").flatten().map(|it| it.duration);
        assert_eq!(long, Some(ItemTransition::MAX));
        for bad in ["cut", "fade -1", "fade 1 2", "none 1", "fade x"] {
            assert_eq!(item_transition_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_transition_has_its_word() {
        let mut kinds = vec![Kind::Cut, Kind::Fade, Kind::FadeColor([1, 255, 16])];
        kinds.extend(Easing::ALL.map(|(_, easing)| Kind::Move(easing)));
        kinds.extend(
            SIDE_WORDS.iter().flat_map(|(_, side)| [Kind::Slide(*side), Kind::Swipe(*side)]),
        );
        kinds.extend(Pattern::ALL.map(|(_, pattern)| Kind::Luma(Wipe::of(pattern))));
        let order = Order::Image(PathBuf::new());
        kinds.push(Kind::Luma(Wipe { order, ..Wipe::default() }));
        kinds.push(Kind::Stinger(Stinger::default()));
        for kind in kinds {
            assert_eq!(transition_of(&transition_text(&kind)), Some(kind));
        }
        let color = Matte::Color([0, 255, 1]);
        for matte in [Matte::Own, Matte::Right, Matte::Below, Matte::Dark, color] {
            assert_eq!(matte_of(&matte_text(matte)), Some(matte));
        }
        assert_eq!((matte_of("left"), matte_of("#00")), (None, None));
        for bad in
            ["", "fades", "slide", "color-#12345", "color-#1é345", "luma-x", "stinger-x", "move-x"]
        {
            assert_eq!(transition_of(bad), None, "{bad}");
        }
    }
}
