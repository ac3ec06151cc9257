//! The flags of `onair live`.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{
    NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::cli::flags::value::{
    bitrate, bytes, delay, duration, positive, replay_bytes, sample_rate, within, within_or_off,
};
use crate::cli::flags::{network, value};
use crate::cli::live::{canvas, record_sources, record_tracks};
use crate::cli::serve::tls::acme::AcmeFlags;
use crate::encode;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::settings::Rule;
use crate::studio::targets::renditions::RenditionChoice;
use crate::studio::targets::services::KNOWN_SERVICES;
use crate::studio::targets::sharing::{check_host, check_origin};
use crate::studio::{Adapt, Quality, RecordQuality, RecordingChoices};
use crate::text::problem::{Problem, problem};
use crate::ui::input::rules::effect::parse_rule;
use crate::ui::input::rules::event::RuleEvent;
use crate::wire::chat::service::ServiceAddress;

const KEYFRAME_INTERVAL_RANGE: (Duration, Duration) = {
    let range = Quality::KEYFRAME_INTERVAL_MILLIS_RANGE;
    (Duration::from_millis(*range.start()), Duration::from_millis(*range.end()))
};
const SPLIT_TIME_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(RecordingChoices::MAX_SPLIT_SECONDS));
const REPLAY_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(RecordingChoices::MAX_REPLAY_SECONDS));

/// The address that clients of obs-websocket try first.
const OBS_WEBSOCKET_ADDRESS: &str = "127.0.0.1:4455";

