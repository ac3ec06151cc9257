//! The arguments of `onair play`.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::Options;
use crate::cli::flags::{network, value};
use crate::cli::output::exit::Exit;
use crate::net::web::WebUrl;
use crate::player::{
    Config, INITIAL_AUTO_BUFFER, MAX_AV_OFFSET_MS, Prefer, Source, TimeShiftDepth,
};
use crate::studio::watch::chat::check_place;
use crate::studio::watch::choices::{MAX_TILES, Network};
use crate::studio::{Route, Settings};
use crate::text::problem::{Problem, problem};
use crate::ui::watch::PlayerLocation;
use crate::wire::container::Format;

/// Arguments of `onair play`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A URL (rtmp, rtmps, rtmpt, rtmpts, http, https, ws, wss or srt), or a media file (FLV, MP4, MKV,
    /// WebM, MP3, FLAC, Ogg, AAC, WAV). Up to nine streams play side by side; you hear the first
    #[arg(value_name = "URL|FILE", required = true, num_args = 1.., value_parser = value::source())]
    pub sources: Vec<String>,
    /// Play without a window
    #[arg(long)]
    pub headless: bool,
    /// Duration of playback, counted from the first frame or audio. With a window, onair also ends
    /// if it cannot play any stream
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub duration: Option<Duration>,
    /// Length of the buffer, 100ms to 10s, or `auto` for the shortest that the network allows
    /// [default: 300ms; in a window, the value you used last, else auto]
    #[arg(long, value_name = "DURATION|auto", value_parser = buffer)]
    pub buffer: Option<Buffer>,
    /// Delay the audio by up to 2s. A negative value plays the audio earlier; onair then delays a
    /// live stream [default: 0ms; in a window, the value you used last]
    #[arg(long, value_name = "DURATION", value_parser = av_offset, allow_hyphen_values = true)]
    pub av_offset: Option<i32>,
    /// H.264 decoder: own (built in), or system (the system's FFmpeg libraries, which use less CPU).
    /// Without these libraries, onair uses its own decoder [default: own; in a window, the decoder
    /// you used last]
    #[arg(long, value_name = "WHICH", value_enum)]
    pub decoder: Option<Decoder>,
    /// Start position in a recording: a file on disk or on a web server, or a recorded HLS or RTMP
    /// stream
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub start: Option<Duration>,
    /// Save the received stream to this FLV file. If the file exists, onair uses NAME-1.flv and
    /// reports this
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Save the last frame to this PNG file at the end. If the file exists, onair uses NAME-1.png
    /// and reports this
    #[arg(long, value_name = "FILE.png")]
    pub snapshot: Option<PathBuf>,
    /// Save the played audio to this WAV file. If the file exists, onair uses NAME-1.wav and
    /// reports this
    #[arg(long, value_name = "FILE.wav")]
    pub audio_dump: Option<PathBuf>,
    /// Measure latency and lip sync with the markers of the test source
    #[arg(long)]
    pub measure: bool,
    /// With --headless, print the chat of an onair server, and chat messages that are in the stream
    /// (such as onTextData). onair finds the chat of an HTTP-FLV or HLS URL. For other URLs, pass
    /// the address, ws://HOST/APP/STREAM/chat. A window shows the chat at the address that you pass
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub chat: Option<String>,
    /// Reconnect after a lost connection (the default)
    #[arg(long, overrides_with = "no_reconnect")]
    pub reconnect: bool,
    /// End playback when the connection is lost
    #[arg(long, overrides_with = "reconnect")]
    pub no_reconnect: bool,
    /// Volume in percent, 0 to 100 [default: 100; in a window, the value you used last]
    #[arg(long, value_name = "PERCENT", value_parser = volume)]
    pub volume: Option<f32>,
    /// Mute the audio
    #[arg(long)]
    pub mute: bool,
    /// ID of the speaker, from `onair devices` [default: the system's speaker; in a window, the speaker
    /// you used last]
    #[arg(long, value_name = "ID", value_parser = speaker)]
    pub speaker: Option<String>,
    /// Balance in percent: -100 is left only, 100 is right only [default: 0; in a window, the value you
    /// used last]
    #[arg(long, value_name = "PERCENT", value_parser = balance, allow_hyphen_values = true)]
    pub balance: Option<f32>,
    /// Play in full screen
    #[arg(long, help_heading = "Window")]
    pub fullscreen: bool,
    /// Play in a separate window beside the main window
    #[arg(long, conflicts_with_all = ["headless", "fullscreen", "small"], help_heading = "Window")]
    pub own_window: bool,
    /// Play in picture-in-picture mode: a small window without a title bar, above all other windows
    #[arg(long, conflicts_with_all = ["headless", "fullscreen"], help_heading = "Window")]
    pub small: bool,
    /// Show statistics over the video
    #[arg(long, conflicts_with = "headless", help_heading = "Window")]
    pub figures: bool,
    /// Read commands from standard input, one per line (see `onair help play`)
    #[arg(long, long_help = CONTROL_HELP)]
    pub control: bool,
    #[command(flatten)]
    pub route: network::Flags,
}

