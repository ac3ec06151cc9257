//! Local times as text.

/// Formats a time of the wall clock (in microseconds since the Unix epoch) as a local time. `form`
/// is a `strftime` format.
pub fn local_time(wall_micros: i64, form: &str) -> String {
    jiff::Timestamp::from_microsecond(wall_micros)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime(form).to_string())
        .unwrap_or_default()
}

/// Returns the local time of day, such as `18:07:41`.
pub fn time_of_day(wall_micros: i64) -> String {
    local_time(wall_micros, "%H:%M:%S")
}