/// The flags.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("target").args(["to", "service"]).multiple(true))]
#[command(
    after_help = "Without --to, --service, --built-in and --record, onair sends to the targets that are \
    on in the settings (--settings, --profile). Without settings, it sends to the built-in server as \
    live/onair. For quality flags that you omit, onair uses the values in the settings.\n\
    DURATION: 90s, 500ms, 2m or 1h30m. BITRATE: 2500k or 2.5M. SIZE: 700M or 2G.\n\
    SIGINT, SIGTERM and SIGHUP end the broadcast cleanly. SIGUSR1 saves the replay buffer, and SIGUSR2 \
    adds a chapter to the recording."
)]
pub struct Args {
    /// Video source: `camera[:ID][@1280x720,30,MJPEG]`, `screen[:ID]`, window:ID, file:FILE,
    /// stream:URL, browser:URL, image:FILE, slides:FOLDER, color:#RRGGBB, text:WORDS,
    /// text-file:PATH, clock, countdown:SECONDS, stopwatch, `chat[:LINES]`, test, none. On Wayland,
    /// screen:wayland and window:wayland open the desktop's sharing dialog. Without --scene, this source replaces the
    /// scenes from --settings [default: from --settings, else a camera if there is one, else test]
    #[arg(long, value_name = "SOURCE", value_parser = value::video(),
          hide_possible_values = true, help_heading = "Sources")]
    pub video: Option<VideoChoice>,
    /// Audio source: `mic[:ID]`, `system[:ID]`, app:NAME (one application from `onair devices`),
    /// file:FILE, stream:URL, tone, silence, none [default: from --settings, else tone with
    /// --video test, else a microphone if there is one, else tone with the test pattern, else
    /// silence]
    #[arg(long, value_name = "SOURCE", value_parser = value::audio(),
          hide_possible_values = true, help_heading = "Sources")]
    pub audio: Option<AudioChoice>,
    /// Scene from --settings to broadcast [default: the last program scene]
    #[arg(long, value_name = "NAME", help_heading = "Sources", conflicts_with = "copy")]
    pub scene: Option<String>,
    /// Send this FLV, MP4 or MKV file as is, without encoding it. An FLV file can have any codec.
    /// If RTMP does not support the codec of a track in an MP4 or MKV file, onair leaves out the
    /// track and warns. onair starts to send the file when a target is connected. onair sends late
    /// packets, and drops packets only if a connection is lost or a target is more than 30 s or 64 MiB
    /// behind
    #[arg(long, value_name = "FILE", help_heading = "Sources", requires = "target",
          conflicts_with_all = ["video", "audio", "record", "replay", "control", "why", "monitor",
          "size", "fps", "video_bitrate", "keyframe_interval", "adapt", "min_video_bitrate",
          "adapt_frames", "adapt_size", "video_codec", "encoder", "preset", "rate_control", "b_frames",
          "look_ahead", "audio_bitrate", "audio_codec", "audio_profile",
          "sample_rate", "channels", "target_min_bitrate", "target_simulcast"])]
    pub copy: Option<PathBuf>,
    /// Loop the --copy file
    #[arg(long = "loop", help_heading = "Sources", requires = "copy")]
    pub again: bool,

    /// Frame size
    #[arg(long, value_name = "WxH", default_value = "1280x720", help_heading = "Quality")]
    pub size: Size,
    /// Frames per second, such as 30, 29.97 or 60000/1001
    #[arg(long, value_name = "RATE", default_value = "30", help_heading = "Quality")]
    pub fps: FrameRate,
    /// Video bitrate, from 8k to 200M
    #[arg(long, value_name = "BITRATE", default_value = "2500k", value_parser = bitrate,
          help_heading = "Quality")]
    pub video_bitrate: BitsPerSecond,
    /// Keyframe interval, from 100ms to 20s
    #[arg(long, value_name = "DURATION", default_value = "2s", help_heading = "Quality",
          value_parser = |text: &str| within(text, KEYFRAME_INTERVAL_RANGE))]
    pub keyframe_interval: Duration,
    /// Adaptive bitrate: slowest or first (follow the slowest or the first target), off, or
    /// rendition (slow targets get a second encode with a lower bitrate). For a single target without
    /// a recording, rendition works like slowest
    #[arg(long, value_name = "MODE", default_value = "slowest", value_parser = adapt(),
          hide_possible_values = true, help_heading = "Quality")]
    pub adapt: Adapt,
    /// Lowest video bitrate that adaptive bitrate may use
    #[arg(long, value_name = "BITRATE", default_value = "300k", value_parser = bitrate,
          help_heading = "Quality")]
    pub min_video_bitrate: BitsPerSecond,
    /// When the adaptive bitrate drops below half of --video-bitrate, encode only every other frame, so
    /// that the video stays sharper
    #[arg(long, help_heading = "Quality")]
    pub adapt_frames: bool,
    /// When the adaptive bitrate is too low for the frame size, encode at 3/4 or 1/2 of the size.
    /// When the size changes, a recording continues in a new file
    #[arg(long, help_heading = "Quality")]
    pub adapt_size: bool,
    /// Video codec: h264, hevc, av1, or auto (that of --encoder). Targets that do not say that they
    /// take HEVC or AV1 get H.264 from a second encode
    #[arg(long, value_name = "CODEC", default_value = "auto", value_parser = video_codec(),
          hide_possible_values = true, help_heading = "Quality")]
    pub video_codec: encode::CodecChoice,
    /// Video encoder, from the list in `onair devices`
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = encoder(),
          hide_possible_values = true, help_heading = "Quality")]
    pub encoder: encode::Choice,
    /// Preset of an encoder that has presets, for example ultrafast, veryfast or medium for x264 and
    /// x265, or 12 to 7 for svt-av1. Slower presets look better and need more CPU
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = preset(),
          hide_possible_values = true, help_heading = "Quality")]
    pub preset: encode::Preset,
    /// How the encoder spends bits: cbr (always --video-bitrate), vbr (--video-bitrate on average),
    /// crf=N (quality N, from 0, best, to 51, with at most --video-bitrate), or cq=N (constant quantizer,
    /// for graphics cards). openh264 supports only
    /// cbr, and svt-av1 no vbr
    #[arg(long, value_name = "MODE", default_value = "cbr", value_parser = rate_control(),
          hide_possible_values = true, help_heading = "Quality")]
    pub rate_control: encode::RateControl,
    /// Maximum number of B-frames in a row, from 0 to 4, for x264, x265, NVENC and Quick Sync. They look
    /// better at the same bitrate, and delay the stream by a few frames. WebRTC does not support them
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Quality",
          value_parser = clap::value_parser!(u8).range(0..=i64::from(encode::video::Config::MAX_B_FRAMES)))]
    pub b_frames: u8,
    /// Number of frames that the encoder looks ahead, from 0 to 60, for x264, x265 and NVENC. The picture
    /// gets better, and the stream is delayed by that many frames
    #[arg(long, value_name = "FRAMES", default_value_t = 0, help_heading = "Quality",
          value_parser = clap::value_parser!(u8).range(0..=i64::from(encode::video::Config::MAX_LOOK_AHEAD)))]
    pub look_ahead: u8,
    /// Audio bitrate. onair lowers it to the maximum of AAC, which is 576k for 48 kHz stereo
    #[arg(long, value_name = "BITRATE", default_value = "128k", value_parser = bitrate,
          help_heading = "Quality")]
    pub audio_bitrate: BitsPerSecond,
    /// Audio codec of MKV recordings and of SRT, TCP and UDP targets: aac or opus. Other recordings and
    /// RTMP targets have AAC, and WHIP targets Opus
    #[arg(long, value_name = "CODEC", default_value = "aac", value_parser = audio_codec(),
          hide_possible_values = true, help_heading = "Quality")]
    pub audio_codec: encode::AudioCodecChoice,
    /// Profile of AAC: lc, or he (HE-AAC, for an --audio-bitrate of at most 64k and 32, 44.1 or 48 kHz).
    /// Not every target and player takes HE-AAC
    #[arg(long, value_name = "PROFILE", default_value = "lc", value_parser = audio_profile(),
          hide_possible_values = true, help_heading = "Quality")]
    pub audio_profile: encode::AudioProfile,
    /// Sample rate in Hz: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200
    /// or 96000
    #[arg(long, value_name = "HZ", default_value_t = 48_000, help_heading = "Quality",
          value_parser = sample_rate)]
    pub sample_rate: u32,
    /// Number of audio channels, 1 or 2
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Quality",
          value_parser = channels)]
    pub channels: u16,

    /// Target (repeatable): a URL (rtmp, rtmps, rtmpt or rtmpts) that ends in the stream key, an
    /// application's URL followed by --key-env, --key-file or --key-stdin, for SRT
    /// srt://HOST:PORT[?streamid=ID&latency=MS&mode=caller] with the passphrase as the key, for WebRTC
    /// a WHIP endpoint, whip://HOST/PATH or whips://HOST/PATH, with the token as the key, or, for an
    /// MPEG transport stream, tcp://HOST:PORT or udp://HOST:PORT[?pkt_size=1316&ttl=1&localaddr=IP]
    #[arg(long, value_name = "URL", help_heading = "Targets")]
    pub to: Vec<String>,
    /// Send to this known service, or to one of your own services (services.toml beside the
    /// settings file). Pass the stream key with the --key-… flag that follows (repeatable)
    #[arg(long, value_name = "NAME", value_parser = ServiceName, help_heading = "Targets")]
    pub service: Vec<String>,
    /// Send only to the built-in server, as live/onair, not to the targets in --settings
    #[arg(long, conflicts_with_all = ["to", "service", "copy"], help_heading = "Targets")]
    pub built_in: bool,
    /// Let other computers on your network watch the stream of the built-in server over HTTP and
    /// WebRTC. Anybody on your network can watch, unless viewers need a key [default: from
    /// --settings, else only this computer can watch]
    #[arg(long, conflicts_with = "copy", help_heading = "Targets")]
    pub network: bool,
    /// Serve the pages of the built-in server also over HTTPS, at this address. onair makes its own
    /// certificate, keeps it, and names its fingerprint. Port 0 picks a free port [default: from
    /// --settings, else no HTTPS]
    #[arg(long, value_name = "ADDR", conflicts_with = "copy", help_heading = "Targets")]
    pub https: Option<SocketAddr>,
    /// Certificate chain of --https, the server's certificate first (PEM or DER), instead of the one that onair makes. If
    /// the file changes, new clients get the new certificate
    #[arg(long, value_name = "FILE", requires_all = ["cert_key", "https"], help_heading = "Targets")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Targets")]
    pub cert_key: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) acme: AcmeFlags,
    /// Serve the streams of the built-in server also over SRT, at this UDP address. Programs on this computer may also
    /// publish there. Port 0 picks a free port [default: from --settings, else no SRT]
    #[arg(long, value_name = "ADDR", conflicts_with = "copy", help_heading = "Targets")]
    pub srt: Option<SocketAddr>,
    /// File that contains the passphrase (10 to 79 characters) that all clients of --srt need
    #[arg(long, value_name = "PATH", requires = "srt", help_heading = "Targets")]
    pub srt_passphrase_file: Option<PathBuf>,
    /// Let up to N guests (4 at most) join from a browser by a link. onair starts the built-in server
    /// for them and sends the program there too. Invite and admit guests with --control
    #[arg(long, value_name = "N", conflicts_with = "copy", help_heading = "Guests",
          value_parser = clap::value_parser!(u8).range(1..=4))]
    pub guests: Option<u8>,
    /// Let guests join across the internet: they and onair meet at the onair server at this address, such as
    /// `https://live.example.com`. onair connects out to it, so that your router needs no settings. The server needs
    /// --meet-key-file or --meet-key-env with the same key [default: from --settings, else only this network]
    #[arg(
        long,
        value_name = "URL",
        requires = "guests",
        conflicts_with = "copy",
        help_heading = "Guests"
    )]
    pub meet: Option<String>,
    /// Environment variable that contains the key for --meet
    #[arg(
        long,
        value_name = "NAME",
        requires = "meet",
        conflicts_with = "meet_key_file",
        help_heading = "Guests"
    )]
    pub meet_key_env: Option<String>,
    /// File that contains, on its first line, the key for --meet
    #[arg(long, value_name = "PATH", requires = "meet", help_heading = "Guests")]
    pub meet_key_file: Option<PathBuf>,
    /// Environment variable that contains the key for viewers of the built-in server. Viewers add
    /// `?key=…` to the link. Without --play-key-env and --play-key-file, the settings decide whether
    /// viewers need a key
    #[arg(long, value_name = "NAME", conflicts_with_all = ["copy", "play_key_file"],
          help_heading = "Targets")]
    pub play_key_env: Option<String>,
    /// File that contains the key for viewers of the built-in server
    #[arg(long, value_name = "PATH", conflicts_with = "copy", help_heading = "Targets")]
    pub play_key_file: Option<PathBuf>,
    /// Host name that browsers may use for the built-in server, in addition to its addresses,
    /// localhost, and this computer's .local name (repeatable)
    #[arg(long, value_name = "HOST", value_parser = check_host, help_heading = "Targets")]
    pub name: Vec<String>,
    /// Origin whose pages may read from the built-in server, such as `https://example.com`, or `*` for
    /// all (repeatable)
    #[arg(long, value_name = "ORIGIN", value_parser = check_origin, help_heading = "Targets")]
    pub cors: Vec<String>,
    /// Resume the broadcast that a crash ended, with its targets, scene, collection and profile
    #[arg(long, conflicts_with_all = ["to", "service", "built_in", "copy", "scene", "collection",
          "profile"], help_heading = "Targets")]
    pub resume: bool,
    /// Environment variable that contains the stream key for the preceding --to or --service
    #[arg(long, value_name = "NAME", requires = "target", help_heading = "Targets")]
    pub key_env: Vec<String>,
    /// File that contains the stream key for the preceding --to or --service
    #[arg(long, value_name = "PATH", requires = "target", help_heading = "Targets")]
    pub key_file: Vec<PathBuf>,
    /// Read the stream key for the preceding --to or --service from the first line of standard input
    #[arg(long, requires = "target", help_heading = "Targets")]
    pub key_stdin: bool,
    /// Turn on the viewer monitor for all targets. With =URL, monitor only the preceding --to or
    /// --service, at that play URL. The monitor reports a stream that is unreachable, black, frozen,
    /// silent, late, stalled or different, or that has another frame size or frame rate
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true,
          default_missing_value = "", help_heading = "Targets")]
    pub monitor: Vec<String>,
    /// Lowest video bitrate for the preceding --to or --service [default: the value of
    /// --min-video-bitrate]
    #[arg(long, value_name = "BITRATE", value_parser = bitrate, requires = "target",
          help_heading = "Targets")]
    pub target_min_bitrate: Vec<BitsPerSecond>,
    /// Send the preceding --to in this many sizes at once (simulcast): 2 adds half the width and
    /// height, and 3 also a quarter. For WHIP servers that pass on the size that suits each viewer
    /// [default: 1]
    #[arg(long, value_name = "SIZES", value_parser = clap::value_parser!(u8).range(1..=3),
          requires = "target", help_heading = "Targets")]
    pub target_simulcast: Vec<u8>,
    /// Add a second canvas of this size, for example 720x1280 for phones, which shows this scene of
    /// --settings [default: the scene of the program]. Each --to, --service and --record after this
    /// flag belongs to the second canvas
    #[arg(long, value_name = "WxH[,SCENE]", value_parser = canvas::parse, conflicts_with = "copy",
          help_heading = "Targets")]
    pub canvas: Option<canvas::Canvas>,
    /// Sound of the preceding --to, --service or --record: the name or number of an audio track, such
    /// as one without music, or `program` (repeatable). The strips and names of the tracks are in
    /// --settings [default: program]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with = "copy", help_heading = "Targets")]
    pub mix: Vec<String>,
    /// A further audio track of the preceding --to or --service, by its name or number, on the same
    /// connection (repeatable). For servers that take several tracks (Enhanced RTMP); others get
    /// the sound of --mix only
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with = "copy", help_heading = "Targets")]
    pub target_track: Vec<String>,
    /// A further rendition of the video for the preceding --to or --service, on the same connection
    /// (repeatable, up to 3): its size, and its bitrate if it is not the usual one, such as 640x360@800k.
    /// For servers that take several video tracks (Enhanced RTMP); others get the video of --size only
    #[arg(long, value_name = "WxH[@BITRATE]", conflicts_with = "copy", help_heading = "Targets")]
    pub target_rendition: Vec<RenditionChoice>,
    /// How long onair keeps trying to connect to a target, at the start and after a lost connection
    /// [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Targets")]
    pub retry_for: Option<Duration>,
    /// Stream delay for all targets, at most 30m. onair does not delay recordings
    #[arg(long, value_name = "DURATION", value_parser = delay, help_heading = "Targets")]
    pub delay: Option<Duration>,
    /// When the broadcast ends (--duration, Ctrl-C, `stop`), send the delayed part first instead of
    /// discarding it
    #[arg(long, requires = "delay", help_heading = "Targets")]
    pub stop_after_delay: bool,
    /// Folder for the delayed part that does not fit into memory (64 MiB) [default: your cache
    /// folder]
    #[arg(long, value_name = "FOLDER", requires = "delay", help_heading = "Targets")]
    pub delay_folder: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Targets")]
    pub route: network::Flags,

    /// Record to this file: .flv, .mp4 or .mkv. Its name can contain placeholders: {date}, {time},
    /// {year}, {month}, {day}, {hour}, {minute}, {second}, {scene}, {size}, {fps}
    #[arg(long, value_name = "PATH", help_heading = "Recording")]
    pub record: Vec<PathBuf>,
    /// Record this audio source to an additional track with this NAME (repeatable, up to 5). The
    /// first additional track is track 2, because track 1 is always the program. If --audio or a
    /// strip in --settings has the same SOURCE, onair records that strip. Any other SOURCE is only in
    /// its track, not in the program
    #[arg(long, value_name = "NAME=SOURCE", value_parser = record_tracks::parse, conflicts_with = "copy",
          help_heading = "Recording")]
    pub record_track: Vec<record_tracks::NamedSource>,
    /// Record this source alone, with its own audio, to this file (repeatable, up to 8). SOURCE is the
    /// name of a source in --settings, or `main` for the source of --video. The file begins together
    /// with the recording of --record
    #[arg(long, value_name = "SOURCE=PATH", value_parser = record_sources::parse,
          conflicts_with = "copy", help_heading = "Recording")]
    pub record_source: Vec<record_sources::SourceFile>,
    /// Video encoder of recordings, from the list in `onair devices` [default: recordings get the same
    /// video as the targets]. It runs beside that of the stream. If it fails, the recording continues
    /// in a new file with the video of the stream
    #[arg(long, value_name = "NAME", value_parser = encoder(), hide_possible_values = true,
          conflicts_with = "copy", help_heading = "Recording")]
    pub record_encoder: Option<encode::Choice>,
    /// Video quality of recordings: crf=N (constant quality N, from 0, best, to 51) or a bitrate
    /// [default: that of the stream; crf=23 with --record-encoder, except for openh264, which supports
    /// only bitrates]
    #[arg(long, value_name = "crf=N|BITRATE", conflicts_with = "copy", help_heading = "Recording")]
    pub record_quality: Option<RecordQuality>,
    /// Frame size of the recordings of the program, larger or smaller than --size [default: that of
    /// the stream]. The recording keeps the aspect ratio of the program, and its encode runs beside that
    /// of the stream
    #[arg(long, value_name = "WxH", conflicts_with = "copy", help_heading = "Recording")]
    pub record_size: Option<Size>,
    /// Write the event log of the stream to this file, one line per event
    #[arg(long, value_name = "FILE")]
    pub why: Option<PathBuf>,
    /// Split the recording into files (NAME-part2…) of this duration, at least 1s; 0 means one file
    #[arg(long, value_name = "DURATION", requires = "record", help_heading = "Recording",
          value_parser = |text: &str| within_or_off(text, SPLIT_TIME_RANGE))]
    pub split_time: Option<Duration>,
    /// Split the recording into files of at most this size, such as 700M or 2G
    #[arg(long, value_name = "SIZE", value_parser = bytes, requires = "record",
          help_heading = "Recording")]
    pub split_size: Option<u64>,
    /// Length of the replay buffer, at most 1h; 0 means no buffer. SIGUSR1, or `replay` with
    /// --control, saves the buffer
    #[arg(long, value_name = "DURATION", help_heading = "Recording",
          value_parser = |text: &str| within_or_off(text, REPLAY_RANGE))]
    pub replay: Option<Duration>,
    /// Memory limit of --replay, from 1.1M to 17.1G
    #[arg(long, value_name = "SIZE", value_parser = replay_bytes, default_value = "512M",
          help_heading = "Recording")]
    pub replay_size: u64,
    /// File for replays: .flv, .mp4 or .mkv [default: a file named replay beside --record, in the same
    /// format; without --record, replay.mp4 in the current folder]
    #[arg(long, value_name = "PATH", help_heading = "Recording")]
    pub replay_to: Option<PathBuf>,
    /// Read commands from standard input, one per line (see `onair help live`)
    #[arg(long, conflicts_with = "key_stdin", long_help = CONTROL_HELP)]
    pub control: bool,
    /// Run a command when an event happens, such as "scene:Break => on mute:Microphone" (see the
    /// documentation of rules). Repeat the flag for more rules
    #[arg(long = "rule", value_name = "EVENT => COMMAND", value_parser = rule,
          conflicts_with = "copy")]
    pub rules: Vec<Rule>,
    /// Offer the program, or the preview, as a camera to other programs, such as a meeting in a
    /// browser (PipeWire). onair then runs until you end it, also while no stream or recording is
    /// running
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "program",
          value_parser = ["program", "preview"], conflicts_with = "copy")]
    pub virtual_camera: Option<String>,
    /// Let other programs control onair with the protocol of obs-websocket 5, at this address. onair
    /// then runs until you end it, also while no stream or recording is running
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = OBS_WEBSOCKET_ADDRESS,
          conflicts_with = "copy", help_heading = "Remote control")]
    pub obs_websocket: Option<SocketAddr>,
    /// Environment variable that contains the password for --obs-websocket [default: a random
    /// password, which onair prints on standard error]
    #[arg(long, value_name = "NAME", requires = "obs_websocket", help_heading = "Remote control")]
    pub obs_websocket_password_env: Option<String>,
    /// Read the chat of a streaming service, as twitch:CHANNEL, youtube:VIDEO, bilibili:ROOM or the
    /// address of the page. onair prints the messages. YouTube needs a key in ONAIR_YOUTUBE_KEY. You
    /// can use this flag several times
    #[arg(long, value_name = "SERVICE:CHANNEL", conflicts_with = "copy")]
    pub chat: Vec<ServiceAddress>,
    /// Duration of the broadcast, counted from the first frame [default: until you stop it]
    #[arg(long, value_name = "DURATION", value_parser = positive)]
    pub duration: Option<Duration>,
}

