//! `onMetaData`: the description of a stream before its first packet. The writer uses the form that
//! services expect, and the reader is lenient. The metadata is only a hint; the sequence headers
//! are authoritative.

use std::time::Duration;

use bytes::Bytes;

use super::Error;
use crate::media::{AudioCodec, Codec, StreamConfig};
use crate::wire::amf0::{self, Value};
use crate::wire::container::flv::tag_body::codec_id;

/// The longest accepted script in bytes: two numbers of nine bytes per keyframe, and as much again
/// for the rest.
pub const MAX_SCRIPT_BYTES: usize = 2 << 20;

/// The name of an index of keyframes that readers must ignore. It is as long as `keyframes`.
pub(super) const IGNORED_INDEX_NAME: &str = "unindexed";
/// The property `keyframes` in AMF0, up to its value.
const INDEX_PROPERTY: &[u8] = b"\0\x09keyframes";
/// The property `duration` in AMF0, up to its number.
const DURATION_PROPERTY: &[u8] = b"\0\x08duration\0";
/// Number of bytes of a number in AMF0.
const NUMBER_BYTES: usize = 8;
/// Maximum number of declared durations that are corrected at the end of a file.
const MAX_DURATIONS: usize = 64;

/// The properties of `onMetaData` that only a file has, because it has an end.
const FILE_PROPERTIES: [&str; 2] = ["duration", "filesize"];

/// Makes the `onMetaData` value of an outgoing stream: an ECMA array in the order that services
/// expect.
pub fn metadata(config: &StreamConfig) -> Value {
    metadata_by(config, concat!("onair/", env!("CARGO_PKG_VERSION")))
}

/// Makes the `onMetaData` value of a stream that this software has encoded.
pub fn metadata_by(config: &StreamConfig, encoder: &str) -> Value {
    let number = Value::Number;
    let mut entries = vec![("duration", number(0.0)), ("fileSize", number(0.0))];
    if let Some(video) = &config.video {
        entries.extend([
            ("width", number(video.size.width.into())),
            ("height", number(video.size.height.into())),
            ("videocodecid", number(codec_id(Codec::Video(video.codec)).unwrap_or(0.0))),
            ("videodatarate", number(video.bitrate.as_kbps().into())),
            ("framerate", number(video.frame_rate.as_f64())),
        ]);
    }
    if let Some(audio) = &config.audio {
        entries.extend([
            ("audiocodecid", number(codec_id(Codec::Audio(audio.codec)).unwrap_or(0.0))),
            ("audiodatarate", number(audio.bitrate.as_kbps().into())),
            ("audiosamplerate", number(audio.sample_rate.into())),
            ("audiosamplesize", number(16.0)),
            ("audiochannels", number(audio.channels.into())),
            ("stereo", Value::Boolean(audio.channels == 2)),
        ]);
    }
    entries.push(("encoder", Value::String(encoder.into())));
    Value::ecma_array(entries)
}

/// The known values of received metadata. Any of them may be missing or wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Duration in seconds; `None` for 0, the value of live streams.
    pub duration: Option<f64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub frame_rate: Option<f64>,
    /// Video bitrate in bits per second.
    pub video_bitrate: Option<u32>,
    /// Audio bitrate in bits per second.
    pub audio_bitrate: Option<u32>,
    pub sample_rate: Option<u32>,
    pub channels: Option<u16>,
    pub encoder: Option<String>,
}

impl Metadata {
    /// Reads the value of `onMetaData`: an ECMA array or an object.
    pub fn from_value(value: &Value) -> Self {
        let number = |name| {
            let value = value.get(name)?;
            let number = value.as_number().or_else(|| value.as_str()?.trim().parse().ok());
            number.filter(|number: &f64| number.is_finite() && *number > 0.0)
        };
        // The `as` conversion saturates.
        let whole = |name| number(name).map(|number| number.round() as u32).filter(|n| *n > 0);
        let bitrate = |name| number(name).map(|kbps| (kbps * 1_000.0).round() as u32);
        let stereo = || {
            let stereo = value.get("stereo")?;
            let stereo = stereo.as_bool().or_else(|| Some(stereo.as_number()? != 0.0))?;
            Some(1 + u16::from(stereo))
        };
        let channels = number("audiochannels").map(|channels| channels.round() as u16);
        Self {
            duration: number("duration"),
            width: whole("width"),
            height: whole("height"),
            frame_rate: number("framerate").or_else(|| number("fps")),
            video_bitrate: bitrate("videodatarate"),
            audio_bitrate: bitrate("audiodatarate"),
            sample_rate: whole("audiosamplerate"),
            channels: channels.or_else(stereo),
            encoder: value.get("encoder").and_then(Value::as_str).map(str::to_owned),
        }
    }
}

