//! Times as text: durations, and local times.

use std::time::Duration;

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

/// Formats a duration rounded to seconds, such as `5:00` or `0:30`.
pub fn minutes(time: Duration) -> String {
    let seconds = (time + Duration::from_millis(500)).as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_minutes_and_seconds() {
        assert_eq!(minutes(Duration::from_secs(1_800)), "30:00");
        assert_eq!(minutes(Duration::from_millis(9_600)), "0:10");
    }
}