const CONTROL_HELP: &str = "Read commands from standard input, one per line.

  pause, resume, split, stop-recording    control the recording
  record PATH, replay [PATH]              start a recording, save the replay buffer
  record-source SOURCE=PATH               record a source alone, or `main` for --video
  stop-source SOURCE                      end the recording of a source
  chapter [TITLE], snapshot [PATH]        add a chapter, save a screenshot
  scene NAME, prepare NAME|none           change the program or the preview
  take [KIND [DURATION] [OPTION]…]        transition to the scene in the preview
  t-bar POSITION                          mix the preview in, from 0 to 1
  transition KIND [DURATION] [OPTION]… [file=PATH]
                                          set the default transition
  scene-transition NAME: KIND …|none      set the transition of one scene
  item hide|show|lock|unlock|up|down|top|bottom [ITEM]
  item place [ITEM:] WHAT=VALUE …         move or change an item
  item show-by|hide-by [ITEM:] fade|slide-left|…|none [MS]
                                          set how an item appears or disappears
  duplicate [ITEM]                        duplicate an item, with the same source
  duplicate-source ITEM                   duplicate an item and its source
  filter on|off|remove KIND [SOURCE]      change a video filter
  filter set|add KIND [SOURCE:] WHAT=VALUE …
  media pause|resume|restart|next|previous|seek TIME [SOURCE]
                                          control a media source
  media at-end loop|clear|hold [SOURCE]   set the behavior at the end of a file
  media add SOURCE: FILE                  add a file to the playlist
  media remove NUMBER SOURCE              remove a file from the playlist
  if-black [NAME:] keep|placeholder|SOURCE
                                          set the fallback for black or lost video
  ask [SOURCE]                            show Wayland's sharing dialog again
  page click|double-click|move [SOURCE:] X Y [left|middle|right]
                                          use the mouse on a browser page
  page scroll [SOURCE:] X Y PIXELS        turn the wheel on a browser page
  page key [SOURCE:] KEY, page type [SOURCE:] TEXT
                                          use the keyboard on a browser page
  page refresh [SOURCE]                   load a browser page again
  guest list|invite                       list the guests, make a link for another one
  guest admit|dismiss|remove|mute|unmute|hide|show ID
                                          put a guest on air, or change a guest
  guest tag ID on|off                     show or hide the guest's name on the video
  talk press|release [STRIP]              press or release push-to-talk
  clip-out [STRIP]                        reset clip indicators
  reset-loudness                          reset integrated loudness and true peak
  strip gain DECIBELS [STRIP], strip balance PERCENT [STRIP]
  strip mute|unmute|solo|unsolo|mono|stereo [STRIP]
  strip offset TIME [STRIP]
  strip monitoring off|both|only|tracks [STRIP]
  strip filter on|off|set|add|remove KIND …
                                          change an audio filter
  strip filter window|restart plugin [STRIP]
                                          show a plugin's window, or start it again
  strip at-end loop|clear|hold [STRIP]    set the behavior at the end of an audio file
  strip restart [STRIP]                   play an audio file from its start
  strip scene [STRIP:] SCENE|all          set the scene in which the strip is heard
  strip if-silent [STRIP:] keep|SOURCE    set the fallback for silent or lost audio
  stop                                    end the broadcast

