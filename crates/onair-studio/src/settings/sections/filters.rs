//! Video and audio filters in files: one table each, with `kind`, `enabled` and the settings of the
//! kind. Unknown parts are reported and dropped.

use std::sync::Arc;

use data_encoding::BASE64;
use toml::{Table, Value};

use crate::capture::Rgba;
use crate::compose::filter as video;
use crate::media::{FilterParameter, NumericSettings, ParameterUnit};
use crate::mix::plugin::{MAX_STATE, Plugin, PluginId};
use crate::mix::{StripId, filter as audio};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::parts::{number, quoted};
use crate::studio::settings::reading::values::not_from;
use crate::text::problem::{Problem, problem};

/// Maximum length of a path.
const MAX_PATH_LENGTH: usize = 4_096;

/// A filter whose settings have names.
pub trait NamedSettings: NumericSettings + Clone {
    /// Maximum number of filters in a list.
    const MAX_COUNT: usize;

    /// Creates a default filter of this kind.
    fn begun(kind: &str, table: &Table) -> Option<Self>;
    fn kind(&self) -> &'static str;
    /// Returns the settings that are not numbers, as written.
    fn others(&mut self) -> Vec<(&'static str, String)>;
    /// Sets a value that is not a number.
    ///
    /// # Errors
    /// Fails with the reason why the value is not valid.
    fn take(&mut self, name: &str, value: &Value) -> Result<(), Problem>;
}

impl NamedSettings for video::Filter {
    const MAX_COUNT: usize = video::MAX_FILTERS;

    fn begun(kind: &str, table: &Table) -> Option<Self> {
        let mut filter = Self::of_kind(kind)?;
        // The file was written before this setting existed, and the appearance must not change.
        if kind == "chroma-key" && table.contains_key("similarity") {
            filter.set("protect", 0.0);
        }
        Some(filter)
    }

    fn kind(&self) -> &'static str {
        self.kind()
    }

    fn others(&mut self) -> Vec<(&'static str, String)> {
        let color = self.color().map(|&mut [red, green, blue]| Rgba::opaque(red, green, blue));
        let mut others = Vec::from_iter(color.map(|color| ("color", color.to_string())));
        others.extend(self.file().map(|(_, file)| ("file", file.display().to_string())));
        others.extend(self.choices().iter().map(|it| (it.name, it.chosen.to_owned())));
        others
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), Problem> {
        let kind = self.kind();
        let text = value.as_str().filter(|text| text.len() <= MAX_PATH_LENGTH);
        if let ("color", Some(text), Some(color)) = (name, text, self.color()) {
            let Rgba { red, green, blue, .. } = text.parse()?;
            *color = [red, green, blue];
            return Ok(());
        }
        match (name, text) {
            ("file", Some(path)) if self.set_file(path.into()) => Ok(()),
            (name, Some(option)) if self.choose(name, option) => Ok(()),
            _ if self.others().iter().any(|(known, _)| *known == name) => {
                Err(problem!("value-unknown"))
            }
            _ => Err(problem!("settings-no-such-value", kind = kind)),
        }
    }
}

impl NamedSettings for audio::Filter {
    const MAX_COUNT: usize = audio::MAX_FILTERS;

    fn begun(kind: &str, _: &Table) -> Option<Self> {
        Self::of_kind(kind)
    }

    fn kind(&self) -> &'static str {
        self.kind()
    }

    fn others(&mut self) -> Vec<(&'static str, String)> {
        let Self::Plugin(plugin) = self else { return Vec::new() };
        let mut others = vec![("plugin", plugin.plugin.to_string())];
        if !plugin.state.is_empty() {
            others.push(("state", BASE64.encode(&plugin.state)));
        }
        if !plugin.values.is_empty() {
            others.push(("parameters", plugin.written_values()));
        }
        others
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), Problem> {
        match (self, name, value) {
            (Self::Plugin(plugin), name, value) => {
                take_of_plugin(Arc::make_mut(plugin), name, value)
            }
            (Self::Compressor { side_chain, .. }, "side_chain", Value::Integer(id)) => {
                *side_chain = u32::try_from(*id).ok().map(StripId);
                Ok(())
            }
            (it, ..) => Err(problem!("settings-no-such-value", kind = it.kind())),
        }
    }
}

