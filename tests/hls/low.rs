//! Tests of Low-Latency HLS. The player follows the parts near the live edge. It uses whole
//! segments if the origin breaks its promises.

use super::origin::{AHEAD, Fault, HOLD_BACK, Origin, PART};
use super::{State, peers};
use crate::watch::{Watching, config, play};

/// Returns how far the player is behind the end of the broadcast, in seconds.
fn behind(origin: &Origin, watching: &Watching) -> f64 {
    origin.end() - watching.player.position().as_secs_f64()
}

/// Waits until the player is at the right distance after this many more frames. A player that
/// follows whole segments is at least six seconds behind.
fn near(origin: &Origin, watching: &Watching, pictures: u64) {
    // One part that is not listed yet, and an allowance for the player's clock.
    let most = HOLD_BACK + PART + 0.3;
    let shown = watching.shown();
    watching.wait("the distance", |it| {
        it.shown() > shown + pictures && (HOLD_BACK - 0.3..most).contains(&behind(origin, it))
    });
}

#[test]
fn what_comes_in_parts_is_followed_near_its_end() {
    crate::peers::in_real_time!(what_comes_in_parts_is_followed_near_its_end);
    peers::require!("ffmpeg");
    for kind in ["fmp4", "mpegts"] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start(folder.path(), kind, Fault::None);
        let url = format!("http://127.0.0.1:{}/live.m3u8?token=a%2Fb", origin.port);
        let watching = Watching::start(&config(&url));
        near(&origin, &watching, 100);
        watching.wait("an update", |_| {
            origin.asked().iter().any(|path| path.ends_with("_HLS_skip=YES"))
        });
        near(&origin, &watching, 50);
        // The playlist says at which wall-clock time the broadcast began.
        watching.wait("the latency by the sender's clock", |it| {
            let reported = it.player.figures().sender_latency_ms.unwrap_or_default() / 1_000.0;
            (reported - behind(&origin, it)).abs() < 0.2
        });
        let asked = origin.asked();
        let is_list = |path: &&String| path.starts_with("/live");
        assert!(asked.iter().filter(is_list).all(|path| path.contains("?token=a%2Fb")));
        let waits = |path: &&String| path.contains("_HLS_msn=") && path.contains("_HLS_part=");
        assert!(asked.iter().filter(waits).count() > 5, "{kind}: {asked:?}");
        assert!(origin.waited() > 3, "{kind}: what is hinted is asked for: {asked:?}");
        // The player requests playlists about as often as new parts appear. It does not load the
        // first segment, which lies before its starting point.
        let lists = asked.iter().filter(is_list).count() as f64;
        assert!(lists < 10.0 + (origin.end() - AHEAD) / PART * 1.5, "{kind}: {lists} {asked:?}");
        assert!(!asked.iter().any(|path| path.starts_with("/s0.")), "{kind}: {asked:?}");
        assert_eq!(watching.player.figures().damaged, 0, "{kind}");
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{kind}");
        watching.end();
    }
}

/// Parts that are byte ranges of their segments. Some state only their length.
#[test]
fn parts_may_be_ranges_of_their_segment() {
    crate::peers::in_real_time!(parts_may_be_ranges_of_their_segment);
    peers::require!("ffmpeg");
    for kind in ["fmp4", "mpegts"] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start_ranges(folder.path(), kind);
        let url = format!("http://127.0.0.1:{}/live.m3u8", origin.port);
        let watching = Watching::start(&config(&url));
        near(&origin, &watching, 150);
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{kind}");
        let figures = watching.player.figures();
        assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{kind}");
        let asked = origin.asked();
        let ranges = asked.iter().filter(|it| it.starts_with("/s") && it.contains(' ')).count();
        assert!(ranges > 20, "{kind}: {asked:?}");
        assert!(!asked.iter().any(|it| it.starts_with("/p")), "{kind}: {asked:?}");
        // The player joins two seconds before the live edge, or up to one segment earlier. From
        // there on, no frame is missing.
        assert!(figures.decoded > 390, "{kind}: {figures:?}");
        watching.end();
    }
}

#[test]
fn another_variant_is_gone_on_with_where_it_is_reported_to_be() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path(), "fmp4", Fault::None);
    let watching = Watching::start(&config(&format!("http://127.0.0.1:{}/x", origin.port)));
    watching.wait("the other variant", |_| {
        origin.asked().iter().any(|path| path.starts_with("/b.m3u8"))
    });
    near(&origin, &watching, 75);
    let asked = origin.asked();
    let first = asked.iter().find(|path| path.starts_with("/b.m3u8")).unwrap();
    assert!(first.contains("_HLS_msn=") && first.contains("_HLS_part="), "{first}");
    assert_eq!(watching.player.figures().damaged, 0);
    watching.end();
}

#[test]
fn an_origin_that_does_not_keep_its_word_is_followed_by_segments() {
    crate::peers::in_real_time!(an_origin_that_does_not_keep_its_word_is_followed_by_segments);
    peers::require!("ffmpeg");
    for fault in [Fault::Hasty, Fault::Mute, Fault::NoParts] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start(folder.path(), "fmp4", fault);
        let url = format!("http://127.0.0.1:{}/live.m3u8", origin.port);
        let outcome = play(&config(&url), |_| false);
        assert_eq!(outcome.state, State::Ended, "{fault:?}: {:?}", outcome.events);
        let figures = &outcome.figures;
        assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{fault:?}");
        // From its starting point, the player can play about 20 s at 25 fps.
        assert!(figures.shown > 300, "{fault:?}: {figures:?}");
        let asked = origin.asked();
        let lists: Vec<_> = asked.iter().filter(|path| path.starts_with("/live")).collect();
        assert!(lists.len() < 70, "{fault:?}: {lists:?}");
        // Parts are still usable if the origin merely answers too early. With the other faults, the
        // player goes back to whole segments.
        let by_segments = !lists.last().unwrap().contains("_HLS_");
        assert!(by_segments || fault == Fault::Hasty, "{fault:?}: {lists:?}");
    }
}

#[test]
fn updates_and_hints_that_lie_do_no_harm() {
    crate::peers::in_real_time!(updates_and_hints_that_lie_do_no_harm);
    peers::require!("ffmpeg");
    for fault in [Fault::Skips, Fault::Hint] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::start(folder.path(), "fmp4", fault);
        let url = format!("http://127.0.0.1:{}/live.m3u8", origin.port);
        let outcome = play(&config(&url), |_| false);
        assert_eq!(outcome.state, State::Ended, "{fault:?}: {:?}", outcome.events);
        assert_eq!(outcome.figures.damaged, 0, "{fault:?}");
        assert!(outcome.figures.shown > 300, "{fault:?}: {:?}", outcome.figures);
        assert!(origin.asked().len() < 250, "{fault:?}: {:?}", origin.asked());
    }
}