ITEM is an item of the current scene, or SCENE/ITEM. STRIP is the name of a strip in
the mixer. Without [SOURCE] or [STRIP], most commands apply to the main video source
or the main strip. WHAT=VALUE uses the names in the settings file.";

/// Returns the syntax of the commands of `--control` that begin with this word.
pub(super) fn control_syntax(word: &str) -> String {
    let lines = CONTROL_HELP.lines().filter_map(|line| line.strip_prefix("  "));
    // The second column explains the command.
    let commands = lines.filter_map(|line| line.split("  ").next());
    let named = commands.filter(|it| !it.is_empty() && it.starts_with(word));
    named.collect::<Vec<_>>().join(", ")
}

/// The parser for the name of a service, which is a known service or one of the user's own
/// services.
#[derive(Clone, Debug)]
struct ServiceName;

impl TypedValueParser for ServiceName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        NonEmptyStringValueParser::new().parse_ref(command, arg, value)
    }

    /// Returns the known services. The help of each contains the page that shows the stream key
    /// and, if each show has a separate address, the address too.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(KNOWN_SERVICES.iter().filter_map(|service| match &service.id {
            Cow::Borrowed(id) => {
                let (name, page) = (&service.name, &service.key_page);
                Some(PossibleValue::new(*id).help(match service.servers.is_empty() {
                    true => format!("{name}; address (for --to) and key for each show: {page}"),
                    false => format!("{name}; key: {page}"),
                }))
            }
            Cow::Owned(_) => None,
        })))
    }
}

