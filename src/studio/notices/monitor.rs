//! Moments as the viewer monitor names them.

/// A moment of the wall clock, in microseconds, as clocks here show it.
pub(in crate::studio) fn time_of_day(wall_micros: i64) -> String {
    let zoned = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::system());
    jiff::Timestamp::from_microsecond(wall_micros)
        .map(|at| zoned(at).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
