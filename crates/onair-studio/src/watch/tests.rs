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
fn a_seek_after_the_end_of_a_recording_plays_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("short.wav");
    // A tenth of a second of mono PCM with 16 bits at 8 kHz.
    let mut wav = b"RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    wav.extend(b"\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0data\x40\x06\0\0");
    wav.extend([0; 1_600]);
    std::fs::write(&file, wav).unwrap();
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let url = file.display().to_string();
    let source = player::Source::parse(&url);
    let config = player::Config { speaker: false, ..player::Config::new(source) };
    let options = (Network::default(), Viewport::default());
    let mut players = Players::new(vec![Latest::default()], config, options, false);
    let to_end = |players: &mut Players| {
        let (begun, mut first) = (clock.now(), Duration::ZERO);
        while players.state() != WatchState::Ended {
            assert!(clock.now().since(begun) < END_TIMEOUT, "{:?}", players.state());
            players.poll();
            let tile = players.tile(players.chosen).unwrap();
            if first.is_zero() {
                first = tile.player.as_ref().map(player::Player::position).unwrap_or_default();
            }
            std::thread::yield_now();
        }
        first
    };
    let millis = Duration::from_millis;
    assert!(players.open(url, &runtime, clock).is_none());
    assert_eq!(players.replay_position(&WatchCommand::Seek(millis(50))), None, "it plays");
    to_end(&mut players);
    let position = |playing: WatchCommand| players.replay_position(&playing);
    assert_eq!(position(WatchCommand::Seek(millis(50))), Some(millis(50)));
    // The last audio before the end still plays.
    assert_eq!(position(WatchCommand::Seek(millis(900))), Some(millis(85)));
    let step = |ahead| WatchCommand::Step { by: millis(5_000), ahead };
    assert_eq!(position(step(false)), Some(Duration::ZERO));
    assert_eq!(position(step(true)), None);
    assert!(players.replay(millis(50), &runtime, clock).is_none());
    assert!(players.state().is_busy());
    let first = to_end(&mut players);
    assert!(first >= millis(40), "{first:?}");
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
