//! Tests of several players in one studio, controlled by the commands that the window sends. A dead
//! address or a misbehaving server must not affect the other players.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::peers::watcher::{wait, watcher};
use crate::peers::{self, LIMIT, Onair, free_port, web};
use onair::studio::watch::choices::MAX_TILES;
use onair::studio::watch::view::{TileView, WatchState};
use onair::studio::watch::viewport::Viewport;
use onair::studio::{Command as Ask, Snapshot, TileId, WatchCommand};
use serde_json::Value;

fn tile(snapshot: &Snapshot, id: u8) -> Option<&TileView> {
    snapshot.tiles.iter().find(|tile| tile.id == TileId(id))
}

fn plays(snapshot: &Snapshot, id: u8) -> bool {
    tile(snapshot, id).is_some_and(|tile| {
        tile.state == WatchState::Playing && tile.figures.playing_for > Duration::from_secs(1)
    })
}

#[test]
fn a_dead_address_in_a_tile_harms_no_other_and_the_wall_is_remembered() {
    let mut live =
        Onair::start(&["live", "--video", "test", "--audio", "tone", "--size", "480x270"]);
    let url = live.play_url();
    let dead = format!("rtmp://127.0.0.1:{}/live/nobody", free_port());
    let folder = tempfile::tempdir().unwrap();
    let one = watcher(folder.path());
    let player = |playing| one.send(Ask::Player(playing));

    one.send(Ask::Watch { url: url.clone() });
    player(WatchCommand::Add { url: dead.clone() });
    player(WatchCommand::Add { url: format!("{url}?token=planted") });
    let failed = |snapshot: &Snapshot| {
        tile(snapshot, 1).is_some_and(|tile| matches!(tile.state, WatchState::Failed { .. }))
    };
    let snapshot = wait(&one, "one to fail and two to play", |snapshot| {
        failed(snapshot) && plays(snapshot, 0) && plays(snapshot, 2)
    });
    // The tile shows the failure, and there is no notice.
    assert!(
        snapshot.notices.iter().all(|it| !it.key().starts_with("watch-")),
        "{:?}",
        snapshot.notices
    );
    assert_eq!(snapshot.chosen_slot(), 0);
    assert!(one.watched()[0].get().is_some() && one.watched()[2].get().is_some());
    assert!(one.watched()[1].get().is_none());
    // How long the first tile has been playing.
    let before = tile(&snapshot, 0).unwrap().figures.playing_for;

    // Another tile is chosen, retried and removed; the first one plays on meanwhile.
    player(WatchCommand::Choose(TileId(1)));
    let snapshot = wait(&one, "the choice", |snapshot| snapshot.chosen_slot() == 1);
    assert!(matches!(snapshot.watch, WatchState::Failed { .. }));
    player(WatchCommand::Again(TileId(1)));
    wait(&one, "its failure", |snapshot| failed(snapshot));
    player(WatchCommand::Remove(TileId(1)));
    let snapshot = wait(&one, "its end", |snapshot| snapshot.tiles.len() == 2);
    assert_ne!(snapshot.chosen_slot(), 1);
    player(WatchCommand::Choose(TileId(0)));
    player(WatchCommand::Pause(true));
    let snapshot = wait(&one, "a pause of the chosen one", |snapshot| {
        snapshot.watch_figures.paused && snapshot.chosen_slot() == 0
    });
    assert!(!tile(&snapshot, 2).unwrap().figures.paused);
    assert!(tile(&snapshot, 0).unwrap().figures.playing_for > before);
    player(WatchCommand::GoToLive);
    wait(&one, "the live end", |snapshot| !snapshot.watch_figures.paused);

    // No more tiles than fit.
    for _ in 0..MAX_TILES * 2 {
        player(WatchCommand::Add { url: dead.clone() });
    }
    wait(&one, "nine", |snapshot| snapshot.tiles.len() == MAX_TILES && plays(snapshot, 0));
    for id in 1..MAX_TILES as u8 {
        if id != 2 {
            player(WatchCommand::Remove(TileId(id)));
        }
    }
    wait(&one, "two", |snapshot| snapshot.tiles.len() == 2);
    player(WatchCommand::Add { url: dead.clone() });
    let snapshot = wait(&one, "three", |snapshot| snapshot.tiles.len() == 3);
    assert_eq!(snapshot.recent, [dead.clone(), url.clone()]);
    // A new tile has the default viewport, whatever that of the first tile.
    let looks: [Viewport; 2] =
        ["fill 1.5 90 0.25 -0.125", "4:3 1 270"].map(|viewport| viewport.parse().unwrap());
    let seen = |snapshot: &Snapshot| {
        [0, 1].map(|id| tile(snapshot, id).map(|tile| tile.viewport).unwrap_or_default())
    };
    player(WatchCommand::SetViewport(TileId(0), looks[0]));
    wait(&one, "a viewport", |snapshot| seen(snapshot) == [looks[0], Viewport::default()]);
    player(WatchCommand::SetViewport(TileId(1), looks[1]));
    wait(&one, "another", |snapshot| seen(snapshot) == looks);
    one.end(LIMIT).unwrap();

    // The next run has the tiles, which do not play yet. The address with a token was not saved.
    assert!(
        !std::fs::read_to_string(folder.path().join("onair.toml")).unwrap().contains("planted")
    );
    let next = watcher(folder.path());
    let snapshot = wait(&next, "the wall", |snapshot| snapshot.tiles.len() == 2);
    let urls: Vec<&str> = snapshot.tiles.iter().map(|tile| tile.figures.url.as_str()).collect();
    assert_eq!(urls, [url.as_str(), dead.as_str()]);
    assert!(snapshot.tiles.iter().all(|tile| tile.state == WatchState::Idle));
    next.send(Ask::Player(WatchCommand::Again(TileId(0))));
    let snapshot = wait(&next, "the first", |snapshot| plays(snapshot, 0));
    assert_eq!(seen(&snapshot), looks);
    next.send(Ask::Player(WatchCommand::Remove(TileId(0))));
    wait(&next, "one alone", |snapshot| snapshot.tiles.len() == 1);
    next.end(LIMIT).unwrap();

    // A single tile is not restored, but the next stream has its viewport.
    let last = watcher(folder.path());
    last.send(Ask::Watch { url });
    let snapshot = wait(&last, "a tile", |snapshot| snapshot.tiles.len() == 1);
    assert_eq!(snapshot.tiles[0].viewport, looks[1]);
    last.end(LIMIT).unwrap();
}

