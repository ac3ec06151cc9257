//! The syntax of values on the command line: durations (`10s`, `500ms`, `2m`, `1h`, `30d`, `1m30s`,
//! `2.5`), sizes and sources.

use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValue, TypedValueParser};

use crate::audio::AudioChoice;
use crate::broadcast::delay::MAX_STREAM_DELAY;
use crate::capture::VideoChoice;
use crate::media::BitsPerSecond;
use crate::player::source_text;
use crate::studio::targets::quality::SAMPLE_RATES;
use crate::studio::{Quality, RecordingChoices};
use crate::text::Problem;
use crate::text::problem::problem;

/// Parses a duration. A number without a unit means seconds.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn duration(text: &str) -> Result<Duration, Problem> {
    let fault = || problem!("control-write-for", text = text, syntax = "10s|500ms|2m|1h30m");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fault());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let factor = match unit {
            "ms" => 0.001,
            "s" | "" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(fault()),
        };
        total += number.parse::<f64>().map_err(|_| fault())? * factor;
        rest = after;
    }
    Duration::try_from_secs_f64(total)
        .ok()
        .filter(|duration| duration.as_secs() <= 366 * 24 * 3_600)
        .ok_or_else(fault)
}

/// Parses a duration within limits.
///
/// # Errors
/// Fails if the text is not a duration, or if the duration is outside the limits.
pub fn within(text: &str, (least, most): (Duration, Duration)) -> Result<Duration, Problem> {
    let read = duration(text)?;
    if (least..=most).contains(&read) {
        return Ok(read);
    }
    Err(problem!("flag-duration-within", least = shown(least), most = shown(most)))
}

/// Parses a duration of more than 0.
///
/// # Errors
/// Fails if the text is not a duration, or if the duration is 0.
pub fn positive(text: &str) -> Result<Duration, Problem> {
    let read = duration(text)?;
    if read.is_zero() { Err(problem!("flag-duration-zero")) } else { Ok(read) }
}

/// Formats a limit in its largest whole unit.
fn shown(bound: Duration) -> String {
    let seconds = bound.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = |unit: u64| bound.subsec_nanos() == 0 && seconds > 0 && seconds.is_multiple_of(unit);
    match units.into_iter().find(|(unit, _)| fits(*unit)) {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{}s", bound.as_secs_f64()),
    }
}

/// Parses a duration within limits, or 0, which turns something off.
///
/// # Errors
/// Fails like [`within`].
pub fn within_or_off(text: &str, range: (Duration, Duration)) -> Result<Duration, Problem> {
    let off = duration(text).is_ok_and(|duration| duration.is_zero());
    if off { Ok(Duration::ZERO) } else { within(text, range) }
}

/// Parses a bitrate that an encoder can be set to.
///
/// # Errors
/// Fails with a sentence that shows the syntax and the limits.
pub fn bitrate(text: &str) -> Result<BitsPerSecond, Problem> {
    let bitrate = text.parse::<BitsPerSecond>().ok();
    bitrate
        .filter(|bitrate| Quality::BITRATE_RANGE.contains(&bitrate.0))
        .ok_or_else(|| problem!("choice-no-bitrate", text = text, least = "8k", most = "200M"))
}

/// Parses a stream delay: a duration of at most half an hour.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn delay(text: &str) -> Result<Duration, Problem> {
    let delay = duration(text)?;
    if delay > MAX_STREAM_DELAY {
        return Err(problem!("flag-delay"));
    }
    Ok(delay)
}

/// Parses the source to play: an address or a file name, which need not be valid UTF-8.
pub fn source() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|word| source_text(&word))
}

/// Parses a video source. File names do not have to be UTF-8.
pub fn video() -> impl TypedValueParser<Value = VideoChoice> {
    let parser = OsStringValueParser::new().try_map(|word| VideoChoice::of_word(&word));
    suggesting(VIDEO_SOURCES, parser)
}

/// Parses an audio source. File names do not have to be UTF-8.
pub fn audio() -> impl TypedValueParser<Value = AudioChoice> {
    let parser = OsStringValueParser::new().try_map(|word| AudioChoice::of_word(&word));
    suggesting(AUDIO_SOURCES, parser)
}

/// Video sources for shell completions. Sources that need an id, a path or another text are not in
/// the list, because shells add a space after a completed word.
const VIDEO_SOURCES: [&str; 7] = ["camera", "screen", "clock", "stopwatch", "chat", "test", "none"];

/// Audio sources for shell completions.
const AUDIO_SOURCES: [&str; 5] = ["mic", "system", "tone", "silence", "none"];

/// Adds values for shell completions to a parser. The parser may also accept other values.
pub fn suggesting<P: TypedValueParser>(
    values: impl Into<Vec<&'static str>>,
    parser: P,
) -> impl TypedValueParser<Value = P::Value> {
    Suggesting { values: values.into(), parser }
}

/// A parser with values for shell completions.
#[derive(Clone)]
struct Suggesting<P> {
    values: Vec<&'static str>,
    parser: P,
}

impl<P: TypedValueParser> TypedValueParser for Suggesting<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values.iter().copied().map(PossibleValue::new)))
    }
}

/// Parses a number of bytes: `700M`, `2G`, `1.5 GB`, `65536`. A K means 1,000.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn bytes(text: &str) -> Result<u64, Problem> {
    let upper = text.trim().to_ascii_uppercase();
    let number = upper.trim_end_matches('B').trim_end();
    let (number, factor) = match number.char_indices().next_back() {
        Some((at, 'K')) => (number.get(..at), 1e3),
        Some((at, 'M')) => (number.get(..at), 1e6),
        Some((at, 'G')) => (number.get(..at), 1e9),
        _ => (Some(number), 1.0),
    };
    let number = number.and_then(|number| number.trim().parse::<f64>().ok());
    match number.map(|number| number * factor) {
        Some(bytes) if (65_536.0..=1e15).contains(&bytes) => Ok(bytes as u64),
        _ => Err(problem!("flag-size", text = text)),
    }
}

