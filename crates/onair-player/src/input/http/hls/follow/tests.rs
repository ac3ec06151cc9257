//! Tests of a playlist that is followed.

use super::*;
use crate::player::input::http::request::PullRequest;

/// Returns the address of the playlists. No server answers there.
fn url() -> WebUrl {
    WebUrl::parse("http://127.0.0.1:9/list.m3u8").unwrap()
}

/// Follows a playlist with this text.
pub(super) fn follow(text: impl Into<Bytes>) -> Track {
    Track::new(&url(), text.into(), &Arc::default()).unwrap()
}

#[tokio::test]
async fn an_estimated_live_edge_keeps_its_distance_from_the_end() {
    let url = url();
    let ask = PullRequest::usual(url.clone());
    let segments = "#EXTINF:2,\na.ts\n".repeat(10);
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:30\n{segments}");
    let mut track = Track::new(&url, list.into(), &ask.buffer).unwrap();
    let mut fetch = Fetch::new(&ask);
    for (to, number, begins) in [(5, 32, 4), (14, 37, 14), (19, 37, 14), (900, 37, 14)] {
        let found = track.seek(&mut fetch, Duration::from_secs(to)).await;
        assert_eq!((track.next, found), (number, Duration::from_secs(begins)), "{to}");
        let first = Duration::from_secs(to.min(14));
        assert_eq!(track.sought(Duration::from_secs(to), found), first, "{to}");
        assert_eq!(track.behind, number < 37, "{to}");
    }
}

#[tokio::test]
async fn a_live_list_that_adds_only_gaps_is_an_error_after_a_while() {
    let url = url();
    let ask = PullRequest::usual(url.clone());
    let mut fetch = Fetch::new(&ask);
    let gaps = "#EXT-X-GAP\n#EXTINF:2,\na.ts\n".repeat(5);
    let after = |seconds, readable, end: &str| {
        let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{gaps}{end}");
        let mut track = Track::new(&url, list.into(), &ask.buffer).unwrap();
        track.readable = readable;
        track.gap_since = Some(Instant::now() - Duration::from_secs(seconds));
        track
    };
    for readable in [false, true] {
        let Err(PullError::Failed(failure)) = after(60, readable, "").next(&mut fetch).await else {
            panic!("{readable}")
        };
        assert_eq!(
            (failure.kind, failure.problem.id()),
            (FailureKind::NoSuchStream, "play-playlist-gaps")
        );
    }
    // A recording ends after its gaps.
    let ended = after(60, true, "#EXT-X-ENDLIST\n").next(&mut fetch).await;
    assert!(matches!(ended, Ok(None)), "{ended:?}");
    assert!(after(5, true, "").check_gaps().is_ok());
    // Another position has other gaps.
    let mut moved = after(60, true, "");
    moved.seek(&mut fetch, Duration::ZERO).await;
    assert!(moved.check_gaps().is_ok());
}

#[test]
fn a_target_duration_below_the_segments_does_not_shorten_the_distance_from_the_end() {
    // Declared target, segment duration and distance in ms.
    for (target, segment, least) in [
        (0, 2_000, 6_000),
        (1, 2_000, 6_000),
        (0, 400, 3_000),
        // A server rounds to the nearest second.
        (2, 2_400, 6_000),
        (4, 2_000, 12_000),
    ] {
        let seconds = Duration::from_millis(segment).as_secs_f64();
        let segments = format!("#EXTINF:{seconds},\na.ts\n").repeat(10);
        let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n{segments}");
        let track = follow(list);
        assert_eq!(track.least(), Duration::from_millis(least), "{target} {segment}");
    }
}

#[test]
fn the_distance_from_the_end_does_not_change_when_the_longest_segment_leaves_the_list() {
    let url = url();
    let list = |first: u64, longest: u32| {
        let duration = |number: u64| if number == 32 { longest } else { 2 };
        let segment = |number| format!("#EXTINF:{},\n{number}.ts\n", duration(number));
        let segments: String = (first..first + 10).map(segment).collect();
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE";
        Bytes::from(format!("{head}:{first}\n{segments}"))
    };
    let mut track = follow(list(30, 6));
    track.begin_at(38);
    // The last list is another broadcast.
    for (first, least) in [(31, 18), (33, 18), (0, 6)] {
        let text = list(first, 6);
        let read = media(&text, None).unwrap();
        track.take_list(text, &url, read).unwrap();
        assert_eq!(track.least(), Duration::from_secs(least), "{first}");
        // Reloads follow the current list.
        let target = if (23..=32).contains(&first) { 6 } else { 2 };
        assert_eq!(track.media.target_duration, Duration::from_secs(target), "{first}");
    }
    let wrong = media(&list(30, 80_000), None).unwrap();
    assert_eq!(wrong.target_duration, Duration::from_secs(20));
}

#[test]
fn an_earlier_version_of_the_list_changes_nothing_and_other_segments_are_another_broadcast() {
    let url = url();
    let list = |first: u64, name: &str| {
        let segment = |number| format!("#EXTINF:2,\n{name}{number}.ts\n");
        let segments: String = (first..first + 5).map(segment).collect();
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE";
        Bytes::from(format!("{head}:{first}\n{segments}"))
    };
    let mut track = follow(list(30, "a"));
    track.begin_at(35);
    let mut take = |text: Bytes| {
        let read = media(&text, None).unwrap();
        track.take_list(text, &url, read).unwrap();
        (track.next, track.restart, track.place(track.next, 0))
    };
    let played = Duration::from_secs(10);
    // Two caches answer alternately, and one of them is behind.
    for (first, name) in [(29, "a"), (30, "a"), (31, "a"), (30, "a"), (28, "a")] {
        assert_eq!(take(list(first, name)), (35, false, played), "{first}");
    }
    assert_eq!(take(list(29, "b")), (31, true, Duration::from_secs(16)));
    // A broadcast that begins again with the same names is noticed after a while.
    track.begin_at(34);
    track.restart = false;
    track.changed -= Duration::from_secs(60);
    let text = list(28, "b");
    let read = media(&text, None).unwrap();
    track.take_list(text, &url, read).unwrap();
    assert!(track.restart && track.next < 33);
}