/// Runs `onair play --headless --json`; returns its exit code, events and errors.
fn headless(arguments: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["--json", "play", "--headless", "--mute"]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn several_streams_without_a_window_are_distinguished() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.flv");
    peers::ffmpeg::make(&film, "160x90", "1", &[]);
    let film = film.to_str().unwrap();
    let absent = folder.path().join("absent.flv");
    let absent = absent.to_str().unwrap();

    let (code, lines, errors) = headless(&[film, absent, film]);
    assert_eq!(code, Some(3), "the first that did not end well: {errors}");
    assert!(errors.contains("2: ") && errors.contains("absent.flv"), "{errors}");
    let (last, others) = lines.split_last().unwrap();
    assert!(others.iter().all(|line| line["index"].is_u64()), "{others:?}");
    let summary = |index: u64| {
        let mut all = others.iter().filter(|line| line["event"] == "summary");
        all.find(|line| line["index"] == index).unwrap()
    };
    for played in [summary(0), summary(2)] {
        assert!(played["shown"].as_u64().unwrap() > 0 && played["exit"] == 0, "{played}");
    }
    assert_eq!((&summary(1)["exit"], &summary(1)["shown"]), (&3.into(), &0.into()));
    assert_eq!((&last["event"], &last["streams"]), (&"summary".into(), &3.into()), "{last}");
    let sum = summary(0)["shown"].as_u64().unwrap() + summary(2)["shown"].as_u64().unwrap();
    assert_eq!((&last["shown"], &last["exit"]), (&sum.into(), &3.into()), "{last}");
    assert!(last["index"].is_null());

    // A single stream has no index in its events.
    let (code, lines, _) = headless(&[film]);
    assert_eq!(code, Some(0));
    assert!(lines.iter().all(|line| line["index"].is_null()), "{lines:?}");
    let summaries = lines.iter().filter(|line| line["event"] == "summary").count();
    assert_eq!((summaries, &lines.last().unwrap()["event"]), (1, &"summary".into()));

    let (code, _, errors) = headless(&[film, film, "--save", absent]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("--save works with only one stream"), "{errors}");
    let (code, _, errors) = headless(&[film; MAX_TILES + 1]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("at most 9"), "{errors}");
}

/// An HTTP response, and the beginning of an FLV file.
const FLV: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nFLV\x01\x05\0\0\0\x09\0\0\0\0";