/// Sets a value of a plugin: the plugin itself, its state, or parameters by their ids.
fn take_of_plugin(plugin: &mut Plugin, name: &str, value: &Value) -> Result<(), Problem> {
    let unknown = || problem!("value-unknown");
    let text = || value.as_str().ok_or_else(unknown);
    match name {
        // No plugin is chosen yet.
        "plugin" if value.as_str() == Some("") => {}
        "plugin" => {
            let chosen = PluginId::parse(text()?);
            plugin.plugin = chosen.ok_or_else(|| problem!("plugin-no-name"))?;
        }
        "state" => {
            let state = BASE64.decode(text()?.as_bytes()).ok();
            let state = state.filter(|state| state.len() <= MAX_STATE);
            plugin.state = state.ok_or_else(unknown)?.into();
        }
        "parameters" => {
            let values = Plugin::parse_values(text()?).ok_or_else(unknown)?;
            for (id, value) in values {
                // A value with a name of its own is newer.
                plugin.values.entry(id).or_insert(value);
            }
        }
        _ => {
            let id: u32 = name
                .parse()
                .map_err(|_| problem!("settings-no-such-value", kind = audio::Filter::PLUGIN))?;
            let number = number(value).ok_or_else(|| problem!("value-no-number"))?;
            if !plugin.set(id, number) {
                return Err(problem!("value-no-number"));
            }
        }
    }
    Ok(())
}

/// Formats a filter.
pub fn table(enabled: bool, filter: &impl NamedSettings) -> Table {
    let mut filter = filter.clone();
    let mut table = Table::new();
    table.insert("kind".into(), filter.kind().into());
    table.insert("enabled".into(), enabled.into());
    for (name, word) in filter.others() {
        table.insert(name.into(), word.into());
    }
    for (FilterParameter { name, .. }, value) in filter.numbers() {
        // Rounded for users, without binary fractions.
        let value = (f64::from(*value) * 10_000.0).round() / 10_000.0;
        table.insert(name.into(), value.into());
    }
    table
}

/// Reads a list of filters. `at` is its path in the document, for warnings.
pub fn read<F: NamedSettings>(
    tables: &[Table],
    at: &str,
    from: &mut Document<'_>,
) -> Vec<(bool, F)> {
    if tables.len() > F::MAX_COUNT {
        from.note(at, &problem!("settings-the-rest", most = F::MAX_COUNT));
    }
    let tables = tables.iter().take(F::MAX_COUNT).enumerate();
    let filters = tables.filter_map(|(number, table)| {
        one(table, &mut |name, why| from.note(&format!("{at}.{number}.{name}"), &why))
    });
    filters.collect()
}

/// Creates a filter with the written values. `bad` gets the names of invalid values.
fn one<F: NamedSettings>(table: &Table, bad: &mut dyn FnMut(&str, Problem)) -> Option<(bool, F)> {
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(mut filter) = F::begun(kind, table) else {
        bad("kind", problem!("settings-no-such-filter", kind = quoted(kind)));
        return None;
    };
    let mut enabled = true;
    for (name, value) in table.iter().filter(|(name, _)| *name != "kind") {
        if name == "enabled" {
            match value.as_bool() {
                Some(on) => enabled = on,
                None => bad(name, problem!("value-no-flag")),
            }
            continue;
        }
        let known = filter.numbers().into_iter().find(|(known, _)| known.name == name);
        let known = known.map(|(it, value)| (it.range, ParameterUnit::symbol(it.unit), value));
        let result = match (known, number(value).map(|it| it as f32)) {
            (Some((range, unit, value)), Some(number)) => {
                if number.is_finite() {
                    *value = number.clamp(*range.start(), *range.end());
                }
                let (low, high) = range.clone().into_inner();
                let within = range.contains(&number);
                if within { Ok(()) } else { Err(not_from(low.to_string(), high.to_string(), unit)) }
            }
            (Some(_), None) => Err(problem!("value-no-number")),
            (None, _) => filter.take(name, value),
        };
        if let Err(why) = result {
            bad(name, why);
        }
    }
    Some((enabled, filter))
}

