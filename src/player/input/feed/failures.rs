//! Why nothing of a stream can be played.

use crate::decode::{NoDecoder, inventory};
use crate::player::state::{Failure, FailureKind};
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::container::track_config::MAX_CONFIG;

pub(super) fn too_long(bytes: usize) -> String {
    let most = MAX_CONFIG >> 10;
    format!(
        "what tells how to decode the stream is {bytes} bytes long, and {most} KiB are believed at most"
    )
}

pub(super) fn lack_of_video(format: VideoFormat) -> Option<NoDecoder> {
    format.codec().and_then(|codec| inventory::video_decoder(codec).err())
}

pub(super) fn unsupported(codec: &str, lack: Option<NoDecoder>) -> Failure {
    let why = lack.map(|lack| format!(": {lack}")).unwrap_or_default();
    let cause = format!("the stream holds {codec}, which cannot be decoded here{why}");
    let advice = match lack.map(NoDecoder::remedy) {
        Some(remedy) => format!(
            "{remedy}, or ask the broadcaster for H.264 video and AAC sound; what comes can be saved with \
             --save, and played by a program that has the codec."
        ),
        None => "Ask the broadcaster for H.264 video and AAC sound; what comes can be saved with --save, \
                 and played by a program that has the codec."
            .to_owned(),
    };
    Failure::new(FailureKind::Codec, cause, advice)
}
