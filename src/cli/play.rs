//! `onair play`: pulls a stream or reads a file, and plays it, with `--headless` without a window.

use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use serde_json::{Value, json};

use crate::base::{Clock, Latest, Timestamp};
use crate::cli::output::{Output, complain};
use crate::cli::signals::Interrupt;
use crate::cli::{Exit, Globals, route, value, window};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::net::web::WebUrl;
use crate::player::chat::{Chat, ChatState};
use crate::player::{
    Config, Event, Failure, Figures, Kind, MAX_AV_OFFSET_MS, Message, Player, Severity, Source,
    State, snapshot,
};
use crate::wire::chat::Line;
use crate::wire::container::Format;

/// Arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A URL (rtmp, rtmps, rtmpt, rtmpts, http, https, ws or wss), or an FLV, MP4 or MKV file
    #[arg(value_name = "URL|FILE")]
    pub source: String,
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
    /// Tell what is said about the stream, headless: in the stream itself (onTextData and the like), and
    /// in the chat of an onair server, which is found beside an HTTP-FLV URL, or at ws://HOST/APP/STREAM/chat
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
    /// What the player is to do.
    ///
    /// # Errors
    /// What is wrong with the flags, and the exit code.
    pub fn config(&self) -> Result<Config, (String, Exit)> {
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
            start: self.start,
            reconnect: !self.no_reconnect,
            volume: self.volume,
            muted: self.mute,
            measure: self.measure,
            save: self.save.clone(),
            audio_dump: self.audio_dump.clone(),
            net: self.route.read()?,
            ..Config::new(Source::parse(&self.source))
        })
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
fn chat_at(url: &str, source: &str) -> Result<Option<WebUrl>, String> {
    if url.is_empty() {
        let beside = WebUrl::parse(source).ok();
        return Ok(beside.and_then(|url| url.chat()));
    }
    match WebUrl::parse(url) {
        Ok(url) if url.is_websocket() => Ok(Some(url)),
        Ok(_) => Err("--chat: the address of a chat begins with ws:// or wss://".to_owned()),
        Err(error) => Err(format!("--chat: this is no address: {error}")),
    }
}

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let config = match args.config() {
        Ok(config) => config,
        Err((why, exit)) => {
            complain(&why);
            return exit;
        }
    };
    if !args.headless {
        return window::play(&args.source, config, args.fullscreen, clock);
    }
    let output = Output::new(clock, globals.json);
    let interrupt = match Interrupt::listen() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format!("signals cannot be received: {error}"));
            return Exit::Error;
        }
    };
    let runtime = match Runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the network cannot be used: {error}"));
            return Exit::Error;
        }
    };
    let exit = headless(args, &config, &output, &interrupt, &runtime, clock);
    runtime.shutdown(Duration::from_secs(1));
    exit
}

/// Plays without a window.
fn headless(
    args: &Args,
    config: &Config,
    output: &Output,
    interrupt: &Interrupt,
    runtime: &Runtime,
    clock: Clock,
) -> Exit {
    let chat = match args.chat.as_deref().map(|url| chat_at(url, &args.source)) {
        Some(Err(why)) => {
            complain(&why);
            return Exit::Usage;
        }
        Some(Ok(url)) => url.map(|url| Chat::join(url, config.net.clone(), runtime)),
        None => None,
    };
    let screen = Latest::<VideoFrame>::default();
    let mut player = match Player::open(config, runtime, clock, screen) {
        Ok(player) => player,
        Err(failure) => {
            complain(&sentence(&failure));
            let exit = exit_of(failure.kind);
            summary(output, &Figures::default(), args.measure, exit);
            return exit;
        }
    };
    let mut watch = Watching {
        args,
        output,
        clock,
        chat,
        chat_state: None,
        playing_since: None,
        next_stats: None,
    };
    let mut exit = watch.until_end(&player, interrupt);
    if !player.stop(Duration::from_secs(3)) && exit == Exit::Ok {
        exit = Exit::Error;
    }
    // Stopping may have had a last word.
    while let Ok(event) = player.events().try_recv() {
        watch.tell(&event);
    }
    if let Some(failure) = player.output_failure()
        && exit == Exit::Ok
    {
        exit = exit_of(failure.kind);
    }
    if let Some(path) = &args.snapshot {
        let written = match player.picture() {
            Some(frame) => snapshot::write(path, &frame).map_err(|failure| sentence(&failure)),
            None => Err("no picture was shown, so there is no snapshot".to_owned()),
        };
        if let Err(why) = written {
            complain(&why);
            if exit == Exit::Ok {
                exit = Exit::File;
            }
        }
    }
    summary(output, &player.figures(), args.measure, exit);
    exit
}

