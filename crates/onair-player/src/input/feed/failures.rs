//! Reasons why a stream cannot be played.

use crate::media::TrackKind;
use crate::media::stream_event::track_name;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::container::track_config::MAX_CONFIG_BYTES;
use onair_media::decode::{NoDecoder, inventory};

pub(super) fn too_long(bytes: usize) -> Problem {
    problem!("play-config-too-long", bytes = bytes, kib = MAX_CONFIG_BYTES >> 10)
}

pub(super) fn video_of(format: VideoFormat) -> Problem {
    track_name(TrackKind::Video, &format.to_string())
}

pub(super) fn lack_of_video(format: VideoFormat) -> Option<NoDecoder> {
    format.codec().and_then(|codec| inventory::video_decoder(codec).err())
}

pub(super) fn unsupported(codec: impl Into<Problem>, lack: Option<NoDecoder>) -> Failure {
    let codec = codec.into();
    let problem = match lack {
        Some(lack) => problem!("play-no-decoder", codec = codec, reason = Problem::from(lack)),
        None => problem!("play-cannot-decode", codec = codec),
    };
    Failure::new(FailureKind::Codec, problem)
}