/// Returns true if script data begins like `onMetaData`.
pub fn is_metadata(body: &[u8]) -> bool {
    const METADATA_NAME: &[u8] = b"onMetaData";
    body.get(..32).unwrap_or(body).windows(METADATA_NAME.len()).any(|name| name == METADATA_NAME)
}

/// Returns the value of `onMetaData` in a script body, with or without `@setDataFrame`, or `None`
/// for other script data.
///
/// # Errors
/// Fails if the script cannot be read, or is larger than metadata with an index of keyframes.
pub fn parse_script(body: &[u8]) -> Result<Option<Value>, Error> {
    if body.len() > MAX_SCRIPT_BYTES {
        return Err(Error::Script("it is longer than any index"));
    }
    let values = amf0::decode_most(body, amf0::MAX_METADATA_VALUES);
    let values = values.map_err(|_| Error::Script("the AMF0 values are malformed"))?;
    let mut values = values.into_iter().peekable();
    values.next_if(|value| value.as_str() == Some("@setDataFrame"));
    let named = values.next().is_some_and(|name| name.as_str() == Some("onMetaData"));
    Ok(if named { values.next() } else { None })
}

/// Returns the frame rate in the body of `onMetaData`, or `None` if it has none or cannot be read.
pub fn frame_rate(body: &[u8]) -> Option<f64> {
    Metadata::from_value(&parse_script(body).ok()??).frame_rate
}

/// Returns the body of `onMetaData` without the properties of a file, or `None` if it has none or
/// cannot be read.
pub fn without_file_properties(body: &[u8]) -> Option<Bytes> {
    let mut values = decoded(body)?;
    let mut is_changed = false;
    for properties in values.iter_mut().filter_map(properties_of) {
        let before = properties.len();
        properties
            .retain(|(name, _)| !FILE_PROPERTIES.iter().any(|it| name.eq_ignore_ascii_case(it)));
        is_changed |= properties.len() < before;
    }
    is_changed.then(|| amf0::encode(&values).into())
}

/// Returns the body of `onMetaData` for receivers that get AAC instead of the declared Opus, or `None` if it declares
/// no Opus or cannot be read.
pub fn with_aac_instead_of_opus(body: &[u8]) -> Option<Bytes> {
    let declared = |codec| codec_id(Codec::Audio(codec));
    let (opus, aac) = (declared(AudioCodec::Opus)?, declared(AudioCodec::Aac)?);
    let mut values = decoded(body)?;
    let mut is_changed = false;
    for (name, value) in values.iter_mut().filter_map(properties_of).flatten() {
        let is_codec = name.eq_ignore_ascii_case("audiocodecid");
        let is_opus = || value.as_number() == Some(opus) || value.as_str() == Some("Opus");
        if is_codec && is_opus() {
            *value = Value::Number(aac);
            is_changed = true;
        }
    }
    is_changed.then(|| amf0::encode(&values).into())
}

/// Makes the body of `onMetaData` for a file of a stream without metadata.
pub fn bare_metadata() -> Bytes {
    let value = Value::ecma_array([("duration", Value::Number(0.0))]);
    amf0::encode(&["onMetaData".into(), value]).into()
}

/// The numbers that declare the duration of a file in progress. The received metadata can declare
/// the duration of another file, so the numbers are 0 until the end of this file.
#[derive(Debug, Default)]
pub struct DurationSlots {
    /// The positions of the numbers in the file.
    positions: Vec<u64>,
}

impl DurationSlots {
    /// Returns the body of a script tag as the file gets it, with its first byte at `at`. Metadata
    /// gets a duration of 0, and loses the index of another file's keyframes.
    pub fn reserve(&mut self, body: &[u8], at: u64) -> Bytes {
        if !is_metadata(body) || body.len() > MAX_SCRIPT_BYTES {
            return Bytes::copy_from_slice(body);
        }
        let mut body = with_duration(body).unwrap_or_else(|| body.to_vec());
        let index = position_after(INDEX_PROPERTY, &body);
        let name = index.map(|end| end - IGNORED_INDEX_NAME.len()..end);
        if let Some(name) = name.and_then(|name| body.get_mut(name)) {
            name.copy_from_slice(IGNORED_INDEX_NAME.as_bytes());
        }
        if let Some(place) = position_after(DURATION_PROPERTY, &body)
            && let Some(number) = body.get_mut(place..place + NUMBER_BYTES)
        {
            number.fill(0);
            if self.positions.len() < MAX_DURATIONS {
                self.positions.push(at + place as u64);
            }
        }
        body.into()
    }

