//! `onair probe`: prints the contents of a stream or file as JSON. The names of codecs and fields
//! are those of ffprobe.

use serde_json::{Map, Value, json};

use crate::base::{Clock, sandbox};
use crate::cli::flags::{Globals, network, value};
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::progress::Progress;
use crate::cli::play;
use crate::cli::process::signals::Interrupt;
use crate::player::Source;
use crate::player::probe::{self, Audio, Report, Video};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::amf0;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::{Hdr, color};

/// Maximum nesting depth of metadata.
const MAX_METADATA_DEPTH: usize = 16;

/// Arguments of `onair probe`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A URL (rtmp, rtmps, rtmpt, rtmpts, http, https, ws, wss or srt), or a media file
    /// (FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC, WAV)
    #[arg(value_name = "URL|FILE", value_parser = value::source())]
    pub source: String,
    #[command(flatten)]
    pub route: network::Flags,
}

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    describe(args, &output, clock)
        .unwrap_or_else(|(why, exit)| output.refuse_answer(&why, exit, Value::Null))
}

fn describe(args: &Args, output: &Output, clock: Clock) -> Result<Exit, (Problem, Exit)> {
    sandbox::files(&[]);
    let interrupt = Interrupt::listen().map_err(|why| (why, Exit::Error))?;
    let (net, runtime) = args.route.start()?;
    let source = Source::parse(&args.source);
    let shown = Progress::of_answer(output, output.say(&problem!("out-probing")));
    let report = probe::probe(&source, &net, &runtime, clock, &|| interrupt.is_set());
    drop(shown);
    let report = report.map_err(|failure| {
        let sentence = play::sentence_of(output.language(), &source, &failure);
        (Problem::from(sentence), play::exit_of(failure.kind))
    })?;
    output.object(to_json(&report));
    Ok(Exit::Ok)
}

fn to_json(report: &Report) -> Value {
    let mut streams = Vec::new();
    streams.extend(report.video.as_ref().map(video));
    streams.extend(report.audio.iter().chain(&report.further).map(audio));
    streams.extend(
        report
            .unsupported
            .iter()
            .map(|track| json!({ "type": track.kind_name(), "codec": track.codec })),
    );
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    without_nulls(json!({
        "format": report.format,
        "duration": report.duration.map(rounded),
        "metadata": report.metadata.as_ref().map(|metadata| plain(metadata, 0)),
        "streams": streams,
        "gop_s": report.gop_s.map(rounded),
        "first_keyframe_ms": report.first_keyframe_ms,
    }))
}

fn video(video: &Video) -> Value {
    let colors = &video.colors;
    let light = &colors.light;
    without_nulls(json!({
        "type": "video",
        "codec": video_codec(video.format),
        "profile": video.profile,
        "level": video.level,
        "width": video.size.map(|(width, _)| width),
        "height": video.size.map(|(_, height)| height),
        "sample_aspect_ratio": video.pixel_aspect.map(|(width, height)| format!("{width}:{height}")),
        "fps": video.fps,
        "bitrate": video.bitrate.map(|bitrate| bitrate as u64),
        "color_range": colors.full_range.map(|full| if full { "pc" } else { "tv" }),
        "color_space": colors.matrix.and_then(color::matrix_name),
        "color_transfer": colors.transfer.and_then(color::transfer_name),
        "color_primaries": colors.primaries.and_then(color::primaries_name),
        "hdr": colors.hdr().map(Hdr::name),
        "max_content": light.max_content,
        "max_average": light.max_average,
        "min_luminance": light.display.map(|(black, _)| black),
        "max_luminance": light.display.map(|(_, white)| white),
    }))
}

fn audio(audio: &Audio) -> Value {
    without_nulls(json!({
        "type": "audio",
        "name": audio.name,
        "codec": audio.variant.clone().unwrap_or_else(|| audio_codec(audio.format)),
        "profile": audio.profile,
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "bitrate": audio.bitrate.map(|bitrate| bitrate as u64),
    }))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn video_codec(format: VideoFormat) -> String {
    match format {
        VideoFormat::H264 => "h264".into(),
        VideoFormat::Hevc => "hevc".into(),
        VideoFormat::Vvc => "vvc".into(),
        VideoFormat::Av1 => "av1".into(),
        VideoFormat::Vp8 => "vp8".into(),
        VideoFormat::Vp9 => "vp9".into(),
        VideoFormat::Mpeg4 => "mpeg4".into(),
        VideoFormat::Mpeg2 => "mpeg2video".into(),
        VideoFormat::Legacy(2) => "flv1".into(),
        VideoFormat::Legacy(3) => "flashsv".into(),
        VideoFormat::Legacy(4) => "vp6f".into(),
        VideoFormat::Legacy(5) => "vp6a".into(),
        VideoFormat::Legacy(6) => "flashsv2".into(),
        VideoFormat::Legacy(9) => "mpeg4".into(),
        VideoFormat::Legacy(id) => format!("unknown-{id}"),
        VideoFormat::Other(fourcc) => fourcc.to_string(),
    }
}

fn audio_codec(format: AudioFormat) -> String {
    match format {
        AudioFormat::Aac => "aac".into(),
        AudioFormat::Mp3 => "mp3".into(),
        AudioFormat::Opus => "opus".into(),
        AudioFormat::Flac => "flac".into(),
        AudioFormat::Vorbis => "vorbis".into(),
        AudioFormat::Ac3 => "ac3".into(),
        AudioFormat::Eac3 => "eac3".into(),
        AudioFormat::Pcm => "pcm".into(),
        AudioFormat::Legacy(0 | 3) => "pcm_s16le".into(),
        AudioFormat::Legacy(1) => "adpcm_swf".into(),
        AudioFormat::Legacy(4..=6) => "nellymoser".into(),
        AudioFormat::Legacy(7) => "pcm_alaw".into(),
        AudioFormat::Legacy(8) => "pcm_mulaw".into(),
        AudioFormat::Legacy(11) => "speex".into(),
        AudioFormat::Legacy(id) => format!("unknown-{id}"),
        AudioFormat::Other(fourcc) => fourcc.to_string(),
    }
}

/// Converts metadata to JSON.
fn plain(value: &amf0::Value, depth: usize) -> Value {
    use amf0::Data;
    if depth >= MAX_METADATA_DEPTH {
        return Value::Null;
    }
    match value {
        Data::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            json!(*number as i64)
        }
        Data::Number(number) => json!(number),
        Data::Boolean(flag) => json!(flag),
        Data::String(text) => json!(text),
        Data::Object(fields) | Data::EcmaArray(fields) => fields
            .iter()
            // The space that recordings (including those of onair) reserve for their index is not
            // informative.
            .filter(|(name, _)| !matches!(name.as_str(), "spacer" | "unindexed"))
            .map(|(name, value)| (name.clone(), plain(value, depth + 1)))
            .collect::<Map<_, _>>()
            .into(),
        Data::StrictArray(values) => {
            values.iter().map(|value| plain(value, depth + 1)).collect::<Vec<_>>().into()
        }
        _ => Value::Null,
    }
}