const CONTROL_HELP: &str = "Read commands from standard input, one per line.

  pause, resume, stop
  seek POSITION                    90s, 1:30, +10s or -10s
  rewind [TIME]                    go back by TIME from the live edge;
                                   without TIME, to the earliest point
  go-live                          go to the live edge
  volume PERCENT                   for example 50, +5 or -5
  mute [on|off]                    mute or unmute; without on or off, toggle
  balance PERCENT, speaker [ID], av-offset TIME, buffer TIME|auto
  snapshot [FILE.png]              save the current frame
  record FILE.flv, record off      record the stream
  say TEXT                         write to the chat (without a window: needs --chat)
  next, previous, stream NUMBER    select another stream

Only with a window:
  shape fit|fill|16:9|4:3|original
  zoom PERCENT, turn 0|90|180|270
  chat fly|still, chat opacity PERCENT, chat speed FACTOR, chat size POINTS
  chat hide [WORD,WORD…]";

impl Args {
    /// Returns the configuration of the first player. The other players have the same
    /// configuration, but are muted.
    ///
    /// # Errors
    /// Fails with the problem of the flags, and the exit code.
    pub fn config(&self) -> Result<Config, (Problem, Exit)> {
        self.check_wall()?;
        let other = self
            .save
            .as_ref()
            .filter(|path| matches!(Format::of_path(path), Some(format) if format != Format::Flv));
        if let Some(path) = other {
            let path = path.display().to_string();
            return Err((problem!("cli-save-format", path = path), Exit::Usage));
        }
        let png = self.snapshot.as_deref().map_or(Ok(()), value::check_png);
        let wav = self.audio_dump.as_deref().map_or(Ok(()), value::check_wav);
        png.and(wav).map_err(|why| (why, Exit::Usage))?;
        Ok(Config {
            buffer: self.buffer.unwrap_or(Buffer::Auto).begins_with(),
            auto_buffer: self.buffer == Some(Buffer::Auto),
            av_offset_ms: self.av_offset.unwrap_or(0),
            decoder: self.decoder.map_or(Prefer::Own, Decoder::prefer),
            start: self.start,
            reconnect: !self.no_reconnect,
            device: self.speaker.clone(),
            volume: self.volume.unwrap_or(1.0),
            balance: self.balance.unwrap_or(0.0),
            muted: self.mute,
            measure: self.measure,
            save: self.save.clone(),
            audio_dump: self.audio_dump.clone(),
            // The time shift is needed for rewinding.
            time_shift: self.control.then(TimeShiftDepth::default),
            net: self.route.read()?,
            ..Config::new(Source::parse(self.first()))
        })
    }

    /// Returns the configuration, completed with the last values of the window.
    pub fn with_remembered(&self, settings: &Settings, mut config: Config) -> Config {
        let known = &settings.player;
        if self.buffer.is_none() {
            config.buffer = known.buffer.unwrap_or(config.buffer);
            config.auto_buffer = known.buffer.is_none();
        }
        if self.av_offset.is_none() {
            config.av_offset_ms = known.av_offset_ms;
        }
        if self.decoder.is_none() {
            config.decoder = known.decoder;
        }
        if self.volume.is_none() {
            config.volume = settings.volume;
            config.muted |= settings.player_muted;
        }
        if self.speaker.is_none() {
            config.device.clone_from(&known.speaker);
        }
        if self.balance.is_none() {
            config.balance = known.balance;
        }
        config
    }

    /// Returns the connection options for the window, or `None` if no flag sets any.
    pub fn network(&self) -> Option<Network> {
        let (route, ca_file) = self.route.written();
        let is_set = route != Route::default() || !ca_file.is_empty();
        let is_set = is_set || self.reconnect || self.no_reconnect;
        let reconnect = !self.no_reconnect;
        is_set.then(|| Network { route, ca_file, reconnect, trusted: Vec::new() })
    }

    /// Returns the options with which the window opens.
    pub fn options(&self) -> Options {
        let place = match (self.small, self.own_window) {
            (true, _) => PlayerLocation::Small,
            (false, true) => PlayerLocation::Window,
            (false, false) => PlayerLocation::Here,
        };
        let (full_screen, figures) = (self.fullscreen, self.figures);
        Options { full_screen, place, figures, ..Options::default() }
    }

    /// Returns the stream of the first player, which is the one with audio.
    pub fn first(&self) -> &str {
        self.sources.first().map_or("", String::as_str)
    }

    /// Checks whether the options are valid with several streams.
    fn check_wall(&self) -> Result<(), (Problem, Exit)> {
        let usage = |why: Problem| Err((why, Exit::Usage));
        if self.sources.len() > MAX_TILES {
            let count = self.sources.len();
            return usage(problem!("cli-too-many-streams", count = count, most = MAX_TILES));
        }
        let alone = [
            ("--save", self.save.is_some()),
            ("--snapshot", self.snapshot.is_some()),
            ("--audio-dump", self.audio_dump.is_some()),
            ("--chat", self.chat.is_some()),
        ];
        match alone.iter().find(|(_, asked)| *asked && self.sources.len() > 1) {
            Some((flag, _)) => usage(problem!("cli-one-stream", flag = *flag)),
            None => Ok(()),
        }
    }
}

