//! Parses `--control` lines for strips of the mixer: gain, mute, solo, balance, sync offset and
//! monitoring.

use std::time::Duration;

use crate::cli::control::split;
use crate::cli::flags::value::duration;
use crate::mix::{MonitoringMode, Strip};
use crate::studio::settings::scenes::amounts::monitoring_of;
use crate::text::Problem;
use crate::text::problem::problem;

/// One setting of a strip.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Setting {
    /// The gain in decibels.
    Gain(f32),
    Muted(bool),
    Solo(bool),
    Mono(bool),
    /// The balance, -1…1.
    Balance(f32),
    /// The sync offset in microseconds; positive values delay the audio.
    Offset(i64),
    Monitoring(MonitoringMode),
}

impl Setting {
    /// Returns the strip with this setting applied.
    pub fn on(self, strip: &Strip) -> Strip {
        let mut strip = strip.clone();
        match self {
            Self::Gain(gain) => strip.gain_db = gain,
            Self::Muted(muted) => strip.muted = muted,
            Self::Solo(solo) => strip.solo = solo,
            Self::Mono(mono) => strip.mono = mono,
            Self::Balance(balance) => strip.balance = balance,
            Self::Offset(micros) => strip.offset_us = micros,
            Self::Monitoring(mode) => strip.monitoring = mode,
        }
        strip
    }
}

/// Parses `gain -6 My voice`, `mute`. Returns the strip's name and the setting, or `None` for other
/// commands.
pub fn parse(text: &str) -> Option<Result<(String, Setting), Problem>> {
    let (word, rest) = split(text);
    let alone = |setting| Some(Ok((rest.to_owned(), setting)));
    match word {
        "mute" => return alone(Setting::Muted(true)),
        "unmute" => return alone(Setting::Muted(false)),
        "solo" => return alone(Setting::Solo(true)),
        "unsolo" => return alone(Setting::Solo(false)),
        "mono" => return alone(Setting::Mono(true)),
        "stereo" => return alone(Setting::Mono(false)),
        "gain" | "balance" | "offset" | "monitoring" => {}
        _ => return None,
    }
    let (value, name) = split(rest);
    let setting = match word {
        "gain" => number(value.trim_end_matches("dB"), -60.0, 20.0).map(Setting::Gain),
        "balance" => {
            let balance = number(value.trim_end_matches('%'), -100.0, 100.0);
            balance.map(|percent| Setting::Balance(percent / 100.0))
        }
        "offset" => offset(value).map(Setting::Offset),
        _ => monitoring_of(value).map(Setting::Monitoring),
    };
    let wrong = || {
        let syntax = "strip gain DECIBELS (-60…20) [STRIP] · strip balance PERCENT (-100…100) [STRIP] · \
                      strip offset TIME (-20s…20s) [STRIP] · strip monitoring off|both|only|tracks [STRIP]";
        problem!("control-write-for", text = format!("strip {text}"), syntax = syntax)
    };
    Some(setting.map(|setting| (name.to_owned(), setting)).ok_or_else(wrong))
}

fn number(text: &str, low: f32, high: f32) -> Option<f32> {
    text.parse::<f32>().ok().filter(|number| (low..=high).contains(number))
}

fn offset(text: &str) -> Option<i64> {
    let (sign, time) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let time: Duration = duration(time).ok().filter(|time| *time <= Strip::MAX_OFFSET)?;
    i64::try_from(time.as_micros()).ok().map(|micros| sign * micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_settings_of_strips() {
        let of = |line: &str| parse(line).unwrap().unwrap();
        assert_eq!(of("gain -6.5 My voice"), ("My voice".into(), Setting::Gain(-6.5)));
        assert_eq!(of("gain 3dB"), (String::new(), Setting::Gain(3.0)));
        assert_eq!(of("mute My voice"), ("My voice".into(), Setting::Muted(true)));
        assert_eq!(of("unsolo"), (String::new(), Setting::Solo(false)));
        assert_eq!(of("balance -50% A").1, Setting::Balance(-0.5));
        assert_eq!(of("offset -120ms A").1, Setting::Offset(-120_000));
        assert_eq!(of("monitoring only A").1, Setting::Monitoring(MonitoringMode::MonitorOnly));
        for bad in ["gain", "gain loud A", "gain 21", "balance 101", "offset 21s", "monitoring x"] {
            assert!(parse(bad).unwrap().unwrap_err().to_string().contains("strip gain"), "{bad}");
        }
        assert!(parse("restart A").is_none());
        let quiet = Setting::Gain(-6.0).on(&Strip { muted: true, ..Strip::default() });
        assert!(quiet.muted && quiet.gain_db == -6.0);
    }
}