/// Servers in the other tiles send garbage, lie, stall or send nothing. The good tiles play on, and
/// each bad tile states its cause.
#[test]
fn servers_that_misbehave_in_tiles_harm_no_other() {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180", "--fps", "25"];
    let mut live = Onair::start(&words);
    let good = live.play_url();
    let garbage = web::canned(|_, socket| {
        let mut next = 7_u32;
        let _ = socket.write_all(FLV);
        // For as long as the client reads, a little at a time.
        loop {
            let noise = [(); 4_096].map(|()| {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (next >> 24) as u8
            });
            if socket.write_all(&noise).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let stalls = web::canned(|_, socket| {
        let _ = socket.write_all(FLV);
        std::thread::sleep(LIMIT);
    });
    // It promises FLV and sends an HTML page; the same web server also stands in for an RTMP
    // server.
    let lies = web::canned(|_, socket| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nContent-Length: 99999999\r\n";
        let _ = socket.write_all(format!("{head}\r\n<html>no film</html>").as_bytes());
    });
    let cuts = web::canned(|_, socket| drop(socket.write_all(b"HTTP/1.1 200 OK\r\n\r\nFLV")));
    let bad = [
        format!("http://127.0.0.1:{garbage}/x.flv"),
        format!("http://127.0.0.1:{stalls}/x.flv"),
        format!("http://127.0.0.1:{lies}/x.flv"),
        format!("rtmp://127.0.0.1:{lies}/live/x"),
        format!("http://127.0.0.1:{cuts}/x.flv"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let studio = watcher(folder.path());
    studio.send(Ask::Watch { url: good.clone() });
    for url in &bad {
        studio.send(Ask::Player(WatchCommand::Add { url: url.clone() }));
    }
    studio.send(Ask::Player(WatchCommand::Add { url: good }));
    let others = 1..=bad.len() as u8;
    let last = bad.len() as u8 + 1;
    wait(&studio, "both good ones", |snapshot| plays(snapshot, 0) && plays(snapshot, last));
    // The tile that stalls takes longest to fail.
    let causes = |snapshot: &Snapshot| -> Vec<String> {
        let cause = |id| match tile(snapshot, id).map(|tile| &tile.state) {
            Some(WatchState::Failed { cause, .. }) => Some(cause.to_string()),
            _ => None,
        };
        others.clone().filter_map(cause).collect()
    };
    let snapshot =
        wait(&studio, "all others to fail", |snapshot| causes(snapshot).len() == bad.len());
    for cause in causes(&snapshot) {
        assert!(cause.len() > 15 && !cause.contains('{'), "{cause}");
    }
    let shown = |snapshot: &Snapshot| [0, last].map(|id| tile(snapshot, id).unwrap().figures.shown);
    let before = shown(&snapshot);
    let snapshot = wait(&studio, "a second more of both", |snapshot| {
        shown(snapshot).iter().zip(before).all(|(now, before)| *now >= before + 20)
    });
    for id in [0, last] {
        let tile = tile(&snapshot, id).unwrap();
        assert_eq!(tile.state, WatchState::Playing);
        assert_eq!((tile.figures.damaged, tile.figures.reconnects), (0, 0), "{:?}", tile.figures);
    }
    studio.end(LIMIT).unwrap();
}

#[test]
fn nine_tiles_all_play() {
    let small = ["--size", "192x108", "--fps", "10", "--video-bitrate", "100k"];
    let words = [&["live", "--video", "test", "--audio", "tone"], &small[..]].concat();
    let mut live = Onair::start(&words);
    let url = live.play_url();
    let folder = tempfile::tempdir().unwrap();
    let studio = watcher(folder.path());
    studio.send(Ask::Watch { url: url.clone() });
    for _ in 1..MAX_TILES {
        studio.send(Ask::Player(WatchCommand::Add { url: url.clone() }));
    }
    let snapshot = wait(&studio, "nine that play", |snapshot| {
        (0..MAX_TILES as u8).all(|id| plays(snapshot, id))
    });
    assert!(studio.watched().iter().all(|screen| screen.get().is_some()));
    // No tile stops because of the others.
    let shown = |snapshot: &Snapshot| -> Vec<u64> {
        snapshot.tiles.iter().map(|tile| tile.figures.shown).collect()
    };
    let before = shown(&snapshot);
    assert_eq!(before.len(), MAX_TILES);
    wait(&studio, "a second more of each", |snapshot| {
        shown(snapshot).iter().zip(&before).all(|(now, before)| now >= &(before + 10))
    });
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_stream_that_is_lost_for_good_gives_its_code() {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180", "--fps", "15"];
    let mut live = Onair::start(&words);
    let url = live.play_url();
    let mut player = Onair::start(&["play", &url, "--headless", "--mute", "--no-reconnect"]);
    player.wait_event("it to play", |it| it["event"] == "play" && it["state"] == "playing");
    live.peer.kill();
    let code = player.peer.wait(LIMIT).code();
    let events = player.events();
    let last = events.last().unwrap();
    assert_eq!((code, &last["exit"]), (Some(8), &8.into()), "{events:?}");
    let failed = events.iter().find(|it| it["state"] == "failed").expect("it is not told");
    assert_eq!(failed["code"], 8, "{failed}");
}