/// The size of the buffer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// As small as the network allows.
    Auto,
    Fixed(Duration),
}

impl Buffer {
    fn begins_with(self) -> Duration {
        match self {
            Self::Auto => INITIAL_AUTO_BUFFER,
            Self::Fixed(buffer) => buffer,
        }
    }
}

/// The choice of a decoder.
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

pub(super) fn buffer(text: &str) -> Result<Buffer, Problem> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(Buffer::Auto);
    }
    let buffer = value::duration(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(10)).contains(&buffer) {
        Ok(Buffer::Fixed(buffer))
    } else {
        Err(problem!("play-flag-buffer"))
    }
}

/// Parses a duration that may be negative, in milliseconds.
pub(super) fn av_offset(text: &str) -> Result<i32, Problem> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let millis = i32::try_from(value::duration(digits)?.as_millis()).unwrap_or(i32::MAX);
    if millis <= MAX_AV_OFFSET_MS { Ok(sign * millis) } else { Err(problem!("play-flag-offset")) }
}

pub(super) fn volume(text: &str) -> Result<f32, Problem> {
    share(text, 0.0).ok_or_else(|| problem!("control-write-for", text = text, syntax = "0…100"))
}

fn speaker(text: &str) -> Result<String, Problem> {
    match text.trim() {
        "" => Err(problem!("play-flag-speaker")),
        id => Ok(id.to_owned()),
    }
}

pub(super) fn balance(text: &str) -> Result<f32, Problem> {
    share(text, -1.0).ok_or_else(|| problem!("play-flag-balance", text = text))
}

/// Parses `50`, `50%`, or a fraction such as `0.5`, from `least` to 100 %.
fn share(text: &str, least: f32) -> Option<f32> {
    let number = text.trim().trim_end_matches('%');
    let fraction = number.contains('.') && !text.contains('%');
    let value = number.parse::<f32>().ok()?;
    let whole = if fraction && (least..=1.0).contains(&value) { 1.0 } else { 100.0 };
    (least * whole..=whole).contains(&value).then_some(value / whole)
}

/// Returns the address of the chat: the address in `url`, or an address derived from the stream if
/// `found` is true. `None` means that only the chat in the stream itself is used.
pub(super) fn chat_at(url: &str, source: &str, found: bool) -> Result<Option<String>, String> {
    if url.is_empty() {
        let beside = WebUrl::parse(source).ok().filter(|_| found);
        return Ok(beside.and_then(|url| url.chat()).map(|chat| chat.whole()));
    }
    check_place(url).map(|chat| Some(chat.whole())).map_err(|why| format!("--chat: {why}"))
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
    fn what_no_flag_says_is_as_it_was_last() {
        #[derive(clap::Parser)]
        struct Given {
            #[command(flatten)]
            args: Args,
        }
        let mut settings = Settings { volume: 0.25, player_muted: true, ..Default::default() };
        settings.player.buffer = None;
        settings.player.av_offset_ms = 50;
        settings.player.decoder = Prefer::System;
        settings.player.balance = -0.5;
        settings.player.speaker = Some("hdmi".to_owned());
        let read = |words: &[&str]| {
            let words = ["onair", "a.flv"].iter().chain(words);
            let args = <Given as clap::Parser>::try_parse_from(words).unwrap().args;
            (args.with_remembered(&settings, args.config().unwrap()), args.network())
        };
        let (config, network) = read(&[]);
        assert_eq!((config.volume, config.muted, config.auto_buffer), (0.25, true, true));
        assert_eq!((config.av_offset_ms, config.decoder), (50, Prefer::System));
        assert_eq!((config.balance, network), (-0.5, None));
        assert_eq!(config.device.as_deref(), Some("hdmi"));
        let flags =
            ["--volume=50", "--buffer=1s", "--av-offset=0ms", "--decoder=own", "--reconnect"];
        let sides = ["--speaker", "usb", "--balance", "-30"];
        let (config, network) = read(&[&flags[..], &sides].concat());
        assert_eq!((config.balance, config.device.as_deref()), (-0.3, Some("usb")));
        assert_eq!((config.volume, config.muted, config.auto_buffer), (0.5, false, false));
        assert_eq!((config.av_offset_ms, config.decoder), (0, Prefer::Own));
        assert_eq!(config.buffer, Duration::from_secs(1));
        assert_eq!(network, Some(Network::default()));
    }

    #[test]
    fn balance_is_read_as_percent_or_fraction() {
        for (text, leans) in
            [("-100", -1.0), ("100", 1.0), ("0", 0.0), ("-50%", -0.5), ("-0.5", -0.5), ("25", 0.25)]
        {
            assert_eq!(balance(text), Ok(leans), "{text}");
        }
        for bad in ["", "left", "101", "-101", "nan", "1.5x", "--1"] {
            assert!(balance(bad).is_err(), "{bad}");
        }
        assert_eq!(speaker(" hdmi "), Ok("hdmi".to_owned()));
        assert!(speaker(" ").is_err());
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
