//! Changes values of an item or a filter, by their names in settings files, for `--control`.

use std::sync::Arc;

use toml::Table;

use crate::compose::filter as video_filter;
use crate::compose::scene::Item;
use crate::mix::{MonitoringMode, StripId, filter as audio_filter};
use crate::studio::scenes::Collection;
use crate::studio::settings::reading::{lenient, parts};
use crate::studio::settings::scenes::layout::ItemTable;
use crate::studio::settings::sections::{filters, strips};
use crate::text::Problem;
use crate::text::problem::problem;

/// Returns an item with some values changed.
///
/// # Errors
/// Fails with the invalid values.
pub fn of_item(of: &Collection, item: &Item, values: &Table) -> Result<Item, Problem> {
    if let Some(name) = values.keys().find(|name| !ItemTable::KEYS.contains(&name.as_str())) {
        let (name, known) = (parts::quoted(name), ItemTable::KEYS.join(", "));
        return Err(problem!("control-no-item-value", name = name, known = known));
    }
    let mut table = Table::try_from(ItemTable::shown(of, item)).unwrap_or_default();
    table.extend(values.clone());
    let mut changed = item.clone();
    lenient::strictly::<ItemTable>(table)?.put_to(&mut changed);
    Ok(changed)
}

/// Returns a video filter with some values changed.
///
/// # Errors
/// Fails with the invalid values.
pub fn of_video_filter(
    slot: &video_filter::Slot,
    values: &Table,
) -> Result<video_filter::Slot, Problem> {
    let (enabled, filter) = filters::changed((slot.enabled, &slot.filter), values)?;
    Ok(video_filter::Slot { enabled, filter })
}

/// Returns an audio filter with some values changed. A side chain is the name of one of `strips`,
/// or `none`.
///
/// # Errors
/// Fails with the invalid values.
pub fn of_audio_filter(
    slot: &audio_filter::Slot,
    values: &Table,
    strips: &[(String, StripId)],
) -> Result<audio_filter::Slot, Problem> {
    let mut values = values.clone();
    let chain = match values.remove("side_chain") {
        None => slot.filter.side_chain(),
        Some(_) if slot.filter.kind() != "compressor" => {
            return Err(problem!("control-side-chain-of-compressor"));
        }
        Some(value) => match value.as_str() {
            Some("none") => None,
            name => {
                let strip = strips.iter().find(|(known, _)| Some(known.as_str()) == name);
                Some(strip.ok_or_else(|| problem!("control-side-chain"))?.1)
            }
        },
    };
    let (enabled, mut filter) = filters::changed((slot.enabled, &slot.filter), &values)?;
    if let audio_filter::Filter::Compressor { side_chain, .. } = &mut filter {
        *side_chain = chain;
    }
    if let (audio_filter::Filter::Plugin(new), Some(old)) = (&mut filter, slot.filter.plugin()) {
        let new = Arc::make_mut(new);
        if new.plugin == old.plugin {
            // The same process goes on.
            new.link = Arc::clone(&old.link);
        } else {
            // What is not given belongs to the other plugin.
            if !values.contains_key("state") {
                new.state = Arc::default();
            }
            if !values.contains_key("parameters") {
                new.values.retain(|id, _| values.contains_key(&id.to_string()));
            }
        }
    }
    Ok(audio_filter::Slot { enabled, filter })
}

/// Returns the monitoring mode for a word.
pub fn monitoring_of(word: &str) -> Option<MonitoringMode> {
    parts::meant(word, &strips::MONITORING_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::{Blend, Fit};
    use crate::media::NumericSettings;

    fn values(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn items_are_changed_by_their_names_in_files() {
        let collection = Collection::default();
        let item = collection.item_named(collection.current().unwrap(), "").unwrap();
        let half =
            values("x = 0.25\nwidth = 0.5\ncrop = [0.1, 0, 0, 0]\nopacity = 0.5\nblend = 'add'");
        let changed = of_item(&collection, item, &half).unwrap();
        assert_eq!((changed.place.x, changed.place.width, changed.opacity), (0.25, 0.5, 0.5));
        assert_eq!((changed.place.crop.left, changed.blend), (0.1, Blend::Add));
        assert_eq!((changed.id, &changed.content), (item.id, &item.content));
        // Values that are not given stay unchanged.
        let again = of_item(&collection, &changed, &values("fit = 'cover'")).unwrap();
        assert_eq!((again.place.x, again.opacity, again.blend), (0.25, 0.5, Blend::Add));
        assert_ne!(again.place.fit, Fit::default());
        for bad in ["x = 'left'", "size = 3", "blend = 'x'", "crop = [1]", "source = 'Logo'"] {
            assert!(of_item(&collection, item, &values(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn filters_are_changed_by_their_names_in_files() {
        let of = |kind| video_filter::Slot {
            enabled: true,
            filter: video_filter::Filter::of_kind(kind).unwrap(),
        };
        let mut color =
            of_video_filter(&of("color"), &values("gain = 2\nenabled = false")).unwrap();
        assert!(!color.enabled && *color.filter.values()[0] == 2.0);
        let mut green = of_video_filter(&of("chroma-key"), &values("color = '#0000ff'")).unwrap();
        assert_eq!(green.filter.color(), Some(&mut [0, 0, 255]));
        for bad in ["swirl = 1", "gain = 'loud'", "kind = 'x'"] {
            assert!(of_video_filter(&of("color"), &values(bad)).is_err(), "{bad}");
        }
        let of = |kind| audio_filter::Slot {
            enabled: true,
            filter: audio_filter::Filter::of_kind(kind).unwrap(),
        };
        let strips = [("Voice".to_owned(), StripId(3))];
        let words = values("ratio = 4\nside_chain = 'Voice'");
        let ducked = of_audio_filter(&of("compressor"), &words, &strips).unwrap();
        assert_eq!(ducked.filter.side_chain(), Some(StripId(3)));
        let same = of_audio_filter(&ducked, &values("ratio = 2"), &strips).unwrap();
        assert_eq!(same.filter.side_chain(), Some(StripId(3)));
        let alone = of_audio_filter(&same, &values("side_chain = 'none'"), &strips).unwrap();
        assert_eq!(alone.filter.side_chain(), None);
        for bad in ["side_chain = 'Nobody'", "ratio = 'much'", "swirl = 1", "ratio = 1e9"] {
            assert!(of_audio_filter(&ducked, &values(bad), &strips).is_err(), "{bad}");
        }
        assert!(of_audio_filter(&of("gain"), &values("side_chain = 'Voice'"), &strips).is_err());
    }
}
