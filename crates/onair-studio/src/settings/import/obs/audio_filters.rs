//! Imports audio filters of OBS's files: those that onair supports, with converted values.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mix::StripId;
use crate::mix::filter::{Filter, Slot};
use crate::studio::settings::import::obs::imported_filters::ImportedFilters;
use crate::studio::settings::import::obs::json::{array, number, part, text};
use crate::studio::settings::import::obs::video_filters::{is_of_audio, kind};

/// Reads the audio filters of a source. `strips` are the file's strips by name, for side chains.
/// Other filters of a source with video belong to its video.
pub fn read(
    source: &Value,
    strips: &BTreeMap<&str, StripId>,
    has_video: bool,
) -> ImportedFilters<Slot> {
    let mut taken = ImportedFilters::default();
    for table in array(source, "filters") {
        if has_video && !is_of_audio(table) {
            continue;
        }
        let filters = filter(table, strips).map(|filter| vec![filter]);
        taken.take(table, filters, Vec::new(), 1, |enabled, filter| Slot { enabled, filter });
    }
    taken
}

fn filter(table: &Value, strips: &BTreeMap<&str, StripId>) -> Option<Filter> {
    let settings = part(table, "settings");
    let number = |key: &str, default: f64| number(settings, key).unwrap_or(default) as f32;
    let (kind, second) = kind(table);
    Some(match kind {
        "gain_filter" => Filter::Gain { db: number("db", 0.0) },
        "noise_suppress_filter" => {
            let method = match text(settings, "method") {
                "" if second => "rnnoise",
                method => method,
            };
            // Speex reduces noise by this many decibels; the other methods reduce it as much as
            // possible.
            let left = match method {
                "rnnoise" | "nvafx" | "denoiser" => 0.0,
                _ => 10_f32.powf(number("suppress_level", -30.0) / 20.0),
            };
            Filter::Denoise { amount: 1.0 - left }
        }
        "noise_gate_filter" => Filter::Gate {
            open_dbfs: number("open_threshold", -26.0),
            close_dbfs: number("close_threshold", -32.0),
            attack_ms: number("attack_time", 25.0),
            hold_ms: number("hold_time", 200.0),
            release_ms: number("release_time", 150.0),
        },
        "expander_filter" => {
            let gate = text(settings, "presets") == "gate";
            Filter::Expander {
                threshold_dbfs: number("threshold", -40.0),
                ratio: number("ratio", if gate { 10.0 } else { 2.0 }),
                attack_ms: number("attack_time", 10.0),
                release_ms: number("release_time", if gate { 125.0 } else { 50.0 }),
                gain_db: number("output_gain", 0.0),
            }
        }
        "compressor_filter" => Filter::Compressor {
            threshold_dbfs: number("threshold", -18.0),
            ratio: number("ratio", 10.0),
            attack_ms: number("attack_time", 6.0),
            release_ms: number("release_time", 60.0),
            gain_db: number("output_gain", 0.0),
            side_chain: match text(settings, "sidechain_source") {
                "" | "none" => None,
                // Without its side chain, the compressor would always or never be active.
                name => Some(*strips.get(name)?),
            },
        },
        "limiter_filter" => Filter::Limiter {
            threshold_dbfs: number("threshold", -6.0),
            release_ms: number("release_time", 60.0),
        },
        "basic_eq_filter" => Filter::ThreeBand {
            low_db: number("low", 0.0),
            middle_db: number("mid", 0.0),
            high_db: number("high", 0.0),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::filter::MAX_FILTERS;

    #[test]
    fn every_kind_comes_with_its_numbers_and_the_rest_is_named() {
        let source: Value = serde_json::from_str(
            r#"{"filters": [
              {"id": "noise_suppress_filter", "versioned_id": "noise_suppress_filter_v2", "name": "a"},
              {"id": "noise_suppress_filter", "name": "b", "enabled": false,
               "settings": {"suppress_level": -20}},
              {"id": "noise_gate_filter", "name": "c", "settings": {"open_threshold": -30.5}},
              {"id": "expander_filter", "name": "d", "settings": {"presets": "gate"}},
              {"id": "compressor_filter", "name": "e",
               "settings": {"ratio": 4, "sidechain_source": "Mic", "output_gain": 2.5}},
              {"id": "compressor_filter", "name": "Duck", "settings": {"sidechain_source": "Gone"}},
              {"id": "limiter_filter", "name": "f", "settings": {"threshold": 20}},
              {"id": "gain_filter", "name": "g", "settings": {"db": -3.5}},
              {"id": "basic_eq_filter", "name": "h", "settings": {"low": 3, "mid": -2, "high": 99}},
              {"id": "vst_filter", "name": "Reverb", "settings": {"plugin_path": "/a.so"}},
              {"id": "invert_polarity_filter"}, 7]}"#,
        )
        .unwrap();
        let ImportedFilters { slots, not, otherwise, .. } =
            read(&source, &[("Mic", StripId(4))].into(), false);
        let filters: Vec<_> = slots.iter().map(|slot| slot.filter.clone()).collect();
        let compressor = Filter::Compressor {
            threshold_dbfs: -18.0,
            ratio: 4.0,
            attack_ms: 6.0,
            release_ms: 60.0,
            gain_db: 2.5,
            side_chain: Some(StripId(4)),
        };
        let gate = Filter::Gate {
            open_dbfs: -30.5,
            close_dbfs: -32.0,
            attack_ms: 25.0,
            hold_ms: 200.0,
            release_ms: 150.0,
        };
        let expander = Filter::Expander {
            threshold_dbfs: -40.0,
            ratio: 10.0,
            attack_ms: 10.0,
            release_ms: 125.0,
            gain_db: 0.0,
        };
        let wanted = [
            Filter::Denoise { amount: 1.0 },
            Filter::Denoise { amount: 0.9 },
            gate,
            expander,
            compressor,
            Filter::Limiter { threshold_dbfs: 0.0, release_ms: 60.0 },
            Filter::Gain { db: -3.5 },
            Filter::ThreeBand { low_db: 3.0, middle_db: -2.0, high_db: 20.0 },
        ];
        assert_eq!(filters, wanted);
        let off: Vec<_> = slots.iter().map(|slot| slot.enabled).collect();
        assert_eq!(off, [true, false, true, true, true, true, true, true]);
        let named =
            ["compressor_filter 'Duck'", "vst_filter 'Reverb'", "invert_polarity_filter", ""];
        assert_eq!(not, named);
        let [limiter, high] = otherwise.as_slice() else { panic!("{otherwise:?}") };
        assert_eq!(
            *limiter,
            "in the filter limiter_filter 'f', the threshold in dBFS (changed from 20.0 to 0.0)"
        );
        let high = high.to_string();
        assert!(high.starts_with("in the filter basic_eq_filter 'h', the "), "{high}");
        assert!(high.ends_with("(changed from 99.0 to 20.0)"), "{high}");
    }

    #[test]
    fn there_are_no_more_than_a_strip_holds() {
        let one = r#"{"id": "gain_filter", "settings": {"db": 1e300}}"#;
        let text = format!(r#"{{"filters": [{}]}}"#, [one; 200].join(","));
        let taken = read(&serde_json::from_str(&text).unwrap(), &BTreeMap::new(), true);
        let (slots, not) = (taken.slots, taken.not);
        assert_eq!((slots.len(), not.len()), (MAX_FILTERS, MAX_FILTERS));
        assert_eq!(taken.more, 200 - 2 * MAX_FILTERS);
        assert!(slots.iter().all(|slot| slot.filter == Filter::Gain { db: 30.0 }));
    }
}