/// Parses the memory limit of the replay buffer.
///
/// # Errors
/// Fails with a sentence that shows the limits.
pub fn replay_bytes(text: &str) -> Result<u64, Problem> {
    let (least, most) = RecordingChoices::REPLAY_MEBIBYTES_RANGE.into_inner();
    let size = bytes(text).ok();
    size.filter(|size| (least << 20..=most << 20).contains(size))
        .ok_or_else(|| problem!("flag-size-within", least = "1.1M", most = "17.1G"))
}

/// Parses a whole number.
///
/// # Errors
/// Fails with an example.
pub fn whole<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.trim().parse().map_err(|_| problem!("flag-whole-number"))
}

/// Parses a sample rate of the sent audio, in Hz.
///
/// # Errors
/// Fails with a sentence that lists the valid values.
pub fn sample_rate(text: &str) -> Result<u32, Problem> {
    let rate = text.trim().parse().ok();
    rate.filter(|rate| SAMPLE_RATES.contains(rate)).ok_or_else(|| {
        let rates: Vec<String> = SAMPLE_RATES.iter().map(ToString::to_string).collect();
        problem!("flag-sample-rate", rates = rates.join(", "))
    })
}

/// Refuses names of pictures in formats that onair does not write. Screenshots are PNG files.
///
/// # Errors
/// Fails with a sentence that names the path.
pub fn check_png(path: &Path) -> Result<(), Problem> {
    check_extension(path, "png", &["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif"])
}

/// Refuses names of audio files in formats that onair does not write. Saved audio is a WAV file.
///
/// # Errors
/// Fails with a sentence that names the path.
pub fn check_wav(path: &Path) -> Result<(), Problem> {
    check_extension(path, "wav", &["mp3", "flac", "ogg", "oga", "opus", "aac", "m4a", "wma"])
}

fn check_extension(path: &Path, kind: &str, others: &[&str]) -> Result<(), Problem> {
    let extension = path.extension().unwrap_or_default();
    match others.iter().any(|other| extension.eq_ignore_ascii_case(other)) {
        true => Err(problem!("cli-extension", path = path.display().to_string(), kind = kind)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_sources_exist() {
        for word in VIDEO_SOURCES {
            assert!(VideoChoice::of_word(OsStr::new(word)).is_ok(), "{word}");
        }
        for word in AUDIO_SOURCES {
            assert!(AudioChoice::of_word(OsStr::new(word)).is_ok(), "{word}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, size) in
            [("700M", 700_000_000), ("2G", 2_000_000_000), ("1.5 gb", 1_500_000_000)]
        {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for bad in ["", "G", "-1G", "nan", "1k", "1e99", "2T€"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sampling_rates_are_those_of_aac() {
        assert_eq!((sample_rate("44100"), sample_rate(" 8000 ")), (Ok(44_100), Ok(8_000)));
        for bad in ["50000", "0", "-48000", "48k", ""] {
            assert!(sample_rate(bad).unwrap_err().to_string().contains("44100, 48000"), "{bad}");
        }
    }

    #[test]
    fn a_name_of_another_format_is_refused() {
        for name in ["a.png", "a.PNG", "a", "a.12", "jpg", ""] {
            assert_eq!(check_png(Path::new(name)), Ok(()), "{name}");
        }
        let why = check_png(Path::new("/v/a.JPG")).unwrap_err();
        assert!(why.to_string().contains("/v/a.JPG") && why.to_string().contains(".png"), "{why}");
        assert!(check_wav(Path::new("a.mp3")).is_err() && check_wav(Path::new("a.wav")).is_ok());
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        assert_eq!(bitrate("8k"), Ok(BitsPerSecond(8_000)));
        assert_eq!(bitrate("200M"), Ok(BitsPerSecond(200_000_000)));
        for bad in ["7k", "500M", "x"] {
            assert!(bitrate(bad).unwrap_err().to_string().contains("8k to 200M"), "{bad}");
        }
        for (text, size) in [("1.1M", 1_100_000), ("17.1G", 17_100_000_000)] {
            assert_eq!(replay_bytes(text), Ok(size));
        }
        for bad in ["10K", "66K", "100G", "x"] {
            assert!(replay_bytes(bad).unwrap_err().to_string().contains("1.1M to 17.1G"), "{bad}");
        }
        let range = (Duration::from_secs(1), Duration::from_hours(1));
        assert_eq!(within_or_off("0", range), Ok(Duration::ZERO));
        assert_eq!(within_or_off("1h", range), Ok(Duration::from_hours(1)));
        for bad in ["1ms", "2h"] {
            let refused = within_or_off(bad, range).unwrap_err().to_string();
            assert_eq!(refused, "use a duration from 1s to 1h", "{bad}");
        }
    }

    #[test]
    fn delays_have_an_end() {
        assert_eq!(delay("30m"), Ok(Duration::from_secs(1_800)));
        assert!(delay("30m1s").is_err() && delay("x").is_err());
    }

    #[test]
    fn durations_are_read() {
        for (text, millis) in
            [("10s", 10_000), ("500ms", 500), ("1m30s", 90_000), ("2.5", 2_500), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "10x", "-1s", "1e9", "nan", "99999999h", "1s2", "1..2s"] {
            if bad != "1s2" {
                assert!(duration(bad).is_err(), "{bad}");
            }
        }
    }
}
