//! Filters of pictures in a scene collection: one table each, with `kind`, `enabled` and what that
//! kind is set by. What is not known is left out and told; the rest is read.

use toml::Value;

use crate::capture::Rgba;
use crate::compose::filter::{Filter, MAX_FILTERS, Slot};
use crate::studio::notices::settings_warnings;
use crate::studio::settings::reading::parts::{number, quoted};

/// Longer paths name nothing.
const MAX_PATH: usize = 4_096;

/// How filters are written.
pub(in crate::studio::settings) fn tables(slots: &[Slot]) -> Vec<toml::Table> {
    slots.iter().map(table).collect()
}

/// How one is.
pub(in crate::studio::settings) fn table(slot: &Slot) -> toml::Table {
    let mut table = toml::Table::new();
    let mut filter = slot.filter.clone();
    table.insert("kind".into(), filter.kind().into());
    table.insert("enabled".into(), slot.enabled.into());
    if let Some(&mut [red, green, blue]) = filter.color() {
        let text = Rgba { red, green, blue, alpha: 255 }.to_string();
        table.insert("color".into(), text.into());
    }
    if let Some((_, file)) = filter.file() {
        table.insert("file".into(), file.display().to_string().into());
    }
    for choice in filter.choices() {
        table.insert(choice.name.into(), choice.chosen.into());
    }
    let parameters = filter.parameters();
    for (parameter, value) in parameters.iter().zip(filter.values()) {
        // As people read it, not as binary fractions are.
        let value = (f64::from(*value) * 10_000.0).round() / 10_000.0;
        table.insert(parameter.name.into(), value.into());
    }
    table
}

/// Reads a list of filters; `bad` is told what is left out.
pub(in crate::studio::settings) fn read(
    value: Option<&Value>,
    bad: &mut dyn FnMut(String),
) -> Vec<Slot> {
    let list = match value {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            bad(settings_warnings::filters_no_list());
            return Vec::new();
        }
    };
    if list.len() > MAX_FILTERS {
        bad(settings_warnings::filters_beyond(&MAX_FILTERS));
    }
    list.iter().take(MAX_FILTERS).filter_map(|value| slot(value, bad)).collect()
}

/// Reads one.
pub(in crate::studio::settings) fn slot(
    value: &Value,
    bad: &mut dyn FnMut(String),
) -> Option<Slot> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(mut filter) = Filter::of_kind(kind) else {
        bad(settings_warnings::filter_unknown(&quoted(kind)));
        return None;
    };
    // Written before there was such a thing: it looks as it did.
    if kind == "chroma-key" && value.get("similarity").is_some() {
        filter.set("protect", 0.0);
    }
    let enabled = value.get("enabled").and_then(Value::as_bool).unwrap_or(true);
    for (name, value) in value.as_table().into_iter().flatten() {
        let known = match (name.as_str(), number(value), value.as_str()) {
            ("kind" | "enabled", ..) => true,
            ("color", None, Some(text)) => match (filter.color(), text.parse::<Rgba>()) {
                (Some(color), Ok(new)) => {
                    *color = [new.red, new.green, new.blue];
                    true
                }
                _ => false,
            },
            ("file", None, Some(path)) if path.len() <= MAX_PATH => filter.set_file(path.into()),
            (name, None, Some(option)) => filter.choose(name, option),
            (name, Some(number), _) => number.is_finite() && filter.set(name, number as f32),
            _ => false,
        };
        if !known {
            let name = quoted(name);
            bad(settings_warnings::of_filter(&name, &kind));
        }
    }
    Some(Slot { enabled, filter })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_back_as_they_were() {
        let mut slots: Vec<Slot> =
            Filter::kinds().into_iter().map(|filter| Slot { enabled: true, filter }).collect();
        for (index, slot) in slots.iter_mut().enumerate() {
            slot.enabled = index % 2 == 0;
            for (parameter, value) in slot.filter.parameters().iter().zip(slot.filter.values()) {
                let range = &parameter.range;
                *value = range.start() + (range.end() - range.start()) * 0.25;
            }
            if let Some(color) = slot.filter.color() {
                *color = [1, 200, 30];
            }
            slot.filter.set_file("/home/ada/a look.cube".into());
            for choice in slot.filter.choices() {
                assert!(slot.filter.choose(choice.name, choice.options[1]));
            }
        }
        let mut told = Vec::new();
        let tables = Value::Array(tables(&slots).into_iter().map(Value::Table).collect());
        let back = read(Some(&tables), &mut |why| told.push(why));
        assert_eq!(told, Vec::<String>::new());
        for (back, slot) in back.iter().zip(&slots) {
            let close = |(a, b): (&mut f32, &mut f32)| (*a - *b).abs() < 1e-3;
            let (mut a, mut b) = (back.clone(), slot.clone());
            assert_eq!((a.enabled, a.filter.kind()), (b.enabled, b.filter.kind()));
            assert_eq!(a.filter.color(), b.filter.color());
            assert_eq!(
                (a.filter.choices(), a.filter.file()),
                (b.filter.choices(), b.filter.file())
            );
            assert!(a.filter.values().into_iter().zip(b.filter.values()).all(close));
        }
        assert_eq!(back.len(), slots.len());
    }

    #[test]
    fn a_chroma_key_that_was_set_before_it_could_protect_does_not() {
        let text = "filters = [{ kind = 'chroma-key', similarity = 0.35 }, { kind = 'chroma-key' },\n\
            { kind = 'chroma-key', protect = 0.7, similarity = 0.35 }]";
        let table: toml::Table = text.parse().unwrap();
        let slots = read(table.get("filters"), &mut |why| panic!("{why}"));
        let protect = slots.iter().map(|slot| *slot.filter.clone().values()[3]);
        assert_eq!(protect.collect::<Vec<_>>(), [0.0, 0.5, 0.7]);
    }

    #[test]
    fn what_is_not_known_is_told_and_the_rest_is_read() {
        let text = "filters = [{ kind = 'hologram', x = 1 }, 7,\n\
            { kind = 'color', gain = 1e9, gamma = 'bright', swirl = 3 },\n\
            { kind = 'scale', kernel = 'psychic', width = 640 },\n\
            { kind = 'chroma-key', color = 'greenish', enabled = false }]";
        let table: toml::Table = text.parse().unwrap();
        let mut told = Vec::new();
        let slots = read(table.get("filters"), &mut |why| told.push(why));
        let kinds: Vec<_> = slots.iter().map(|it| (it.filter.kind(), it.enabled)).collect();
        assert_eq!(kinds, [("color", true), ("scale", true), ("chroma-key", false)]);
        let mut color = slots[0].filter.clone();
        assert_eq!(*color.values()[0], 4.0);
        assert_eq!(told.len(), 6, "{told:#?}");
        let many = format!("filters = [{}]", "{ kind = 'crop' }, ".repeat(100));
        let table: toml::Table = many.parse().unwrap();
        assert_eq!(read(table.get("filters"), &mut |_| {}).len(), MAX_FILTERS);
    }
}