/// Returns a filter with some values changed.
///
/// # Errors
/// Fails with the invalid values.
pub fn changed<F: NamedSettings>(
    (enabled, filter): (bool, &F),
    values: &Table,
) -> Result<(bool, F), Problem> {
    let mut table = table(enabled, filter);
    table.extend(values.clone());
    let mut first_problem = None;
    let changed = one(&table, &mut |name, why| {
        first_problem.get_or_insert(problem!(
            "settings-of-filter",
            name = quoted(name),
            kind = filter.kind(),
            why = why
        ));
    });
    match (changed, first_problem) {
        (Some(changed), None) => Ok(changed),
        (_, first_problem) => Err(first_problem.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::filter::{Filter, MAX_FILTERS};

    type Slots = Vec<(bool, Filter)>;

    fn read_text(text: &str) -> (Slots, Vec<String>) {
        let mut document = Document::parse(text).unwrap();
        let table: Table = text.parse().unwrap();
        let tables: Vec<Table> = table["filters"].clone().try_into().unwrap();
        let slots = read(&tables, "filters", &mut document);
        (slots, document.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn filters_come_back_as_they_were() {
        let mut slots: Slots = Filter::kinds().into_iter().map(|filter| (true, filter)).collect();
        for (index, (enabled, filter)) in slots.iter_mut().enumerate() {
            *enabled = index % 2 == 0;
            for (FilterParameter { range, .. }, value) in filter.numbers() {
                *value = range.start() + (range.end() - range.start()) * 0.25;
            }
            if let Some(color) = filter.color() {
                *color = [1, 200, 30];
            }
            filter.set_file("/home/ada/a look.cube".into());
            for choice in filter.choices() {
                assert!(filter.choose(choice.name, choice.options[1]));
            }
        }
        let tables: Vec<_> =
            slots.iter().map(|(on, filter)| Value::Table(table(*on, filter))).collect();
        let file = Table::from_iter([("filters".to_owned(), Value::Array(tables))]);
        let (back, warnings) = read_text(&file.to_string());
        assert_eq!(warnings, Vec::<String>::new());
        for (back, slot) in back.iter().zip(&slots) {
            let close = |(a, b): (&mut f32, &mut f32)| (*a - *b).abs() < 1e-3;
            let ((on, mut a), (was_on, mut b)) = (back.clone(), slot.clone());
            assert_eq!((on, a.kind(), a.others()), (was_on, b.kind(), b.others()));
            assert!(a.values().into_iter().zip(b.values()).all(close));
        }
        assert_eq!(back.len(), slots.len());
    }

    #[test]
    fn a_plugin_comes_back_with_its_state_and_its_parameters() {
        let id = PluginId::parse("/usr/lib/clap/a.clap#org.example.gain").unwrap();
        let mut plugin = Plugin::new(id);
        plugin.state = Arc::from(*b"\0state\xff");
        assert!(plugin.set(7, -6.5));
        let slot = audio::Filter::Plugin(Arc::new(plugin));
        let mut bad = Vec::new();
        let written = table(false, &slot);
        let back: Option<(bool, audio::Filter)> =
            one(&written, &mut |name, _| bad.push(name.to_owned()));
        assert_eq!((back, &bad[..]), (Some((false, slot.clone())), &[][..]));
        let values: Table = "8 = 1\n7 = 2.5".parse().unwrap();
        let (_, changed) = changed((true, &slot), &values).unwrap();
        assert_eq!(changed.plugin().unwrap().written_values(), "7=2.5 8=1");
        for text in ["plugin = 'relative.clap#a'", "state = '*'", "parameters = 'x'", "swirl = 1"] {
            let values: Table = text.parse().unwrap();
            assert!(super::changed((true, &slot), &values).is_err(), "{text}");
        }
    }

    #[test]
    fn a_chroma_key_that_was_set_before_it_could_protect_does_not() {
        let text = "filters = [{ kind = 'chroma-key', similarity = 0.35 }, { kind = 'chroma-key' },\n\
            { kind = 'chroma-key', protect = 0.7, similarity = 0.35 }]";
        let (slots, warnings) = read_text(text);
        let protect = slots.iter().map(|(_, filter)| *filter.clone().values()[3]);
        assert_eq!((protect.collect::<Vec<_>>(), warnings.len()), (vec![0.0, 0.5, 0.7], 0));
    }

    #[test]
    fn unknown_parts_are_reported_and_the_rest_is_read() {
        let text = "filters = [{ kind = 'hologram', x = 1 }, { },\n\
            { kind = 'color', gain = 1e9, gamma = 'bright', swirl = 3 },\n\
            { kind = 'scale', kernel = 'psychic', width = 640 },\n\
            { kind = 'chroma-key', color = 'greenish', enabled = false }]";
        let (slots, warnings) = read_text(text);
        let kinds: Vec<_> = slots.iter().map(|(on, filter)| (filter.kind(), *on)).collect();
        assert_eq!(kinds, [("color", true), ("scale", true), ("chroma-key", false)]);
        let (_, mut color) = slots[0].clone();
        assert_eq!(*color.values()[0], 4.0);
        assert_eq!(warnings.len(), 7, "{warnings:#?}");
        let gain = "onair ignores the setting 'filters.gain' on line 2, column 26: it must be a number from 0 to 4";
        assert!(warnings.iter().any(|it| *it == gain), "{warnings:#?}");
        let (slots, warnings) =
            read_text(&format!("filters = [{}]", "{ kind = 'crop' }, ".repeat(100)));
        assert_eq!((slots.len(), warnings.len()), (MAX_FILTERS, 1));
    }
}