struct Watching<'a> {
    args: &'a Args,
    output: &'a Output,
    clock: Clock,
    chat: Option<Chat>,
    chat_state: Option<ChatState>,
    playing_since: Option<Timestamp>,
    next_stats: Option<Timestamp>,
}

impl Watching<'_> {
    fn until_end(&mut self, player: &Player, interrupt: &Interrupt) -> Exit {
        loop {
            match player.events().channel().recv_timeout(Duration::from_millis(20)) {
                Ok(event) => self.tell(&event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    interrupted_wait();
                }
            }
            self.tell_chat();
            let now = self.clock.now();
            let state = player.state();
            let figures = player.figures();
            if self.playing_since.is_none()
                && (figures.first_picture.is_some()
                    || figures.audio_samples > 0
                    || (self.args.save.is_some() && figures.received_bytes > 0))
            {
                self.playing_since = Some(now);
            }
            let next = *self.next_stats.get_or_insert(now + Duration::from_secs(1));
            if now >= next {
                self.next_stats = Some(next + Duration::from_secs(1));
                self.stats(&figures);
            }
            if interrupt.is_set() {
                return Exit::Ok;
            }
            match state {
                State::Ended => return Exit::Ok,
                State::Failed(failure) => return exit_of(failure.kind),
                _ => {}
            }
            if let (Some(since), Some(duration)) = (self.playing_since, self.args.duration)
                && now.since(since) >= duration
            {
                let lost = matches!(state, State::Reconnecting { .. });
                return if lost { Exit::Lost } else { Exit::Ok };
            }
        }
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::State(state) => self.tell_state(state),
            Event::Message(message) => self.tell_message(message),
            Event::Line(line) if self.args.chat.is_some() => self.tell_line(line),
            Event::Line(_) => {}
        }
    }

    fn tell_line(&self, line: &Line) {
        let fields = json!({ "name": line.name, "text": line.text });
        self.output.event("chat", fields, || {
            let name = if line.name.is_empty() { "*" } else { &line.name };
            Some(format!("{name}: {}", line.text))
        });
    }

    /// What was said in the chat, and whether it can be heard.
    fn tell_chat(&mut self) {
        let Some(chat) = &self.chat else { return };
        for line in chat.heard() {
            self.tell_line(&line);
        }
        let state = chat.state();
        if self.chat_state.as_ref() == Some(&state) {
            return;
        }
        let (name, cause) = match &state {
            ChatState::Connecting => ("connecting", None),
            ChatState::Open => ("open", None),
            ChatState::Lost { cause } => ("lost", Some(cause)),
            ChatState::Refused { cause } => ("refused", Some(cause)),
        };
        self.output.event("chat", json!({ "state": name, "cause": cause }), || {
            cause.map(|cause| format!("The chat cannot be followed: {cause}."))
        });
        self.chat_state = Some(state);
    }

    fn tell_state(&self, state: &State) {
        let (fields, words) = match state {
            State::Starting => return,
            State::Opening { stage } => (json!({"state": "opening", "stage": stage}), None),
            State::Playing => (json!({"state": "playing"}), Some("Playing.".to_owned())),
            State::Reconnecting { cause, retry_in } => (
                json!({
                    "state": "reconnecting",
                    "cause": cause,
                    "retry_in": retry_in.as_secs_f64(),
                }),
                Some(format!("Lost: {cause}. Next try in {:.1} s.", retry_in.as_secs_f64())),
            ),
            State::Ended => (json!({"state": "ended"}), Some("The stream has ended.".to_owned())),
            State::Failed(failure) => {
                complain(&sentence(failure));
                let fields = json!({
                    "state": "failed",
                    "code": failure.kind.exit_code(),
                    "cause": failure.cause,
                    "advice": failure.advice,
                });
                (fields, None)
            }
        };
        self.output.event("play", fields, || words);
    }

    fn tell_message(&self, message: &Message) {
        let level = match message.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
        };
        let fields = json!({
            "level": level,
            "key": message.key,
            "summary": message.summary,
            "advice": message.advice,
            "detail": message.detail,
        });
        self.output.event("notice", fields, || {
            Some(format!("{} {}", message.summary, message.advice).trim_end().to_owned())
        });
    }

    fn stats(&self, figures: &Figures) {
        self.output.event("play_stats", fields(figures, self.args.measure), || {
            let size = figures.size.map_or_else(|| "no picture".to_owned(), |s| s.to_string());
            Some(format!(
                "{size} {:.1} fps · {} kbps · buffer {} ms · {} dropped · {} underruns{}",
                figures.fps,
                figures.bitrate / 1_000,
                figures.buffer.as_millis(),
                figures.dropped,
                figures.underruns,
                figures.latency_ms.map_or_else(String::new, |ms| format!(" · latency {ms:.0} ms")),
            ))
        });
    }
}

