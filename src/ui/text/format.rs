//! Formats of figures. All screens share these rules, so that a number looks the same everywhere.

use std::time::Duration;

use crate::media::{FrameRate, Size};
use crate::text::local_time;
pub use crate::text::{grouped, minutes, time_of_day};

/// Formats a duration, such as `00:12:34`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Returns the local date and time, such as `2026-11-25 18:07`.
pub fn date_and_time(wall_micros: i64) -> String {
    local_time(wall_micros, "%Y-%m-%d %H:%M")
}

/// Returns the distance to the live edge, such as `−12 s` or `−1:05`.
pub fn behind(time: Duration) -> String {
    let seconds = (time + Duration::from_millis(500)).as_secs();
    if seconds < 60 { format!("−{seconds}\u{a0}s") } else { format!("−{}", minutes(time)) }
}

/// Formats a number and its share of `total`, such as `36 (0.2 %)`. A share below 0.1 % that is not
/// zero is `<0.1 %`.
pub fn part_of(number: u64, total: u64) -> String {
    let share = 100.0 * number as f64 / (total as f64).max(1.0);
    let share = match share {
        share if share > 0.0 && share < 0.1 => "<0.1".to_owned(),
        share => format!("{share:.1}"),
    };
    format!("{} ({share}\u{a0}%)", grouped(number))
}

/// Formats a bitrate, such as `2 512 kbps`.
pub fn bitrate(bits_per_second: u32) -> String {
    format!("{}\u{a0}kbps", grouped(u64::from(bits_per_second).div_ceil(1000)))
}

/// Formats a level, such as `−14.2 dB`, with a Unicode minus sign; −60 dB or less becomes `−∞ dB`.
pub fn decibels(db: f32) -> String {
    if db <= -60.0 {
        "−∞\u{a0}dB".into()
    } else {
        format!("{}\u{a0}dB", signed(f64::from(db), 1, false))
    }
}

/// Formats a number with a Unicode minus sign, and with a plus sign if requested.
pub fn signed(value: f64, decimals: usize, plus: bool) -> String {
    let text = format!("{:.*}", decimals, value.abs());
    let is_zero = text.chars().all(|c| c == '0' || c == '.');
    match (is_zero, value < 0.0, plus) {
        (false, true, _) => format!("−{text}"),
        (false, false, true) => format!("+{text}"),
        _ => text,
    }
}

/// Formats a short duration, such as `3 ms`, `0.4 ms`, `1.38 s` or `12.0 s`.
pub fn short_time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 1.0 && ms > 0.0 {
        format!("{ms:.1}\u{a0}ms")
    } else if ms < 1000.0 {
        format!("{ms:.0}\u{a0}ms")
    } else if ms < 10_000.0 {
        format!("{:.2}\u{a0}s", ms / 1000.0)
    } else {
        format!("{:.1}\u{a0}s", ms / 1000.0)
    }
}

/// Formats a number of bytes, such as `18 kB`, `118 MB`, `1.24 GB` or `81.0 GB`.
pub fn bytes(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    if mb < 0.1 {
        // A file with one byte is not empty.
        format!("{}\u{a0}kB", bytes.div_ceil(1_000))
    } else if mb < 10.0 {
        format!("{mb:.1}\u{a0}MB")
    } else if mb < 1000.0 {
        format!("{mb:.0}\u{a0}MB")
    } else {
        let gb = mb / 1000.0;
        let decimals = match gb {
            gb if gb < 10.0 => 2,
            gb if gb < 100.0 => 1,
            _ => 0,
        };
        format!("{gb:.decimals$}\u{a0}GB")
    }
}

/// Formats a size, such as `1280×720`.
pub fn size(size: Size) -> String {
    format!("{}×{}", size.width, size.height)
}

/// Returns the name of a size: `720p` for 16:9, `1024×768` for others.
pub fn size_name(of: Size) -> String {
    if of.width * 9 == of.height * 16 || (of.width, of.height) == (854, 480) {
        format!("{}p", of.height)
    } else {
        size(of)
    }
}

/// Formats a frame rate, such as `30` or `29.97`.
pub fn rate(rate: FrameRate) -> String {
    rate.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(clock(Duration::from_secs(45_296)), "12:34:56");
        assert_eq!(clock(Duration::from_secs(360_000)), "100:00:00");
        assert_eq!(bitrate(2_512_000), "2\u{a0}512\u{a0}kbps");
        assert_eq!(behind(Duration::from_millis(12_400)), "−12\u{a0}s");
        assert_eq!(behind(Duration::from_secs(65)), "−1:05");
        assert_eq!(part_of(0, 0), "0 (0.0\u{a0}%)");
        assert_eq!(part_of(36, 90_000), "36 (<0.1\u{a0}%)");
        assert_eq!(part_of(904, 22_620), "904 (4.0\u{a0}%)");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(decibels(-14.24), "−14.2\u{a0}dB");
        assert_eq!(decibels(-0.01), "0.0\u{a0}dB");
        assert_eq!(decibels(-70.0), "−∞\u{a0}dB");
        assert_eq!(signed(4.2, 0, true), "+4");
        assert_eq!(short_time(Duration::from_micros(400)), "0.4\u{a0}ms");
        assert_eq!(short_time(Duration::from_millis(380)), "380\u{a0}ms");
        assert_eq!(short_time(Duration::from_millis(1380)), "1.38\u{a0}s");
        assert_eq!(
            [bytes(0), bytes(1), bytes(18_200)].join(", "),
            "0\u{a0}kB, 1\u{a0}kB, 19\u{a0}kB"
        );
        assert_eq!(bytes(118_000_000), "118\u{a0}MB");
        assert_eq!(bytes(1_240_000_000), "1.24\u{a0}GB");
        assert_eq!(bytes(81_000_000_000), "81.0\u{a0}GB");
        assert_eq!(bytes(812_600_000_000), "813\u{a0}GB");
        assert_eq!(size_name(Size::new(854, 480)), "480p");
        assert_eq!(size_name(Size::new(640, 480)), "640×480");
    }
}
