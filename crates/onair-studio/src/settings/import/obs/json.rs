//! Readers of values in OBS's files.

use serde_json::Value;

use crate::capture::Rgba;

pub fn array<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value.get(key).and_then(Value::as_array).map(|it| it.iter().collect()).unwrap_or_default()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key).and_then(Value::as_f64).filter(|number| number.is_finite())
}

pub fn whole(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

/// Returns true if a switch is present and enabled.
pub fn is_on(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// Returns true if a switch that is enabled by default is disabled.
pub fn is_off(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(false)
}

/// Returns true if this item is in a scene only for versions without groups. OBS also writes the
/// members of each group there, and ignores these items itself.
pub fn is_group_copy(item: &Value) -> bool {
    is_on(item, "group_item_backup")
}

/// Returns the part with this key; empty if it is missing.
pub fn part<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// Converts a color of OBS, which is ABGR in one number.
pub fn color(number: u64) -> Rgba {
    let [red, green, blue, alpha, ..] = number.to_le_bytes();
    Rgba { red, green, blue, alpha }
}
