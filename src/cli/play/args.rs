//! What `onair play` is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{Exit, route, value};
use crate::net::web::WebUrl;
use crate::player::{Config, MAX_AV_OFFSET_MS, Prefer, Source};
use crate::studio::chatting::check_place;
use crate::studio::playing::{MOST_TILES, Network};
use crate::wire::container::Format;

/// Arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A URL (rtmp, rtmps, rtmpt, rtmpts, http, https, ws or wss), or a media file
    /// (FLV, MP4, MKV, MP3, FLAC, Ogg, AAC); up to nine of them play side by side, and the first is heard
    #[arg(value_name = "URL|FILE", required = true, num_args = 1..)]
    pub sources: Vec<String>,
    /// Without a window
    #[arg(long)]
    pub headless: bool,
    /// End after this long, counted from the first picture or sound
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub duration: Option<Duration>,
    /// How much to keep back to even out the network, 100ms to 10s, or `auto` for as little as it
    /// allows
    #[arg(long, value_name = "DURATION|auto", default_value = "300ms", value_parser = buffer)]
    pub buffer: Buffer,
    /// Let the sound be heard so much later than its stamps say, up to 2s; sooner with a minus
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0ms",
        value_parser = av_offset,
        allow_hyphen_values = true
    )]
    pub av_offset: i32,
    /// Which decoder shows H.264: onair's own, or the system's FFmpeg libraries, which take less of the
    /// processor; where there are none, onair's own does it
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Decoder::Own)]
    pub decoder: Decoder,
    /// Begin here in a recording: a file, or a recorded stream of a server that has such
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub start: Option<Duration>,
    /// Write what is received into this FLV file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Write the last picture shown into this PNG file, at the end
    #[arg(long, value_name = "FILE.png")]
    pub snapshot: Option<PathBuf>,
    /// Write the sound that is played into this WAV file
    #[arg(long, value_name = "FILE.wav")]
    pub audio_dump: Option<PathBuf>,
    /// Measure latency and lip-sync by the test source's markers
    #[arg(long)]
    pub measure: bool,
    /// Tell what is said about the stream, headless: in the stream itself (onTextData and the
    /// like), and in the chat of an onair server, which is found beside an HTTP-FLV URL, or at
    /// ws://HOST/APP/STREAM/chat; in a window the chat at that address is shown
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub chat: Option<String>,
    /// Come back after a lost connection (the default)
    #[arg(long, overrides_with = "no_reconnect")]
    pub reconnect: bool,
    /// End when the connection is lost
    #[arg(long, overrides_with = "reconnect")]
    pub no_reconnect: bool,
    /// Loudness in percent, 0 to 100
    #[arg(long, value_name = "PERCENT", default_value = "100", value_parser = volume)]
    pub volume: f32,
    /// Without sound
    #[arg(long)]
    pub mute: bool,
    /// Fill the screen
    #[arg(long)]
    pub fullscreen: bool,
    #[command(flatten)]
    pub route: route::Flags,
}

impl Args {
    /// What the first player is to do; the others do the same, unheard.
    ///
    /// # Errors
    /// What is wrong with the flags, and the exit code.
    pub fn config(&self) -> Result<Config, (String, Exit)> {
        self.check_wall()?;
        let other = self
            .save
            .as_ref()
            .filter(|path| matches!(Format::of_path(path), Some(format) if format != Format::Flv));
        if let Some(path) = other {
            let why = format!(
                "--save {}: what is received is written as FLV, which holds every codec: let the \
                 name end in .flv, and make another file of it with onair remux",
                path.display()
            );
            return Err((why, Exit::Usage));
        }
        Ok(Config {
            buffer: self.buffer.begins_with(),
            auto_buffer: self.buffer == Buffer::Auto,
            av_offset_ms: self.av_offset,
            decoder: self.decoder.prefer(),
            start: self.start,
            reconnect: !self.no_reconnect,
            volume: self.volume,
            muted: self.mute,
            measure: self.measure,
            save: self.save.clone(),
            audio_dump: self.audio_dump.clone(),
            net: self.route.read()?,
            ..Config::new(Source::parse(self.first()))
        })
    }

    /// How servers are reached, for the window, where it can be changed.
    pub fn network(&self) -> Network {
        let (route, ca_file) = self.route.written();
        Network { route, ca_file, reconnect: !self.no_reconnect, trusted: Vec::new() }
    }

