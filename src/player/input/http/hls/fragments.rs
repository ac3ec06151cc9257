//! The configs and samples of an MP4 in memory.

use bytes::Bytes;

use crate::files::samples;
use crate::media::StreamEvent;
use crate::player::demux::file_samples;
use crate::player::input::http::hls::decrypt::Decryption;
use crate::player::input::http::problem::Problem;
use crate::player::state::{Failure, FailureKind};
use crate::wire::container::{Error, mp4};

/// Hands the samples out in the order of their decoding times, their configurations first where
/// they are wanted (`fresh`). `seal` opens what is encrypted of them.
pub(in crate::player::input::http) fn read(
    mut data: Bytes,
    fresh: bool,
    seal: Option<&Decryption>,
    take: &mut dyn FnMut(StreamEvent),
) -> Result<(), Problem> {
    let damaged = |error: Error| {
        let what = format!("a segment of the playlist cannot be played: {error}");
        let advice = "H.264 and AAC can be played; ask the broadcaster for them.";
        match error {
            Error::Unsupported(_) => Problem::Told(Failure::new(FailureKind::Codec, what, advice)),
            _ => Problem::no_stream(what, advice),
        }
    };
    let index = match seal {
        None => mp4::index_to_play(&mut &data[..]).map_err(damaged)?,
        Some(seal) => {
            let (index, sealed) = mp4::index_sealed(&mut &data[..]).map_err(damaged)?;
            if !sealed.is_empty() {
                let mut opened = data.to_vec();
                seal.samples(&mut opened, &sealed);
                data = Bytes::from(opened);
            }
            index
        }
    };
    if fresh {
        samples::heads(&index).for_each(&mut *take);
    }
    file_samples::packets(&mut &data[..], &index, &mut |packet| {
        take(StreamEvent::Packet(packet));
        true
    })
    .map_err(damaged)
}
