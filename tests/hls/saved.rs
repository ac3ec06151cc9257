//! Test of `play --save` with HLS playlists of each segment type. The saved file must contain every
//! frame, with its tags in order.

use std::fs;

use onair::player::{Config, State};
use onair::wire::container::flv::{Demuxer, TagKind, parse_audio, parse_video};

use super::{CODE, made_and_served};
use crate::peers;
use crate::watch::{config, play};

const SECONDS: usize = 4;

/// Returns the times of the video and audio frames in a saved file, each in file order.
pub(super) fn times(bytes: &[u8]) -> [Vec<u32>; 2] {
    let mut demuxer = Demuxer::new();
    demuxer.push(bytes);
    let mut times = [Vec::new(), Vec::new()];
    let mut last = 0;
    while let Some(tag) = demuxer.next_tag().unwrap() {
        let (track, header) = match tag.kind {
            TagKind::Video => (0, parse_video(&tag.body).unwrap().is_sequence_start()),
            TagKind::Audio => (1, parse_audio(&tag.body).unwrap().is_sequence_start()),
            _ => continue,
        };
        assert!(tag.time_ms >= last, "a tag of {} ms stands behind one of {last} ms", tag.time_ms);
        last = tag.time_ms;
        if !header {
            times[track].push(tag.time_ms);
        }
    }
    times
}

#[test]
fn what_is_saved_of_a_list_is_in_order_and_whole() {
    peers::require!("ffmpeg", "nginx", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let seconds = SECONDS.to_string();
    let hls = ["-t", &seconds, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let fmp4 = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"];
    let kinds: [(&str, &[&str]); 3] = [("ts", &[]), ("fmp4", &fmp4), ("bframes", &["-bf", "2"])];
    let web = made_and_served(folder.path(), &[&CODE, &hls], &kinds);
    for (name, _) in kinds {
        let saved = folder.path().join(format!("{name}.flv"));
        let url = format!("http://127.0.0.1:{}/{name}.m3u8", web.http);
        let outcome = play(&Config { save: Some(saved.clone()), ..config(&url) }, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}");
        let [frames, sounds] = times(&fs::read(&saved).unwrap());
        assert_eq!(frames.len(), SECONDS * 25, "{name}");
        // Frames are exactly 40 ms apart: none is moved or repeated.
        let even = frames.windows(2).all(|pair| pair[1] - pair[0] == 40);
        assert!(even, "{name}: {frames:?}");
        let wanted = SECONDS * 48_000 / 1_024;
        assert!(sounds.len().abs_diff(wanted) <= 2, "{name}: {} sounds", sounds.len());
        // The first audio frame contains only encoder delay, so its distance to the next one does
        // not count.
        let close = sounds[1..].windows(2).all(|pair| (21..=22).contains(&(pair[1] - pair[0])));
        assert!(close, "{name}: {sounds:?}");
        let probe = peers::ffmpeg::probe(&saved);
        assert_eq!(probe.warnings, "", "{name}");
        assert_eq!(peers::ffmpeg::decode(&saved), "", "{name}");
    }
}