/// The player's events never end before it does; should they, this keeps the loop from spinning.
fn interrupted_wait() {
    std::thread::sleep(Duration::from_millis(20));
}

/// The fields of `play_stats`.
fn fields(figures: &Figures, measure: bool) -> Value {
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    let mut fields = json!({
        "width": figures.size.map(|size| size.width),
        "height": figures.size.map(|size| size.height),
        "decoded": figures.decoded,
        "shown": figures.shown,
        "dropped": figures.dropped,
        "late": figures.late,
        "skipped": figures.skipped,
        "damaged": figures.damaged,
        "audio_samples": figures.audio_samples,
        "underruns": figures.underruns,
        "buffer_ms": figures.buffer.as_millis() as u64,
        "speed": (figures.speed * 10_000.0).round() / 10_000.0,
        "first_picture_ms": figures.first_picture.map(|first| first.as_millis() as u64),
        "reconnects": figures.reconnects,
        "fps": tenths(figures.fps),
        "bitrate": figures.bitrate,
        "video": figures.video,
        "audio": figures.audio,
        "audio_device": figures.device,
    });
    if measure && let Some(fields) = fields.as_object_mut() {
        fields.insert("latency_ms".into(), json!(figures.latency_ms.map(tenths)));
        fields.insert("av_offset_ms".into(), json!(figures.av_offset_ms.map(tenths)));
    }
    fields
}

fn summary(output: &Output, figures: &Figures, measure: bool, exit: Exit) {
    let mut fields = fields(figures, measure);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("received_bytes".into(), figures.received_bytes.into());
        fields.insert("seconds".into(), figures.playing_for.as_secs_f64().into());
        fields.insert("exit".into(), exit.code().into());
    }
    output.event("summary", fields, || {
        Some(format!(
            "{} pictures shown, {} dropped, {:.1} s of playing.",
            figures.shown,
            figures.dropped,
            figures.playing_for.as_secs_f64()
        ))
    });
}

pub(super) fn sentence(failure: &Failure) -> String {
    format!("{}. {}", failure.cause, failure.advice).trim_end().to_owned()
}

pub(super) const fn exit_of(kind: Kind) -> Exit {
    match kind {
        Kind::System => Exit::Error,
        Kind::Usage => Exit::Usage,
        Kind::File => Exit::File,
        Kind::Codec => Exit::Codec,
        Kind::Unreachable => Exit::Unreachable,
        Kind::Refused => Exit::Refused,
        Kind::Lost => Exit::Lost,
        Kind::NoSuchStream => Exit::NoStream,
    }
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
