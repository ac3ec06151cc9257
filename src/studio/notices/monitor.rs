//! Formats times of day for the viewer monitor.

/// Formats a time of the wall clock (in microseconds since the Unix epoch) as a local time of day.
pub(in crate::studio) fn time_of_day(wall_micros: i64) -> String {
    let zoned = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::system());
    jiff::Timestamp::from_microsecond(wall_micros)
        .map(|at| zoned(at).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