/// Parses a rule.
fn rule(text: &str) -> Result<Rule, Problem> {
    let is_known =
        |rule: &Rule| RuleEvent::parse(&rule.when).is_some() && parse_rule(&rule.then).is_some();
    let rule = Rule::of_line(text).filter(is_known);
    let rule = rule.ok_or_else(|| problem!("cli-rule", text = text))?;
    match RuleEvent::parse(&rule.when).and_then(|event| event.refusal()) {
        Some(why) => Err(why),
        None => Ok(rule),
    }
}

fn channels(text: &str) -> Result<u16, Problem> {
    let count = text.trim().parse::<u16>().ok().filter(|count| (1..=2).contains(count));
    count.ok_or_else(|| problem!("value-none-of", known = "1, 2"))
}

/// Returns the parser for the mode of adaptive bitrate.
fn adapt() -> impl TypedValueParser<Value = Adapt> {
    value::suggesting(Adapt::ALL.map(Adapt::name), str::parse::<Adapt>)
}

/// Returns the parser for the preset of a video encoder.
fn preset() -> impl TypedValueParser<Value = encode::Preset> {
    value::suggesting(encode::Preset::names(), str::parse::<encode::Preset>)
}

/// Returns the parser for the audio codec.
fn audio_codec() -> impl TypedValueParser<Value = encode::AudioCodecChoice> {
    value::suggesting(
        encode::AudioCodecChoice::ALL.map(encode::AudioCodecChoice::name),
        str::parse::<encode::AudioCodecChoice>,
    )
}

/// Returns the parser for the profile of AAC.
fn audio_profile() -> impl TypedValueParser<Value = encode::AudioProfile> {
    value::suggesting(
        encode::AudioProfile::ALL.map(encode::AudioProfile::name),
        str::parse::<encode::AudioProfile>,
    )
}

/// Returns the parser for the rate control of a video encoder.
fn rate_control() -> impl TypedValueParser<Value = encode::RateControl> {
    value::suggesting(["cbr", "vbr", "crf", "cq"], str::parse::<encode::RateControl>)
}

/// Returns the parser for a video codec.
fn video_codec() -> impl TypedValueParser<Value = encode::CodecChoice> {
    let names = encode::CodecChoice::ALL.map(encode::CodecChoice::name);
    value::suggesting(names, str::parse::<encode::CodecChoice>)
}

/// Returns the parser for the name of a video encoder.
fn encoder() -> impl TypedValueParser<Value = encode::Choice> {
    let names = PossibleValuesParser::new(encode::Choice::ALL.map(encode::Choice::name));
    names.try_map(|name| name.parse())
}
