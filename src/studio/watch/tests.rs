//! Tests of the players of the *Watch* page.

use super::*;

/// Time limit for the end of a player.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// Plays from a server that never answers, and ends the playback in this way. Returns the keys
/// of the messages that arrive afterwards.
fn keys_after(
    audio_dump: Option<&str>,
    file: &std::path::Path,
    end: impl FnOnce(&mut Players, &Runtime, Clock),
) -> Vec<&'static str> {
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtmp://{}/app/name", server.local_addr().unwrap());
    let config = player::Config {
        speaker: false,
        audio_dump: audio_dump.map(Into::into),
        ..player::Config::new(player::Source::parse(&url))
    };
    let screens = vec![Latest::default(), Latest::default()];
    let options = (Network::default(), Viewport::default());
    let mut players = Players::new(screens, config, options, false);
    assert!(players.open(url, &runtime, clock).is_none());
    players.handle(&WatchCommand::Save(file.to_owned())).unwrap();
    end(&mut players, &runtime, clock);
    let (begun, mut keys) = (clock.now(), Vec::new());
    while !players.closing.is_empty() {
        assert!(clock.now().since(begun) < END_TIMEOUT, "the player does not end");
        keys.extend(players.poll().into_iter().filter_map(|(_, report)| match report {
            TileReport::Message(StudioMessage::Player(it), MessageVia::Reported) => Some(it.key()),
            _ => None,
        }));
        std::thread::yield_now();
    }
    keys
}

#[test]
fn a_closed_player_still_reports_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watched.flv");
    let stopped = keys_after(None, &file, |players, _, _| players.close());
    assert_eq!(stopped, ["player-saved"]);
    let removed = keys_after(None, &file, |players, _, _| players.remove(players.chosen));
    assert_eq!(removed, ["player-save-renamed", "player-saved"]);
    let other = keys_after(None, &file, |players, runtime, clock| {
        let other = folder.path().join("none.flv").display().to_string();
        assert!(players.open(other, runtime, clock).is_none());
    });
    assert!(other.contains(&"player-saved"), "{other:?}");
}

#[test]
fn a_closed_player_still_reports_that_its_file_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watched.flv");
    let keys = keys_after(Some("/dev/full"), &file, |players, _, _| players.close());
    assert!(keys.contains(&"player-output-failed"), "{keys:?}");
}

#[test]
fn an_automatic_buffer_begins_short_after_a_long_one() {
    let config = player::Config::new(player::Source::parse("rtmp://host/app/name"));
    let options = (Network::default(), Viewport::default());
    let mut players = Players::new(Vec::new(), config, options, false);
    for buffer in [Some(Duration::from_secs(8)), None] {
        players.handle(&WatchCommand::SetBuffer(buffer)).unwrap();
    }
    assert!(players.config.auto_buffer);
    assert_eq!(players.config.buffer, player::INITIAL_AUTO_BUFFER);
}