    /// Returns true if the file declares no duration.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Returns the bytes to write at positions of a file of this duration.
    pub fn patches(&self, duration: Duration) -> Vec<(u64, Bytes)> {
        let number = Bytes::copy_from_slice(&duration.as_secs_f64().to_be_bytes());
        self.positions.iter().map(|at| (*at, number.clone())).collect()
    }
}

/// Returns the position after the first occurrence of a property.
fn position_after(property: &[u8], body: &[u8]) -> Option<usize> {
    let at = body.windows(property.len()).position(|it| it == property)?;
    Some(at + property.len())
}

/// Returns the body of `onMetaData` with a duration of 0, or `None` if it has a duration or cannot be
/// read.
fn with_duration(body: &[u8]) -> Option<Vec<u8>> {
    let mut values = decoded(body)?;
    let properties = values.iter_mut().find_map(properties_of)?;
    if properties.iter().any(|(name, _)| name.eq_ignore_ascii_case("duration")) {
        return None;
    }
    properties.insert(0, ("duration".to_owned(), Value::Number(0.0)));
    Some(amf0::encode(&values))
}

fn decoded(body: &[u8]) -> Option<Vec<Value>> {
    let body = Some(body).filter(|body| body.len() <= MAX_SCRIPT_BYTES)?;
    amf0::decode_most(body, amf0::MAX_METADATA_VALUES).ok()
}

fn properties_of(value: &mut Value) -> Option<&mut Vec<(String, Value)>> {
    match value {
        Value::EcmaArray(properties) | Value::Object(properties) => Some(properties),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{
        AudioCodec, AudioConfig, BitsPerSecond, FrameRate, Rotation, Size, VideoCodec, VideoConfig,
    };

    fn config() -> StreamConfig {
        StreamConfig {
            video: Some(VideoConfig {
                codec: VideoCodec::H264,
                size: Size::new(1280, 720),
                frame_rate: FrameRate::FPS_30,
                bitrate: BitsPerSecond(2_500_000),
                codec_config: Default::default(),
                pixel_aspect: None,
                rotation: Rotation::None,
            }),
            audio: Some(AudioConfig {
                codec: AudioCodec::Aac,
                sample_rate: 48_000,
                channels: 2,
                bitrate: BitsPerSecond(128_000),
                codec_config: Default::default(),
            }),
        }
    }

    #[test]
    fn written_metadata_are_in_order_and_read_back() {
        let value = metadata(&config());
        let Value::EcmaArray(entries) = &value else { panic!("{value:?}") };
        let names: Vec<_> = entries.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "duration",
                "fileSize",
                "width",
                "height",
                "videocodecid",
                "videodatarate",
                "framerate",
                "audiocodecid",
                "audiodatarate",
                "audiosamplerate",
                "audiosamplesize",
                "audiochannels",
                "stereo",
                "encoder"
            ]
        );
        let read = Metadata::from_value(&value);
        assert_eq!((read.width, read.height, read.frame_rate), (Some(1280), Some(720), Some(30.0)));
        assert_eq!((read.video_bitrate, read.duration), (Some(2_500_000), None));
        assert_eq!((read.sample_rate, read.channels), (Some(48_000), Some(2)));
    }

    #[test]
    fn scripts_with_and_without_set_data_frame() {
        let name = Value::String("onMetaData".into());
        let value = metadata(&StreamConfig::default());
        let plain = crate::wire::amf0::encode(&[name.clone(), value.clone()]);
        assert_eq!(parse_script(&plain), Ok(Some(value.clone())));
        let set = Value::String("@setDataFrame".into());
        assert_eq!(
            parse_script(&crate::wire::amf0::encode(&[set, name, value.clone()])),
            Ok(Some(value))
        );
        assert_eq!(parse_script(&crate::wire::amf0::encode(&[Value::Null])), Ok(None));
        assert_eq!(parse_script(&[]), Ok(None));
    }

    #[test]
    fn the_properties_of_a_file_are_removed_and_all_others_stay() {
        let body = |names: &[&str]| {
            let value = Value::ecma_array(names.iter().map(|name| (*name, Value::Number(7.0))));
            amf0::encode(&["onMetaData".into(), value])
        };
        let live = without_file_properties(&body(&["duration", "width", "fileSize", "fps"]));
        assert_eq!(live.unwrap(), body(&["width", "fps"]));
        for unchanged in [body(&["width"]), body(&[]), b"title".to_vec(), Vec::new()] {
            assert_eq!(without_file_properties(&unchanged), None, "{unchanged:?}");
        }
    }
}
