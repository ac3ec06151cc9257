//! The samples of an MP4 in memory as FLV tags.

use super::problem::Problem;
use crate::player::recording;
use crate::wire::container::ReadAt;
use crate::wire::flv::Tag;
use crate::wire::mp4;

/// Hands the samples out in the order of their decoding times, their configurations first where
/// they are wanted (`fresh`).
pub(super) fn read(
    source: &mut dyn ReadAt,
    fresh: bool,
    take: &mut dyn FnMut(Tag),
) -> Result<(), Problem> {
    let damaged = |error: crate::wire::container::Error| {
        Problem::no_stream(
            format!("a segment of the playlist cannot be played: {error}"),
            "H.264 and AAC can be played; ask the broadcaster for them.",
        )
    };
    let index = mp4::index_to_play(source).map_err(damaged)?;
    recording::samples(source, &index, fresh, &mut |kind, time_ms, body| {
        take(Tag { kind, time_ms, body });
        true
    })
    .map_err(damaged)
}