    /// What is played first, and heard.
    pub fn first(&self) -> &str {
        self.sources.first().map_or("", String::as_str)
    }

    /// Whether what is asked for goes together with several streams.
    fn check_wall(&self) -> Result<(), (String, Exit)> {
        let usage = |why: String| Err((why, Exit::Usage));
        if self.sources.len() > MOST_TILES {
            let count = self.sources.len();
            return usage(format!("{count} streams: at most {MOST_TILES} play side by side"));
        }
        let alone = [
            ("--save", self.save.is_some()),
            ("--snapshot", self.snapshot.is_some()),
            ("--audio-dump", self.audio_dump.is_some()),
            ("--chat", self.chat.is_some()),
        ];
        match alone.iter().find(|(_, asked)| *asked && self.sources.len() > 1) {
            Some((flag, _)) => usage(format!("{flag} is for one stream: leave the others out")),
            None => Ok(()),
        }
    }
}

/// How much is kept back.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// As little as the network allows.
    Auto,
    Fixed(Duration),
}

impl Buffer {
    fn begins_with(self) -> Duration {
        match self {
            Self::Auto => Duration::from_millis(300),
            Self::Fixed(buffer) => buffer,
        }
    }
}

/// Decoders as they are chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Decoder {
    Own,
    System,
}

impl Decoder {
    fn prefer(self) -> Prefer {
        match self {
            Self::Own => Prefer::Own,
            Self::System => Prefer::System,
        }
    }
}

fn buffer(text: &str) -> Result<Buffer, String> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(Buffer::Auto);
    }
    let buffer = value::duration(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(10)).contains(&buffer) {
        Ok(Buffer::Fixed(buffer))
    } else {
        Err("the buffer may be from 100 ms to 10 s long, or auto".to_owned())
    }
}

/// A duration that may be negative, in milliseconds.
fn av_offset(text: &str) -> Result<i32, String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let millis = i32::try_from(value::duration(digits)?.as_millis()).unwrap_or(i32::MAX);
    if millis <= MAX_AV_OFFSET_MS {
        Ok(sign * millis)
    } else {
        Err("sound can be moved by 2 s at most".to_owned())
    }
}

/// `50`, `50%`, or a fraction such as `0.5`.
fn volume(text: &str) -> Result<f32, String> {
    let number = text.trim().trim_end_matches('%');
    let fraction = number.contains('.') && !text.contains('%');
    match number.parse::<f32>() {
        Ok(volume) if fraction && (0.0..=1.0).contains(&volume) => Ok(volume),
        Ok(volume) if (0.0..=100.0).contains(&volume) => Ok(volume / 100.0),
        _ => Err(format!("'{text}' is no loudness: write 0 to 100")),
    }
}

/// Where the chat is: at the address given, or beside the stream; `None` for that in the stream only.
pub(super) fn chat_at(url: &str, source: &str) -> Result<Option<WebUrl>, String> {
    if url.is_empty() {
        let beside = WebUrl::parse(source).ok();
        return Ok(beside.and_then(|url| url.chat()));
    }
    check_place(url).map(Some).map_err(|why| format!("--chat: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_and_offsets_are_read_within_their_bounds() {
        let fixed = |millis| Ok(Buffer::Fixed(Duration::from_millis(millis)));
        assert_eq!(buffer("100ms"), fixed(100));
        assert_eq!((buffer("10s"), buffer("Auto")), (fixed(10_000), Ok(Buffer::Auto)));
        assert!(buffer("99ms").is_err() && buffer("11s").is_err() && buffer("x").is_err());
        assert_eq!(
            (av_offset("-50ms"), av_offset("+2s"), av_offset("0ms")),
            (Ok(-50), Ok(2_000), Ok(0))
        );
        assert!(av_offset("2001ms").is_err() && av_offset("--1ms").is_err());
    }

    #[test]
    fn loudness_is_read_as_percent_or_fraction() {
        for (text, loud) in [("100", 1.0), ("50%", 0.5), ("0", 0.0), ("0.5", 0.5), ("1.0", 1.0)] {
            assert_eq!(volume(text), Ok(loud), "{text}");
        }
        for bad in ["", "-1", "101", "loud", "nan", "1.5x"] {
            assert!(volume(bad).is_err(), "{bad}");
        }
    }
}
